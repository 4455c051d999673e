"""Deliveries and registrations while processes die and the broker is away. The sender repeats what was not taken."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from django.db.models.functions import Now

from integrations import listening as use_cases
from integrations import sweeper, webhooks
from integrations.models import Connection, Delivery, Event, Registration, Subscription
from tests.faults.test_killed_half_way import die_at
from tests.support.processes import free_port, granian
from tests.support.sandbox import Sandbox
from tests.triggers.conftest import Listening, Sender, app, body_of, handle_all, listener, listening, sender, trigger
from tests.workflows.conftest import Worker, connection, values, worker
from workflows import settings as workflow_settings
from workflows.models import Run

__all__ = ["app", "connection", "listener", "listening", "sender", "worker"]
pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
HANDLE = "from integrations import tasks; tasks.handle_webhook(sys.argv[1])"
TEND = "from integrations import listening; listening.tend(uuid.UUID(sys.argv[1]))"


def post(sender: Sender, port: int, identifier: str, body: dict[str, Any]) -> int | None:
    """Deliver over a socket; return the status, None where nobody answered."""
    headers = {"Authorization": f"Bearer {sender.token()}", "Content-Type": "application/json"}
    request = Request(
        f"http://localhost:{port}/webhooks/jira/{sender.app.webhook_token}",
        data=json.dumps(body).encode(),
        headers=headers | {"X-Atlassian-Webhook-Identifier": identifier},
    )
    try:
        with urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return None


@pytest.fixture
def told(listener: Connection, listening: Listening) -> Connection:
    listening(listener)
    return listener


@pytest.mark.parametrize("failpoint", ["webhook.before_commit", "webhook.committed"])
def test_a_web_process_dies_over_a_delivery(sender: Sender, told: Connection, failpoint: str) -> None:
    with granian(port := free_port(), env={"FAILPOINT": f"{failpoint}=kill"}):
        assert post(sender, port, "one", body_of()) is None
    assert Delivery.objects.count() == (0 if failpoint == "webhook.before_commit" else 1)

    with granian(port := free_port()):
        assert post(sender, port, "one", body_of()) == 200
    handle_all()

    assert Event.objects.get().state == Event.State.DISPATCHED
    assert Run.objects.count() == 1


def test_five_hundred_come_while_the_broker_is_away(sender: Sender, told: Connection, settings: Any) -> None:
    nowhere = {"CELERY_BROKER_URL": f"redis://localhost:{free_port()}/0"}
    with granian(port := free_port(), env=nowhere), ThreadPoolExecutor(8) as pool:
        bodies = [body_of(change=str(number), issue_id=str(10_001 + number)) for number in range(500)]
        answers = list(pool.map(lambda body: post(sender, port, str(uuid.uuid4()), body), bodies))
    assert set(answers) == {200}

    one = sweeper.Sweeper()
    for _ in range(10):
        one.sweep()
        if Run.objects.filter(status=Run.Status.DONE).count() == 500:
            break

    assert Run.objects.filter(status=Run.Status.DONE).count() == 500
    assert Event.objects.filter(state=Event.State.DISPATCHED).count() == 500
    assert not Delivery.objects.waiting().exists()


def test_a_worker_dies_between_a_delivery_and_its_run(sender: Sender, told: Connection, sandbox: Sandbox) -> None:
    for number, point in enumerate(["run.stored", "run.ended"]):
        sender.post(body_of(change=str(number)))
        [waiting] = Delivery.objects.waiting()
        die_at(point, sandbox, HANDLE, str(waiting.pk))
        Run.objects.update(lease_until=None)
        handle_all()
        sweeper.Sweeper().sweep()

    assert Event.objects.count() == 2
    assert Run.objects.count() == 2


@pytest.fixture
def wanted(worker: Worker, connection: Connection) -> Subscription:
    workflow = worker.workflow(values(a="1"), trigger=trigger())
    workflow_settings.switch(workflow, connection, on=True)
    return Subscription.objects.get()


@pytest.mark.parametrize("failpoint", ["register.before", "register.done"])
def test_a_process_dies_while_it_registers(wanted: Subscription, sandbox: Sandbox, failpoint: str) -> None:
    die_at(failpoint, sandbox, TEND, str(wanted.pk))
    assert Registration.objects.filter(provider_id="").count() == 1
    Registration.objects.update(created_at=Now() - 2 * webhooks.ASKING)
    Subscription.objects.update(lease_until=None, due_at=Now())

    use_cases.tend(wanted.pk)

    [hook] = sandbox.operate("webhooks", method="GET")
    assert Registration.objects.live().get().provider_id == str(hook["id"])
