"""From an event to the runs that it is for: connection, filter, order, echo."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from integrations import clock
from integrations.errors import PermanentError, TemporaryError
from integrations.models import Connection, Event, Integration, OAuthApp
from integrations.providers.jira import webhooks as jira_webhooks
from tests.triggers.conftest import Listening, Sender, body_of, connect, runs_of, trigger
from tests.workflows.conftest import Worker
from workflows import dispatch, triggers
from workflows.models import Run, StepRun

GLOBEX = "https://globex.atlassian.net"


def moment(seconds: float = 0) -> str:
    return (datetime(2026, 11, 24, 10, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


# Whose it is --------------------------------------------------------------------------------------------------------


def test_a_run_has_the_flat_payload_and_jiras_own_words(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)

    [run] = runs_of(sender.deliver_one(body_of()))

    assert (run.payload["key"], run.payload["summary"]) == ("OPS-1", "Disk is full")
    assert run.payload["by"] == {"id": "bo", "name": "Bo Lind"}
    assert run.payload["changes"][0]["to"] == "Done"
    assert run.payload["raw"]["webhookEvent"] == "jira:issue_updated"
    assert run.sub == "alice"


def test_the_same_webhook_id_at_another_site_reaches_nobody_here(
    sender: Sender, listener: Connection, listening: Listening, jira: Integration, app: OAuthApp
) -> None:
    other = connect(jira, app, "bob", site=GLOBEX)
    workflow = listening(listener)
    listening(other)

    event = sender.deliver_one(body_of(site=GLOBEX))

    assert [run.sub for run in runs_of(event)] == ["bob"]
    assert not Run.objects.filter(workflow=workflow).exists()


def test_of_two_connections_at_a_site_only_the_named_one_hears(
    sender: Sender, listener: Connection, listening: Listening, jira: Integration, app: OAuthApp
) -> None:
    other = connect(jira, app, "bob", hook=1001)
    listening(listener)
    listening(other)

    event = sender.deliver_one(body_of(matchedWebhookIds=[1001]))

    assert [run.sub for run in runs_of(event)] == ["bob"]


def test_a_delivery_for_two_connections_is_an_event_for_each(
    sender: Sender, listener: Connection, listening: Listening, jira: Integration, app: OAuthApp
) -> None:
    other = connect(jira, app, "bob", hook=1001)
    listening(listener)
    listening(other)

    events = sender.deliver(body_of(matchedWebhookIds=[1000, 1001]))

    assert sorted(run.sub for event in events for run in runs_of(event)) == ["alice", "bob"]


def test_the_id_of_another_app_opens_nothing(
    sender: Sender, listener: Connection, listening: Listening, jira: Integration
) -> None:
    own = OAuthApp(project=jira.project, provider="jira", client_id="another")
    own.set_secret(sender.secret)
    own.save()
    listening(listener)

    event = Sender(own).deliver_one(body_of())

    assert (event.state, runs_of(event)) == (Event.State.IGNORED, [])


def test_a_connection_that_moved_to_another_site_hears_nothing_of_the_old_one(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    Connection.objects.update(site_url=GLOBEX)

    event = sender.deliver_one(body_of())

    assert event.state == Event.State.IGNORED


def test_what_nobody_listens_to_says_so(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener)

    event = sender.deliver_one(body_of("jira:issue_created"))

    assert (event.state, event.reason) == (Event.State.IGNORED, "Nobody listens to it.")


# Filters ------------------------------------------------------------------------------------------------------------


def test_projects(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener, trigger(projects="WEB, ops"))
    listening(listener, trigger(projects=["WEB"]))

    event = sender.deliver_one(body_of())

    assert len(runs_of(event)) == 1


def test_fields(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener, trigger(fields="assignee"))

    ignored = sender.deliver_one(body_of(change="1"))

    assert ignored.state == Event.State.IGNORED
    assert "None of the fields changed" in ignored.reason
    listening(listener, trigger(fields="assignee, status"))
    assert len(runs_of(sender.deliver_one(body_of(change="2")))) == 1


def test_each_user_has_a_filter_of_their_own(
    sender: Sender, listener: Connection, listening: Listening, jira: Integration, app: OAuthApp
) -> None:
    other = connect(jira, app, "bob", hook=1001)
    listening(listener, trigger(projects="{{settings.project}}"), project="OPS")
    listening(other, trigger(projects="{{settings.project}}"), project="WEB")

    events = sender.deliver(body_of(matchedWebhookIds=[1000, 1001]))

    assert [run.sub for event in events for run in runs_of(event)] == ["alice"]


def test_a_setting_that_is_empty_does_not_mean_everything(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener, trigger(projects="{{settings.project}}"), project="")

    event = sender.deliver_one(body_of())

    assert event.state == Event.State.IGNORED
    assert "Projects" in event.reason
    assert triggers.wishes(listener) == []


class Judge:
    """Stands for Jira's jql/match."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.answers: list[Any] = []

    def __call__(self, api: Any, happening: Any, queries: list[str]) -> Any:
        self.asked.append(queries)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    from dataclasses import replace

    from integrations import providers

    judge = Judge()
    provider = providers.get("jira")
    changed = replace(provider, webhooks=replace(jira_webhooks.WEBHOOKS, matches=judge))
    monkeypatch.setattr(providers, "get", lambda slug: changed)
    return judge


def test_a_comment_that_names_no_project_is_judged_by_the_provider(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger("comment_created", projects="OPS"))
    body = body_of("comment_created")
    del body["issue"]
    judge.answers = [[""], ["It does not match the filter."]]

    ours = sender.deliver_one(body)
    body["comment"] = {**body["comment"], "id": "502"}
    others = sender.deliver_one(body)

    assert judge.asked == [['project in ("OPS")']] * 2
    assert (ours.state, others.state) == (Event.State.DISPATCHED, Event.State.IGNORED)


def test_one_question_an_event_for_all_filters(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger(jql="priority = High"))
    listening(listener, trigger(jql='assignee = "{{user.id}}"'))
    listening(listener)
    judge.answers = [["", "It does not match the filter."]]

    event = sender.deliver_one(body_of())

    assert judge.asked == [["priority = High", 'assignee = "alice"']]
    assert len(runs_of(event)) == 2


def test_a_value_cannot_change_what_the_filter_says(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger(jql="project = {{settings.project}}"), project='OPS" OR project != "')
    judge.answers = [[""]]

    sender.deliver_one(body_of())

    assert judge.asked == [['project = "OPS\\" OR project != \\""']]


def test_an_issue_that_is_not_indexed_yet_is_asked_about_again(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger(jql="priority = High"))
    listening(listener)
    judge.answers = [None, [""]]

    event = sender.deliver_one(body_of())
    assert (event.state, len(runs_of(event))) == (Event.State.RECEIVED, 1)  # who has no filter does not wait
    assert event.due_at is not None
    assert timedelta(seconds=3) < event.due_at - event.created_at < timedelta(seconds=7)
    dispatch.dispatch(event.pk)
    assert len(judge.asked) == 1  # not before its time

    Event.objects.update(due_at=clock.now())
    dispatch.dispatch(event.pk)
    event.refresh_from_db()
    assert (event.state, len(runs_of(event))) == (Event.State.DISPATCHED, 2)


def test_one_that_is_never_indexed_fails_with_a_reason(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger(jql="priority = High"))
    judge.answers = [None, None]

    event = sender.deliver_one(body_of())
    Event.objects.update(due_at=clock.now(), created_at=clock.now() - timedelta(minutes=2))
    dispatch.dispatch(event.pk)

    event.refresh_from_db()
    assert event.state == Event.State.FAILED
    assert "does not know" in event.reason


def test_while_jira_is_away_the_event_waits(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger(jql="priority = High"))
    judge.answers = [TemporaryError("Jira answers 503.", retry_after=40), [""]]

    event = sender.deliver_one(body_of())

    assert event.state == Event.State.RECEIVED
    assert event.due_at is not None
    assert event.due_at > clock.now() + timedelta(seconds=30)


def test_a_filter_that_jira_refuses_fails_the_event(
    sender: Sender, listener: Connection, listening: Listening, judge: Judge
) -> None:
    listening(listener, trigger(jql="nonsense"))
    judge.answers = [PermanentError("Jira answers 400: no.")]

    event = sender.deliver_one(body_of())

    assert (event.state, "could not be judged" in event.reason) == (Event.State.FAILED, True)


# Order and echo -----------------------------------------------------------------------------------------------------


def test_runs_about_one_issue_go_in_order_where_the_workflow_asks(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener, trigger() | {"concurrency": {"mode": "in_order", "key": "{{trigger.id}}"}})

    keys = [runs_of(sender.deliver_one(body_of(change=str(number))))[0].order_key for number in range(3)]

    assert keys == ["10001"] * 3


def test_a_late_arrival_is_skipped_where_the_workflow_asks(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    careful = listening(listener, trigger(options={"skip_late": True}))
    other = listening(listener)
    sender.deliver_one(body_of(change="2", fields={"updated": moment(10)}))

    late = sender.deliver_one(body_of(change="1", fields={"updated": moment(0)}))

    assert [run.workflow_id for run in runs_of(late)] == [other.pk]
    assert Run.objects.filter(workflow=careful).count() == 1


def step_of(
    connection: Connection, worker: Worker, *, given: Any, output: Any, at: datetime, is_over: bool = True
) -> None:
    """A step of ours that did something for the connection at that time."""
    workflow = worker.workflow({"id": "made", "type": "values", "input": {"values": [{"key": "a", "value": "1"}]}})
    assert workflow.deployed is not None
    run = Run.objects.create(
        project=connection.project, workflow=workflow, version=workflow.deployed, connection=connection, trigger="event"
    )
    status = StepRun.Status.DONE if is_over else StepRun.Status.STARTED
    StepRun.objects.create(
        run=run,
        path="update",
        type="action",
        status=status,
        op_key=uuid4(),
        generation=1,
        input=given,
        output=output,
        started_at=at,
        ended_at=at if is_over else None,
    )


def own_change(listener: Connection, at: datetime, **more: Any) -> dict[str, Any]:
    text = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
    body = body_of(fields={"updated": text}, **more)
    body["user"]["accountId"] = listener.grant.account_id
    return body


def test_what_our_own_step_did_is_skipped(
    sender: Sender, listener: Connection, listening: Listening, worker: Worker
) -> None:
    listening(listener, trigger(options={"skip_own": True}))
    now = clock.now()
    step_of(listener, worker, given={"issue": "OPS-1"}, output={"key": "OPS-1"}, at=now)

    event = sender.deliver_one(own_change(listener, now))

    assert event.state == Event.State.IGNORED
    assert "A run of this connection caused it" in event.reason


def test_among_very_many_steps_of_a_moment_ours_is_found(
    sender: Sender, listener: Connection, listening: Listening, worker: Worker
) -> None:
    listening(listener, trigger(options={"skip_own": True}))
    now = clock.now()
    for number in range(130):
        step_of(listener, worker, given={"issue": f"OPS-{number + 2}"}, output=None, at=now)
    step_of(listener, worker, given={"issue": "OPS-1"}, output={"key": "OPS-1"}, at=now)

    assert sender.deliver_one(own_change(listener, now)).state == Event.State.IGNORED


def test_what_the_same_person_did_by_hand_is_not(
    sender: Sender, listener: Connection, listening: Listening, worker: Worker
) -> None:
    listening(listener, trigger(options={"skip_own": True}))
    now = clock.now()
    step_of(listener, worker, given={"issue": "OPS-2"}, output={"key": "OPS-2"}, at=now)
    step_of(listener, worker, given={"issue": "OPS-1"}, output={"key": "OPS-1"}, at=now - timedelta(seconds=40))

    event = sender.deliver_one(own_change(listener, now))

    assert event.state == Event.State.DISPATCHED


def test_while_a_step_of_ours_is_under_way_the_event_waits_for_its_end(
    sender: Sender, listener: Connection, listening: Listening, worker: Worker
) -> None:
    listening(listener, trigger("issue_created", options={"skip_own": True}))
    now = clock.now()
    step_of(listener, worker, given={"project": "OPS"}, output=None, at=now, is_over=False)
    body = own_change(listener, now, name="jira:issue_created")
    body["issue"]["fields"]["created"] = body["issue"]["fields"]["updated"]

    event = sender.deliver_one(body)
    assert (event.state, event.due_at is not None) == (Event.State.RECEIVED, True)

    StepRun.objects.update(status=StepRun.Status.DONE, output={"id": "10001"}, ended_at=now)
    Event.objects.update(due_at=clock.now())
    dispatch.dispatch(event.pk)
    event.refresh_from_db()
    assert event.state == Event.State.IGNORED


# What the end user is told --------------------------------------------------------------------------------------------


def test_a_scope_that_was_not_granted_is_told_with_a_way_to_grant_it(
    listener: Connection, listening: Listening
) -> None:
    workflow = listening(listener)
    assert triggers.notice(workflow, listener) is None

    listener.grant.scopes = ["read:jira-work"]
    late = triggers.notice(workflow, listener)

    assert late is not None
    assert (late["reconnect"], "Delayed up to 1 minute" in late["text"]) == (True, True)


def test_projects_are_not_told_without_their_scope(listener: Connection, listening: Listening) -> None:
    workflow = listening(listener, trigger("project_created"))
    listener.grant.scopes = ["read:jira-work"]

    found = triggers.notice(workflow, listener)

    assert found is not None
    assert "manage:jira-configuration" in found["text"]


def test_while_it_is_polled_the_delay_is_told(listener: Connection, listening: Listening) -> None:
    workflow = listening(listener, trigger("project_created"))
    listener.subscriptions.update(way="poll", every_seconds=300)

    assert triggers.notice(workflow, listener) == {"text": "Delayed up to 5 minutes.", "reconnect": False}
