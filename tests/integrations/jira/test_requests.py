"""What Patchbay itself asks of Jira is what Atlassian's own document of the API offers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations import http
from tests.integrations.conftest import Window, alice, jira, window_of
from tests.integrations.jira.openapi import check_request

__all__ = ["alice", "jira", "window_of"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every call to Jira's API, as (method, path with query below the site)."""
    found: list[tuple[str, str]] = []
    send: Callable[..., Any] = http.send

    def noting(method: str, url: str, **more: Any) -> Any:
        parts = urlsplit(url)
        if parts.path.startswith("/ex/jira/"):
            found.append((method, "/" + parts.path.split("/", 4)[4] + (f"?{parts.query}" if parts.query else "")))
        return send(method, url, **more)

    monkeypatch.setattr(http, "send", noting)
    return found


def test_connecting(alice: Window, asked: list[tuple[str, str]]) -> None:
    alice.connect()

    assert asked
    for method, address in asked:
        parts = urlsplit(address)
        check_request(method, parts.path, list(parse_qs(parts.query)))
