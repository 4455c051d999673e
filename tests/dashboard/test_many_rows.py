"""Every page asks the database as often for many rows as for a few, and never often."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations import audit, seeding
from integrations.models import Connection, Event, Member, Project, SigningKey, User
from tests.isolation.conftest import ACCOUNT, House, build
from tests.isolation.routes import named
from workflows import runs
from workflows import seeding as history
from workflows.models import ProjectSecret, Run, Workflow

pytestmark = pytest.mark.django_db
TOO_MANY = 10
PAGES = [
    route
    for app in ("dashboard:", "workflows:")
    for route in named(app)
    if "GET" in getattr(route.view, "methods", ()) and "export" not in route.name
]
# The filters of a list, each of which is another query; what alike() makes of the rows passes them all.
FILTERS = [
    ("dashboard:users", "q=e&health=reconnect&provider=jira&since=2020-01-01"),
    ("dashboard:calls", "user=user-1&provider=jira&status=4&since=24&route=/rest"),
    ("dashboard:audit", "who=olivia@acme.test&action=connected&since=2020-01-01&until=2030-01-01"),
    ("workflows:events", "state=ignored&source=poll&name=task.created&user=user-1"),
    ("workflows:runs", "status=bad&user=user-1&error=502&tests=on&since=2020-01-01T00:00&until=2030-01-01T00:00"),
]


@pytest.fixture
def acme(db: None, private_key: rsa.RSAPrivateKey) -> House:
    return build("Acme Tasks", User.objects.create_user("olivia@acme.test"), private_key, ACCOUNT)


@pytest.fixture
def as_olivia(acme: House) -> Client:
    client = Client()
    client.force_login(acme.owner)
    return client


def grow(house: House, count: int) -> None:
    """Add this many of everything that a list shows, and projects beside this one."""
    project, owner = house.project, house.owner
    seeding.add_users(project, count)
    seeding.add_calls(project, count, 1)
    seeding.add_audit_entries(project, count, 1)
    history.add_events(project, 2 * count, 1)
    for number in range(count):
        name = f"{count} {number}"
        Member.objects.create(project=project, user=User.objects.create_user(f"{count}-{number}@acme.test"))
        Member.objects.create(project=Project.objects.create(name=name), user=owner, role=Member.Role.OWNER)
        ProjectSecret.objects.create(project=project, name=f"S{count}_{number}", set_at=timezone.now())
        flow = Workflow.objects.create(project=project, integration=house.integration, name=name)
        runs.pinned(flow, {"steps": []})
        SigningKey.objects.create(project=project, name=name, created_by=owner)
        audit.record(project, owner, "connected", name)


def alike(project: Project) -> None:
    """Let every row pass the filters: made-up rows are made by chance, which may leave none that does."""
    project.connections.update(status=Connection.Status.NEEDS_RECONNECT)
    project.calls.update(sub="user-1", provider_slug="jira", status=404, route="/rest", at=timezone.now())
    project.events.update(state=Event.State.IGNORED, source=Event.Source.POLL, name="task.created", sub="user-1")
    Run.objects.filter(project=project).update(status=Run.Status.FAILED, sub="user-1", reason="It answers 502.")


def asked(client: Client, address: str) -> int:
    client.get(address)  # what is remembered for a while is not asked again
    with CaptureQueriesContext(connection) as queries:
        response: Any = client.get(address)
    assert response.status_code in (200, 302)
    return len(queries)


def test_pages_ask_no_more_often_for_many_rows(as_olivia: Client, acme: House) -> None:
    addresses = {route.name: acme.address(route) for route in PAGES}
    grow(acme, 3)
    few = {name: asked(as_olivia, address) for name, address in addresses.items()}
    grow(acme, 60)
    many = {name: asked(as_olivia, address) for name, address in addresses.items()}

    assert many == few
    assert {name: count for name, count in few.items() if count >= TOO_MANY} == {}


@pytest.mark.parametrize(("name", "query"), FILTERS)
def test_a_filtered_list_asks_no_more_often(name: str, query: str, as_olivia: Client, acme: House) -> None:
    address = f"{acme.address(next(route for route in PAGES if route.name == name))}?{query}"
    grow(acme, 3)
    alike(acme.project)
    few = asked(as_olivia, address)
    grow(acme, 60)
    alike(acme.project)

    assert asked(as_olivia, address) == few < TOO_MANY
    assert len(as_olivia.get(address).context["page"].rows) > 20  # it found what it was to list
