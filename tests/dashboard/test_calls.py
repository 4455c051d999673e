"""The log of calls: its filters, what went wrong with one, and how they went over time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from integrations import call_stats, calls
from integrations.advice import OURS, advise
from integrations.call_stats import Figures
from integrations.models import Call, CallHour, ConnectedUser, Project
from integrations.user_tokens import EndUser
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


def note(project: Project, path: str = "/rest/api/3/myself", **told: Any) -> None:
    given = {"method": "GET", "status": 200, "seconds": 0.03} | told
    calls.note(EndUser(project.pk, "user-1"), "jira", None, path=path, **given)


@pytest.fixture
def noted(project: Project) -> Project:
    """Ten calls of a good route, one that is refused, one that fails and is slow."""
    for _ in range(10):
        note(project)
    note(project, "/rest/api/3/issue/OPS-1", status=404)
    note(project, "/rest/api/3/issue/OPS-2", method="PUT", status=504, seconds=60, code="timed_out")
    calls.flush()
    return project


def listed(response: Any) -> list[str]:
    return [call.path for call in response.context["page"].rows]


# Filters --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"status": "4"}, ["/rest/api/3/issue/OPS-1"]),
        ({"status": "5"}, ["/rest/api/3/issue/OPS-2"]),
        ({"route": "/rest/api/3/issue/{}"}, ["/rest/api/3/issue/OPS-2", "/rest/api/3/issue/OPS-1"]),
        ({"route": "/rest/api/3/issue/{}", "status": "5", "user": "user-1"}, ["/rest/api/3/issue/OPS-2"]),
        ({"user": "user-2"}, []),
    ],
)
def test_calls_are_found(given: dict[str, str], paths: list[str], as_alice: Client, noted: Project) -> None:
    assert listed(as_alice.get(url("calls", noted.pk), given)) == paths


def test_a_call_leads_to_its_user(as_alice: Client, noted: Project) -> None:
    found = ConnectedUser.objects.create(project=noted, sub=Call.objects.filter(project=noted).latest("at").sub)

    page = as_alice.get(url("calls", noted.pk)).content.decode()

    assert f'href="/p/{noted.pk}/users/{found.pk}"' in page


def test_calls_of_the_last_hour(as_alice: Client, noted: Project) -> None:
    Call.objects.exclude(status=404).update(at=datetime.now(UTC) - timedelta(hours=2))

    assert listed(as_alice.get(url("calls", noted.pk), {"since": "1"})) == ["/rest/api/3/issue/OPS-1"]


# One call -------------------------------------------------------------------------------------------------------------


def test_a_failure_says_why_and_what_to_do(as_alice: Client, noted: Project) -> None:
    page = text(as_alice.get(url("call", noted.pk, Call.objects.get(status=504).pk)))

    assert "took longer than the time that a call may take" in page
    assert "<code>timed_out</code>" in page


def test_what_the_provider_said_stands_beside_the_advice(as_alice: Client, noted: Project) -> None:
    Call.objects.filter(status=404).update(said="null for uri: /rest/api/3/isue")

    page = text(as_alice.get(url("call", noted.pk, Call.objects.get(status=404).pk)))

    assert '<blockquote class="wrap">null for uri: /rest/api/3/isue</blockquote>' in page


def test_the_provider_s_own_traps_are_explained(as_alice: Client, noted: Project) -> None:
    page = text(as_alice.get(url("call", noted.pk, Call.objects.get(status=404).pk)))

    assert "Jira also answers 404 when this user may not see the issue." in page


def test_a_call_of_another_project_is_not_found(as_alice: Client, noted: Project) -> None:
    other = Project.objects.create(name="Another")

    assert as_alice.get(url("call", other.pk, Call.objects.all()[0].pk)).status_code == 404


@pytest.mark.parametrize("status", [*range(400, 420), 422, 429, 451, 500, 502, 503, 599])
def test_every_failure_has_advice(status: int) -> None:
    found = advise(Call(provider_slug="jira", method="GET", path="/", status=status))

    assert found is not None
    assert "{" not in found.reason + found.action


def test_what_went_well_needs_none() -> None:
    assert advise(Call(provider_slug="jira", method="GET", path="/", status=204)) is None


def test_every_answer_of_our_own_is_explained() -> None:
    import re
    from pathlib import Path

    sources = [Path("integrations/proxy.py"), Path("integrations/sdk/views/proxied.py")]
    said = {code for path in sources for code in re.findall(r'ProxyError\(\s*\d+,\s*"(\w+)"', path.read_text())}

    assert said - set(OURS) == {"bad_answer", "bad_request"}


# Routes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/rest/api/3/issue/OPS-1/comment/10001", "/rest/api/3/issue/{}/comment/{}"),
        ("/rest/api/3/myself", "/rest/api/3/myself"),
        ("/rest/api/3/issue/createmeta/OPS/issuetypes", "/rest/api/3/issue/createmeta/{}/issuetypes"),
        ("/rest/agile/1.0/board/7", "/rest/agile/1.0/board/{}"),
        ("/v2/users/8f14e45f-ceea-467f-9b0b-1234567890ab", "/v2/users/{}"),
        ("/", "/"),
        ("/a/b/c/d/2/e", "/a/b/c/d/{}/e"),
    ],
)
def test_a_route_leaves_out_what_differs(path: str, route: str) -> None:
    assert calls.route_of(path) == route


# Hours ----------------------------------------------------------------------------------------------------------------


def test_calls_are_counted_by_hour_and_route(noted: Project) -> None:
    rows = CallHour.objects.order_by("-calls").values_list("method", "route", "calls", "refused", "failed", "ms_more")

    assert list(rows) == [
        ("GET", "/rest/api/3/myself", 10, 0, 0, 0),
        ("GET", "/rest/api/3/issue/{}", 1, 1, 0, 0),
        ("PUT", "/rest/api/3/issue/{}", 1, 0, 1, 1),
    ]


def test_later_batches_add_to_the_hour(noted: Project) -> None:
    note(noted)
    calls.flush()

    assert CallHour.objects.get(route="/rest/api/3/myself").calls == 11


def test_what_was_counted_goes_with_the_log(noted: Project) -> None:
    CallHour.objects.update(hour=datetime.now(UTC) - timedelta(days=31))

    calls.prune()

    assert not CallHour.objects.exists()


def test_percentiles_are_read_off_the_histogram() -> None:
    figures = Figures(calls=100, spread=(90, 0, 0, 10, 0, 0, 0, 0))

    assert (figures.p50, figures.p95) == (28, 300)


def test_without_calls_there_are_no_percentiles() -> None:
    assert (Figures().p50, Figures().error_percent) == (0, 0.0)


# The page -------------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_fails_most_and_what_is_slowest(as_alice: Client, noted: Project) -> None:
    response = as_alice.get(url("calls_health", noted.pk))

    report = response.context["report"]
    assert (report.total.calls, report.total.refused, report.total.failed) == (12, 1, 1)
    assert {route.method for route in report.failing} == {"GET", "PUT"}
    assert len(report.slots) == 24
    assert "16.7 %" in text(response)


def test_a_single_hour_with_calls_is_seen_in_the_chart(as_alice: Client, noted: Project) -> None:
    assert 'class="chart-dot chart-p95"' in text(as_alice.get(url("calls_health", noted.pk)))


def test_of_quick_calls_no_more_is_said_than_is_known(as_alice: Client, project: Project) -> None:
    note(project, seconds=0.005)
    calls.flush()

    page = text(as_alice.get(url("calls_health", project.pk)))

    assert "<strong>under 50 ms</strong> 95 of 100" in page
    assert "48 ms" not in page


@pytest.mark.parametrize(("period", "count"), [("day", 24), ("week", 7), ("month", 30)])
def test_a_period_ends_with_the_slot_under_way(period: str, count: int, noted: Project) -> None:
    report = call_stats.report(noted, period)

    assert len(report.slots) == count
    assert report.slots[-1].figures.calls == 12


def test_a_project_without_calls_says_what_will_be_there(as_alice: Client, project: Project) -> None:
    assert "No calls in 24 hours" in text(as_alice.get(url("calls_health", project.pk)))


def test_of_an_integration_that_does_not_exist_nothing_is_told(as_alice: Client, noted: Project) -> None:
    page = text(as_alice.get(url("calls_health", noted.pk), {"provider": "nonsense"}))

    assert "Select a valid choice." in page
    assert "Nothing matches these filters." in page
    assert "calls in 24 hours" not in page
