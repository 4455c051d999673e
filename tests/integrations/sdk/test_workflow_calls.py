"""Calls about workflows are answered in the API's own words while a project has none."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from integrations.models import Connection, Event
from tests.integrations.sdk.conftest import Person

pytestmark = pytest.mark.django_db
NO_WORKFLOW = {"code": "no_workflow", "message": "This project has no such workflow.", "status": 404}
CALLS = [
    ("POST", "sdk/workflows/{id}"),
    ("DELETE", "sdk/workflows/{id}"),
    ("POST", "sdk/triggers/{id}"),
    ("POST", "sdk/triggers/{id}?name=value"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("workflow_id", ["5b0e6f3c-9a43-4a0e-8f0f-0d7c1f3f6a10", "my-workflow", "1"])
def test_there_is_no_such_workflow(method: str, path: str, workflow_id: str, alice: Person) -> None:
    answer = alice.call(method, path.format(id=workflow_id), {"anything": 1})

    assert answer.status_code == 404
    assert answer.json() == NO_WORKFLOW


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_being_connected_makes_no_difference(
    method: str, path: str, alice: Person, connect: Callable[..., Connection]
) -> None:
    connection = connect("alice")

    answer = alice.call(method, path.format(id=uuid4()), **{"X-Paragon-Credential": str(connection.pk)})

    assert answer.json() == NO_WORKFLOW


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_the_user_stays_signed_in(method: str, path: str, alice: Person) -> None:
    """Paragon's SDK logs out on 401 and 403."""
    assert alice.call(method, path.format(id=uuid4())).status_code not in (401, 403)


def test_an_event_is_accepted_although_nothing_listens(alice: Person) -> None:
    answer = alice.call("POST", "sdk/events/trigger", {"name": "Task done", "payload": {"id": 1}})

    event = Event.objects.get()
    assert (answer.status_code, answer.json()) == (201, {"id": str(event.pk)})
    assert (event.name, event.payload, event.sub) == ("Task done", {"id": 1}, "alice")


def test_an_event_is_accepted_at_its_older_address_too(alice: Person) -> None:
    address = f"/v2/projects/{alice.project.pk}/sdk/events/trigger"
    headers = {"Authorization": f"Bearer {alice.token}"}

    answer = alice.client.post(address, {"name": "Task done"}, "application/json", headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 7}, {"payload": {}}])
def test_an_event_needs_a_name(body: dict[str, object], alice: Person) -> None:
    answer = alice.call("POST", "sdk/events/trigger", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_event")


def test_there_are_no_triggers_yet(alice: Person) -> None:
    assert alice.get("triggers?integrations=jira").json() == {"triggers": {}, "errors": []}


def test_field_options_need_a_connection(alice: Person) -> None:
    answer = alice.call("POST", "sdk/actions", {"action": "jira", "sourceKey": "projects"})

    assert (answer.status_code, answer.json()["message"]) == (400, "Integration not enabled for user.")


def test_there_are_no_options_of_an_unknown_source(alice: Person, connect: Callable[..., Connection]) -> None:
    connect("alice")

    answer = alice.call("POST", "sdk/actions", {"action": "jira", "sourceKey": "nonsense"})

    assert (answer.status_code, answer.json()["code"]) == (404, "no_source")
