"""Fields that a form does not show, sent with it all the same: they change nothing, or the request is refused.

Every request is sent twice, once as it should be and once with the fields that somebody would like to set, and must
have the same effect on who belongs where and may do what.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client

from integrations import remember
from integrations.models import Member, User
from tests.isolation import expectations
from tests.isolation.conftest import ORIGIN, House
from tests.isolation.routes import Route, every_route, named
from tests.isolation.tries import filled

MODELS = [model for app in ("integrations", "workflows") for model in apps.get_app_config(app).get_models()]
PAGES = [route for route in [*named("dashboard:"), *named("workflows:")] if route.name != "dashboard:home"]
ACCOUNTS = [route for route in every_route() if route.name.startswith("account_") and not route.parameters]
TOKEN_ROUTES = [*named("sdk:"), *named("workflows_sdk:")]
KEY_ROUTES = [*named("management:"), *named("workflows_management:")]
API = [route for route in [*TOKEN_ROUTES, *KEY_ROUTES] if "project_id" in route.parameters and "v2-" not in route.name]
CALLS = [
    (route, method)
    for route in API
    for method in ("POST", "PATCH")
    if method in getattr(route.view, "methods", ["POST"])
]
IN_JSON = {"save_draft", "options", "more_fields", "check_trigger", "test"}


def smuggled(elsewhere: House) -> dict[str, Any]:
    there = str(elsewhere.project.pk)
    return {
        **dict.fromkeys(("project", "projectId", "project_id", "project_ptr"), there),
        **dict.fromkeys(("user", "user_id", "owner", "owner_id", "created_by", "actor"), str(elsewhere.owner.pk)),
        **dict.fromkeys(("is_superuser", "is_staff", "is_active", "is_enabled", "is_claimed"), "on"),
        "role": "owner",
        "status": "done",
        "state": "dispatched",
        "sub": "mallory",
        "kind": "production",
        "id": there,
        "pk": there,
    }


# What makes a form good, where it needs anything; of the names above, only those that the form itself shows.
BODIES: dict[str, Callable[[House], dict[str, Any]]] = {
    "account_profile": lambda acme: {"name": "Visitor"},
    "dashboard:new_project": lambda acme: {"name": "Mine", "kind": "development"},
    "dashboard:project_settings": lambda acme: {"name": "Renamed", "kind": "development"},
    "dashboard:sdk_settings": lambda acme: {"allowed_origins": ORIGIN},
    "dashboard:generate_key": lambda acme: {"name": "Another"},
    "dashboard:new_api_key": lambda acme: {"name": "Mine", "scopes": ["users:read"], "days": "30"},
    "dashboard:invite": lambda acme: {"email": "carol@acme.test", "role": "support"},
    "dashboard:change_role": lambda acme: {"role": "owner"},
    "dashboard:delete_user": lambda acme: {"sub": "alice"},
    "dashboard:integration_settings": lambda acme: {"client_id": "client", "client_secret": "s", "confirmed": "yes"},
    "dashboard:try_call": lambda acme: {"method": "GET", "path": "/rest/api/3/myself"},
    "workflows:new_workflow": lambda acme: {"name": "Mine", "integration": str(acme.integration.pk)},
    "workflows:save_draft": lambda acme: {"name": "Renamed", "draft": acme.run.version.definition, "revision": 1},
    "workflows:test": lambda acme: {"connection": str(acme.connection.pk)},
    "workflows:run_now": lambda acme: {"connection": str(acme.connection.pk), "payload": "{}"},
    "workflows:switch": lambda acme: {"on": "yes"},
    "workflows:replay_many": lambda acme: {"status": "failed", "user": "alice"},
    "workflows:replay_events": lambda acme: {"state": "ignored", "user": "alice"},
    "workflows:secrets": lambda acme: {"name": "MINE", "value": "a value"},
    "workflows:alerts": lambda acme: {"emails": "olivia@acme.test"},
    "sdk:me": lambda acme: {"meta": {"Plan": "pro"}},
    "sdk:credential": lambda acme: {"config": {"sharedSettings": {"note": "mine"}}},
    "workflows_sdk:event": lambda acme: {"name": "hello", "payload": {}},
    "management:user": lambda acme: {"meta": {"Plan": "pro"}, "isDisabled": True},
}


def guarded(names: Mapping[str, Any]) -> list[str]:
    """Return who belongs where and may do what: of every row, the fields that one would like to set."""
    found = []
    for model in MODELS:
        fields = [field.name for field in model._meta.concrete_fields if field.name in names and field.name != "id"]
        found += [
            f"{model.__name__}: {[f'{name}={getattr(row, name)}' for name in fields]}" for row in model.objects.all()
        ]
    return sorted(found)


def effect(send: Callable[[dict[str, Any]], Any], body: dict[str, Any], names: Mapping[str, Any]) -> Any:
    """Return the status that a request is answered with, and what it changes, which is taken back."""
    with transaction.atomic():
        status, after = send(body).status_code, guarded(names)
        transaction.set_rollback(True)
    remember.forget_everything()
    return status, after


def test_there_is_something_to_guard(acme: House, elsewhere: House) -> None:
    told = " ".join(guarded(smuggled(elsewhere)))

    wanted = ["is_superuser=False", "role=owner", "project=Elsewhere", "status=failed", "state=ignored", "sub=alice"]
    assert [text for text in wanted if text not in told] == []


def test_a_change_of_what_is_guarded_is_seen(acme: House, elsewhere: House) -> None:
    def grant(body: Any) -> Any:
        User.objects.filter(pk=acme.owner.pk).update(is_superuser=True)
        return Client().get("/healthz")

    names = smuggled(elsewhere)

    assert effect(grant, {}, names) != (200, guarded(names))


@pytest.mark.parametrize("route", [*PAGES, *ACCOUNTS], ids=str)
def test_a_form_takes_nothing_that_it_does_not_show(route: Route, acme: House, elsewhere: House) -> None:
    address = acme.address(route)
    visitor = User.objects.create_user("visitor@acme.test", "correct horse battery")
    role = getattr(route.view, "needs", Member.Role.SUPPORT)
    Member.objects.create(project=acme.project, user=visitor, role=role)
    client = Client(raise_request_exception=False)
    client.force_login(visitor)
    body, names = BODIES.get(route.name, lambda _: {})(acme), smuggled(elsewhere)
    is_json = route.name.removeprefix("workflows:") in IN_JSON

    def send(given: dict[str, Any]) -> Any:
        return client.post(address, json.dumps(given), "application/json") if is_json else client.post(address, given)

    plain, loaded = effect(send, body, names), effect(send, names | body, names)

    assert loaded == plain
    assert plain[0] in (200, 201, 302, 400, 405)


@pytest.mark.parametrize(("route", "method"), CALLS, ids=str)
def test_the_api_takes_nothing_that_it_does_not_describe(
    route: Route, method: str, acme: House, elsewhere: House
) -> None:
    token = acme.api_key if route in KEY_ROUTES else acme.token("alice")
    described = json.loads(filled(json.dumps(expectations.of(route).body), acme, token))
    body, names = BODIES.get(route.name, lambda _: described)(acme), smuggled(elsewhere)

    def send(given: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return Client().generic(method, acme.address(route), json.dumps(given), "application/json", headers=headers)

    plain, loaded = effect(send, body, names), effect(send, names | body, names)

    refused = (400, guarded(names))
    assert loaded in (plain, refused)
    assert plain[0] < 500 or plain[0] == 542


@pytest.mark.parametrize("name", BODIES)
def test_every_good_form_is_of_a_route(name: str) -> None:
    assert [route for route in [*PAGES, *ACCOUNTS, *API] if route.name == name]
