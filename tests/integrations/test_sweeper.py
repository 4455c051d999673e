"""What must happen even if every message is lost: one of the sweepers sees to it, by a worker or by itself."""

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations import sweeper as sweeping
from integrations import tasks, vault
from integrations.models import Call, ConnectedUser, ConnectSession, Grant, Heartbeat, Integration, OAuthApp, Project
from integrations.sweeper import Sweeper
from tests.integrations.conftest import Window


@pytest.fixture
def sweeper(db: None) -> Sweeper:
    return Sweeper()


@pytest.fixture
def app(project: Project) -> OAuthApp:
    return OAuthApp.objects.create(project=project, provider="jira")


@pytest.fixture
def published(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A broker that takes every message; the grants that it was told of."""
    settings.HAS_BROKER = True
    messages: list[str] = []
    monkeypatch.setattr(tasks.refresh_grant, "apply_async", lambda args, **options: messages.extend(args))
    monkeypatch.setattr(tasks.beat, "apply_async", lambda **options: None)
    return messages


@pytest.fixture
def broker_is_down(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**options: Any) -> None:
        raise ConnectionRefusedError

    settings.HAS_BROKER = True
    monkeypatch.setattr(tasks.refresh_grant, "apply_async", refused)
    monkeypatch.setattr(tasks.beat, "apply_async", refused)


def ago(**time: float) -> datetime:
    return datetime.now(UTC) - timedelta(**time)


def grant_of(app: OAuthApp, **fields: Any) -> Grant:
    grant = Grant(**{"project": app.project, "app": app, "account_id": uuid.uuid4().hex} | fields)
    grant.seal("access_token", "access")
    grant.seal("refresh_token", "refresh")
    grant.save()
    return grant


HALF_DONE: dict[str, Any] = {"refresh_started_at": ago(minutes=1), "lease_until": ago(seconds=20)}


# Leading --------------------------------------------------------------------------------------------------------------


def test_of_two_sweepers_one_leads(sweeper: Sweeper) -> None:
    other = Sweeper()

    assert [sweeper.sweep(), other.sweep(), sweeper.sweep(), other.sweep()] == [True, False, True, False]


def test_when_the_leader_falls_silent_the_other_takes_over(sweeper: Sweeper) -> None:
    other = Sweeper()
    sweeper.sweep()
    Heartbeat.objects.update(until=ago(seconds=1))

    assert [other.sweep(), sweeper.sweep()] == [True, False]


def test_one_that_does_not_lead_touches_nothing(sweeper: Sweeper, app: OAuthApp, published: list[str]) -> None:
    Sweeper().sweep()
    grant_of(app, **HALF_DONE)

    sweeper.sweep()

    assert published == []


def test_the_leader_is_seen_alive(sweeper: Sweeper) -> None:
    sweeper.sweep()

    assert Heartbeat.objects.is_recent("sweeper", 10)


# Refreshing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [HALF_DONE, {"refreshed_at": ago(days=31)}, {"refresh_started_at": ago(minutes=1)}],
    ids=["half-done", "idle", "killed"],
)
def test_what_is_due_is_handed_to_a_worker(
    sweeper: Sweeper, app: OAuthApp, published: list[str], fields: dict[str, Any]
) -> None:
    grant = grant_of(app, **fields)

    sweeper.sweep()

    assert published == [str(grant.pk)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"refreshed_at": ago(days=29)},
        {"refresh_started_at": ago(seconds=5), "lease_until": ago(days=-1)},
        {"status": "needs_reconnect", **HALF_DONE},
        {"status": "needs_reconnect", "refreshed_at": ago(days=31)},
    ],
    ids=["fresh", "used lately", "being refreshed", "dead", "dead for long"],
)
def test_what_is_not_due_is_left_alone(
    sweeper: Sweeper, app: OAuthApp, published: list[str], fields: dict[str, Any]
) -> None:
    grant_of(app, **fields)

    sweeper.sweep()

    assert published == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fields", [HALF_DONE, {"refreshed_at": ago(days=31)}], ids=["half-done", "idle"])
def test_without_a_broker_it_refreshes_by_itself(sweeper: Sweeper, alice: Window, fields: dict[str, Any]) -> None:
    before = alice.connect().grant
    Grant.objects.update(**fields)

    sweeper.sweep()

    grant = Grant.objects.get()
    assert grant.open("access_token") != before.open("access_token")
    assert grant.open("refresh_token") != before.open("refresh_token")
    assert (grant.status, grant.refresh_started_at) == (Grant.Status.ACTIVE, None)
    assert Grant.objects.filter(refreshed_at__gt=ago(minutes=1)).exists()


@pytest.mark.django_db(transaction=True)
def test_with_a_broker_that_is_down_it_refreshes_by_itself(
    broker_is_down: None, sweeper: Sweeper, alice: Window, caplog: pytest.LogCaptureFixture
) -> None:
    alice.connect()
    Grant.objects.update(**HALF_DONE)

    sweeper.sweep()

    assert Grant.objects.get().refresh_started_at is None
    assert "no broker takes tasks: ConnectionRefusedError" in caplog.messages


@pytest.mark.django_db(transaction=True)
def test_a_grant_that_cannot_be_opened_does_not_stop_the_sweep(
    sweeper: Sweeper, alice: Window, jira: Integration
) -> None:
    good = alice.connect().grant
    damaged = grant_of(good.app, project=good.project)
    Grant.objects.filter(pk=damaged.pk).update(refresh_token_sealed=good.refresh_token_sealed)
    Grant.objects.update(**HALF_DONE)
    gone = attempt(jira, ago(seconds=1))

    assert sweeper.sweep() is True

    assert Grant.objects.get(pk=good.pk).refresh_started_at is None
    assert not ConnectSession.objects.filter(pk=gone.pk).exists()


@pytest.mark.django_db
def test_a_message_that_comes_twice_refreshes_once(alice: Window) -> None:
    alice.connect()
    Grant.objects.update(**HALF_DONE)
    grant = Grant.objects.get()

    tasks.refresh_grant(str(grant.pk))
    once = Grant.objects.get().access_token_sealed
    tasks.refresh_grant(str(grant.pk))

    assert grant.access_token_sealed != once
    assert Grant.objects.get().access_token_sealed == once


@pytest.mark.django_db
def test_a_message_about_a_grant_that_is_gone_is_no_trouble() -> None:
    tasks.refresh_grant(str(uuid.uuid4()))


# Keeping house --------------------------------------------------------------------------------------------------------


def attempt(jira: Integration, expires_at: datetime) -> ConnectSession:
    user, _ = ConnectedUser.objects.get_or_create(project=jira.project, sub="alice")
    return ConnectSession.objects.create(
        project=jira.project, integration=jira, user=user, protocol="patchbay", expires_at=expires_at
    )


def test_attempts_that_are_over_go(sweeper: Sweeper, jira: Integration) -> None:
    attempt(jira, ago(seconds=1))
    still_open = attempt(jira, ago(seconds=-60))

    sweeper.sweep()

    assert list(ConnectSession.objects.all()) == [still_open]


def test_calls_that_nobody_wants_any_more_go(sweeper: Sweeper, project: Project) -> None:
    common = {"project": project, "sub": "alice", "provider_slug": "jira", "path": "/", "status": 200}
    Call.objects.create(**common, method="GET", milliseconds=1, at=ago(days=31))

    sweeper.sweep()

    assert not Call.objects.exists()


@pytest.mark.parametrize(("days", "kept"), [(29, "refresh"), (31, "")])
def test_a_dead_grant_keeps_its_tokens_for_a_month(sweeper: Sweeper, app: OAuthApp, days: int, kept: str) -> None:
    grant_of(app, status="needs_reconnect", refreshed_at=ago(days=days))

    sweeper.sweep()

    grant = Grant.objects.get()
    assert grant.open("refresh_token") == kept
    assert grant.open("access_token") == kept.replace("refresh", "access")


def test_the_house_is_kept_once_a_minute(sweeper: Sweeper, jira: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    now = sweeping.time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(sweeping, "time", clock)
    sweeper.sweep()
    attempt(jira, ago(seconds=1))

    sweeper.sweep()
    assert ConnectSession.objects.exists()

    clock.monotonic = lambda: now + 61
    sweeper.sweep()
    assert not ConnectSession.objects.exists()


# The command ----------------------------------------------------------------------------------------------------------


def test_the_command_sweeps_once_when_asked(jira: Integration) -> None:
    attempt(jira, ago(seconds=1))

    call_command("sweeper", once=True)

    assert not ConnectSession.objects.exists()


@pytest.mark.django_db
def test_the_command_does_not_start_with_a_wrong_key(settings: Any) -> None:
    vault.verify()
    settings.VAULT_KEYS = "k1:YSBzZWNvbmQgdmF1bHQga2V5LCAzMiBieXRlcyBsb24"

    with pytest.raises(CommandError, match="“k1”"):
        call_command("sweeper", once=True)

    assert not Heartbeat.objects.exists()


# What was removed -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_deleted_project_is_cleared_away(project: Project, sweeper: Sweeper) -> None:
    Project.objects.filter(pk=project.pk).update(deleted_at=ago(minutes=1))

    sweeper.sweep()

    assert not Project.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_removed_integration_is_cleared_away(app: OAuthApp, sweeper: Sweeper) -> None:
    Integration.objects.create(project=app.project, provider_slug="jira", oauth_app=app, removed_at=ago(minutes=1))

    sweeper.sweep()

    assert not Integration.objects.exists()
    assert Project.objects.exists()
