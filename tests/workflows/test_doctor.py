"""What the doctor sees, and that it says nothing where all is well."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now

from integrations import clock
from integrations.models import Delivery, Event, Heartbeat, Integration
from tests.workflows.conftest import Worker, values
from workflows import doctor
from workflows.models import Run


@pytest.fixture(autouse=True)
def _alive(db: None) -> None:
    Heartbeat.objects.beat("sweeper")
    Heartbeat.objects.beat("worker")


def said() -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("doctor", stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


def test_where_all_is_well_it_says_so(worker: Worker, lent: Any) -> None:
    worker.run(values(a="1"), connection=lent)

    words, code = said()

    assert code == 0
    assert words.count("in order") == len(doctor.CHECKS)


def test_a_silent_sweeper(db: None) -> None:
    Heartbeat.objects.update(at=clock.now() - timedelta(minutes=5))

    words, code = said()

    assert code == 1
    assert "Start manage.py sweeper" in words


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no trigrams")
def test_many_users_and_no_index_to_search_them(jira: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MANY_USERS", 1)
    for number in range(2):
        jira.project.connected_users.create(sub=f"user-{number}")
    with_index, _ = said()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX users_by_words")

    without, code = said()

    assert "trigrams" not in with_index
    assert "docs/deployment.md says how to add them" in without
    assert code == 1


def test_an_event_that_waits_and_one_without_a_reason(jira: Integration) -> None:
    old = clock.now() - timedelta(hours=1)
    for state in (Event.State.RECEIVED, Event.State.FAILED):
        Event.objects.create(project=jira.project, source=Event.Source.APP, state=state)
    Event.objects.update(created_at=old)

    words, _ = said()

    assert "1 events have waited for ten minutes" in words
    assert "1 events ended without a reason" in words


def test_a_delivery_that_was_handled_and_led_to_nothing(jira: Integration) -> None:
    Delivery.objects.create(app=jira.oauth_app, provider_slug="jira", key="one", body="{}", state="handled")

    assert "1 deliveries led to no event" in said()[0]


def test_a_run_that_will_never_go_on(worker: Worker, lent: Any) -> None:
    run = worker.run(values(a="1"), connection=lent)
    Run.objects.filter(pk=run.pk).update(status=Run.Status.WAITING, wake_at=None)

    assert "1 runs will never go on" in said()[0]


def test_a_workflow_that_is_on_and_hears_nothing(worker: Worker, lent: Any) -> None:
    from integrations.models import Subscription
    from tests.triggers.conftest import trigger
    from workflows import settings

    workflow = worker.workflow(values(a="1"), trigger=trigger())
    settings.switch(workflow, lent, on=True)
    assert said()[1] == 0

    Subscription.objects.all().delete()
    assert "do not hear what Flow 0 begins with" in said()[0]


def test_a_subscription_that_nobody_looks_at(worker: Worker, lent: Any) -> None:
    lent.subscriptions.create(project=lent.project, feed="issues", due_at=Now() - timedelta(hours=1))

    assert "1 subscriptions are overdue" in said()[0]
