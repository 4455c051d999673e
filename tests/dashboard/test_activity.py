from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from integrations.models import Call, ConnectedUser, Connection, Grant, Integration, Project
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def call(project: Project, sub: str = "user-1", status: int = 200, path: str = "/rest/x", minutes: int = 0) -> Call:
    return Call.objects.create(
        project=project,
        sub=sub,
        provider_slug="jira",
        method="GET",
        path=path,
        status=status,
        milliseconds=12,
        at=NOW - timedelta(minutes=minutes),
    )


def found(response: object) -> list[str]:
    return [str(row) for row in response.context["page"].rows]  # type: ignore[attr-defined]


# Users ----------------------------------------------------------------------------------------------------------------


def test_users_are_listed_by_name(as_alice: Client, project: Project) -> None:
    ConnectedUser.objects.create(project=project, sub="user-1", meta={"Name": "Grace <Hopper>"})

    page = text(as_alice.get(url("users", project.pk)))

    assert "Grace &lt;Hopper&gt;" in page
    assert "user-1" in page


def test_without_users_it_says_when_they_appear(as_alice: Client, project: Project) -> None:
    assert "No users yet" in text(as_alice.get(url("users", project.pk)))


@pytest.mark.parametrize(
    ("q", "subs"), [("user-1", ["user-1"]), ("gra", ["Grace"]), ("grace@", ["Grace"]), ("RACE", ["Grace"]), ("zz", [])]
)
def test_search_by_any_part_of_id_name_or_mail(q: str, subs: list[str], as_alice: Client, project: Project) -> None:
    ConnectedUser.objects.create(project=project, sub="user-1")
    ConnectedUser.objects.create(project=project, sub="u2", meta={"Name": "Grace", "Email": "grace@example.com"})

    assert found(as_alice.get(url("users", project.pk), {"q": q})) == subs


@pytest.mark.parametrize(("health", "subs"), [("connected", ["well"]), ("reconnect", ["lost"]), ("none", ["new"])])
def test_filter_by_health(
    health: str, subs: list[str], as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration, "well")
    connect_user(integration, "lost", status=Grant.Status.NEEDS_RECONNECT)
    ConnectedUser.objects.create(project=integration.project, sub="new")

    assert found(as_alice.get(url("users", integration.project_id), {"health": health})) == subs


def test_a_filter_that_finds_nothing_offers_the_way_back(as_alice: Client, project: Project) -> None:
    assert "Nothing matches these filters" in text(as_alice.get(url("users", project.pk), {"q": "zzz"}))


def test_pages_keep_the_filter(as_alice: Client, project: Project) -> None:
    ConnectedUser.objects.bulk_create(ConnectedUser(project=project, sub=f"user-{n}") for n in range(60))

    first = as_alice.get(url("users", project.pk), {"q": "user-"})
    second = as_alice.get(url("users", project.pk) + first.context["page"].next)

    assert "q=user-" in first.context["page"].next
    assert len({*found(first), *found(second)}) == 60


def test_users_of_the_same_moment_are_all_paged_through(as_alice: Client, project: Project) -> None:
    ConnectedUser.objects.bulk_create(ConnectedUser(project=project, sub=f"user-{n}") for n in range(60))
    ConnectedUser.objects.update(created_at=NOW)

    first = as_alice.get(url("users", project.pk))
    second = as_alice.get(url("users", project.pk) + first.context["page"].next)

    assert len({*found(first), *found(second)}) == 60


def test_a_long_list_costs_few_queries(
    as_alice: Client, integration: Integration, connect_user: Connect, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        connect_user(integration, f"user-{number}")

    with django_assert_max_num_queries(12):
        as_alice.get(url("users", integration.project_id))
    with django_assert_max_num_queries(14):
        as_alice.get(url("integration", integration.project_id, "jira"))


def test_a_user_shows_connections_and_latest_calls(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connection = connect_user(integration, "user-1")
    call(integration.project, "user-1", path="/rest/of-this-user")
    call(integration.project, "user-2", path="/rest/of-another")

    page = text(as_alice.get(url("user", integration.project_id, connection.user_id)))

    assert "Account of user-1" in page
    assert "/rest/of-this-user" in page
    assert "/rest/of-another" not in page


# Calls ----------------------------------------------------------------------------------------------------------------


def test_calls_are_listed_newest_first(as_alice: Client, project: Project) -> None:
    call(project, path="/older", minutes=2)
    call(project, path="/newer", minutes=1)

    assert found(as_alice.get(url("calls", project.pk))) == ["GET /newer → 200", "GET /older → 200"]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ({"user": "user-1"}, ["GET /a → 200"]),
        ({"status": "4"}, ["GET /b → 404"]),
        ({"provider": "jira", "status": "5"}, []),
        ({"status": "nonsense"}, []),
    ],
)
def test_filter_calls(query: dict[str, str], paths: list[str], as_alice: Client, project: Project) -> None:
    call(project, "user-1", 200, "/a", minutes=1)
    call(project, "user-2", 404, "/b")

    assert found(as_alice.get(url("calls", project.pk), query)) == paths


def test_calls_at_the_same_moment_are_all_paged_through(as_alice: Client, project: Project) -> None:
    for number in range(55):
        call(project, path=f"/{number}")

    first = as_alice.get(url("calls", project.pk))
    second = as_alice.get(url("calls", project.pk) + first.context["page"].next)

    assert len({*found(first), *found(second)}) == 55


def test_calls_of_another_project_are_not_among_them(as_alice: Client, project: Project) -> None:
    call(Project.objects.create(name="Other"), path="/secret")

    assert "/secret" not in text(as_alice.get(url("calls", project.pk)))


def test_without_calls_it_says_how_to_make_one(as_alice: Client, project: Project) -> None:
    assert "No calls yet" in text(as_alice.get(url("calls", project.pk)))
