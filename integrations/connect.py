"""From the button to the connection: begin, come back, claim; and disconnect.

No claim, no connection. Whoever starts an attempt must not decide in whose name a consent ends up, so the tokens stay
with the attempt until the page that opened the popup claims them with its own user token. State is used once, lives
ten minutes, and is bound to the browser by a cookie.
"""

import json
import logging
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, ProtectedError
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_noop

from integrations import audit, clock, extension, listening, oauth
from integrations.errors import NeedsReconnect, ProviderError, WrongKeys
from integrations.failpoints import failpoint
from integrations.models import ConnectedUser, Connection, ConnectSession, Grant, Integration, OAuthApp
from integrations.models.connection import ConnectionQuerySet, ConnectSessionQuerySet
from integrations.providers.base import Account, Keys, Site, Tokens
from integrations.user_tokens import EndUser

logger = logging.getLogger(__name__)

Status = ConnectSession.Status
JOIN_SECONDS = 60
ABANDONED_SECONDS = 150
ERROR_LENGTH = 300
CLOSED = gettext_noop("The window was closed before access was allowed.")
OVER = gettext_noop("This sign-in attempt is no longer valid. Close this window and try again.")


class ConnectError(Exception):
    """Why an attempt cannot go on, in words for the person in front of it; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Wish:
    """What the caller of connect asked for. `connection` is one to reconnect in place."""

    connection: Connection | None = None
    allow_multiple: bool = False
    external_id: str = ""
    return_url: str = ""


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


# Begin --------------------------------------------------------------------------------------------------------------


def connected_user(user: EndUser) -> ConnectedUser:
    row, _ = ConnectedUser.objects.get_or_create(project_id=user.project_id, sub=user.sub)
    return row


def open_session(
    user: ConnectedUser,
    integration: Integration,
    protocol: str,
    *,
    origin: str,
    wish: Wish | None = None,
    **fields: Any,
) -> ConnectSession:
    wish = wish or Wish()
    return ConnectSession.objects.create(
        project_id=user.project_id,
        user=user,
        integration=integration,
        protocol=protocol,
        opener_origin=origin,
        reconnects=wish.connection,
        allow_multiple=wish.allow_multiple,
        external_id=wish.external_id,
        return_url=wish.return_url,
        expires_at=clock.now() + timedelta(seconds=settings.CONNECT_SECONDS),
        **fields,
    )


@transaction.atomic
def join_popup(user: ConnectedUser, integration: Integration, origin: str, nonce: str) -> ConnectSession:
    """Bind the popup's browser to the newest attempt of this user that has no browser yet, or to a new one.

    Paragon's SDK opens the popup and asks for the address in two requests that may arrive in either order.
    """
    waiting = _joinable(user, integration, origin).filter(nonce_hash="").exclude(key="").first()
    if waiting:
        waiting.nonce_hash = digest(nonce)
        waiting.save(update_fields=["nonce_hash"])
        return waiting
    return open_session(user, integration, ConnectSession.Protocol.PARAGON, origin=origin, nonce_hash=digest(nonce))


@transaction.atomic
def join_key(user: ConnectedUser, integration: Integration, origin: str, key: str, wish: Wish) -> ConnectSession:
    """Give the SDK's key and wishes to the newest attempt that a popup of this user has begun, or to a new one."""
    begun = _joinable(user, integration, origin).filter(key="").exclude(nonce_hash="").first()
    if begun:
        begun.key, begun.reconnects = key, wish.connection
        begun.allow_multiple, begun.external_id = wish.allow_multiple, wish.external_id
        begun.save(update_fields=["key", "reconnects", "allow_multiple", "external_id"])
        return begun
    return open_session(user, integration, ConnectSession.Protocol.PARAGON, origin=origin, wish=wish, key=key)


def _joinable(user: ConnectedUser, integration: Integration, origin: str) -> ConnectSessionQuerySet:
    # One request of a user at a time: two at once would not see each other, and open an attempt each.
    ConnectedUser.objects.select_for_update().get(pk=user.pk)
    return ConnectSession.objects.open().filter(
        user=user,
        integration=integration,
        opener_origin=origin,
        status=Status.OPEN,
        protocol=ConnectSession.Protocol.PARAGON,
        created_at__gt=Now() - timedelta(seconds=JOIN_SECONDS),
    )


def usable_app(integration: Integration) -> OAuthApp:
    """Return the app to connect with. Raises ConnectError saying what the integration's developer has to do."""
    name = {"provider": integration.provider.name}
    if not integration.is_active:
        words = gettext("%(provider)s is not active in this project. Activate it in Patchbay.")
        raise ConnectError("integration_inactive", words % name)
    app = integration.app_in_use()
    if app is None or not app.has_keys:
        words = gettext("%(provider)s has no client ID and secret yet. Enter them in its Settings in Patchbay.")
        raise ConnectError("no_keys", words % name)
    if app.refused_at:
        words = gettext("%(provider)s refuses this product's client ID or secret. Its developer must correct it.")
        raise ConnectError("wrong_keys", words % name)
    return app


def is_full(app: OAuthApp, user: EndUser) -> bool:
    """Have others taken all the places that development keys have?"""
    if not app.is_development:
        return False
    others = Connection.objects.filter(project_id=user.project_id, grant__app=app).exclude(user__sub=user.sub)
    return others.values("user").distinct().count() >= settings.DEVELOPMENT_KEYS_USER_LIMIT


def check_user(app: OAuthApp, user: ConnectedUser) -> None:
    """Raise ConnectError for a disabled user, and when the users that development keys allow are all taken."""
    if user.disabled_at:
        raise ConnectError("user_disabled", gettext(ConnectedUser.DISABLED))
    if is_full(app, EndUser(user.project_id, user.sub)):
        words = gettext("Development keys are limited to %(limit)s connected users.")
        raise ConnectError("development_limit", words % {"limit": settings.DEVELOPMENT_KEYS_USER_LIMIT})


def provider_address(session: ConnectSession) -> str:
    """Return where to send the popup, with a new state. Raises ConnectError when it would be in vain."""
    integration = session.integration
    app = usable_app(integration)
    check_user(app, session.user)
    state = secrets.token_urlsafe(32)
    session.app, session.state_hash = app, digest(state)
    session.save(update_fields=["app", "state_hash"])
    return oauth.authorize_url(
        integration.provider,
        client_id=app.client_id,
        scopes=wanted_scopes(integration, app),
        redirect_uri=app.callback_url,
        state=state,
    )


def address_without_opener(session: ConnectSession) -> str | None:
    """Return where a popup goes that its opener cannot reach; None until the address was made for the opener.

    Its opener takes it for closed, and may have cancelled the attempt already. Raises ConnectError.
    """
    found = ConnectSession.objects.filter(pk=session.pk)
    # From here on it is not cancelled, so that what was before can be undone without a race.
    if found.filter(is_cut_off=False).update(is_cut_off=True):
        found.filter(error_code="cancelled").update(status=Status.OPEN, error_code="", error="")
    session.refresh_from_db(fields=["status", "error_code", "error", "app"])
    if session.status == Status.FAILED:
        raise ConnectError(session.error_code, session.error)
    return provider_address(session) if session.app_id else None


def wanted_scopes(integration: Integration, app: OAuthApp) -> list[str]:
    """Return the scopes to ask for: those chosen in Settings, within what the app in use is registered for."""
    chosen = integration.chosen_scopes()
    if app.is_development:
        chosen = [scope for scope in chosen if scope in app.scopes]
    required = integration.provider.required_scopes()
    return [*chosen, *(scope for scope in required if scope not in chosen)]


# Come back ----------------------------------------------------------------------------------------------------------


def take_callback(app_id: uuid.UUID, params: Mapping[str, str], nonce: str) -> ConnectSession:
    """Use up the state that the provider returned and trade its code for tokens, which wait for the claim.

    Raises ConnectError; the attempt, where one is known, has failed with the same words.
    """
    session = _consume(app_id, params.get("state", ""), nonce)
    if "error" in params:
        raise _failed(session, *_refusal_words(session, params))
    code = params.get("code", "")
    if not code:
        words = gettext("The answer of the consent page is incomplete. Please try again.")
        raise _failed(session, "no_code", words)
    failpoint("connect.before_exchange")
    try:
        tokens, account, sites = _exchange(session, code)
    except WrongKeys as error:
        if session.app:
            session.app.refuse(str(error))
        words = gettext("The developer of this product must correct it.")
        raise _failed(session, "wrong_keys", f"{error} {words}") from error
    except NeedsReconnect as error:
        words = gettext("The consent was already used or took too long. Please try again.")
        raise _failed(session, "code_refused", words) from error
    except ProviderError as error:
        raise _failed(session, "provider_error", f"{error} {gettext('Please try again.')}") from error
    failpoint("connect.exchanged")
    _check_consent(session, tokens, sites)
    return _keep(session, tokens, account, sites)


def _consume(app_id: uuid.UUID, state: str, nonce: str) -> ConnectSession:
    broken = ConnectError("state_refused", gettext(OVER))
    found = ConnectSession.objects.open().filter(state_hash=digest(state), app_id=app_id, status=Status.OPEN)
    session = found.select_related("integration__project", "user", "app", "project", "reconnects__grant").first()
    if not state or session is None:
        raise broken
    if not ConnectSession.objects.filter(pk=session.pk, state_hash=session.state_hash, status=Status.OPEN).update(
        state_hash=""
    ):
        raise broken
    session.state_hash = ""
    if not _is_from(session, nonce):
        audit.record(session.project, session.user, "connect refused", "the consent came back in another browser")
        words = gettext("The consent came back in another browser than it started in.")
        raise _failed(session, "other_browser", words)
    return session


def _is_from(session: ConnectSession, nonce: str) -> bool:
    """Has this browser begun the attempt, or opened a popup for the same user, page and integration just now?

    Paragon's popup does not know which attempt it is for, so one that was left over may have taken its place.
    """
    if not nonce:
        return False
    if secrets.compare_digest(session.nonce_hash, digest(nonce)):
        return True
    if session.protocol != ConnectSession.Protocol.PARAGON or session.nonce_hash:
        return False
    session.nonce_hash = digest(nonce)
    session.save(update_fields=["nonce_hash"])
    mine = ConnectSession.objects.open().exclude(pk=session.pk).filter(nonce_hash=session.nonce_hash)
    same = {name: getattr(session, name) for name in ("user_id", "integration_id", "opener_origin", "protocol")}
    return mine.filter(**same).exists()


def _refusal_words(session: ConnectSession, params: Mapping[str, str]) -> tuple[str, str]:
    name = session.integration.provider.name
    if params["error"] == "access_denied":
        words = gettext("You did not allow access to %(provider)s. Nothing was connected.")
        return "access_denied", words % {"provider": name}
    said = " ".join((params.get("error_description") or params["error"]).split())[:ERROR_LENGTH]
    return "provider_error", gettext("%(provider)s says: %(words)s") % {"provider": name, "words": said}


def _exchange(session: ConnectSession, code: str) -> tuple[Tokens, Account, list[Site]]:
    provider, app = session.integration.provider, session.app
    if app is None:
        raise NeedsReconnect("The app of this attempt was removed.")
    keys = Keys(app.client_id, app.open("client_secret"))
    tokens = oauth.exchange(provider, keys, code=code, redirect_uri=app.callback_url)
    sites = provider.oauth.sites(tokens.access)
    account = provider.oauth.account(tokens.access, sites[0]) if sites else Account(id="")
    return tokens, account, sites


def _check_consent(session: ConnectSession, tokens: Tokens, sites: list[Site]) -> None:
    name = session.integration.provider.name
    if not sites:
        words = gettext("This account has no %(provider)s site that it can use. Try again with another account.")
        raise _failed(session, "no_site", words % {"provider": name})
    missing = [scope for scope in session.integration.provider.required_scopes() if scope not in tokens.scopes]
    if tokens.scopes and missing and "offline_access" in missing and not tokens.refresh:
        words = gettext("%(provider)s did not grant %(scopes)s. Check the app's permissions.")
        raise _failed(session, "too_few_scopes", words % {"provider": name, "scopes": ", ".join(missing)})


def _keep(session: ConnectSession, tokens: Tokens, account: Account, sites: list[Site]) -> ConnectSession:
    expires_at = clock.now() + timedelta(seconds=tokens.expires_in)
    kept = {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "expires_at": expires_at.isoformat(),
        "scopes": tokens.scopes,
    }
    session.seal("tokens", json.dumps(kept))
    session.account = {"id": account.id, "name": account.name, "email": account.email}
    session.sites = [{"id": site.id, "name": site.name, "url": site.url} for site in sites]
    session.site_id = _obvious_site(session)
    session.status = Status.RETURNED
    kept_it = ConnectSession.objects.open().filter(pk=session.pk, status=Status.OPEN)
    if not kept_it.update(
        tokens_sealed=session.tokens_sealed,
        account=session.account,
        sites=session.sites,
        site_id=session.site_id,
        status=Status.RETURNED,
    ):
        words = gettext("This sign-in attempt took too long. Close this window and try again.")
        raise ConnectError("expired", words)
    return session


def _obvious_site(session: ConnectSession) -> str:
    """The only site, or the one that the lost connection had; "" when the end user must choose.

    Someone who connects anew what still works wants something else: another account, or another of its sites.
    """
    ids = [site["id"] for site in session.sites]
    renewed = connection_to_renew(session)
    if renewed and not renewed.is_healthy and renewed.site_id in ids:
        return renewed.site_id
    return ids[0] if len(ids) == 1 else ""


def connection_to_renew(session: ConnectSession) -> Connection | None:
    """Return the connection that this attempt renews in place, None when it makes a new one."""
    if session.reconnects_id or session.allow_multiple:
        return session.reconnects
    connections = Connection.objects.of(session.user).filter(integration_id=session.integration_id)
    return connections.select_related("grant").first()


def changes_account(session: ConnectSession) -> bool:
    """Would claiming move a connection to another account of the provider?"""
    renewed = connection_to_renew(session)
    return renewed is not None and renewed.grant.account_id != session.account.get("id")


def choose_site(session: ConnectSession, site_id: str) -> None:
    """Note the site that the end user chose. Raises ConnectError for one that the consent does not cover."""
    if site_id not in [site["id"] for site in session.sites]:
        raise ConnectError("unknown_site", gettext("Choose one of the listed sites."))
    session.site_id = site_id
    session.save(update_fields=["site_id"])


def new_claim_code(session: ConnectSession) -> str:
    """Return a one-time code for the page that opened the popup; worthless without the right user's token."""
    code = secrets.token_urlsafe(32)
    session.claim_hash = digest(code)
    session.save(update_fields=["claim_hash"])
    return code


def fail(session: ConnectSession, code: str, message: str) -> None:
    """End an attempt that is not over yet, and delete the tokens that it held."""
    _end(ConnectSession.objects.filter(pk=session.pk), code, message)


def cancel(session: ConnectSession) -> None:
    """End an attempt whose popup was closed, unless it only looks so to the page that opened it."""
    still_seen = ConnectSession.objects.filter(pk=session.pk, is_cut_off=False)
    _end(still_seen, "cancelled", gettext(CLOSED))


def _end(found: ConnectSessionQuerySet, code: str, message: str) -> None:
    found.filter(status__in=[Status.OPEN, Status.RETURNED]).update(
        status=Status.FAILED, error_code=code, error=message[:500], tokens_sealed="", claim_hash="", state_hash=""
    )


def _failed(session: ConnectSession, code: str, message: str) -> ConnectError:
    fail(session, code, message)
    return ConnectError(code, message)


# Claim --------------------------------------------------------------------------------------------------------------


def claim(user: EndUser, code: str) -> Connection:
    """Turn a consent into the connection of the user whose token claims it. Raises ConnectError."""
    session = (
        ConnectSession.objects.open()
        .filter(project_id=user.project_id, claim_hash=digest(code), status=Status.RETURNED)
        .select_related("project", "user", "app", "integration__project", "reconnects__grant")
        .first()
    )
    if not code or session is None:
        words = gettext("This consent was already used or took too long. Please connect again.")
        raise ConnectError("claim_refused", words)
    if session.user.sub != user.sub:
        audit.record(session.project, user, "claim refused", "the consent was started by another user")
        words = gettext("This consent was started by another user. Please connect again.")
        raise _failed(session, "claim_refused", words)
    return settle(session)


def settle(session: ConnectSession) -> Connection:
    """Store the grant and the connection of a consented session, once. Raises ConnectError when it is over already."""
    if session.app is None or not session.site_id:
        words = gettext("No site was chosen yet. Finish the steps in the window that opened.")
        raise ConnectError("no_site_chosen", words)
    check_user(session.app, session.user)
    tokens = json.loads(session.open("tokens"))
    moving = _moving(session)
    if moving:
        listening.stop(moving)
    with transaction.atomic():
        open_still = ConnectSession.objects.open().filter(pk=session.pk, status=Status.RETURNED)
        if not open_still.update(status=Status.CLAIMED, claim_hash="", tokens_sealed=""):
            raise ConnectError("claim_refused", gettext("This consent was already used. Please connect again."))
        grant = _store_grant(session, session.app, tokens)
        connection, is_new = _store_connection(session, grant)
        _mark_lost_sites(grant, [site["id"] for site in session.sites])
        ConnectSession.objects.filter(pk=session.pk).update(connection=connection)
        extension.installed().connected(connection, is_new=is_new)
    words = f"{connection} with {session.integration.provider.name}"
    audit.record(session.project, session.user, "connected", words)
    return connection


def _store_grant(session: ConnectSession, app: OAuthApp, tokens: dict[str, Any]) -> Grant:
    """The newest consent replaces the pair; the version fences off a refresh under way with the old one."""
    account = session.account
    grant, _ = Grant.objects.get_or_create(app=app, project_id=session.project_id, account_id=account["id"])
    Grant.objects.filter(pk=grant.pk).update(
        account_name=account["name"][:200],
        account_email=account["email"][:254],
        scopes=tokens["scopes"],
        access_token_sealed=grant.seal("access_token", tokens["access"]),
        refresh_token_sealed=grant.seal("refresh_token", tokens["refresh"]),
        sibling_token_sealed="",
        expires_at=datetime.fromisoformat(tokens["expires_at"]),
        version=F("version") + 1,
        lease_owner="",
        lease_until=None,
        refresh_started_at=None,
        not_before=None,
        failures=0,
        status=Grant.Status.ACTIVE,
        reason="",
        refreshed_at=Now(),
        consented_at=Now(),
    )
    return Grant.objects.get(pk=grant.pk)


def _moving(session: ConnectSession) -> Connection | None:
    """Return the connection that leaves its site for another one, while its tokens still reach that."""
    renewed = connection_to_renew(session)
    if renewed is None or renewed.site_id == session.site_id or _same(session).exists():
        return None
    related = ("grant__app", "integration__project", "user")
    return Connection.objects.select_related(*related).get(pk=renewed.pk)


def _same(session: ConnectSession) -> ConnectionQuerySet:
    """Return the connection of the consent's account at the site that was chosen."""
    own = Connection.objects.filter(user=session.user, integration=session.integration, site_id=session.site_id)
    return own.filter(grant__app=session.app, grant__account_id=session.account["id"])


def _store_connection(session: ConnectSession, grant: Grant) -> tuple[Connection, bool]:
    site = next(site for site in session.sites if site["id"] == session.site_id)
    same = Connection.objects.filter(
        user=session.user, integration=session.integration, grant=grant, site_id=session.site_id
    ).first()
    connection = same or connection_to_renew(session) or Connection(user=session.user, integration=session.integration)
    is_new = connection._state.adding
    left = connection.grant if connection.grant_id and connection.grant_id != grant.pk else None
    if not is_new and connection.site_id != session.site_id:
        # What was heard and remembered is the other site's.
        connection.subscriptions.all().delete()
    connection.project_id = session.project_id
    connection.grant = grant
    connection.site_id, connection.site_name, connection.site_url = site["id"], site["name"][:200], site["url"][:300]
    connection.external_id = session.external_id or connection.external_id
    connection.status, connection.reason = Connection.Status.ACTIVE, ""
    connection.save()
    if left:
        _drop_if_unused(left)
    return connection, is_new


def _mark_lost_sites(grant: Grant, site_ids: list[str]) -> None:
    reason = gettext_noop("The newest consent of this account no longer covers this site. Connect again and choose it.")
    lost = grant.connections.exclude(site_id__in=site_ids)
    lost.update(status=Connection.Status.NEEDS_RECONNECT, reason=reason)
    grant.connections.filter(site_id__in=site_ids).update(status=Connection.Status.ACTIVE, reason="")


# End ----------------------------------------------------------------------------------------------------------------


def disconnect(connection: Connection, *, actor: Any) -> None:
    """Remove a connection, and the tokens with their last connection. The provider offers no call to revoke them."""
    project, words = connection.project, str(connection)
    grant = connection.grant
    listening.stop(connection)
    with transaction.atomic():
        connection.delete()
        _drop_if_unused(grant)
    audit.record(project, actor, "disconnected", words)


def _drop_if_unused(grant: Grant) -> None:
    try:
        with transaction.atomic():
            Grant.objects.filter(pk=grant.pk, connections=None).delete()
    except ProtectedError:
        pass  # Someone connected with it again at this moment, so it is in use.


def outcome(user: EndUser, session: ConnectSession) -> ConnectSession:
    """Return the session as the SDK may see it; one that was polled for long without a consent has failed."""
    if session.status == Status.OPEN and session.polled_at is None:
        ConnectSession.objects.filter(pk=session.pk).update(polled_at=Now())
    elif session.status == Status.OPEN and session.polled_at:
        if clock.now() - session.polled_at > timedelta(seconds=ABANDONED_SECONDS):
            words = gettext("The window was closed before access was allowed. Please connect again.")
            fail(session, "abandoned", words)
            session.refresh_from_db()
    return session


def sweep() -> int:
    """Delete attempts that are over, with the tokens of those never claimed. Return how many."""
    deleted, _ = ConnectSession.objects.expired().delete()
    return deleted


def users_to_reconnect(integration: Integration, scopes: list[str], app: OAuthApp | None) -> int:
    """Return how many connected users would have to reconnect if the integration used these scopes and this app."""
    affected = {
        connection.user_id
        for connection in integration.connections.select_related("grant")
        if app is None
        or connection.grant.app_id != app.pk
        or not set(scopes) <= set(connection.grant.scopes) | {"offline_access"}
    }
    return len(affected)
