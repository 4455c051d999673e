"""Each kind of step: what it does, and what it says when it cannot."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.models import Connection
from tests.support.sandbox import Sandbox
from tests.support.upstream import Upstream, serving
from tests.workflows.conftest import Worker, action, values
from workflows.models import ProjectSecret, Run
from workflows.steps.condition import OPERATORS

Effects = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def address(settings: Any) -> Iterator[Upstream]:
    """Some server on this machine, which the operator allows to be called."""
    with serving() as upstream:
        settings.OUTBOUND_LOCAL_HOSTS = [upstream.url.removeprefix("http://")]
        yield upstream


def http(**given: Any) -> dict[str, Any]:
    more = {key: given.pop(key) for key in ("retry", "continue_on_error") if key in given}
    return {"id": "call", "type": "http", "input": given} | more


def when(operator: str, variable: Any, argument: Any = "", *, then: Any = (), otherwise: Any = ()) -> dict[str, Any]:
    leaf = {"type": "OPERATOR", "condition": {"operator": operator, "variable": variable, "argument": argument}}
    return {"id": "check", "type": "condition", "input": {"if": leaf}, "then": list(then), "else": list(otherwise)}


# Set values, conditions ---------------------------------------------------------------------------------------------


def test_values_are_made_of_expressions(lent: Connection, worker: Worker) -> None:
    made = values(whole="{{trigger.items}}", text="{{user.id}} at {{connection.site.name}}", plain="x")

    run = worker.run(made, connection=lent, payload={"items": [1, 2]})

    assert worker.step(run, "made").output == {"whole": [1, 2], "text": "alice at Acme", "plain": "x"}


@pytest.mark.parametrize(
    ("operator", "value", "argument", "holds"),
    [
        ("$stringContains", "Disk is full", "full", True),
        ("$stringDoesNotContain", "Disk is full", "full", False),
        ("$stringExactlyMatches", "high", "high", True),
        ("$stringDoesNotExactlyMatch", "high", "low", True),
        ("$stringIsIn", "b", "a, b", True),
        ("$stringIsNotIn", "c", ["a", "b"], True),
        ("$stringStartsWith", "OPS-1", "OPS", True),
        ("$stringDoesNotStartWith", "OPS-1", "WEB", True),
        ("$stringEndsWith", "OPS-1", "-1", True),
        ("$stringDoesNotEndWith", "OPS-1", "-2", True),
        ("$stringGreaterThan", "b", "a", True),
        ("$stringLessThan", "b", "a", False),
        ("$numberEquals", "3", 3, True),
        ("$numberDoesNotEqual", 3, 4, True),
        ("$numberGreaterThan", 3, "2.5", True),
        ("$numberGreaterThanOrEqualTo", 3, 3, True),
        ("$numberLessThan", 3, 2, False),
        ("$numberLessThanOrEqualTo", 3, 3, True),
        ("$dateTimeAfter", "2026-11-23T10:00:00Z", "2026-11-23", True),
        ("$dateTimeBefore", "2026-11-23T10:00:00+02:00", "2026-11-23T09:00:00Z", True),
        ("$dateTimeEquals", "2026-11-23T10:00:00+0200", "2026-11-23T08:00:00Z", True),
        ("$booleanTrue", True, None, True),
        ("$booleanFalse", "false", None, True),
        ("$exists", None, None, False),
        ("$doesNotExist", None, None, True),
        ("$isNotUndefinedOrNull", 0, None, True),
        ("$isUndefinedOrNull", "", None, False),
        ("$arrayIsIn", ["a", 1], "1", True),
        ("$arrayIsNotIn", ["a"], "b", True),
        ("$arrayIsEmpty", [], None, True),
        ("$arrayIsNotEmpty", [], None, False),
    ],
)
def test_every_operator(operator: str, value: Any, argument: Any, holds: bool) -> None:
    _, _, decide = OPERATORS[operator]

    assert decide(value, argument) is holds


def test_a_condition_goes_one_way(lent: Connection, worker: Worker) -> None:
    check = when(
        "$stringExactlyMatches",
        "{{trigger.priority}}",
        "high",
        then=[values("urgent", a="1")],
        otherwise=[values("calm", a="1")],
    )

    run = worker.run(check, connection=lent, payload={"priority": "high"})

    assert [row.path for row in run.steps.all()] == ["check", "urgent"]


def test_a_missing_value_is_asked_for_or_is_an_error(lent: Connection, worker: Worker) -> None:
    asked = worker.run(when("$exists", "{{trigger.x.y}}", then=[values(a="1")]), connection=lent)
    compared = worker.run(when("$numberEquals", "{{trigger.x}}", 1, then=[values(a="1")]), connection=lent)

    assert (asked.status, worker.step(asked, "check").output) == ("done", {"result": False})
    assert (compared.status, compared.reason) == ("failed", "Condition: trigger has no “x”.")


def test_groups_of_conditions(lent: Connection, worker: Worker) -> None:
    def leaf(value: str) -> dict[str, Any]:
        return {"type": "OPERATOR", "condition": {"operator": "$booleanTrue", "variable": value}}

    tree = {
        "type": "JOIN",
        "join": "AND",
        "conditions": [leaf("true"), {"type": "JOIN", "join": "OR", "conditions": [leaf("false"), leaf("true")]}],
    }
    step = {"id": "check", "type": "condition", "input": {"if": tree}, "then": [values(a="1")], "else": []}

    assert worker.step(worker.run(step, connection=lent), "check").output == {"result": True}


# Fan out, delay -----------------------------------------------------------------------------------------------------


def each(*steps: dict[str, Any], at_once: int = 1) -> dict[str, Any]:
    return {
        "id": "each",
        "type": "fan_out",
        "input": {"over": "{{trigger.items}}", "at_once": at_once},
        "steps": [*steps],
    }


def test_the_same_for_each_item_joined_afterwards(lent: Connection, worker: Worker) -> None:
    run = worker.run(
        each(values("one", n="{{index}}: {{item.name}}")),
        values("after", count="{{each.count}}", last="{{each.items[1].one.n}}"),
        connection=lent,
        payload={"items": [{"name": "a"}, {"name": "b"}]},
    )

    assert run.status == "done", run.reason
    assert worker.step(run, "after").output == {"count": 2, "last": "1: b"}
    assert worker.step(run, "one", "1").output == {"n": "1: b"}


@pytest.mark.django_db(transaction=True)
def test_items_go_at_once(connection: Connection, worker: Worker, effects: Effects) -> None:
    create = action("create_issue", project="OPS", issue_type="Task", summary="{{item}}")

    run = worker.run(each(create, at_once=4), connection=connection, payload={"items": [f"No. {n}" for n in range(8)]})

    assert run.status == "done", run.reason
    assert len(effects("issue_created")) == 8
    assert len({entry["create_issue"]["key"] for entry in worker.step(run, "each").output["items"]}) == 8


def test_an_item_that_waits_does_not_keep_the_next(connection: Connection, worker: Worker, sandbox: Sandbox) -> None:
    update = action("update_issue", issue="{{item}}", summary="Changed")
    sandbox.operate("settings", {"fail_next": 1})

    run = worker.run(each(update), connection=connection, payload={"items": ["OPS-1", "OPS-2"]})

    assert (run.status, worker.step(run, "update_issue", "1").status) == ("waiting", "done")
    worker.later()
    worker.work()
    run.refresh_from_db()
    assert run.status == "done"
    assert worker.step(run, "update_issue", "1").attempts == 1


def test_a_list_is_needed(lent: Connection, worker: Worker) -> None:
    run = worker.run(each(values(a="1")), connection=lent, payload={"items": "a, b"})

    assert (run.status, run.reason) == ("failed", "For each: A list is needed here, not a text.")


def test_a_long_fan_out_gives_others_their_turn_and_goes_on(lent: Connection, worker: Worker) -> None:
    run = worker.run(each(values("one", n="{{item}}")), connection=lent, payload={"items": list(range(120))})

    assert (run.status, run.steps.filter(path="one").count()) == ("done", 120)
    assert run.generation > 2


def test_nobody_sleeps_for_a_delay(lent: Connection, worker: Worker) -> None:
    wait = {"id": "wait", "type": "delay", "input": {"amount": "{{trigger.days}}", "unit": "days"}}

    run = worker.run(wait, values(a="1"), connection=lent, payload={"days": 2})

    assert run.status == "waiting"
    assert run.wake_at is not None
    assert 172_000 < (run.wake_at - run.created_at).total_seconds() < 173_000
    worker.later(200_000)
    worker.work()
    run.refresh_from_db()
    assert run.status == "done"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"amount": "soon"}, "“soon” is not a number to wait."),
        ({"amount": 400, "unit": "days"}, "A delay lasts 90 days at most."),
        ({"until": "tomorrow"}, "This is not a time. Write it as 2026-11-23T14:30:00Z."),
    ],
)
def test_a_delay_that_makes_no_sense(lent: Connection, worker: Worker, given: dict[str, Any], words: str) -> None:
    run = worker.run({"id": "wait", "type": "delay", "input": given}, connection=lent)

    assert (run.status, run.reason) == ("failed", f"Delay: {words}")


# HTTP request -------------------------------------------------------------------------------------------------------


def test_json_goes_out_and_comes_back(lent: Connection, worker: Worker, address: Upstream) -> None:
    address.replies(200, b'{"id": 7}')
    body = '{"title": {{trigger.title}}, "note": "about {{trigger.title}}", "n": 1}'

    run = worker.run(
        http(
            method="POST", url=f"{address.url}/items", query=[{"key": "a", "value": "b c"}], body_type="json", body=body
        ),
        connection=lent,
        payload={"title": 'He said "hi"'},
    )

    assert worker.step(run, "call").output["body"] == {"id": 7}
    assert address.last.target == "/items?a=b+c"
    assert json.loads(address.last.body) == {"title": 'He said "hi"', "note": 'about He said "hi"', "n": 1}
    assert address.last.header("Idempotency-Key") == str(worker.step(run, "call").op_key)


def test_forms_and_text(lent: Connection, worker: Worker, address: Upstream) -> None:
    form = http(method="POST", url=address.url, body_type="form", body=[{"key": "a", "value": "1&2"}])
    worker.run(form, connection=lent)
    assert (address.last.body, address.last.header("Content-Type")) == (b"a=1%262", "application/x-www-form-urlencoded")

    worker.run(http(method="POST", url=address.url, body_type="text", body="Hello {{user.id}}"), connection=lent)
    assert address.last.body == b"Hello alice"


def test_a_secret_is_sent_and_never_kept(lent: Connection, worker: Worker, address: Upstream) -> None:
    secret = ProjectSecret(project=lent.project, name="TOKEN", set_at="2026-11-23T00:00:00Z")
    secret.seal("value", "s3cr3t-of-acme")
    secret.save()
    address.replies(200, b'{"you sent": "s3cr3t-of-acme"}')

    run = worker.run(http(url=address.url, auth="bearer", token="{{secrets.TOKEN}}"), connection=lent)

    assert address.last.header("Authorization") == "Bearer s3cr3t-of-acme"
    row = worker.step(run, "call")
    assert row.input["token"] == "[secret TOKEN]"
    assert row.output["body"] == {"you sent": "[secret TOKEN]"}
    assert "s3cr3t" not in f"{row.input}{row.output}{run.payload}"


def test_a_failure_ends_the_run_or_is_gone_over(lent: Connection, worker: Worker, address: Upstream) -> None:
    address.replies(404, b'{"error": "gone"}')
    ended = worker.run(http(url=address.url), connection=lent)
    address.replies(404, b'{"error": "gone"}')
    gone_over = worker.run(
        http(url=address.url, continue_on_error=True),
        values(said="{{call.error.message}}", s="{{call.status}}"),
        connection=lent,
    )

    assert (ended.status, ended.reason) == ("failed", 'HTTP request: The address answers 404: {"error": "gone"}')
    assert gone_over.status == "done", gone_over.reason
    assert worker.step(gone_over, "made").output["s"] == 404


def test_a_post_whose_outcome_is_unknown_is_not_repeated(lent: Connection, worker: Worker, address: Upstream) -> None:
    address.replies(502, b"")

    run = worker.run(http(method="POST", url=address.url), connection=lent)
    worker.later()
    worker.work()

    run.refresh_from_db()
    assert (run.status, len(address.seen)) == (Run.Status.UNCERTAIN, 1)


def test_a_post_that_may_be_repeated_is(lent: Connection, worker: Worker, address: Upstream) -> None:
    address.replies(502, b"")

    run = worker.run(http(method="POST", url=address.url, is_repeatable=True), connection=lent)
    worker.later()
    worker.work()

    run.refresh_from_db()
    keys = {request.header("Idempotency-Key") for request in address.seen}
    assert (run.status, len(address.seen), len(keys)) == (Run.Status.DONE, 2, 1)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://0/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://localhost./",
        "https://localhost/",
        "http://127.0.0.1:6379/",
        "https://user@example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
    ],
)
def test_nothing_inside_is_ever_called(lent: Connection, worker: Worker, url: str) -> None:
    run = worker.run(http(url="{{trigger.url}}", retry=False), connection=lent, payload={"url": url})

    assert run.status == "failed"
    assert any(
        words in run.reason
        for words in (
            "not an address of the open internet",
            "Only https addresses",
            "no user name or password",
            "cannot be called",
            "cannot be reached",
        )
    )


# Request, response --------------------------------------------------------------------------------------------------


def test_any_call_in_the_users_name(connection: Connection, worker: Worker) -> None:
    request = {"id": "call", "type": "request", "input": {"path": "/rest/api/3/issue/{{trigger.key}}?fields=summary"}}

    run = worker.run(request, connection=connection, payload={"key": "OPS-1"})

    output = worker.step(run, "call").output
    assert (output["status"], output["body"]["key"]) == (200, "OPS-1")


def test_a_path_cannot_leave_the_users_site(connection: Connection, worker: Worker) -> None:
    request = {"id": "call", "type": "request", "input": {"path": "/rest/{{trigger.key}}"}}

    run = worker.run(request, connection=connection, payload={"key": "../../../other/rest/api/3/myself"})

    assert run.status == "failed"
    assert "not forwarded" in run.reason


def test_a_response_is_kept_for_who_asked(lent: Connection, worker: Worker) -> None:
    respond = {"id": "respond", "type": "response", "input": {"status": 201, "body": '{"hello": {{user.id}}}'}}

    run = worker.run(respond, connection=lent)

    assert run.response == {"status": 201, "body": {"hello": "alice"}}


def test_numbers_and_half_characters_that_no_database_keeps(
    lent: Connection, worker: Worker, address: Upstream
) -> None:
    address.replies(200, b'{"nul": "a\\u0000b", "half": "\\ud800", "nan": NaN}')

    run = worker.run(http(url=address.url), connection=lent)

    assert worker.step(run, "call").output["body"] == {"nul": "ab", "half": "?", "nan": None}
