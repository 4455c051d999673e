"""The log of forwarded calls: who, what and how it went; written beside the work, kept as long as a project says."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from integrations import calls, proxy
from integrations.models import Call, Connection, Project
from integrations.user_tokens import EndUser
from tests.integrations.conftest import Window


@pytest.fixture
def alice_calls(project: Project) -> Callable[..., None]:
    """alice_calls("/rest/api/3/myself") is noted, and not yet written."""

    def note(path: str = "/rest/api/3/myself", project: Project = project, **told: Any) -> None:
        given = {"method": "GET", "status": 200, "seconds": 0.031} | told
        calls.note(EndUser(project.pk, "alice"), "jira", None, path=path, **given)

    return note


def old_calls(project: Project, *days: float) -> None:
    now = datetime.now(UTC)
    common = {"project": project, "sub": "alice", "provider_slug": "jira", "method": "GET", "path": "/", "status": 200}
    rows = [Call(**common, milliseconds=1, at=now - timedelta(days=age), connection_id=None) for age in days]
    Call.objects.bulk_create(rows)


# Writing --------------------------------------------------------------------------------------------------------------


def test_a_call_is_written_with_the_next_batch(alice_calls: Callable[..., None], project: Project) -> None:
    alice_calls("/rest/api/3/issue", method="POST", status=201, seconds=0.0315)
    assert not Call.objects.exists()

    assert calls.flush() == 1

    call = Call.objects.get()
    assert (call.project, call.sub, call.provider_slug, call.connection_id) == (project, "alice", "jira", None)
    assert (call.method, call.path, call.status, call.milliseconds) == ("POST", "/rest/api/3/issue", 201, 31)
    assert datetime.now(UTC) - call.at < timedelta(minutes=1)


def test_a_batch_is_written_once(alice_calls: Callable[..., None]) -> None:
    alice_calls()

    assert (calls.flush(), calls.flush()) == (1, 0)


def test_calls_of_many_threads_are_all_written(alice_calls: Callable[..., None]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(alice_calls, [f"/{number}" for number in range(1200)]))
    calls.flush()

    assert Call.objects.values("path").distinct().count() == 1200


def test_a_full_batch_wakes_the_writer(alice_calls: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "BATCH", 2)
    calls._wake.clear()

    alice_calls()
    assert not calls._wake.is_set()
    alice_calls()

    assert calls._wake.is_set()


def test_while_nothing_can_be_written_memory_does_not_grow(
    alice_calls: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST_WAITING", 3)
    list(map(alice_calls, "abcde"))

    assert calls.flush() == 3


@pytest.mark.parametrize(
    ("told", "field", "written"),
    [
        ({"path": "no/slash"}, "path", "/no/slash"),
        ({"path": "//two"}, "path", "/two"),
        ({"path": "/" + "a" * 900}, "path", "/" + "a" * 499),
        ({"path": "/a\x00b"}, "path", "/ab"),
        ({"method": "PROPPATCHES"}, "method", "PROPPATC"),
        ({"seconds": 10.0**9}, "milliseconds", 2_000_000_000),
    ],
)
def test_a_strange_call_fits_its_row(alice_calls: Callable[..., None], told: Any, field: str, written: Any) -> None:
    alice_calls(**told)
    calls.flush()

    assert getattr(Call.objects.get(), field) == written


def test_a_database_that_is_away_costs_the_batch_and_says_so(
    alice_calls: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to db.internal refused")

    alice_calls()
    monkeypatch.setattr(Call.objects, "bulk_create", away)
    calls._flush_or_say()

    assert caplog.messages == ["part of the call log is lost: OperationalError"]


@pytest.mark.django_db(transaction=True)
def test_a_project_that_is_deleted_meanwhile_costs_no_other_project_its_calls(
    project: Project, alice_calls: Callable[..., None]
) -> None:
    globex = Project.objects.create(name="Globex")
    alice_calls("/of-globex", project=globex)
    alice_calls("/of-acme")
    globex.delete()

    calls._flush_or_say()

    assert [call.path for call in Call.objects.all()] == ["/of-acme"]


# What is told of a forwarded call -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_neither_query_nor_body_is_ever_written(alice: Window) -> None:
    connection = alice.connect()

    alice.api("POST", "sdk/proxy/jira/rest/api/3/search/jql?jql=canary", {"jql": "canary"})
    calls.flush()

    call = Call.objects.get()
    assert (call.connection_id, call.sub, call.path) == (connection.pk, "alice", "/rest/api/3/search/jql")
    assert "canary" not in repr(Call.objects.values())


def test_a_call_that_we_refused_is_written_with_our_status(project: Project) -> None:
    with pytest.raises(proxy.ProxyError, match="not enabled"):
        proxy.forward(EndUser(project.pk, "alice"), "jira", proxy.Call("GET", "/rest/api/3/myself"))
    calls.flush()

    assert Call.objects.get().status == 400


def test_a_line_outlives_its_connection(alice: Window) -> None:
    connection = alice.connect()
    alice.api("GET", "sdk/proxy/jira/rest/api/3/myself")
    Connection.objects.all().delete()

    calls.flush()

    assert Call.objects.get().connection_id == connection.pk


# Pruning --------------------------------------------------------------------------------------------------------------


def test_calls_are_kept_for_a_month(project: Project) -> None:
    old_calls(project, 0, 29, 31, 400)

    assert calls.prune() == 2
    assert Call.objects.count() == 2


def test_a_project_may_keep_its_calls_for_less_or_more(project: Project) -> None:
    globex = Project.objects.create(name="Globex", call_log_days=90)
    Project.objects.filter(pk=project.pk).update(call_log_days=1)
    old_calls(project, 0.9, 1.1, 31)
    old_calls(globex, 31, 89, 91)

    assert calls.prune() == 3
    assert (project.calls.count(), globex.calls.count()) == (1, 2)


def test_many_are_deleted_a_batch_at_a_time(
    project: Project, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(calls, "PRUNE_BATCH", 2)
    old_calls(project, *range(40, 45))

    with django_assert_max_num_queries(9):
        assert calls.prune() == 5
