"""Runs while workers are killed, at random and at the worst moments; with a broker, without, and when it forgets."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from integrations.models import Connection
from tests.faults.test_killed_half_way import die_at
from tests.faults.test_token_refresh import run as run_script
from tests.support import postgres, services
from tests.support.processes import ROOT, database_url
from tests.support.sandbox import Sandbox
from tests.workflows.conftest import Worker, action, connection, effects, worker
from workflows import dispatch, engine
from workflows.models import Run, StepRun

__all__ = ["connection", "effects", "worker"]
pytestmark = pytest.mark.faults
IS_FULL = os.environ.get("FULL") == "1"
RUNS, SECONDS = ("2000", "300") if IS_FULL else ("300", "15")
Effects = Callable[..., list[dict[str, Any]]]
ADVANCE = "from workflows import engine; engine.advance(uuid.UUID(sys.argv[1]))"
DISPATCH = "from workflows import dispatch; dispatch.dispatch(uuid.UUID(sys.argv[1]), begin=True)"
CREATE = action("create_issue", "it", project="OPS", issue_type="Task", summary="Once")
COMMENT = action("add_comment", "it", issue="OPS-1", body="Once")
UPDATE = action("update_issue", "it", issue="OPS-1", summary="Once")
DELETE = action("delete_issue", "it", issue="OPS-2")
EACH = {
    "id": "each",
    "type": "fan_out",
    "input": {"over": "{{trigger.items}}"},
    "steps": [action("add_comment", "it", issue="OPS-1", body="No. {{index}}")],
}
EFFECTS = {
    "create": "issue_created",
    "comment": "comment_created",
    "delete": "issue_deleted",
    "each": "comment_created",
}
STEPS = {"create": CREATE, "comment": COMMENT, "update": UPDATE, "delete": DELETE, "each": EACH}
MADE = {"id": "made", "type": "values", "input": {"values": [{"key": "n", "value": "1"}]}}
IS_THERE = {"type": "OPERATOR", "condition": {"operator": "$exists", "variable": "{{trigger.url}}"}}
# Kinds of steps without an effect that could happen twice, each before a comment.
HARMLESS = {
    "values": MADE,
    "condition": {"id": "check", "type": "condition", "input": {"if": IS_THERE}, "then": [MADE], "else": []},
    "delay": {"id": "wait", "type": "delay", "input": {"amount": 0, "unit": "seconds"}},
    "response": {"id": "answer", "type": "response", "input": {"status": 200, "body": "{}"}},
    "request": {"id": "read", "type": "request", "input": {"path": "/rest/api/3/myself"}},
    "http": {"id": "call", "type": "http", "input": {"method": "GET", "url": "{{trigger.url}}/operator/api/state"}},
}
TEXT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Once"}]}]}
WRITTEN = {"method": "POST", "path": "/rest/api/3/issue/OPS-1/comment", "body": json.dumps({"body": TEXT})}
POINTS = ["run.claimed", "run.intended", "run.effected", "run.stored", "run.ended"]


def die_and_recover(worker: Worker, point: str, sandbox: Sandbox, code: str, pk: str) -> None:
    """Have a worker die there; then let others find what it left, as often as it takes."""
    die_at(point, sandbox, code, pk)
    for _ in range(6):
        worker.later()
        worker.work()


def test_workers_are_killed_at_random_and_the_broker_forgets(sandbox: Sandbox) -> None:
    result = run_script("tests.faults.run_storm", sandbox, "--runs", RUNS, "--seconds", SECONDS, "--seed", "11")

    assert (result["wrong"], result["all_ended"], result["runs"]) == ([], True, int(RUNS))
    assert result["kills"] > 0


def test_postgresql_restarts_under_load(sandbox: Sandbox) -> None:
    if not postgres.is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(postgres.ADVICE)
    runs, seconds = ("2000", "300") if IS_FULL else ("150", "15")

    result = run_script("tests.faults.run_storm", sandbox, "--runs", runs, "--seconds", seconds, "--postgres")

    assert (result["wrong"], result["all_ended"], result["runs"]) == ([], True, int(runs))
    assert result["restarts"] > 0


@pytest.mark.parametrize("broker", [services.RABBITMQ, services.REDIS], ids=["RabbitMQ", "Redis"])
def test_on_postgresql_with_a_broker_of_its_own(sandbox: Sandbox, broker: str) -> None:
    if not services.is_there(broker) or not postgres.is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{services.shown(broker)} or PostgreSQL is not here.")
    runs, seconds = ("1000", "120") if IS_FULL else ("100", "8")

    options = ("--runs", runs, "--seconds", seconds, "--postgres", "--broker", broker)
    result = run_script("tests.faults.run_storm", sandbox, *options)

    assert (result["wrong"], result["all_ended"], result["runs"]) == ([], True, int(runs))


def test_without_a_broker_the_sweeper_does_the_work(sandbox: Sandbox) -> None:
    runs = "400" if IS_FULL else "30"

    result = run_script("tests.faults.run_storm", sandbox, "--runs", runs, "--seconds", "0", "--broker", "none")

    assert (result["wrong"], result["all_ended"], result["runs"]) == ([], True, int(runs))


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_an_upgrade_with_runs_under_way_loses_nothing_and_leaves_nothing_uncertain(
    sandbox: Sandbox, database: str
) -> None:
    if database == "postgresql" and not postgres.is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(postgres.ADVICE)
    own_server = ["--postgres"] if database == "postgresql" else []

    result = run_script("tests.faults.run_storm", sandbox, "--runs", "200", "--seconds", "15", "--upgrade", *own_server)

    assert (result["wrong"], result["all_ended"], result["statuses"]) == ([], True, {"done": 200})
    assert (result["upgrades"], result["late_ends"]) == (1, 0)


@pytest.mark.parametrize("broker", ["", "none"], ids=["a broker", "no broker"])
def test_a_crowd_of_one_projects_events_does_not_keep_another_waiting(sandbox: Sandbox, broker: str) -> None:
    count = "10000" if IS_FULL else "1200"

    result = run_script("tests.faults.crowd", sandbox, "--runs", count, "--broker", broker)

    assert result["all_ended"]
    assert result["before"] < result["crowd"] / 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_there_leaves_nothing_undone_and_nothing_done_twice(
    connection: Connection, worker: Worker, sandbox: Sandbox, effects: Effects, kind: str, point: str
) -> None:
    worker.switch_on(worker.workflow(STEPS[kind]), connection)
    worker.send(connection, {"items": [1, 2]})
    run = Run.objects.get()

    die_and_recover(worker, point, sandbox, ADVANCE, str(run.pk))

    run.refresh_from_db()
    if (kind, point) == ("create", "run.intended"):
        # Nobody can tell that nothing was created: the search that would show it lags. So a person is asked.
        assert (run.status, effects("issue_created")) == (Run.Status.UNCERTAIN, [])
        return
    assert run.status == Run.Status.DONE, run.reason
    if kind in EFFECTS:
        assert len(effects(EFFECTS[kind])) == (2 if kind == "each" else 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", HARMLESS)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_beside_a_step_of_another_kind(
    connection: Connection, worker: Worker, sandbox: Sandbox, effects: Effects, kind: str, point: str
) -> None:
    worker.switch_on(worker.workflow(HARMLESS[kind], COMMENT), connection)
    worker.send(connection, {"url": sandbox.url})
    run = Run.objects.get()

    die_and_recover(worker, point, sandbox, ADVANCE, str(run.pk))

    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.reason
    assert worker.step(run, HARMLESS[kind]["id"]).status == StepRun.Status.DONE
    assert len(effects("comment_created")) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
def test_a_request_of_ones_own_that_cannot_be_looked_for_is_never_repeated_by_guess(
    connection: Connection, worker: Worker, sandbox: Sandbox, effects: Effects, point: str
) -> None:
    worker.switch_on(worker.workflow({"id": "write", "type": "request", "input": WRITTEN}), connection)
    worker.send(connection)
    run = Run.objects.get()

    die_and_recover(worker, point, sandbox, ADVANCE, str(run.pk))

    run.refresh_from_db()
    is_in_doubt = point in ("run.intended", "run.effected")
    assert run.status == (Run.Status.UNCERTAIN if is_in_doubt else Run.Status.DONE), run.reason
    assert len(effects("comment_created")) == (point != "run.intended")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_while_it_carries_what_it_has_just_dispatched(
    connection: Connection, worker: Worker, effects: Effects, sandbox: Sandbox, point: str
) -> None:
    worker.switch_on(worker.workflow(COMMENT), connection)
    event = dispatch.record(connection.project_id, "app", "go", {}, sub=connection.user.sub)

    die_and_recover(worker, point, sandbox, DISPATCH, str(event.pk))

    assert Run.objects.get().status == Run.Status.DONE
    assert len(effects("comment_created")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_was_stopped_past_its_lease_does_no_harm_when_it_wakes(
    connection: Connection, worker: Worker, sandbox: Sandbox, effects: Effects
) -> None:
    comment = action("add_comment", "after", issue="{{it.key}}", body="Hello")
    worker.switch_on(worker.workflow(CREATE, comment), connection)
    worker.send(connection)
    run = Run.objects.get()
    environment = os.environ | sandbox.environment | {"FAILPOINT": "run.effected=sleep:4", "RUN_LEASE_SECONDS": "1"}
    environment |= {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", f"import sys, uuid, django; django.setup(); {ADVANCE}", str(run.pk)]

    with subprocess.Popen(command, cwd=ROOT, env=environment) as sleeper:
        _until(lambda: bool(effects("issue_created")))
        sleeper.send_signal(19)  # SIGSTOP: the effect has happened, and nothing is written of it
        worker.later()
        assert engine.advance(run.pk) is not None
        sleeper.send_signal(18)  # SIGCONT
        sleeper.wait(30)
    for _ in range(4):
        worker.later()
        worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.reason
    assert (len(effects("issue_created")), len(effects("comment_created"))) == (1, 1)


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
