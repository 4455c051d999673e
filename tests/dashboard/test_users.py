"""What an operator does with one end user."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from integrations import tasks, users
from integrations.models import AuditEntry, Call, ConnectedUser, Connection, Erasure, Event, Grant, Integration
from integrations.proxy import ProxyError, find_connection
from integrations.user_tokens import EndUser
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]


@pytest.fixture
def connection(integration: Integration, connect_user: Connect) -> Connection:
    Integration.objects.update(is_active=True)
    return connect_user(integration, "user-1")


def address(name: str, connection: Connection) -> str:
    return url(name, connection.project_id, connection.user_id)


def called(connection: Connection, sub: str = "user-1") -> None:
    common = {"provider_slug": "jira", "method": "GET", "path": "/rest/x", "status": 200, "milliseconds": 7}
    Call.objects.create(project=connection.project, sub=sub, at=datetime.now(UTC), **common)


def calls_as(connection: Connection) -> str:
    """Call in the user's name; return the code of the refusal, "" for none."""
    try:
        find_connection(EndUser(connection.project_id, connection.user.sub), "jira")
    except ProxyError as error:
        return error.code
    return ""


# Disable --------------------------------------------------------------------------------------------------------------


def test_nothing_is_called_in_the_name_of_a_disabled_user(as_alice: Client, connection: Connection) -> None:
    assert calls_as(connection) == ""

    response = as_alice.post(address("disable_user", connection), follow=True)

    assert calls_as(connection) == "user_disabled"
    assert "Disabled since" in text(response)
    assert Connection.objects.exists()


def test_enabled_again_everything_goes_on(as_alice: Client, connection: Connection) -> None:
    as_alice.post(address("disable_user", connection))

    as_alice.post(address("enable_user", connection))

    assert calls_as(connection) == ""
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"user disabled", "user enabled"}


def test_disabling_twice_is_noted_once(as_alice: Client, connection: Connection) -> None:
    as_alice.post(address("disable_user", connection))
    as_alice.post(address("disable_user", connection))

    assert AuditEntry.objects.filter(action="user disabled").count() == 1


def test_the_list_shows_who_is_disabled(as_alice: Client, connection: Connection, connect_user: Connect) -> None:
    connect_user(connection.integration, "user-2")
    as_alice.post(address("disable_user", connection))

    response = as_alice.get(url("users", connection.project_id), {"health": "disabled"})

    assert [row.sub for row in response.context["page"].rows] == ["user-1"]


@pytest.mark.parametrize("meta", [{"Name": "Ada Park"}, {"name": "Ada Park"}, {"email": "Ada Park"}])
def test_a_user_is_shown_and_found_by_the_name_in_their_metadata(
    meta: dict[str, str], as_alice: Client, connection: Connection
) -> None:
    ConnectedUser.objects.update(meta=meta)

    response = as_alice.get(url("users", connection.project_id), {"q": "ada p"})

    assert [row.display_name for row in response.context["page"].rows] == ["Ada Park"]


def test_metadata_is_shown_as_the_json_that_it_is(as_alice: Client, connection: Connection) -> None:
    ConnectedUser.objects.update(meta={"plan": {"tier": "pro", "seats": [1]}, "active": True, "note": "fine"})

    page = text(as_alice.get(address("user", connection)))

    for shown in ("{&quot;tier&quot;: &quot;pro&quot;, &quot;seats&quot;: [1]}", ">true<", ">fine<"):
        assert shown in page


def test_metadata_may_have_any_name(as_alice: Client, connection: Connection) -> None:
    ConnectedUser.objects.update(meta={"items": 3, "plan": "pro"})

    page = text(as_alice.get(address("user", connection)))

    assert "<dt>items</dt>" in page
    assert ">pro<" in page


def test_a_user_s_page_says_when_tokens_are_renewed(as_alice: Client, connection: Connection) -> None:
    unknown = text(as_alice.get(address("user", connection)))
    Grant.objects.update(expires_at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))

    assert "Tokens good until 1 Mar, 12:30; the first call after" in text(as_alice.get(address("user", connection)))
    assert "Tokens good until" not in unknown


# Filters --------------------------------------------------------------------------------------------------------------


def test_whose_id_is_asked_for_is_named_above_those_who_are_called_alike(
    as_alice: Client, connection: Connection
) -> None:
    project, meant = connection.project, connection.user
    project.connected_users.bulk_create(ConnectedUser(project=project, sub=f"user-1{number}") for number in range(60))

    page = as_alice.get(f"/p/{project.pk}/users", {"q": meant.sub}).content.decode()

    assert f'is that of <a class="wrap" href="/p/{project.pk}/users/{meant.pk}"' in page


def test_what_is_too_long_to_be_searched_for_is_said(as_alice: Client, connection: Connection) -> None:
    page = text(as_alice.get(f"/p/{connection.project_id}/users", {"q": "a" * 301}))

    assert "at most" in page
    assert f"/users/{connection.user_id}" not in page


def test_a_user_leads_to_their_runs_and_events(as_alice: Client, connection: Connection) -> None:
    page = as_alice.get(f"/p/{connection.project_id}/users/{connection.user_id}").content.decode()

    assert f'/runs?user={connection.user.sub}"' in page
    assert f'/events?user={connection.user.sub}"' in page


def test_users_of_one_integration_only(as_alice: Client, connection: Connection) -> None:
    ConnectedUser.objects.create(project=connection.project, sub="without")

    response = as_alice.get(url("users", connection.project_id), {"provider": "jira"})

    assert [row.sub for row in response.context["page"].rows] == ["user-1"]


def test_users_first_seen_since_a_day(as_alice: Client, connection: Connection, connect_user: Connect) -> None:
    connect_user(connection.integration, "user-2")
    ConnectedUser.objects.filter(sub="user-1").update(created_at=datetime(2026, 1, 31, tzinfo=UTC))

    response = as_alice.get(url("users", connection.project_id), {"since": "2026-02-01"})

    assert [row.sub for row in response.context["page"].rows] == ["user-2"]


def test_a_day_that_is_none_is_said_and_finds_nobody(as_alice: Client, connection: Connection) -> None:
    response = as_alice.get(url("users", connection.project_id), {"since": "soon"})

    assert response.context["page"].rows == []
    assert "Enter a valid date" in text(response)
    assert "Nothing matches these filters." in text(response)


# Tokens ---------------------------------------------------------------------------------------------------------------


def test_a_connection_says_when_its_tokens_are_renewed(as_alice: Client, connection: Connection) -> None:
    moment = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    Grant.objects.update(expires_at=moment, refreshed_at=moment, refresh_token_sealed="sealed")

    page = text(as_alice.get(url("connection", connection.project_id, connection.pk)))

    assert "Good until 1 Nov, 12:00. The first call after 11:55 renews them; without calls it is done on 1 Dec" in page


# Export and delete ----------------------------------------------------------------------------------------------------


def exported(client: Client, connection: Connection) -> Any:
    response = client.get(address("export_user", connection))
    assert response["Content-Disposition"] == 'attachment; filename="user-1.json"'
    return json.loads(b"".join(response.streaming_content))  # type: ignore[attr-defined]


def test_an_export_has_everything_but_secrets(as_alice: Client, connection: Connection) -> None:
    grant = connection.grant
    grant.seal("refresh_token", "a refresh token in clear")
    grant.save()
    called(connection)
    called(connection, "user-2")
    Event.objects.create(project=connection.project, sub="user-1", source="app", name="task", payload={"n": 1})

    found = exported(as_alice, connection)

    assert found["user"]["userId"] == "user-1"
    assert [row["account"]["name"] for row in found["connections"]] == ["Account of user-1"]
    assert [row["path"] for row in found["calls"]] == ["/rest/x"]
    assert [row["payload"] for row in found["events"]] == [{"n": 1}]
    assert found["runs"] == found["workflows"] == []
    assert "token" not in json.dumps(found).lower()


def test_an_export_is_noted(as_alice: Client, connection: Connection) -> None:
    exported(as_alice, connection)

    assert AuditEntry.objects.get(action="user exported").detail == "user-1"


def test_deleting_asks_for_the_user_id(as_alice: Client, connection: Connection) -> None:
    response = as_alice.post(address("delete_user", connection), {"sub": "user-2"})

    assert "Type user-1 to confirm" in text(response)
    assert ConnectedUser.objects.exists()


def test_deleting_leaves_nothing_of_theirs_and_all_of_the_others(
    as_alice: Client, connection: Connection, connect_user: Connect
) -> None:
    other = connect_user(connection.integration, "user-2")
    for each in (connection, other):
        called(connection, each.user.sub)
        Event.objects.create(
            project=each.project, connection=each, sub=each.user.sub, source="app", name="task", payload={}
        )

    as_alice.post(address("delete_user", connection), {"sub": "user-1"})

    assert [user.sub for user in ConnectedUser.objects.all()] == ["user-2"]
    assert list(Call.objects.values_list("sub", flat=True)) == ["user-2"]
    assert list(Event.objects.values_list("sub", flat=True)) == ["user-2"]
    assert list(Grant.objects.values_list("account_name", flat=True)) == ["Account of user-2"]
    assert AuditEntry.objects.filter(action="user deleted", detail="user-1").exists()


def test_very_much_of_a_user_goes_in_the_background_and_nothing_of_who_comes_after(
    as_alice: Client, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    called(connection, "user-1")
    monkeypatch.setattr(users, "AT_ONCE", 0)
    as_alice.post(address("delete_user", connection), {"sub": "user-1"})
    assert (ConnectedUser.objects.count(), Call.objects.count()) == (0, 1)
    ConnectedUser.objects.create(project=connection.project, sub="user-1")
    called(connection, "user-1")

    tasks.erase_user(str(Erasure.objects.get().pk))

    assert (ConnectedUser.objects.count(), Call.objects.count()) == (1, 1)
    Erasure.objects.update(before=F("before") - timedelta(minutes=2))
    tasks.erase_user(str(Erasure.objects.get().pk))
    assert not Erasure.objects.exists()
    assert Call.objects.count() == 1
