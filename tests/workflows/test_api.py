"""Workflows from outside: events, requests, switches, settings, single actions; as browsers and back ends call them."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.db import connections as databases

from integrations import users
from integrations.models import Call, Connection, Event
from tests.integrations.conftest import Window
from tests.support.sandbox import Sandbox
from tests.workflows.conftest import Worker, action, values
from workflows import deploy, engine, runs
from workflows.definition import schedule_problem
from workflows.models import Enablement, Run, Workflow

Effects = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is never busy: what is hinted at is done there and then."""
    monkeypatch.setattr(runs, "hint", lambda run_id: bool(engine.advance(run_id)))
    monkeypatch.setattr("django.db.transaction.on_commit", lambda function, **kwargs: function())


@pytest.fixture
def request_flow(connection: Connection, worker: Worker) -> Callable[..., Workflow]:
    def make(*steps: dict[str, Any], **more: Any) -> Workflow:
        workflow = worker.workflow(*steps, trigger={"type": "request"}, **more)
        worker.switch_on(workflow, connection)
        return workflow

    return make


RESPOND = {"id": "respond", "type": "response", "input": {"status": 201, "body": '{"hello": {{trigger.body.name}}}'}}


def test_a_request_is_answered_by_the_response_step(alice: Window, request_flow: Callable[..., Workflow]) -> None:
    workflow = request_flow(RESPOND)

    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}?a=b", {"name": "Ada"})

    assert (answer.status_code, answer.json()) == (201, {"hello": "Ada"})
    assert Run.objects.get().payload["query"] == {"a": "b"}


def test_a_request_without_a_response_step_is_accepted(alice: Window, request_flow: Callable[..., Workflow]) -> None:
    workflow = request_flow(values(a="1"))

    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}")

    assert (answer.status_code, answer.json()) == (202, {"id": str(Run.objects.get().pk), "status": "accepted"})


def test_a_request_that_takes_too_long_is_told_its_run(
    alice: Window, request_flow: Callable[..., Workflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "RESPONSE_SECONDS", 0.05)
    workflow = request_flow({"id": "wait", "type": "delay", "input": {"amount": 1, "unit": "hours"}}, RESPOND)

    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}", {"name": "Ada"})

    run = Run.objects.get()
    assert (answer.status_code, answer.json()["id"], answer.json()["code"]) == (542, str(run.pk), "still_running")
    assert alice.api("GET", f"runs/{run.pk}").json()["status"] == "waiting"


def test_a_request_that_fails_says_why(alice: Window, request_flow: Callable[..., Workflow]) -> None:
    workflow = request_flow(action("get_issue", issue="NOPE-1"), RESPOND)

    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}", {"name": "Ada"})

    assert answer.status_code == 400
    assert (answer.json()["code"], "Issue does not exist" in answer.json()["message"]) == ("run_failed", True)
    assert answer.json()["status"] == answer.status_code == 400


def test_a_workflow_that_is_off_is_not_started(alice: Window, request_flow: Callable[..., Workflow]) -> None:
    workflow = request_flow(RESPOND)

    switched = alice.api("DELETE", f"sdk/workflows/{workflow.pk}")
    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}", {})

    assert (switched.status_code, answer.status_code, answer.json()["code"]) == (204, 400, "not_enabled")


def test_another_users_run_does_not_exist(
    alice: Window, mallory: Window, request_flow: Callable[..., Workflow]
) -> None:
    workflow = request_flow(RESPOND)
    alice.api("POST", f"sdk/triggers/{workflow.pk}", {"name": "Ada"})

    answer = mallory.api("GET", f"runs/{Run.objects.get().pk}")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_run")


def test_a_workflow_is_switched_on_and_runs_on_the_next_event(
    alice: Window, connection: Connection, worker: Worker
) -> None:
    workflow = worker.workflow(values(a="{{trigger.n}}"))

    alice.api("POST", "sdk/events/trigger", {"name": "go", "payload": {"n": 1}})
    alice.api("POST", f"sdk/workflows/{workflow.pk}")
    alice.api("POST", "sdk/events/trigger", {"name": "go", "payload": {"n": 2}})
    for event in Event.objects.undelivered():
        from workflows import dispatch

        dispatch.dispatch(event.pk)

    state = alice.api("GET", "sdk/me").json()["integrations"]["jira"]
    assert state["workflowSettings"][str(workflow.pk)]["enabled"] is True
    assert [run.payload for run in Run.objects.all()][-1] == {"n": 2}


SETTING = {"key": "project", "label": "Jira project", "type": "dynamic", "source": "projects", "required": True}


def test_a_required_setting_comes_before_the_switch(alice: Window, connection: Connection, worker: Worker) -> None:
    workflow = worker.workflow(values(p="{{settings.project}}"), settings=[SETTING])

    refused = alice.api("POST", f"sdk/workflows/{workflow.pk}")
    config = {"workflowSettings": {str(workflow.pk): {"settings": {"project": "OPS"}}}}
    stored = alice.api("PATCH", f"sdk/credentials/{connection.pk}", {"config": config})
    switched = alice.api("POST", f"sdk/workflows/{workflow.pk}")

    assert (refused.status_code, refused.json()["fields"]) == (400, {"project": "Jira project is required."})
    assert "errors" not in stored.json()
    assert switched.status_code == 200
    worker.send(connection)
    assert worker.step(Run.objects.get(), "made").output == {"p": "OPS"}


@pytest.mark.parametrize(
    ("item", "value", "words"),
    [
        ({"type": "number"}, "many", "It takes a number."),
        ({"type": "switch"}, "yes", "It is true or false."),
        ({"type": "select", "options": [{"value": "a", "label": "A"}]}, "b", "It is none of the choices."),
        ({"type": "text"}, "x" * 3000, "It takes a text of at most 2,000 characters."),
        (
            {"type": "mapping", "source": "fields", "fields": [{"value": "a", "label": "A"}]},
            {"b": "c"},
            "It has no “b”.",
        ),
    ],
)
def test_a_setting_that_is_wrong_is_named_and_the_others_are_kept(
    alice: Window, connection: Connection, worker: Worker, item: dict[str, Any], value: Any, words: str
) -> None:
    good = {"key": "good", "label": "Good", "type": "text"}
    workflow = worker.workflow(values(a="1"), settings=[good, {"key": "it", "label": "It"} | item])

    config = {"workflowSettings": {str(workflow.pk): {"settings": {"it": value, "good": "kept"}}}}
    answer = alice.api("PATCH", f"sdk/credentials/{connection.pk}", {"config": config}).json()

    assert answer["errors"] == [{"workflowId": str(workflow.pk), "inputId": "it", "message": words}]
    assert Enablement.objects.get().settings == {"good": "kept"}


# Settings that all workflows of an integration share -----------------------------------------------------------------

SHARED = SETTING | {"shared": True}
OWN = {"key": "note", "label": "Note", "type": "text"}


def share(alice: Window, connection: Connection, **settings: Any) -> Any:
    config = {"sharedSettings": settings}
    return alice.api("PATCH", f"sdk/credentials/{connection.pk}", {"config": config}).json()


def test_a_shared_setting_is_asked_for_once(alice: Window, connection: Connection, worker: Worker) -> None:
    flows = [worker.workflow(values(p="{{settings.project}}"), settings=[SHARED, OWN]) for _ in range(2)]

    asked = alice.api("GET", "sdk/integrations").json()[0]["configs"][0]["values"]
    refused = alice.api("POST", f"sdk/workflows/{flows[0].pk}")
    share(alice, connection, project="OPS")
    switched = [alice.api("POST", f"sdk/workflows/{flow.pk}").status_code for flow in flows]
    worker.send(connection)

    assert [item["id"] for item in asked["sharedMeta"]["inputs"]] == ["project"]
    assert [item["id"] for item in asked["workflowMeta"][str(flows[0].pk)]["inputs"]] == ["note"]
    assert refused.json()["fields"] == {"project": "Jira project is required."}
    assert switched == [200, 200]
    assert [worker.step(run, "made").output for run in Run.objects.all()] == [{"p": "OPS"}] * 2


def test_a_shared_setting_is_checked_and_a_wrong_one_stays_as_it_was(
    alice: Window, connection: Connection, worker: Worker
) -> None:
    worker.workflow(values(a="1"), settings=[{"key": "n", "label": "Number", "type": "number", "shared": True}])
    share(alice, connection, n=1, of_their_own="kept")

    answer = share(alice, connection, n="many", of_their_own="changed")

    connection.refresh_from_db()
    assert answer["errors"] == [{"inputId": "n", "message": "Number takes a number."}]
    assert connection.settings == {"n": 1, "of_their_own": "changed"}


def test_shared_settings_that_are_too_large_are_refused(alice: Window, connection: Connection, worker: Worker) -> None:
    answer = share(alice, connection, text="x" * 20_000)

    connection.refresh_from_db()
    assert answer["errors"] == [{"message": "Shared settings take 16,384 characters at most."}]
    assert connection.settings == {}


def test_a_setting_that_became_shared_takes_the_shared_value(
    alice: Window, connection: Connection, worker: Worker
) -> None:
    workflow = worker.workflow(values(p="{{settings.project}}"), settings=[SETTING])
    worker.switch_on(workflow, connection, project="OLD")
    workflow.draft = workflow.draft | {"settings": [SHARED]}
    deploy.deploy(workflow, "test")
    share(alice, connection, project="NEW")

    worker.send(connection)

    assert worker.step(Run.objects.get(), "made").output == {"p": "NEW"}


def test_two_workflows_that_share_a_key_as_different_things_are_not_deployed(worker: Worker) -> None:
    worker.workflow(values(a="1"), settings=[SHARED])

    with pytest.raises(deploy.NotDeployable) as refused:
        worker.workflow(values(a="1"), settings=[SHARED | {"type": "text"}])

    assert [(problem.where, problem.field) for problem in refused.value.problems] == [("settings", "project")]
    assert "“Flow 0” shares “project”" in refused.value.problems[0].message


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 25 * * *", "The hour of “0 25 * * *” cannot be."),
        ("0 9 * *", "Write the schedule as five cron fields"),
        ("0 0 30 2 *", "The day-of-month of “0 0 30 2 *” cannot be."),
        ("*/2 * * * *", "every five minutes at most"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(cron: str, words: str) -> None:
    assert words in schedule_problem({"cron": cron, "zone": "UTC"})


def test_json_that_is_not_whole_is_not_deployed(worker: Worker) -> None:
    update = action("update_issue", issue="OPS-1", fields='{"labels": ')

    with pytest.raises(deploy.NotDeployable) as refused:
        worker.workflow(update, trigger={"type": "event", "name": "go", "sample": '{"title"'})

    found = [(problem.where, problem.field) for problem in refused.value.problems]
    assert found == [("trigger", "sample"), ("update_issue", "fields")]


def test_a_date_that_is_none_is_not_deployed(worker: Worker) -> None:
    given = {"project": "OPS", "issue_type": "Task", "summary": "Bake"}
    worker.workflow(action("create_issue", **given, due_date="{{trigger.due}}"))

    with pytest.raises(deploy.NotDeployable) as refused:
        worker.workflow(action("create_issue", **given, due_date="banana"))

    [problem] = refused.value.problems
    assert (problem.field, problem.message) == ("due_date", "“banana” is not a date. Write it as 2026-11-23.")


def test_choices_come_from_the_users_own_account(alice: Window, connection: Connection) -> None:
    def ask(key: str, **values: str) -> Any:
        parameters = [{"key": name, "source": {"type": "VALUE", "value": value}} for name, value in values.items()]
        paging = {"pageCursor": 0, "search": "web" if key == "projects" else ""}
        body = {"action": "jira", "sourceKey": key, "parameters": parameters, "paginationParameters": paging}
        return alice.api("POST", "sdk/actions", body).json()

    assert ask("projects")["output"]["records"] == [{"label": "Website (WEB)", "value": "WEB"}]
    assert {"label": "Story", "value": "Story"} in ask("issue_types", project="WEB")["output"]["records"]
    assert {"label": "High", "value": "High"} in ask("priorities", project="WEB")["output"]["records"]
    assert len(ask("people", project="WEB")["output"]["records"]) == 3
    assert ask("statuses", project="WEB")["output"]["records"][0]["value"] == "To Do"
    assert ask("issue_types")["fields"] == {"project": "Choose a project first."}


# Single actions -----------------------------------------------------------------------------------------------------


def test_the_actions_are_tools_with_schemas(alice: Window) -> None:
    tools = alice.api("GET", "actions").json()["actions"]["jira"]

    names = [tool["function"]["name"] for tool in tools]
    assert names[:3] == ["JIRA_CREATE_ISSUE", "JIRA_UPDATE_ISSUE", "JIRA_GET_ISSUE"]
    assert tools[0]["function"]["parameters"]["required"] == ["project", "issue_type", "summary"]


def test_one_action_runs_and_answers(alice: Window, connection: Connection, effects: Effects) -> None:
    given = {"project": "OPS", "issue_type": "Task", "summary": "Literally {{trigger.x}}", "labels": ["a"]}

    answer = alice.api("POST", "actions", {"action": "JIRA_CREATE_ISSUE", "parameters": given})

    assert answer.status_code == 200, answer.json()
    assert answer.json()["output"]["key"] == effects("issue_created")[0]["key"]
    read = alice.api(
        "POST", "actions", {"tool": "jira_get_issue", "parameters": {"issue": answer.json()["output"]["key"]}}
    )
    assert read.json()["output"]["fields"]["summary"] == "Literally {{trigger.x}}"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"action": "JIRA_FLY", "parameters": {}}, 404, "no_action"),
        ({"action": "JIRA_GET_ISSUE", "parameters": {}}, 400, "run_failed"),
        ({"action": "JIRA_GET_ISSUE", "parameters": {"issue": "OPS-1", "colour": "red"}}, 400, "run_failed"),
        ({"action": "JIRA_GET_ISSUE", "parameters": []}, 400, "bad_action"),
        ({}, 400, "bad_action"),
    ],
)
def test_an_action_that_cannot_run_says_why(
    alice: Window, connection: Connection, body: dict[str, Any], status: int, code: str
) -> None:
    answer = alice.api("POST", "actions", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_is_wrong_with_an_input_is_said_at_it(alice: Window, connection: Connection) -> None:
    answer = alice.api("POST", "actions", {"action": "JIRA_GET_ISSUE", "parameters": {}})

    assert answer.json()["fields"] == {"issue": "Issue is required."}


def test_an_action_that_is_refused_never_happens_later(
    alice: Window, connection: Connection, sandbox: Sandbox, worker: Worker, effects: Effects
) -> None:
    """Who hears no sends it again; if the first were done after all, it would be done twice."""
    sandbox.operate("grants/revoke", {"all": True})
    given = {"project": "OPS", "issue_type": "Task", "summary": "Once"}

    answer = alice.api("POST", "actions", {"action": "JIRA_CREATE_ISSUE", "parameters": given})
    alice.connect()
    worker.later()
    worker.work()

    assert (answer.status_code, answer.json()["code"]) == (400, "needs_reconnect")
    assert Run.objects.get().status == Run.Status.FAILED
    assert effects("issue_created") == []


def test_an_action_that_may_have_happened_is_not_called_refused(
    alice: Window,
    connection: Connection,
    sandbox: Sandbox,
    worker: Worker,
    effects: Effects,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its answer was lost, and before it could be looked for the consent ended."""
    sandbox.operate("settings", {"lose_next": 1, "search_lag_seconds": 600})
    given = {"project": "OPS", "issue_type": "Task", "summary": "Perhaps"}

    def lose_the_consent(seconds: float) -> None:
        monkeypatch.setattr(runs, "time", time)
        sandbox.operate("grants/revoke", {"all": True})
        worker.later()
        worker.work()

    monkeypatch.setattr(runs, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lose_the_consent))
    answer = alice.api("POST", "actions", {"action": "JIRA_CREATE_ISSUE", "parameters": given})
    alice.connect()
    worker.later()
    worker.work()

    assert (answer.status_code, answer.json()["code"]) == (400, "run_uncertain")
    assert Run.objects.get().status == Run.Status.UNCERTAIN
    assert len(effects("issue_created")) == 1


def test_a_request_whose_workflow_waits_for_the_user_says_that_it_goes_on(
    alice: Window, connection: Connection, sandbox: Sandbox, request_flow: Callable[..., Workflow]
) -> None:
    workflow = request_flow(action("get_issue", issue="OPS-1"), RESPOND)
    sandbox.operate("grants/revoke", {"all": True})

    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}", {"name": "Ada"})

    assert (answer.status_code, answer.json()["code"]) == (400, "needs_reconnect")
    assert "do not send it again" in answer.json()["message"]
    assert Run.objects.get().status == Run.Status.NEEDS_RECONNECT


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("actions", {"action": "JIRA_GET_ISSUE", "parameters": {"issue": "OPS-1"}}),
        ("sdk/actions", {"action": "jira", "sourceKey": "projects"}),
        ("sdk/triggers/{workflow}", {}),
    ],
)
def test_nothing_is_done_for_a_user_who_is_disabled(
    path: str,
    body: dict[str, Any],
    alice: Window,
    connection: Connection,
    sandbox: Sandbox,
    request_flow: Callable[..., Workflow],
) -> None:
    workflow = request_flow(RESPOND)
    users.disable(connection.user, "test")

    answer = alice.api("POST", path.format(workflow=workflow.pk), body)

    assert (answer.status_code // 100, answer.json()["code"]) == (4, "user_disabled")
    assert not Call.objects.exists()


def test_an_event_of_a_user_who_is_disabled_says_so(connection: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values("one", a="1")), connection)
    users.disable(connection.user, "test")

    event = worker.send(connection)

    assert (event.state, event.reason) == (Event.State.IGNORED, "This user is disabled.")


def test_an_action_needs_a_connection(mallory: Window, connection: Connection) -> None:
    answer = mallory.api("POST", "actions", {"action": "JIRA_GET_ISSUE", "parameters": {"issue": "OPS-1"}})

    assert (answer.status_code, answer.json()["message"]) == (400, "Integration not enabled for user.")


# Triggers without a caller --------------------------------------------------------------------------------------------


def test_connecting_starts_what_begins_with_it(alice: Window, worker: Worker, sandbox: Sandbox) -> None:
    workflow = worker.workflow(values(a="{{trigger.account}} at {{trigger.site}}"), trigger={"type": "connected"})
    Workflow.objects.filter(pk=workflow.pk).update(is_default_on=True)

    alice.connect()
    from workflows import dispatch

    for event in Event.objects.undelivered():
        dispatch.dispatch(event.pk)
    alice.connect()

    assert worker.step(Run.objects.get(), "made").output == {"a": "Ada Park at Acme"}


def test_a_schedule_fires_once_however_long_nobody_looked(lent: Connection, worker: Worker) -> None:
    from datetime import UTC, datetime, timedelta

    from workflows import dispatch

    workflow = worker.workflow(
        values(a="{{trigger.at}}"), trigger={"type": "schedule", "cron": "0 9 * * *", "zone": "UTC"}
    )
    worker.switch_on(workflow, lent)
    Workflow.objects.filter(pk=workflow.pk).update(next_fire_at=datetime.now(UTC) - timedelta(days=3))

    fired = [dispatch.fire_due(datetime.now(UTC)) for _ in range(2)]
    for event in Event.objects.undelivered():
        dispatch.dispatch(event.pk)

    workflow.refresh_from_db()
    assert fired == [1, 0]
    assert Run.objects.count() == 1
    assert workflow.next_fire_at is not None
    assert workflow.next_fire_at > datetime.now(UTC)


@pytest.mark.parametrize(
    ("after", "fires"),
    [
        ("2026-03-28T12:00:00+00:00", ["2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00"]),
        ("2026-10-24T12:00:00+00:00", ["2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"]),
    ],
    ids=["the hour that is left out", "the hour that comes twice"],
)
def test_a_schedule_when_the_clocks_change(after: str, fires: list[str]) -> None:
    from datetime import datetime

    from workflows import dispatch

    trigger = {"cron": "30 2 * * *", "zone": "Europe/Berlin"}
    at, found = datetime.fromisoformat(after), []
    for _ in range(2):
        at = dispatch.next_fire(trigger, at)
        found.append(at.isoformat())

    assert found == fires


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], None]], None]]:
    """beside(f) does something in another thread while this one waits."""
    threads: list[threading.Thread] = []

    def start(work: Callable[[], None]) -> None:
        def run() -> None:
            time.sleep(0.2)
            work()
            databases.close_all()

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_caller_waits_for_the_response_of_another_process(
    alice: Window,
    request_flow: Callable[..., Workflow],
    monkeypatch: pytest.MonkeyPatch,
    beside: Callable[[Callable[[], None]], None],
) -> None:
    monkeypatch.setattr(runs, "hint", lambda run_id: beside(lambda: engine.advance(run_id)))
    workflow = request_flow(RESPOND)

    answer = alice.api("POST", f"sdk/triggers/{workflow.pk}", {"name": "Ada"})

    assert (answer.status_code, answer.json()) == (201, {"hello": "Ada"})


# The database --------------------------------------------------------------------------------------------------------


def happened(text: str) -> dict[str, Any]:
    return {"name": "go", "payload": {"text": text}}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(databases["default"].vendor != "sqlite", reason="SQLite's own way of being full")
def test_an_event_that_finds_the_disk_full_is_refused_and_taken_once_there_is_room(
    alice: Window, connection: Connection
) -> None:
    with databases["default"].cursor() as cursor:
        cursor.execute("VACUUM")  # what other tests left free would be room
        cursor.execute("PRAGMA page_count")
        [pages] = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            full = [alice.api("POST", "sdk/events/trigger", happened("x" * 10_000)) for _ in range(50)][-1]
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
        stored = Event.objects.count()
        after = alice.api("POST", "sdk/events/trigger", happened("there is room"))
        cursor.execute("PRAGMA integrity_check")
        [health] = cursor.fetchone()

    assert (full.status_code, full.json()["code"]) == (507, "storage_full")
    assert after.status_code == 201
    assert Event.objects.count() == stored + 1
    assert health == "ok"


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("connection already closed")])
def test_a_database_that_is_away_is_said_in_json(
    alice: Window, connection: Connection, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*args: Any, **fields: Any) -> None:
        raise error

    monkeypatch.setattr(Event.objects, "create", away)

    answer = alice.api("POST", "sdk/events/trigger", happened("lost?"))

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "database_unavailable", "5")
    assert answer["Access-Control-Allow-Origin"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(databases["default"].vendor != "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.parametrize(("patience", "status"), [(20_000, 201), (100, 503)])
def test_an_event_waits_for_the_one_writer_and_says_so_when_it_waited_in_vain(
    alice: Window, connection: Connection, patience: int, status: int
) -> None:
    path = databases["default"].settings_dict["NAME"]
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(1, other.rollback)
    release.start()
    with databases["default"].cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {patience}")
        answer = alice.api("POST", "sdk/events/trigger", happened("patience"))
        release.join()
        cursor.execute("PRAGMA busy_timeout = 20000")

    assert answer.status_code == status
    assert Event.objects.count() == (status == 201)
