"""The headers that protect, for each kind of address: a change of one of them shows here."""

from typing import Any

import pytest

from tests.pages.test_declared import visit
from tests.support.pages import Page, every_page
from tests.support.stories import Street

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
PAGE = {
    "Content-Security-Policy": STRICT.format(ancestors="'none'"),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LOOPBACK = "http://localhost:* http://127.0.0.1:* http://localhost http://127.0.0.1"
POPUP = PAGE | {"Cross-Origin-Opener-Policy": "unsafe-none"}
API = PAGE | {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": None,
    "Cache-Control": "no-store",
}
NEVER_KEPT = {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a page of the dashboard": ("olivia", "/p/{project}/users", PAGE | NEVER_KEPT),
    "a page of the admin": ("root", "/admin/", PAGE | NEVER_KEPT),
    "signing in": ("nobody", "/accounts/login/", PAGE | NEVER_KEPT),
    "a page that is not there": ("olivia", "/nothing", PAGE),
    "a popup": ("nobody", "/connect/start/guessed", POPUP | {"Cache-Control": "no-store"}),
    "the API": ("nobody", "/projects/{project}/sdk/me", API),
    "a webhook": ("nobody", "/webhooks/jira/nobody", API),
    "health": ("nobody", "/healthz", PAGE),
    "the portal": (
        "nobody",
        "/ui?projectId={project}",
        PAGE
        | {
            "Content-Security-Policy": STRICT.format(ancestors=f"https://app.acme.test {LOOPBACK}"),
            "X-Frame-Options": None,
            "Referrer-Policy": "no-referrer",
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_headers(kind: str, street: Street) -> None:
    who, address, expected = KINDS[kind]

    response = street.client(who).get(address.format(project=street.houses["full"].project.pk))

    assert {name: in_order(response.get(name)) for name in expected} == {
        name: in_order(value) for name, value in expected.items()
    }


def in_order(header: str | None) -> list[str]:
    """Return the parts of a header: those of a policy come in any order."""
    return sorted(part.strip() for part in (header or "").split(";"))


def test_a_static_file_may_be_loaded_by_a_page_of_another_origin(street: Street) -> None:
    response = street.client("nobody").get("/static/sdk/patchbay.js")
    response.close()

    found = {name: response.get(name) for name in ("Access-Control-Allow-Origin", "X-Content-Type-Options")}
    assert found == {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


# The portal's editor shows it in a frame of its own.
FRAMED = ("portal:ui", "dashboard:portal_preview")
ONE_OF_EACH = {page.route.name: page for page in every_page() if page.route.name not in FRAMED}


@pytest.mark.parametrize("page", ONE_OF_EACH.values(), ids=str)
def test_no_page_lets_itself_be_framed(page: Page, street: Street) -> None:
    response = visit(street, page)

    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_the_portal_of_a_project_without_pages_is_framed_by_nobody(street: Street) -> None:
    response = street.client("nobody").get(f"/ui?projectId={street.houses['empty'].project.pk}")

    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
