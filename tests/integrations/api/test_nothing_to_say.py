"""Where an API has nothing to say it says nothing, whichever of them is asked: no body, and no type of one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.models import Connection, Integration, Project
from tests.integrations.api.conftest import BackEnd
from tests.integrations.sdk.conftest import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(project: Project, user_token: Callable[..., str]) -> Person:
    return Person(project, user_token("alice"))


def disconnect(alice: Person, back_end: BackEnd, connection: Connection) -> Any:
    return alice.call("DELETE", f"sdk/credentials/{connection.pk}")


def uninstall(alice: Person, back_end: BackEnd, connection: Connection) -> Any:
    return alice.call("DELETE", f"sdk/integrations/{connection.integration_id}")


def give_up(alice: Person, back_end: BackEnd, connection: Connection) -> Any:
    return alice.call("DELETE", "sdk/actions/session-id/key")


def ask_before(alice: Person, back_end: BackEnd, connection: Connection) -> Any:
    project = alice.project
    project.allowed_origins = ["https://app.acme.test"]
    project.save()
    asked = {"Origin": "https://app.acme.test", "Access-Control-Request-Method": "GET"}
    return Client().options(f"/projects/{project.pk}/sdk/me", headers=asked)


def disconnect_with_a_key(alice: Person, back_end: BackEnd, connection: Connection) -> Any:
    return back_end.call("DELETE", f"connections/{connection.pk}")


def delete_a_user(alice: Person, back_end: BackEnd, connection: Connection) -> Any:
    return back_end.call("DELETE", f"users/{connection.user.sub}")


@pytest.mark.parametrize(
    "call", [disconnect, uninstall, give_up, ask_before, disconnect_with_a_key, delete_a_user], ids=lambda f: f.__name__
)
def test_an_empty_answer_has_no_type(
    call: Callable[..., Any],
    alice: Person,
    back_end: BackEnd,
    jira: Integration,
    connect: Callable[..., Connection],
) -> None:
    answer = call(alice, back_end, connect("alice"))

    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers
