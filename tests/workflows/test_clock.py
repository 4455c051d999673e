"""A worker whose clock is wrong, or jumps: what waits is judged by the database's time, and nothing happens early."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.db.models.functions import Now

from integrations import clock
from integrations.models import Connection
from integrations.remember import forget_everything
from tests.support.sandbox import Sandbox
from tests.workflows.conftest import Worker, action, values
from workflows import alerts
from workflows.models import AlertRule, Run

JUMPS = {"an hour behind": -1, "an hour ahead": 1, "two days behind": -48, "two days ahead": 48}


@pytest.fixture(params=JUMPS.values(), ids=JUMPS)
def wrong_clock(request: pytest.FixtureRequest, connection: Connection) -> Iterator[None]:
    forget_everything()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=request.param), tick=True):
        yield
    forget_everything()


def wakes_between(first: float, last: float) -> bool:
    """Does the run wake so many seconds from now, by the database's clock?"""
    soonest, latest = (Now() + timedelta(seconds=seconds) for seconds in (first, last))
    return Run.objects.filter(wake_at__gte=soonest, wake_at__lte=latest).exists()


def test_a_step_is_tried_again_when_it_is_time(
    wrong_clock: None, connection: Connection, worker: Worker, sandbox: Sandbox
) -> None:
    sandbox.operate("settings", {"fail_next": 1})
    run = worker.run(action("update_issue", issue="OPS-1", labels_add="done"), connection=connection)

    assert wakes_between(5, 15)
    worker.later(20)
    worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.DONE, run.reason
    assert worker.step(run, "update_issue").attempts == 2


def test_a_delay_is_as_long_as_it_should_be(wrong_clock: None, connection: Connection, worker: Worker) -> None:
    hour = {"id": "wait", "type": "delay", "input": {"amount": 1, "unit": "hours"}}
    run = worker.run(hour, values(a="1"), connection=connection)

    assert wakes_between(3590, 3610)
    worker.later(3500)
    worker.work()
    assert Run.objects.get().status == Run.Status.WAITING
    worker.later(200)
    worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.DONE


def test_a_token_is_as_fresh_as_it_is(wrong_clock: None, connection: Connection) -> None:
    grant = connection.grant
    grant.expires_at = clock.now() + timedelta(minutes=10)

    assert grant.is_fresh(margin_seconds=500)
    assert not grant.is_fresh(margin_seconds=700)


def test_after_an_alert_there_is_peace_for_minutes_not_for_days(wrong_clock: None, connection: Connection) -> None:
    rule = AlertRule.objects.create(project=connection.project, emails=["ops@acme.test"], sent_at=Now())

    alerts.note(Run(project=connection.project))

    soon = AlertRule.objects.filter(pk=rule.pk, due_at__gt=Now(), due_at__lte=Now() + timedelta(seconds=301))
    assert soon.exists()


def test_without_the_database_the_machines_own_clock_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> datetime:
        raise OperationalError

    forget_everything()
    monkeypatch.setattr(clock, "_ask", away)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
