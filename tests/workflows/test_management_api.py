"""Runs and events by the management API: Paragon's Task History, and the ledger."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from integrations.models import AuditEntry, Connection, Event, User
from integrations.models.base import first_uuid_at
from tests.integrations.api.conftest import EVERY_SCOPE, BackEnd
from tests.workflows.conftest import Worker, values
from workflows.models import Run, StepRun

pytestmark = pytest.mark.django_db
EXECUTIONS = "task-history/workflow-executions"
FAN_OUT = {
    "id": "each",
    "type": "fan_out",
    "input": {"over": "{{trigger.items}}"},
    "steps": [values("one", a="{{item}}"), values("two", b="{{one.a}}")],
}


@pytest.fixture
def back_end(lent: Connection) -> BackEnd:
    from integrations.api import keys

    olivia = User.objects.create_user("olivia@acme.test")
    return BackEnd(lent.project, keys.make(lent.project, "Reports", EVERY_SCOPE, olivia)[1])


@pytest.fixture
def run(worker: Worker, lent: Connection) -> Run:
    """Two steps that went well."""
    return worker.run(values("made", a="1"), values("again", b="{{made.a}}"), connection=lent, payload={"x": 1})


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer.json()["workflowExecutions"]]


# Task history: the list -----------------------------------------------------------------------------------------------


def test_an_execution_has_paragons_shape(back_end: BackEnd, run: Run) -> None:
    body = back_end.get(EXECUTIONS).json()

    [found] = body["workflowExecutions"]
    assert (body["total"], body["nextLink"]) == (1, None)
    paragons = {"id", "userId", "workflowId", "status", "taskCount", "runDuration", "dateStarted", "dateEnded"}
    assert paragons <= set(found)
    assert (found["id"], found["userId"], found["workflowId"]) == (str(run.pk), "alice", str(run.workflow_id))
    assert (found["status"], found["state"], found["taskCount"]) == ("SUCCEEDED", "done", 2)
    assert found["runDuration"] == run.milliseconds


@pytest.mark.parametrize(
    ("ours", "paragons"),
    [
        ("queued", "EXECUTING"),
        ("running", "EXECUTING"),
        ("waiting", "DELAYED"),
        ("needs_reconnect", "DELAYED"),
        ("done", "SUCCEEDED"),
        ("failed", "FAILED"),
        ("uncertain", "FAILED"),
        ("cancelled", "FAILED"),
        ("dead", "FAILED"),
    ],
)
def test_a_status_is_told_and_asked_for_in_paragons_words(
    ours: str, paragons: str, back_end: BackEnd, run: Run
) -> None:
    Run.objects.update(status=ours)

    [found] = back_end.get(f"{EXECUTIONS}?status={paragons}").json()["workflowExecutions"]

    assert (found["status"], found["state"]) == (paragons, ours)


def test_no_status_is_without_a_word() -> None:
    from workflows.api.shapes import STATUSES

    assert sorted(status for group in STATUSES.values() for status in group) == sorted(Run.Status)


@pytest.mark.parametrize("query", ["userId=bob", f"workflowId={UUID(int=1)}", "status=FAILED", "afterDate=2999-01-01"])
def test_other_filters_leave_it_out(query: str, back_end: BackEnd, run: Run) -> None:
    body = back_end.get(f"{EXECUTIONS}?{query}").json()

    assert (body["workflowExecutions"], body["total"]) == ([], 0)


def test_every_filter_that_fits_lets_it_through(back_end: BackEnd, run: Run) -> None:
    query = f"userId=alice&workflowId={run.workflow_id}&integration=jira&status=SUCCEEDED&afterDate=2020-01-01"

    assert ids(back_end.get(f"{EXECUTIONS}?{query}&beforeDate=2999-01-01T00:00:00Z")) == [str(run.pk)]


def test_tests_are_left_out(back_end: BackEnd, run: Run) -> None:
    Run.objects.update(is_test=True)

    assert ids(back_end.get(EXECUTIONS)) == []


@pytest.fixture
def three(worker: Worker, lent: Connection, run: Run) -> list[str]:
    """Three runs, the newest first."""
    for _ in range(2):
        Run.objects.create(
            **{name: getattr(run, name) for name in ("project", "workflow", "version", "connection", "sub", "trigger")},
            replay_of=run,
        )
    return [str(pk) for pk in Run.objects.order_by("-pk").values_list("pk", flat=True)]


def test_they_are_sorted_either_way(back_end: BackEnd, three: list[str]) -> None:
    assert ids(back_end.get(EXECUTIONS)) == three
    assert ids(back_end.get(f"{EXECUTIONS}?sortBy=ASC")) == three[::-1]


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_next_links_lead_through_all_of_them(order: str, back_end: BackEnd, three: list[str]) -> None:
    first = back_end.get(f"{EXECUTIONS}?sortBy={order}&limit=2")
    second = back_end.client.get(first.json()["nextLink"], headers={"Authorization": f"Bearer {back_end.key}"})

    assert sorted(ids(first) + ids(second)) == sorted(three)
    assert (first.json()["total"], second.json()["total"]) == (3, 3)
    assert second.json()["nextLink"] is None


def test_an_offset_leaves_some_out_and_links_go_on_from_there(back_end: BackEnd, three: list[str]) -> None:
    first = back_end.get(f"{EXECUTIONS}?offset=1&limit=1")
    second = back_end.client.get(first.json()["nextLink"], headers={"Authorization": f"Bearer {back_end.key}"})

    assert (ids(first), ids(second)) == ([three[1]], [three[2]])


@pytest.mark.parametrize("query", ["offset=-1", "offset=10001", "status=done", "sortBy=asc", "workflowId=1"])
def test_a_filter_that_is_wrong_is_refused_by_name(query: str, back_end: BackEnd) -> None:
    answer = back_end.get(f"{EXECUTIONS}?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [query.partition("=")[0]]


def test_a_page_of_them_takes_few_queries(
    back_end: BackEnd, three: list[str], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    with django_assert_max_num_queries(6):
        back_end.get(EXECUTIONS)


# Task history: one of them --------------------------------------------------------------------------------------------


def test_its_steps_are_linked_in_their_order(back_end: BackEnd, run: Run) -> None:
    steps = back_end.get(f"{EXECUTIONS}/{run.pk}").json()["stepExecutions"]

    trigger, made, again = steps
    assert [step["stepId"] for step in steps] == ["trigger", "made", "again"]
    assert [step["type"] for step in steps] == ["TRIGGER/EVENT", "ACTION/VALUES", "ACTION/VALUES"]
    assert (trigger["prev"], trigger["next"]) == (None, [made["id"]])
    assert (made["prev"], made["next"]) == ("trigger", [again["id"]])
    assert (again["prev"], again["next"]) == (made["id"], [])
    assert {step["status"] for step in steps} == {"SUCCEEDED"}
    assert made["outputSize"] == len('{"a": "1"}')


def test_the_items_of_a_fan_out_follow_it_side_by_side(back_end: BackEnd, worker: Worker, lent: Connection) -> None:
    run = worker.run(FAN_OUT, values("after", c="3"), connection=lent, payload={"items": ["x", "y"]})

    steps = {
        (step["stepId"], step["iteration"]): step
        for step in back_end.get(f"{EXECUTIONS}/{run.pk}").json()["stepExecutions"]
    }

    each, after = steps["each", None], steps["after", None]
    assert each["next"] == [steps["one", "0"]["id"], steps["one", "1"]["id"], after["id"]]
    assert steps["one", "1"]["next"] == [steps["two", "1"]["id"]]
    assert steps["two", "0"]["prev"] == steps["one", "0"]["id"]


def test_what_a_step_took_and_gave_is_shown(back_end: BackEnd, run: Run) -> None:
    step = StepRun.objects.get(run=run, path="again")

    body = back_end.get(f"{EXECUTIONS}/{run.pk}/step-executions/{step.pk}").json()

    assert body == {"isLargeInput": False, "isLargeOutput": False, "input": step.input, "output": {"b": "1"}}


def test_the_triggers_output_is_what_came(back_end: BackEnd, run: Run) -> None:
    assert back_end.get(f"{EXECUTIONS}/{run.pk}/step-executions/trigger").json()["output"] == {"x": 1}


def test_an_output_too_large_to_keep_says_so(back_end: BackEnd, run: Run) -> None:
    StepRun.objects.filter(path="made").update(output="the beginning", output_cut_bytes=5_000_000)
    step = StepRun.objects.get(path="made")

    body = back_end.get(f"{EXECUTIONS}/{run.pk}/step-executions/{step.pk}").json()

    assert (body["isLargeOutput"], body["output"]) == (True, "the beginning")


@pytest.mark.parametrize("step", ["0", "nothing", "٣", "9" * 40, "-1"])
def test_a_step_that_is_none_of_its_own_is_not_found(step: str, back_end: BackEnd, run: Run) -> None:
    answer = back_end.get(f"{EXECUTIONS}/{run.pk}/step-executions/{step}")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_step")


def test_an_unknown_execution_is_not_found(back_end: BackEnd) -> None:
    assert back_end.get(f"{EXECUTIONS}/{uuid4()}").json()["code"] == "no_run"


def test_it_is_replayed_as_a_new_one_and_audited(back_end: BackEnd, run: Run) -> None:
    answer = back_end.call("POST", f"{EXECUTIONS}/{run.pk}/replay")

    again = Run.objects.get(replay_of=run)
    assert (answer.status_code, answer.json()["id"]) == (201, str(again.pk))
    assert answer.json()["replayOf"] == str(run.pk)
    entry = AuditEntry.objects.get(action="run replayed")
    assert (entry.actor_name, entry.detail) == (f"API key Reports ({back_end.key[:12]}…)", f"{run.pk} as {again.pk}")


def test_without_its_connection_it_is_not_replayed(back_end: BackEnd, run: Run) -> None:
    Run.objects.update(connection=None)

    answer = back_end.call("POST", f"{EXECUTIONS}/{run.pk}/replay")

    assert (answer.status_code, answer.json()["code"]) == (409, "no_connection")


def test_a_replay_takes_nothing_in_its_body(back_end: BackEnd, run: Run) -> None:
    answer = back_end.call("POST", f"{EXECUTIONS}/{run.pk}/replay", {"status": "done"})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")
    assert not Run.objects.filter(replay_of=run).exists()


# Events ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 1), ("name=hello", 1), ("name=bye", 0), ("userId=alice&source=app", 1), ("state=failed", 0)],
)
def test_events_are_filtered(query: str, count: int, back_end: BackEnd, worker: Worker, lent: Connection) -> None:
    worker.send(lent, {"x": 1}, "hello")

    assert len(back_end.get(f"events?{query}").json()["events"]) == count


def test_events_of_a_connection_are_those_of_the_project(back_end: BackEnd, lent: Connection) -> None:
    other = lent.project.__class__.objects.create(name="Elsewhere")
    Event.objects.create(project=other, connection=lent, source=Event.Source.POLL, name="theirs")

    assert back_end.get(f"events?connectionId={lent.pk}").json()["events"] == []


def test_an_event_says_what_became_of_it(back_end: BackEnd, run: Run) -> None:
    found = back_end.get(f"events/{run.event_id}").json()

    assert (found["state"], found["reason"], found["payload"]) == ("dispatched", "1 run", {"x": 1})
    assert found["workflowExecutionIds"] == [str(run.pk)]


def test_an_event_is_replayed_as_a_new_one_and_audited(back_end: BackEnd, run: Run) -> None:
    answer = back_end.call("POST", f"events/{run.event_id}/replay")

    again = Event.objects.get(replay_of=run.event_id)
    assert (answer.status_code, answer.json()["id"]) == (201, str(again.pk))
    assert AuditEntry.objects.get(action="event replayed").detail == f"{run.event_id} as {again.pk}"


def test_an_unknown_event_is_not_found(back_end: BackEnd) -> None:
    assert back_end.get(f"events/{uuid4()}").json()["code"] == "no_event"


def test_dates_judge_by_when_a_run_was_made(back_end: BackEnd, run: Run) -> None:
    after = run.created_at + timedelta(seconds=2)
    assert first_uuid_at(after) > run.pk

    assert ids(back_end.get(f"{EXECUTIONS}?beforeDate={after.isoformat().replace('+', '%2B')}")) == [str(run.pk)]
