"""What the doctor sees, and that it says nothing where all is well."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from integrations import audit, clock, listening, users
from integrations.models import Delivery, Event, Heartbeat, Integration, Subscription
from tests.support.processes import free_port
from tests.triggers.conftest import trigger
from tests.workflows.conftest import Worker, values
from workflows import deploy, dispatch, doctor, housekeeping, settings
from workflows.models import AlertRule, Run, Workflow


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


def test_without_a_sweeper_nothing_is_said_of_workers(db: None, settings: Any, client: Client) -> None:
    settings.HAS_BROKER = True
    Heartbeat.objects.update(at=clock.now() - timedelta(minutes=5))

    words, _ = said()

    assert "worker" not in words
    assert client.get("/readyz").json()["worker"] == "not known: it is the sweeper that asks"


def test_a_broker_that_is_away(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HAS_BROKER = True
    Heartbeat.objects.filter(name="worker").update(at=clock.now() - timedelta(minutes=5))
    monkeypatch.setattr(current_app.conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0")

    words, _ = said()

    assert "The broker cannot be reached" in words
    assert "Start a Celery worker" not in words


def test_an_alert_that_did_not_arrive(jira: Integration) -> None:
    AlertRule.objects.create(project=jira.project, emails=["a@acme.test"], last_error="The e-mail did not leave.")

    words, code = said()

    assert code == 1
    assert f"The last alert of {jira.project} did not arrive: The e-mail did not leave." in words


def test_an_audit_log_that_was_written_with_another_secret_is_one_finding(jira: Integration, settings: Any) -> None:
    for number in range(5):
        audit.record(jira.project, "test", "connected", str(number))
    settings.SECRET_KEY = "another-secret-key-that-nobody-wrote-anything-with"

    words, _ = said()

    assert words.count("The audit log is not what was written") == 1
    assert "were changed, in 5 places." in words
    assert "SECRET_KEY_FALLBACKS" in words


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


def test_an_event_whose_runs_are_not_there(worker: Worker, lent: Any) -> None:
    worker.run(values(a="1"), connection=lent)
    assert said()[1] == 0

    Run.objects.all().delete()
    words, code = said()

    assert "1 events lack runs that they tell of" in words
    assert code == 1


def test_an_event_that_lacks_one_of_its_runs(worker: Worker, lent: Any) -> None:
    go = {"type": "event", "name": "go"}
    worker.switch_on(worker.workflow(values(a="1"), trigger=go), lent)
    worker.switch_on(worker.workflow(values(a="1"), trigger=go), lent)
    worker.send(lent)
    assert said()[1] == 0

    Run.objects.order_by("pk")[0].delete()

    assert "1 events lack runs that they tell of" in said()[0]


def test_runs_that_were_deleted_with_their_workflow_are_not_missed(worker: Worker, lent: Any) -> None:
    worker.run(values(a="1"), connection=lent)

    deploy.delete(worker.made[0], "test")

    assert Event.objects.filter(state="dispatched").exists()
    assert said()[1] == 0


def test_runs_that_were_deleted_with_their_user_are_not_missed(worker: Worker, lent: Any) -> None:
    workflow = worker.workflow(values(a="1"), trigger={"type": "schedule", "cron": "0 * * * *", "zone": "UTC"})
    worker.switch_on(workflow, lent)
    payload = {"workflow": str(workflow.pk), "at": clock.now().isoformat()}
    dispatch.dispatch(dispatch.record(lent.project_id, "schedule", "Flow 0", payload).pk)

    users.delete(lent.user, "test")

    assert Event.objects.filter(state="dispatched").exists()
    assert said()[1] == 0


def test_runs_that_are_kept_no_longer_are_not_missed(worker: Worker, lent: Any) -> None:
    worker.run(values(a="1"), connection=lent)
    lent.project.run_log_days = 1
    lent.project.save()
    past = clock.now() - timedelta(days=2)
    Event.objects.update(created_at=past)
    Run.objects.update(created_at=past)

    housekeeping.prune()

    assert Event.objects.filter(state="dispatched").exists()
    assert said()[1] == 0


@pytest.mark.django_db(transaction=True)
def test_it_counts_while_events_come_in(worker: Worker, lent: Any) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)

    def send() -> None:
        for _ in range(60):
            worker.send(lent)
        connection.close()

    with ThreadPoolExecutor(1) as hands:
        busy = hands.submit(send)
        answers = []
        while not busy.done():
            answers.append(said()[1])
        busy.result()

    assert answers
    assert set(answers) == {0}


def test_a_delivery_that_was_handled_and_led_to_nothing(jira: Integration) -> None:
    Delivery.objects.create(app=jira.oauth_app, provider_slug="jira", key="one", body="{}", state="handled")

    assert "1 deliveries led to no event" in said()[0]


def test_a_run_that_will_never_go_on(worker: Worker, lent: Any) -> None:
    run = worker.run(values(a="1"), connection=lent)
    Run.objects.filter(pk=run.pk).update(status=Run.Status.WAITING, wake_at=None)

    assert "1 runs will never go on" in said()[0]


def test_a_workflow_that_is_on_and_hears_nothing(worker: Worker, lent: Any) -> None:
    workflow = worker.workflow(values(a="1"), trigger=trigger())
    settings.switch(workflow, lent, on=True)
    assert said()[1] == 0

    Subscription.objects.all().delete()
    assert "do not hear what Flow 0 begins with" in said()[0]


@pytest.fixture
def begun(worker: Worker, lent: Any) -> Workflow:
    """A workflow that begins with a trigger, and is on for a connection that granted nothing."""
    workflow = worker.workflow(values(a="1"), trigger=trigger())
    settings.switch(workflow, lent, on=True)
    return workflow


def test_a_trigger_that_is_on_and_cannot_be_heard(begun: Workflow, lent: Any) -> None:
    listening.tend(lent.subscriptions.get().pk)

    words, code = said()

    assert code == 1
    assert f"1 connections hear nothing of what Flow 0 begins with (one is {lent.pk})." in words
    assert "has not granted read:jira-work" in words
    assert "Add it in Settings, and let the user reconnect." in words


def test_what_nobody_wants_need_not_be_heard(begun: Workflow, lent: Any) -> None:
    listening.tend(lent.subscriptions.get().pk)
    Workflow.objects.update(is_paused=True)

    assert said()[1] == 0


def test_a_trigger_that_was_not_looked_after_for_an_hour(begun: Workflow, lent: Any) -> None:
    heard = {"way": "poll", "due_at": clock.now() + timedelta(minutes=1)}
    lent.subscriptions.update(**heard, heard_until=clock.now() - timedelta(minutes=50))
    within_the_hour, _ = said()
    lent.subscriptions.update(heard_until=clock.now() - timedelta(minutes=70))

    words, code = said()

    assert "have heard nothing" not in within_the_hour
    assert f"1 connections have heard nothing for an hour of what Flow 0 begins with (one is {lent.pk})." in words
    assert code == 1


def test_a_subscription_that_nobody_looks_at(worker: Worker, lent: Any) -> None:
    lent.subscriptions.create(project=lent.project, feed="issues", due_at=Now() - timedelta(hours=1))

    assert "1 subscriptions are overdue" in said()[0]
