"""/sdk/activity: what was done in one's own name, for oneself to read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.models import Call, Connection, Integration
from tests.integrations.sdk.conftest import Person
from workflows.models import Run, Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def call(jira: Integration) -> Callable[..., Call]:
    def make(path: str = "/rest/api/3/myself", sub: str = "alice", **fields: Any) -> Call:
        known = {"method": "GET", "status": 200, "milliseconds": 5, "at": NOON, "provider_slug": "jira"}
        return Call.objects.create(project=jira.project, sub=sub, path=path, **known | fields)

    return make


@pytest.fixture
def run(jira: Integration) -> Callable[..., Run]:
    workflow = Workflow.objects.create(project=jira.project, integration=jira, name="New tasks become issues")
    version = WorkflowVersion.objects.create(workflow=workflow, number=1, definition={}, digest="x")

    def make(sub: str = "alice", at: datetime = NOON, **fields: Any) -> Run:
        made = Run.objects.create(
            project=jira.project, workflow=workflow, version=version, sub=sub, trigger="event", **fields
        )
        Run.objects.filter(pk=made.pk).update(created_at=at)
        return made

    return make


def activity(person: Person, query: str = "", **headers: str) -> Any:
    return person.get(f"sdk/activity?integration=jira{query}", **headers).json()


def titles(answer: Any) -> list[str]:
    return [item["title"] for item in answer["items"]]


def test_it_tells_calls_and_runs_newest_first(
    alice: Person, call: Callable[..., Call], run: Callable[..., Run]
) -> None:
    call("/rest/api/3/issue/OPS-1", at=NOON - timedelta(hours=1))
    run(at=NOON, status=Run.Status.DONE)
    call("/rest/api/3/issue", method="POST", at=NOON + timedelta(hours=1))

    answer = activity(alice)

    assert titles(answer) == ["Created an issue", "New tasks become issues", "Read an issue"]
    assert answer["next"] is None


def test_it_says_of_each_when_what_and_how_it_went(alice: Person, call: Callable[..., Call]) -> None:
    call("/rest/api/3/issue/OPS-1", method="DELETE", status=403)

    assert activity(alice)["items"] == [
        {
            "at": "2026-03-01T12:00:00+00:00",
            "title": "Deleted an issue",
            "detail": "DELETE /rest/api/3/issue/OPS-1",
            "outcome": "refused",
        }
    ]


@pytest.mark.parametrize(
    ("method", "title"), [("GET", "Read data"), ("PATCH", "Sent data"), ("DELETE", "Deleted data")]
)
def test_a_call_that_nobody_has_words_for_is_told_by_its_method(
    method: str, title: str, alice: Person, call: Callable[..., Call]
) -> None:
    call("/rest/agile/1.0/board", method=method)

    assert titles(activity(alice)) == [title]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("queued", "running"), ("waiting", "waiting"), ("needs_reconnect", "waiting"), ("dead", "failed")],
)
def test_a_run_is_told_in_words_for_its_user(status: str, outcome: str, alice: Person, run: Callable[..., Run]) -> None:
    run(status=status)

    assert activity(alice)["items"][0]["outcome"] == outcome


def test_it_tells_nothing_of_others(
    alice: Person, person: Callable[..., Person], call: Callable[..., Call], run: Callable[..., Run]
) -> None:
    call(sub="bob")
    run(sub="bob")

    assert activity(alice)["items"] == []
    assert len(activity(person("bob"))["items"]) == 2


def test_tests_of_the_developer_are_not_told(alice: Person, run: Callable[..., Run]) -> None:
    run(is_test=True)

    assert activity(alice)["items"] == []


def test_pages_follow_one_another_without_gap_or_repetition(
    alice: Person, call: Callable[..., Call], run: Callable[..., Run]
) -> None:
    for number in range(15):
        call(f"/rest/api/3/issue/OPS-{number}", at=NOON + timedelta(minutes=number // 2))
        run(at=NOON + timedelta(minutes=number))
    seen, after, pages = [], "", 0
    while after is not None:
        answer = activity(alice, f"&after={after}")
        seen += [(item["at"], item["title"], item["detail"]) for item in answer["items"]]
        after, pages = answer["next"], pages + 1

    assert (len(seen), pages) == (30, 2)
    assert [moment for moment, _, _ in seen] == sorted((moment for moment, _, _ in seen), reverse=True)
    assert len({detail for _, _, detail in seen if detail}) == 15


@pytest.mark.parametrize("after", ["nonsense", "W10", "eyJjYWxscyI6IDF9", "%FF", "W1tbW1tbW1tbW1tbW1tbW1tb"])
def test_a_made_up_cursor_begins_with_the_newest(after: str, alice: Person, call: Callable[..., Call]) -> None:
    call()

    assert len(activity(alice, f"&after={after}")["items"]) == 1


def test_it_speaks_the_users_language(alice: Person, call: Callable[..., Call]) -> None:
    call("/rest/api/3/issue/OPS-1")

    assert titles(activity(alice, "&lang=de")) == ["Vorgang gelesen"]
    assert titles(activity(alice, **{"Accept-Language": "fr"})) == ["Ticket lu"]


def test_an_integration_that_is_not_there_is_said(alice: Person) -> None:
    answer = alice.get("sdk/activity?integration=nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_integration")


def test_a_lost_connections_reason_is_told_in_the_users_language(
    alice: Person, connect: Callable[..., Connection]
) -> None:
    reason = "Jira ended the access: it was revoked, the password changed, or it was unused too long."
    connect().grant.__class__.objects.update(status="needs_reconnect", reason=reason)

    [found] = alice.get("sdk/credentials", **{"Accept-Language": "de"}).json()

    assert found["reason"].startswith("Jira hat den Zugriff beendet:")
    assert alice.get("sdk/credentials").json()[0]["reason"] == reason
