"""That a page is there in its state, and what it costs: few queries, little to send, few requests.

What misses its budget prints what it is made of.

Weight is what the server sends to a browser that has nothing yet: the page as it is, for pages are not compressed
(config/settings.py says why), and its style sheets and scripts as a production sends them, compressed.
"""

import gzip
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.pages.test_declared import visit
from tests.support.pages import Page, every_page
from tests.support.stories import Street

MOST_QUERIES = 9
MOST_BYTES = 100_000
MOST_REQUESTS = 12
# The builder's script is in parts; its page names them all at once, so that none waits for another.
MORE_REQUESTS = {"workflows:build": 20}
# Before Django's admin deletes something it looks into every table for what would go with it.
# And allauth asks for each kind of second factor by itself, some of them twice.
MORE_QUERIES = ("admin:*_delete", "mfa_reauthenticate_webauthn", "mfa_add_webauthn")
# Django's own, which the admin's pages bring along.
NOT_OURS = "admin/"
# What the browser fetches by itself, and what those scripts and style sheets bring in.
FETCHED = re.compile(r'<(?:link[^>]*rel="(?:stylesheet|icon)"[^>]*href|script[^>]*src|img[^>]*src)="/static/([^"?]+)"')
ASKING = ("SELECT", "INSERT", "UPDATE", "DELETE")
IMPORTED = re.compile(r'(?:from|import|@import)\s*\(?\s*"(\./|\.\./)?([^"]+\.(?:m?js|css))"')


@cache
def sent(name: str) -> int:
    """Return how many bytes of a static file a browser is sent, which knows gzip."""
    found = finders.find(name)
    assert found, f"{name} is not there"
    data = Path(str(found)).read_bytes()
    return min(len(data), len(gzip.compress(data, 9)))


def own_files(html: str) -> list[str]:
    found = set(FETCHED.findall(html))
    for name in list(found):
        found |= imported(name)
    return sorted(name for name in found if not name.startswith(NOT_OURS))


@cache
def imported(name: str) -> frozenset[str]:
    source = Path(str(finders.find(name)))
    found: set[str] = set()
    if source.suffix in (".js", ".mjs", ".css"):
        folder = Path(name).parent
        for up, target in IMPORTED.findall(source.read_text()):
            path = (folder.parent if up == "../" else folder) / target
            found |= {str(path), *imported(str(path))}
    return frozenset(found)


@pytest.mark.parametrize("page", every_page(), ids=str)
def test_a_page_is_there_and_keeps_to_its_budget(page: Page, street: Street) -> None:
    first = visit(street, page)  # what is remembered a moment is remembered now
    assert first.status_code == page.state.status, first.get("Location", "")
    assert first["Content-Type"].startswith("text/html")

    address = page.address(street)
    with CaptureQueriesContext(connection) as queries:
        response = visit(street, page, address)

    parts = {"the page": len(response.content)} | {name: sent(name) for name in own_files(response.content.decode())}
    asked = [query["sql"] for query in queries if query["sql"].startswith(ASKING)]
    assert sum(parts.values()) < MOST_BYTES, table(parts)
    assert len(parts) <= MORE_REQUESTS.get(page.route.name, MOST_REQUESTS), table(parts)
    assert len(asked) <= MOST_QUERIES or is_spared(page), "\n".join(["", *(sql[:300] for sql in asked)])


def is_spared(page: Page) -> bool:
    """What is sent with a form is also checked and stored: that has no budget."""
    return page.state.form is not None or any(fnmatchcase(page.route.name, name) for name in MORE_QUERIES)


def table(parts: dict[str, int]) -> str:
    lines = [f"{size:>8,}  {name}" for name, size in sorted(parts.items(), key=lambda part: -part[1])]
    return "\n".join(["", *lines, f"{sum(parts.values()):>8,}  together"])
