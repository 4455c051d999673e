"""A fresh token, refreshed once, whatever the token endpoint does. The endpoint is the sandbox's, over a socket."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from integrations import oauth, setup, sweeper, tokens
from integrations.errors import NeedsReconnect, TemporaryError, WrongKeys
from integrations.models import Connection, Grant, OAuthApp
from integrations.oauth import _expires_in
from integrations.setup import Wanted
from tests.integrations.conftest import Window
from tests.support.sandbox import Sandbox

LEFT = timedelta(seconds=30)  # of a token that is due, and still good


@pytest.fixture
def grant(alice: Window) -> Grant:
    return alice.connect().grant


@pytest.fixture
def due(grant: Grant) -> Grant:
    """A grant whose access token is good for half a minute more."""
    return change(grant, expires_at=datetime.now(UTC) + LEFT)


@pytest.fixture
def expired(grant: Grant, sandbox: Sandbox) -> Grant:
    sandbox.operate("tokens/expire", {"all": True})
    return change(grant, expires_at=datetime.now(UTC) - timedelta(seconds=1))


def change(grant: Grant, **values: Any) -> Grant:
    Grant.objects.filter(pk=grant.pk).update(**values)
    grant.refresh_from_db()
    return grant


def refreshes(sandbox: Sandbox) -> dict[str, int]:
    """Return what the token endpoint answered to refreshes, and how often."""
    return dict(sandbox.operate("state", method="GET")["token_calls"].get("refresh_token", {}))


def wait_for_a_late_refresh(sandbox: Sandbox) -> None:
    """Wait until the endpoint has done what nobody waits for any more: no later test shall meet it."""
    deadline = time.monotonic() + 10
    while not refreshes(sandbox):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def end_of_lease(grant: Grant) -> None:
    change(grant, lease_until=datetime.now(UTC) - timedelta(seconds=1), not_before=None)


# As it should be ----------------------------------------------------------------------------------------------------


def test_a_fresh_token_is_handed_out_without_asking_anyone(grant: Grant, sandbox: Sandbox) -> None:
    assert tokens.access_token(grant.pk).text

    assert refreshes(sandbox) == {}


def test_a_due_token_is_renewed_before_it_expires(due: Grant, sandbox: Sandbox) -> None:
    old = due.open("access_token")

    new = tokens.access_token(due.pk).text

    due.refresh_from_db()
    assert new not in ("", old)
    assert due.open("access_token") == new
    assert due.is_fresh(3000)
    assert refreshes(sandbox) == {"ok": 1}


def test_the_next_caller_gets_the_renewed_token(expired: Grant, sandbox: Sandbox) -> None:
    first = tokens.access_token(expired.pk)

    assert tokens.access_token(expired.pk).text == first.text
    assert refreshes(sandbox) == {"ok": 1}


def test_a_token_that_the_provider_calls_expired_is_renewed_once(grant: Grant, sandbox: Sandbox) -> None:
    stale = tokens.access_token(grant.pk)

    renewed = tokens.access_token(grant.pk, stale=stale.sealed)
    again = tokens.access_token(grant.pk, stale=stale.sealed)

    assert renewed.text == again.text != stale.text
    assert refreshes(sandbox) == {"ok": 1}


@pytest.mark.django_db(transaction=True)
def test_an_unused_grant_is_kept_alive(grant: Grant, sandbox: Sandbox, settings: Any) -> None:
    change(grant, refreshed_at=datetime.now(UTC) - timedelta(days=settings.TOKEN_KEEPALIVE_DAYS + 1))

    sweeper.Sweeper().sweep()

    grant.refresh_from_db()
    assert grant.refreshed_at
    assert datetime.now(UTC) - grant.refreshed_at < timedelta(minutes=1)
    assert refreshes(sandbox) == {"ok": 1}


def test_an_answer_without_a_refresh_token_keeps_the_old_one(expired: Grant, sandbox: Sandbox) -> None:
    sandbox.operate("settings", {"omit_refresh_token": True})
    old = expired.open("refresh_token")

    tokens.access_token(expired.pk)

    expired.refresh_from_db()
    assert expired.open("refresh_token") == old


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(3600, 3600), ("3600", 3600), (None, 3600), (0, 3600), (-5, 3600), ("soon", 3600), (1e300, 86400), (10**9, 86400)],
)
def test_lifetimes_that_make_no_sense_become_safe_ones(given: object, seconds: int) -> None:
    assert _expires_in(given) == seconds


# The token endpoint is in trouble -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["fail", "rate_limit", "html", "drop"])
def test_an_outage_is_not_felt_while_the_token_is_good(due: Grant, sandbox: Sandbox, mode: str) -> None:
    sandbox.operate("settings", {"token_mode": mode})

    assert tokens.access_token(due.pk).text == due.open("access_token")
    assert tokens.access_token(due.pk).text == due.open("access_token")
    due.refresh_from_db()
    assert due.status == Grant.Status.ACTIVE


@pytest.mark.parametrize("mode", ["fail", "rate_limit", "html", "drop"])
def test_an_outage_with_an_expired_token_says_try_again_and_ends_nothing(
    expired: Grant, sandbox: Sandbox, mode: str
) -> None:
    sandbox.operate("settings", {"token_mode": mode})

    with pytest.raises(TemporaryError):
        tokens.access_token(expired.pk)

    sandbox.operate("settings", {"token_mode": "normal"})
    end_of_lease(expired)
    assert tokens.access_token(expired.pk).text
    assert Grant.objects.get().status == Grant.Status.ACTIVE


def test_an_outage_is_not_hammered(expired: Grant, sandbox: Sandbox) -> None:
    sandbox.operate("settings", {"token_mode": "fail"})
    for _ in range(5):
        with pytest.raises(TemporaryError):
            tokens.access_token(expired.pk)

    assert sum(refreshes(sandbox).values()) <= 1
    expired.refresh_from_db()
    assert expired.not_before
    assert expired.failures == 1


def test_a_slow_token_endpoint_is_given_up_at_the_deadline(expired: Grant, sandbox: Sandbox, settings: Any) -> None:
    settings.TOKEN_DEADLINE_SECONDS = 0.3
    sandbox.operate("settings", {"token_latency_ms": [1000, 1000]})

    with pytest.raises(TemporaryError):
        tokens.access_token(expired.pk)

    expired.refresh_from_db()
    assert expired.refresh_started_at
    wait_for_a_late_refresh(sandbox)


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_lost_is_asked_for_again_inside_the_leeway(expired: Grant, sandbox: Sandbox) -> None:
    sandbox.operate("settings", {"token_mode": "lost"})
    with pytest.raises(TemporaryError):
        tokens.access_token(expired.pk)
    sandbox.operate("settings", {"token_mode": "normal"})
    end_of_lease(expired)

    sweeper.Sweeper().sweep()

    expired.refresh_from_db()
    assert expired.refresh_started_at is None
    assert tokens.access_token(expired.pk).text
    assert expired.status == Grant.Status.ACTIVE


# The consent is gone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["invalid_grant", "unauthorized_client"])
def test_a_revoked_grant_needs_a_reconnect_and_says_why(expired: Grant, sandbox: Sandbox, answer: str) -> None:
    sandbox.operate("settings", {"dead_token_answer": answer})
    sandbox.operate("grants/revoke", {"all": True})

    with pytest.raises(NeedsReconnect, match="it was revoked, the password changed, or it was unused too long"):
        tokens.access_token(expired.pk)

    connection = Connection.objects.select_related("grant").get()
    assert not connection.is_healthy
    assert connection.health_reason.startswith("Jira ended the access")


@pytest.mark.django_db(transaction=True)
def test_nothing_retries_a_dead_grant(expired: Grant, sandbox: Sandbox) -> None:
    sandbox.operate("grants/revoke", {"all": True})
    with pytest.raises(NeedsReconnect):
        tokens.access_token(expired.pk)
    before = refreshes(sandbox)

    with pytest.raises(NeedsReconnect):
        tokens.access_token(expired.pk)
    assert not tokens.refresh_now(expired.pk)
    sweeper.Sweeper().sweep()

    assert refreshes(sandbox) == before


def test_a_consent_without_offline_access_ends_with_its_token(grant: Grant) -> None:
    change(grant, refresh_token_sealed="", expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(NeedsReconnect, match="while you are away"):
        tokens.access_token(grant.pk)


def test_a_reconnect_brings_a_dead_grant_back(alice: Window, expired: Grant, sandbox: Sandbox) -> None:
    sandbox.operate("grants/revoke", {"all": True})
    with pytest.raises(NeedsReconnect):
        tokens.access_token(expired.pk)

    alice.connect()

    assert tokens.access_token(expired.pk).text


# Our keys are wrong -------------------------------------------------------------------------------------------------


@pytest.fixture
def app(grant: Grant) -> OAuthApp:
    return grant.app


def test_a_rotated_client_secret_is_the_developers_to_mend(expired: Grant, app: OAuthApp, sandbox: Sandbox) -> None:
    sandbox.operate("clients/rotate", {"client_id": app.client_id})

    with pytest.raises(WrongKeys):
        tokens.access_token(expired.pk)

    app.refresh_from_db()
    assert "client ID or secret" in app.refused_reason
    assert Grant.objects.get().status == Grant.Status.ACTIVE


def test_refused_keys_are_not_sent_again_by_anyone(expired: Grant, app: OAuthApp, sandbox: Sandbox) -> None:
    sandbox.operate("clients/rotate", {"client_id": app.client_id})
    for _ in range(3):
        with pytest.raises(WrongKeys):
            tokens.access_token(expired.pk)

    assert sum(refreshes(sandbox).values()) == 1


def test_wrong_keys_are_not_felt_while_the_token_is_good(due: Grant, app: OAuthApp, sandbox: Sandbox) -> None:
    sandbox.operate("clients/rotate", {"client_id": app.client_id})

    assert tokens.access_token(due.pk).text == due.open("access_token")


@pytest.fixture
def own_app(alice: Window, sandbox: Sandbox, django_user_model: Any) -> OAuthApp:
    """The project's own keys at the sandbox, with Alice connected through them."""
    integration = alice.project.integrations.get()
    scopes = integration.provider.recommended_scopes()
    callback = integration.oauth_app.callback_url
    made = sandbox.operate("clients", {"name": "Acme", "callback_url": callback, "scopes": scopes})
    owner = django_user_model.objects.create_superuser("owner@acme.example")
    wanted = Wanted(made["client_id"], scopes, secret=made["client_secret"])
    setup.save_settings(integration, wanted, owner)
    alice.connect()
    return OAuthApp.objects.get(pk=integration.oauth_app_id)


def test_the_right_secret_entered_again_lets_everyone_go_on(
    own_app: OAuthApp, sandbox: Sandbox, django_user_model: Any
) -> None:
    grant = Grant.objects.get(app=own_app)
    sandbox.operate("tokens/expire", {"all": True})
    change(grant, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    rotated = sandbox.operate("clients/rotate", {"client_id": own_app.client_id})
    with pytest.raises(WrongKeys):
        tokens.access_token(grant.pk)

    integration = own_app.integrations.get()
    wanted = Wanted(own_app.client_id, own_app.scopes, secret=rotated["client_secret"])
    setup.save_settings(integration, wanted, django_user_model.objects.get())

    assert tokens.access_token(grant.pk).text


# Races and interruptions --------------------------------------------------------------------------------------------


def test_a_process_that_was_stopped_before_sending_does_not_send_late(
    expired: Grant, sandbox: Sandbox, settings: Any
) -> None:
    settings.TOKEN_SEND_BY_SECONDS = -1

    with pytest.raises(TemporaryError, match="not sent in time"):
        tokens.access_token(expired.pk)

    assert refreshes(sandbox) == {}


def test_a_leased_grant_is_left_to_the_process_that_has_it(due: Grant, sandbox: Sandbox) -> None:
    change(due, lease_until=datetime.now(UTC) + timedelta(seconds=30), lease_owner="another")

    assert tokens.access_token(due.pk).text == due.open("access_token")
    assert refreshes(sandbox) == {}


def test_waiting_for_another_process_ends_in_words(expired: Grant, settings: Any) -> None:
    settings.TOKEN_WAIT_SECONDS = 0.2
    change(expired, lease_until=datetime.now(UTC) + timedelta(seconds=30), lease_owner="another")

    with pytest.raises(TemporaryError, match="is being renewed"):
        tokens.access_token(expired.pk)


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch, expired: Grant) -> Grant:
    """Another process takes the grant over while this one's token call is under way."""
    send: Callable[..., Any] = oauth.refresh

    def refresh(*arguments: Any) -> Any:
        answer = send(*arguments)
        monkeypatch.setattr(oauth, "refresh", send)
        change(expired, version=expired.version + 10)
        return answer

    monkeypatch.setattr(oauth, "refresh", refresh)
    return expired


def test_a_pair_that_came_too_late_is_kept_beside_the_winner(overtaken: Grant) -> None:
    tokens.refresh_now(overtaken.pk)

    overtaken.refresh_from_db()
    assert overtaken.open("sibling_token")
    assert overtaken.status == Grant.Status.ACTIVE


def test_the_pair_kept_beside_is_tried_before_a_grant_is_called_dead(overtaken: Grant) -> None:
    tokens.refresh_now(overtaken.pk)
    overtaken.refresh_from_db()
    overtaken.seal("refresh_token", "one that the provider does not know")
    change(overtaken, refresh_token_sealed=overtaken.refresh_token_sealed, lease_until=None)

    assert tokens.refresh_now(overtaken.pk)

    overtaken.refresh_from_db()
    assert overtaken.status == Grant.Status.ACTIVE
    assert overtaken.is_fresh(3000)


def test_a_new_pair_survives_a_database_that_blinks(expired: Grant, monkeypatch: pytest.MonkeyPatch) -> None:
    stumbles = iter([OperationalError("gone away"), None])

    def failpoint(name: str) -> None:
        error = next(stumbles, None) if name == "refresh.storing" else None
        if error:
            raise error

    monkeypatch.setattr(tokens, "failpoint", failpoint)
    monkeypatch.setattr(tokens, "close_old_connections", lambda: None)

    assert tokens.access_token(expired.pk).text
    expired.refresh_from_db()
    assert expired.is_fresh(3000)
