"""Deliveries and registrations while processes die and the broker is away. The sender repeats what was not taken."""

import json
import os
import subprocess
import sys
import time
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
from tests.bench.webhooks import send
from tests.faults.test_killed_half_way import die_at
from tests.support import postgres
from tests.support.processes import MANAGE, ROOT, free_port, granian
from tests.support.sandbox import Sandbox
from tests.triggers.conftest import (
    SECRET,
    Listening,
    Sender,
    app,
    body_of,
    handle_all,
    listener,
    listening,
    sender,
    trigger,
)
from tests.workflows.conftest import Worker, connection, values, worker
from workflows import settings as workflow_settings
from workflows.models import Run

__all__ = ["app", "connection", "listener", "listening", "sender", "worker"]
pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
HANDLE = "from integrations import tasks; tasks.handle_webhook(sys.argv[1])"
TEND = "from integrations import listening; listening.tend(uuid.UUID(sys.argv[1]))"


def post(sender: Sender, port: int, identifier: str, body: dict[str, Any], *, patience: float = 20) -> int | None:
    """Deliver over a socket; return the status, None where nobody answered within so many seconds."""
    headers = {"Authorization": f"Bearer {sender.token()}", "Content-Type": "application/json"}
    request = Request(
        f"http://localhost:{port}/webhooks/jira/{sender.app.webhook_token}",
        data=json.dumps(body).encode(),
        headers=headers | {"X-Atlassian-Webhook-Identifier": identifier},
    )
    try:
        with urlopen(request, timeout=patience) as answer:
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


def test_a_flood_of_unknown_addresses_keeps_nobody_out(sender: Sender, told: Connection) -> None:
    with granian(port := free_port()), ThreadPoolExecutor(1) as pool:
        flood = pool.submit(send, port, "/webhooks/jira/nobody", 4000, 1000, 404)
        real = [post(sender, port, str(uuid.uuid4()), body_of(change=str(number))) for number in range(40)]

        assert len(flood.result()) == 4000  # each was answered 404
    assert real == [200] * 40
    assert Delivery.objects.count() == 40


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


# The database that goes away is another one than these tests' own.
SEED = """
from integrations.models import OAuthApp, Project
app = OAuthApp(provider="jira", project=Project.objects.create(name="Acme"), client_id="acme-client")
app.set_secret(sys.argv[1])
app.save()
print(app.webhook_token)
"""
COUNT = "from integrations.models import Delivery; print(Delivery.objects.count())"


def run_there(database: postgres.Server, *command: str) -> str:
    own = {"DATABASE_URL": database.url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    environment = os.environ | own
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def code_there(database: postgres.Server, code: str, *arguments: str) -> str:
    return run_there(database, sys.executable, "-c", f"import sys, django; django.setup(); {code}", *arguments)


@pytest.mark.skipif(not postgres.is_installed(), reason=postgres.ADVICE)
def test_the_database_goes_away_and_comes_back(sender: Sender) -> None:
    with postgres.serving() as database:
        run_there(database, *MANAGE, "migrate", "--verbosity", "0")
        sender.app.webhook_token = code_there(database, SEED, SECRET)
        with granian(port := free_port(), env={"DATABASE_URL": database.url}):
            assert post(sender, port, "before", body_of()) == 200

            database.control("stop", "-m", "immediate")
            # Before the addresses that exist are asked for anew, and after.
            away = [(post(sender, port, each, body_of(), patience=2), time.sleep(4))[0] for each in ("one", "two")]
            database.control("start")
            again = [post(sender, port, each, body_of()) for each in ("before", "one", "two")]

        assert (away, again) == ([503, 503], [200, 200, 200])
        assert code_there(database, COUNT) == "3"
