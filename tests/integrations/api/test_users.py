"""Connected users by the management API: found, read, changed, handed over, deleted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from integrations.models import AuditEntry, Call, ConnectedUser, Connection
from tests.integrations.api.conftest import BackEnd

pytestmark = pytest.mark.django_db
Users = Callable[..., ConnectedUser]


def ids(answer: Any) -> list[str]:
    return [row["userId"] for row in answer.json()["users"]]


# Find -----------------------------------------------------------------------------------------------------------------


def test_users_are_listed_the_newest_first(back_end: BackEnd, user: Users) -> None:
    user("alice")
    user("bob")

    answer = back_end.get("users")

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert ids(answer) == ["bob", "alice"]
    assert answer.json()["nextLink"] is None


def test_a_page_leads_to_the_next(back_end: BackEnd, user: Users) -> None:
    for sub in ("alice", "bob", "carol"):
        user(sub)

    first = back_end.get("users?limit=2")
    link = first.json()["nextLink"]
    second = back_end.client.get(link, headers={"Authorization": f"Bearer {back_end.key}"})

    assert link.startswith(f"http://localhost:8000/projects/{back_end.project.pk}/users?limit=2&after=")
    assert (ids(first), ids(second)) == (["carol", "bob"], ["alice"])
    assert second.json()["nextLink"] is None


@pytest.mark.parametrize(("search", "found"), [("ali", ["alice"]), ("Bob P", ["b-1"]), ("bob@", ["b-1"]), ("x", [])])
def test_users_are_found_by_id_name_and_email(search: str, found: list[str], back_end: BackEnd, user: Users) -> None:
    user("alice")
    user("b-1", meta={"Name": "Bob Park", "Email": "bob@acme.test"})

    assert ids(back_end.get(f"users?search={search}")) == found


@pytest.mark.parametrize(
    ("status", "found"),
    [("connected", ["alice"]), ("reconnect", ["bob"]), ("none", ["carol"]), ("disabled", ["carol"])],
)
def test_users_are_found_by_state(
    status: str, found: list[str], back_end: BackEnd, user: Users, connect: Callable[..., Connection]
) -> None:
    connect("alice")
    connect("bob", status="needs_reconnect")
    user("carol", disabled_at=Now())

    assert ids(back_end.get(f"users?status={status}")) == found


def test_users_are_found_by_integration(back_end: BackEnd, user: Users, connect: Callable[..., Connection]) -> None:
    connect("alice")
    user("bob")

    assert ids(back_end.get("users?integration=jira")) == ["alice"]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("status=great", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("after=somewhere", "after"),
        ("after=W251bGwsbnVsbF0", "after"),
        ("integration=none-such", "integration"),
        ("stauts=connected", "stauts"),
    ],
)
def test_a_query_that_is_wrong_is_refused_by_name(query: str, wrong: str, back_end: BackEnd) -> None:
    answer = back_end.get(f"users?{query}")

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_query"
    assert list(answer.json()["fields"]) == [wrong]


def test_a_long_list_takes_no_more_queries(
    back_end: BackEnd, connect: Callable[..., Connection], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(20):
        connect(f"user-{number}")

    with django_assert_max_num_queries(7):
        assert len(ids(back_end.get("users"))) == 20


# Read -----------------------------------------------------------------------------------------------------------------


def test_a_user_is_shown_with_metadata_and_connections(
    back_end: BackEnd, user: Users, connect: Callable[..., Connection]
) -> None:
    user("alice", meta={"Name": "Alice Adams"})
    made = connect("alice", external_id="work", settings={"project": "OPS"})

    found = back_end.get("users/alice").json()

    [connection] = found.pop("connections")
    assert (found["userId"], found["name"], found["isDisabled"]) == ("alice", "Alice Adams", False)
    assert found["dashboardUrl"].startswith(f"http://localhost:8000/p/{back_end.project.pk}/users/")
    assert connection["id"] == str(made.pk)
    assert connection["account"]["name"] == "Ada Park"
    assert (connection["status"], connection["externalId"]) == ("connected", "work")


@pytest.mark.parametrize(
    "sub", ["auth0|5f7c", "team/alice", "a b", "ünïcode", "a%2Fb", "50%", "https://id.acme.test/u/1", "export"]
)
def test_any_user_id_can_be_asked_for(sub: str, back_end: BackEnd, user: Users) -> None:
    from urllib.parse import quote

    user(sub)

    assert back_end.get(f"users/{quote(sub, safe='')}").json()["userId"] == sub


def test_an_unknown_user_is_not_found(back_end: BackEnd) -> None:
    answer = back_end.get("users/nobody")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_user")


def test_ids_are_compared_letter_by_letter(back_end: BackEnd, user: Users) -> None:
    user("alice")

    assert back_end.get("users/Alice").status_code == 404


# Change ---------------------------------------------------------------------------------------------------------------


def test_metadata_is_replaced_and_audited_by_key(back_end: BackEnd, user: Users) -> None:
    user("alice", meta={"Name": "Alice", "Plan": "free"})

    answer = back_end.call("PATCH", "users/alice", {"meta": {"Plan": "pro"}})

    assert answer.json()["meta"] == {"Plan": "pro"}
    entry = AuditEntry.objects.first()
    assert entry
    assert (entry.action, entry.detail, entry.actor) == ("user metadata changed", "alice", None)
    assert entry.actor_name == f"API key Support desk ({back_end.key[:12]}…)"


def test_a_user_is_disabled_and_enabled_again(back_end: BackEnd, user: Users) -> None:
    user("alice", meta={"Plan": "free"})

    disabled = back_end.call("PATCH", "users/alice", {"isDisabled": True})
    enabled = back_end.call("PATCH", "users/alice", {"isDisabled": False})

    assert (disabled.json()["isDisabled"], enabled.json()["isDisabled"]) == (True, False)
    assert enabled.json()["meta"] == {"Plan": "free"}
    assert [entry.action for entry in AuditEntry.objects.all()[:2]] == ["user enabled", "user disabled"]


def test_saying_the_same_again_changes_nothing(back_end: BackEnd, user: Users) -> None:
    user("alice", meta={"Plan": "free"})
    before = AuditEntry.objects.count()

    answer = back_end.call("PATCH", "users/alice", {"meta": {"Plan": "free"}, "isDisabled": False})

    assert answer.status_code == 200
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"meta": []}, "bad_metadata"),
        ({"meta": None}, "bad_metadata"),
        ({"meta": {"a": "x" * 17_000}}, "bad_metadata"),
        ({"isDisabled": "yes"}, "bad_user"),
        ({"isDisabled": None}, "bad_user"),
        ({"meta": {"Plan": "pro"}, "isDisabled": 1}, "bad_user"),
        ({"userId": "mallory"}, "unknown_field"),
        ([], "bad_json"),
    ],
)
def test_a_change_that_is_wrong_changes_nothing(body: Any, code: str, back_end: BackEnd, user: Users) -> None:
    user("alice", meta={"Plan": "free"})

    answer = back_end.call("PATCH", "users/alice", body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(ConnectedUser.objects.values_list("sub", "meta", "disabled_at")) == [("alice", {"Plan": "free"}, None)]


# Hand over, delete ----------------------------------------------------------------------------------------------------


def test_all_that_is_kept_is_handed_over_and_audited(back_end: BackEnd, connect: Callable[..., Connection]) -> None:
    connect("alice")

    answer = back_end.get("users/alice/export")

    found = json.loads(answer.getvalue())
    assert found["user"]["userId"] == "alice"
    assert found["connections"][0]["account"]["name"] == "Ada Park"
    assert answer["Content-Disposition"] == 'attachment; filename="alice.json"'
    assert AuditEntry.objects.filter(action="user exported", detail="alice").exists()


def test_a_deleted_user_leaves_nothing_but_the_audit_log(back_end: BackEnd, connect: Callable[..., Connection]) -> None:
    connect("alice")
    connect("bob")

    answer = back_end.call("DELETE", "users/alice")

    assert (answer.status_code, answer.content) == (204, b"")
    assert list(Connection.objects.values_list("user__sub", flat=True)) == ["bob"]
    assert AuditEntry.objects.filter(action="user deleted", detail="alice").exists()
    assert back_end.call("DELETE", "users/alice").status_code == 404
    assert not Call.objects.filter(sub="alice").exists()
