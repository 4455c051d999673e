"""Every page there is was looked at: one that nobody declared fails here, and says where to declare it."""

from typing import Any

import pytest

from tests.isolation.routes import Route, every_route
from tests.support.pages import NOT_PAGES, PAGES, Page, declared
from tests.support.stories import Street

ROUTES = every_route()
OTHERS = [route for route in ROUTES if declared(route) and declared(route)[0] in NOT_PAGES]


def visit(street: Street, page: Page, address: str = "") -> Any:
    client, state = street.client(page.state.who), page.state
    address = address or page.address(street)
    return client.get(address) if state.form is None else client.post(address, dict(state.form))


def is_page(response: Any) -> bool:
    return response.status_code == 200 and response.get("Content-Type", "").startswith("text/html")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_says_whether_somebody_looks_at_it(route: Route) -> None:
    assert declared(route), (
        f"Nobody has said how {route.name} looks. Add it to PAGES in tests/support/pages.py with the states it has"
        " (full, empty, failing, refused), or to NOT_PAGES if it is a button, a download or a part of the API."
    )


@pytest.mark.parametrize("name", [*PAGES, *NOT_PAGES])
def test_what_is_declared_exists(name: str) -> None:
    assert [route for route in ROUTES if name in declared(route)], f"{name} is no route any more."


@pytest.mark.parametrize("route", OTHERS, ids=str)
def test_what_is_no_page_shows_none(route: Route, street: Street) -> None:
    house = street.houses["full"]

    assert not is_page(street.client("root").get(house.address(route)))
