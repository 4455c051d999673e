"""Every route there is, tried by those who have no business there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from integrations.api import keys
from integrations.api.scopes import SCOPES
from integrations.models import ApiKey
from tests.isolation import expectations
from tests.isolation.conftest import ORIGIN, House, Provider
from tests.isolation.expectations import EXPECTATIONS
from tests.isolation.routes import Route, every_route, named
from tests.isolation.tries import METHODS, call, naming, visit

ROUTES = every_route()
TOKEN_ROUTES = [
    route for route in [*named("sdk:"), *named("workflows_sdk:"), *named("portal:")] if "project_id" in route.parameters
]
KEY_ROUTES = [*named("management:"), *named("workflows_management:")]
PROJECT_PAGES = [route for route in [*named("dashboard:"), *named("workflows:")] if "project_id" in route.parameters]
ROW_PAGES = [
    route
    for route in PROJECT_PAGES
    if {"connection_id", "user_id", "key_id", "api_key_id", "member_id", "workflow_id", "run_id", "secret_id"}
    & {*route.parameters}
]


# The list itself ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_says_who_may_be_answered_what(route: Route) -> None:
    assert expectations.of(route)


@pytest.mark.parametrize("name", EXPECTATIONS)
def test_every_declared_route_exists(name: str) -> None:
    assert [route for route in ROUTES if name in expectations.names_for(route)], f"{name} is no route any more."


def test_a_route_that_nobody_declared_says_where_to_do_so() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"Add it to EXPECTATIONS in tests/isolation/expectations\.py"):
        expectations.of(Route("dashboard:brand_new", "p/<uuid:project_id>/brand-new"))


# Signed out, and a dashboard user of another project -----------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_signed_out_nobody_sees_anything(route: Route, acme: House, client: Client, provider: Provider) -> None:
    before = acme.rows()

    tries = visit(client, acme.address(route))

    assert tries.outcomes == expectations.of(route).signed_out
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_stranger_sees_nothing_of_another_project(
    route: Route, acme: House, as_stranger: Client, provider: Provider
) -> None:
    before = acme.rows()

    tries = visit(as_stranger, acme.address(route))

    assert tries.outcomes == expectations.of(route).stranger
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


@pytest.mark.parametrize("route", ROW_PAGES, ids=str)
def test_rows_of_another_project_are_not_found_below_ones_own(
    route: Route, acme: House, elsewhere: House, as_stranger: Client
) -> None:
    before = acme.rows()

    tries = visit(as_stranger, acme.address(route, project=elsewhere.project))

    assert tries.outcomes == {404, 405}
    assert acme.rows() == before


@pytest.mark.parametrize("route", PROJECT_PAGES, ids=str)
def test_ones_own_pages_show_nothing_of_another_project(
    route: Route, acme: House, elsewhere: House, as_stranger: Client
) -> None:
    tries = visit(as_stranger, elsewhere.address(route))

    assert tries.outcomes & {200, 302, 400}
    assert tries.shown() == []


# End users ------------------------------------------------------------------------------------------------------------

FORGED: dict[str, Callable[[House, House], str]] = {
    "none at all": lambda acme, elsewhere: "",
    "not a token": lambda acme, elsewhere: "good news",
    "another project's": lambda acme, elsewhere: elsewhere.token("alice"),
    "another project's key": lambda acme, elsewhere: elsewhere.token("alice", aud=str(acme.project.pk)),
    "our key, for another project": lambda acme, elsewhere: acme.token("alice", aud=str(elsewhere.project.pk)),
    "long expired": lambda acme, elsewhere: acme.token("alice", iat=1_600_000_000, exp=1_600_003_600),
}
FOREIGN_PAGES = ["https://evil.test", f"{ORIGIN}.evil.test", "http://app.acme.test", "null"]


@pytest.mark.parametrize("route", TOKEN_ROUTES, ids=str)
@pytest.mark.parametrize("kind", FORGED)
def test_a_token_that_is_not_of_this_project_is_refused(
    kind: str, route: Route, acme: House, elsewhere: House, provider: Provider
) -> None:
    before = acme.rows()

    tries = call(acme, route, FORGED[kind](acme, elsewhere))

    assert tries.outcomes == expectations.of(route).signed_out
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


@pytest.mark.parametrize("route", TOKEN_ROUTES, ids=str)
def test_another_user_of_the_project_reaches_nothing_of_alice(route: Route, acme: House, provider: Provider) -> None:
    before = acme.rows()

    tries = call(acme, route, acme.token("mallory"), headers=naming(acme))

    assert tries.outcomes == expectations.of(route).other_user
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


@pytest.mark.parametrize("route", TOKEN_ROUTES, ids=str)
def test_the_alice_of_another_project_reaches_nothing_of_ours(route: Route, acme: House, elsewhere: House) -> None:
    before = acme.rows()

    tries = call(acme, route, elsewhere.token("alice"), project=elsewhere.project, headers=naming(acme))

    assert not tries.outcomes & {401, 500}
    assert tries.shown() == []
    assert acme.rows() == before


@pytest.mark.parametrize("route", TOKEN_ROUTES, ids=str)
@pytest.mark.parametrize("origin", FOREIGN_PAGES)
def test_a_page_that_is_not_allowed_gets_nothing_even_with_alices_token(
    origin: str, route: Route, acme: House, provider: Provider
) -> None:
    before = acme.rows()

    tries = call(acme, route, acme.token("alice"), headers=[{"Origin": origin}])

    assert tries.outcomes == {400, *(expectations.of(route).signed_out - {401})}
    assert "Access-Control-Allow-Origin" not in " ".join(tries.bodies)
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


# API keys -------------------------------------------------------------------------------------------------------------

KEYS: dict[str, Callable[[House, House], str]] = {
    "none at all": lambda acme, elsewhere: "",
    "another project's": lambda acme, elsewhere: elsewhere.api_key,
    "one that nobody made": lambda acme, elsewhere: keys.new_text(),
    "ours with another secret": lambda acme, elsewhere: resealed(acme.api_key),
    "ours, cut off": lambda acme, elsewhere: acme.api_key[:-1],
    "its public beginning": lambda acme, elsewhere: keys.prefix_of(acme.api_key),
    "the token of alice": lambda acme, elsewhere: acme.token("alice"),
}


def resealed(text: str) -> str:
    """Return a well-formed key with the public part of this one and a secret part of its own."""
    random = keys.prefix_of(text).removeprefix(keys.MARK) + "x" * keys.SECRET
    return f"{keys.MARK}{random}{keys._check(random)}"


@pytest.mark.parametrize("route", KEY_ROUTES, ids=str)
@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_is_not_of_this_project_is_refused(kind: str, route: Route, acme: House, elsewhere: House) -> None:
    before = acme.rows()

    tries = call(acme, route, KEYS[kind](acme, elsewhere))

    assert tries.outcomes == expectations.of(route).signed_out
    assert tries.shown() == []
    assert acme.rows() == before


@pytest.mark.parametrize("route", KEY_ROUTES, ids=str)
@pytest.mark.parametrize("ended", [{"revoked_at": Now()}, {"expires_at": Now() - timedelta(seconds=1)}])
def test_a_key_that_is_over_is_refused(ended: dict[str, Any], route: Route, acme: House) -> None:
    ApiKey.objects.filter(project=acme.project).update(**ended)
    before = acme.rows()

    tries = call(acme, route, acme.api_key)

    assert tries.outcomes == expectations.of(route).signed_out
    assert tries.shown() == []
    assert acme.rows() == before


@pytest.mark.parametrize("route", KEY_ROUTES, ids=str)
def test_a_key_without_the_scope_is_told_which_one_it_lacks(route: Route, acme: House, provider: Provider) -> None:
    wanted = set(route.view.scopes.values())
    others = {scope.name for scope in SCOPES} - wanted
    _, key = keys.make(acme.project, "For other things", others, acme.owner)
    before = acme.rows()

    tries = call(acme, route, key)

    assert tries.outcomes == expectations.of(route).without_scope
    assert [scope for scope in wanted if scope not in " ".join(tries.bodies)] == []
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


@pytest.mark.parametrize("route", KEY_ROUTES, ids=str)
def test_a_key_of_another_project_reaches_nothing_of_ours_below_its_own(
    route: Route, acme: House, elsewhere: House
) -> None:
    before = acme.rows()

    tries = call(acme, route, elsewhere.api_key, project=elsewhere.project)

    assert not tries.outcomes & {401, 403, 500}
    assert tries.shown() == []
    assert acme.rows() == before


@pytest.mark.parametrize("route", KEY_ROUTES, ids=str)
@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:8000.evil.test", "https://evil.test", "null"])
def test_no_page_of_another_server_may_use_a_key(origin: str, route: Route, acme: House) -> None:
    before = acme.rows()

    tries = call(acme, route, acme.api_key, headers=[{"Origin": origin}], methods=[*METHODS, "OPTIONS"])

    assert tries.outcomes == {400, 405}
    assert "Access-Control-Allow-Origin" not in " ".join(tries.bodies)
    assert tries.shown() == []
    assert acme.rows() == before


@pytest.mark.parametrize("route", KEY_ROUTES, ids=str)
def test_a_page_of_ours_may_use_the_key_that_its_reader_pastes(route: Route, acme: House) -> None:
    tries = call(acme, route, acme.api_key, headers=[{"Origin": "http://localhost:8000"}], methods=["GET"])

    assert not tries.outcomes & {400, 401, 403, 500}
    assert "Access-Control-Allow-Origin" not in " ".join(tries.bodies)


@pytest.mark.parametrize("route", TOKEN_ROUTES, ids=str)
def test_an_api_key_is_no_user_token(route: Route, acme: House, provider: Provider) -> None:
    before = acme.rows()

    tries = call(acme, route, acme.api_key)

    assert tries.outcomes == expectations.of(route).signed_out
    assert tries.shown() == []
    assert acme.rows() == before
    assert provider.asked == []


# Whom it belongs to ---------------------------------------------------------------------------------------------------

HERS = ["me", "credentials", "credential", "proxy", "raw", "raw-connection"]


@pytest.mark.parametrize("name", HERS)
def test_alice_sees_her_own_account(name: str, acme: House) -> None:
    route = next(route for route in TOKEN_ROUTES if route.name == f"sdk:{name}")

    tries = call(acme, route, acme.token("alice"), headers=naming(acme))

    assert 200 in tries.outcomes
    assert "Ada Secretly" in tries.shown()


@pytest.mark.parametrize("name", ["users", "user", "export-user", "connections", "connection"])
def test_a_key_of_the_project_sees_alices_data(name: str, acme: House) -> None:
    route = next(route for route in KEY_ROUTES if route.name == f"management:{name}")

    tries = call(acme, route, acme.api_key, methods=["GET"])

    assert tries.outcomes == {200}
    assert "Ada Secretly" in tries.shown()


@pytest.mark.parametrize("name", ["user", "audit", "disconnect", "integration"])
def test_the_owner_sees_alices_data(name: str, acme: House, signed_in: Callable[..., Client]) -> None:
    route = next(route for route in PROJECT_PAGES if route.name == f"dashboard:{name}")

    tries = visit(signed_in(acme.owner), acme.address(route))

    assert 200 in tries.outcomes
    assert tries.shown()
