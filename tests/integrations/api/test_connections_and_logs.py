"""Connections, forwarded calls and the audit log by the management API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from integrations import audit
from integrations.models import AuditEntry, Call, Connection, Grant, Project
from tests.integrations.api.conftest import BackEnd

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


# Connections ----------------------------------------------------------------------------------------------------------


def whose(answer: Any) -> list[str]:
    return [row["userId"] for row in answer.json()["connections"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["bob", "alice"]),
        ("userId=alice", ["alice"]),
        ("status=connected", ["alice"]),
        ("status=needs_reconnect", ["bob"]),
        ("integration=jira&status=needs_reconnect", ["bob"]),
    ],
)
def test_connections_are_filtered(
    query: str, found: list[str], back_end: BackEnd, connect: Callable[..., Connection]
) -> None:
    connect("alice")
    connect("bob", status="needs_reconnect", reason="Access was revoked.")

    assert whose(back_end.get(f"connections?{query}")) == found


def test_a_connection_says_why_it_needs_a_reconnect(back_end: BackEnd, connect: Callable[..., Connection]) -> None:
    made = connect("alice", status="needs_reconnect", reason="Access was revoked.")

    found = back_end.get(f"connections/{made.pk}").json()

    assert (found["status"], found["reason"]) == ("needs_reconnect", "Access was revoked.")


def test_no_token_is_ever_shown(back_end: BackEnd, connect: Callable[..., Connection]) -> None:
    made = connect("alice")
    Grant.objects.update(access_token_sealed="sealed-access", refresh_token_sealed="sealed-refresh")

    assert "sealed" not in back_end.get(f"connections/{made.pk}").content.decode()


def test_disconnecting_is_audited_by_key(back_end: BackEnd, connect: Callable[..., Connection]) -> None:
    made = connect("alice")

    answer = back_end.call("DELETE", f"connections/{made.pk}")

    assert answer.status_code == 204
    assert not Connection.objects.exists()
    assert AuditEntry.objects.get(action="disconnected").actor_name.startswith("API key Support desk (pbs_")


def test_an_unknown_connection_is_not_found(back_end: BackEnd) -> None:
    assert back_end.get(f"connections/{uuid4()}").status_code == 404


# Calls ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def calls(project: Project) -> None:
    """Alice's call went well at noon, Bob's failed an hour later."""
    for sub, status, hour, route in (("alice", 200, 0, "/issue/{}"), ("bob", 503, 1, "/myself")):
        Call.objects.create(
            project=project,
            sub=sub,
            provider_slug="jira",
            method="GET",
            path=route.replace("{}", "OPS-1"),
            route=route,
            status=status,
            milliseconds=31,
            at=NOON + timedelta(hours=hour),
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["bob", "alice"]),
        ("userId=alice", ["alice"]),
        ("status=2xx", ["alice"]),
        ("status=5xx", ["bob"]),
        ("integration=jira&route=/issue/{}", ["alice"]),
        ("since=2026-03-01T12:30:00Z", ["bob"]),
        ("until=2026-03-01T12:00:00Z", ["alice"]),
        ("since=2026-03-01T13:00:00%2B01:00&until=2026-03-01T12:30", ["alice"]),
        ("since=2026-03-02", []),
    ],
)
def test_calls_are_filtered(query: str, found: list[str], back_end: BackEnd, calls: None) -> None:
    answer = back_end.get(f"calls?{query}")

    assert [row["userId"] for row in answer.json()["calls"]] == found


def test_a_call_is_told_with_its_route_and_time(back_end: BackEnd, calls: None) -> None:
    [found] = back_end.get("calls?userId=alice").json()["calls"]

    assert (found["method"], found["path"], found["route"]) == ("GET", "/issue/OPS-1", "/issue/{}")
    assert (found["status"], found["milliseconds"], found["date"]) == (200, 31, NOON.isoformat())


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01T12:00:00+01:00", "0001-01-01T00:00:00%2B23:59", "99999"])
def test_a_time_that_is_none_is_refused_with_an_example(text: str, back_end: BackEnd) -> None:
    answer = back_end.get(f"calls?since={text}")

    assert answer.status_code == 400
    assert "2026-03-01T12:00:00Z" in answer.json()["fields"]["since"]


# Audit log ------------------------------------------------------------------------------------------------------------


def test_the_audit_log_is_read_by_who_and_what(back_end: BackEnd) -> None:
    audit.record(back_end.project, "alice", "disconnected", "Ada Park", audit.Change({"a": 1}, {"a": 2}))

    [found] = back_end.get("audit-log?actor=alice&action=disconnected").json()["entries"]

    assert (found["detail"], found["before"], found["after"]) == ("Ada Park", {"a": 1}, {"a": 2})


def test_the_audit_log_is_copied_from_where_one_was(back_end: BackEnd) -> None:
    audit.record(back_end.project, "alice", "first")
    [last] = back_end.get("audit-log?action=first").json()["entries"]
    audit.record(back_end.project, "alice", "second")

    found = back_end.get(f"audit-log?since={last['date'].replace('+', '%2B')}").json()["entries"]

    assert [row["action"] for row in found] == ["second", "first"]


# Every address --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["users", "connections", "calls", "audit-log"])
def test_the_wrong_method_is_told_the_right_one(path: str, back_end: BackEnd) -> None:
    answer = back_end.call("PUT", path)

    assert (answer.status_code, answer["Allow"]) == (405, "GET")


def test_browsers_are_told_that_keys_are_for_back_ends(back_end: BackEnd) -> None:
    back_end.project.allowed_origins = ["https://app.acme.test"]
    back_end.project.save()

    asked = back_end.call("OPTIONS", "users", Origin="https://app.acme.test")
    called = back_end.call("GET", "users", Origin="https://app.acme.test")

    assert (asked.status_code, called.status_code) == (400, 400)
    assert asked.json()["message"].startswith("API keys are for back ends.")
    assert not any(answer.has_header("Access-Control-Allow-Origin") for answer in (asked, called))
