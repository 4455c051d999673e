"""A fresh access token, refreshed once however many ask.

Rotating refresh tokens forgive little: two processes that spend the same one, or one that loses the answer, can end a
consent for good. So a due token is refreshed by exactly one process (a lease, and a version that every write names),
within a deadline, stored before it is used; and the sweeper finishes what a crash left half-done, inside the
provider's leeway for using a token again.
"""

import logging
import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from integrations import clock, oauth
from integrations.errors import NeedsReconnect, PermanentError, ProviderError, TemporaryError, WrongKeys
from integrations.failpoints import failpoint
from integrations.models import Grant, OAuthApp
from integrations.owners import owner_name
from integrations.providers import get
from integrations.providers.base import Keys, Provider, Tokens
from integrations.vault import VaultError

logger = logging.getLogger(__name__)

GONE = gettext_noop("The connection was removed. Connect again.")
ENDED = gettext_noop("%(provider)s ended the access: it was revoked, the password changed, or it was unused too long.")
LONGEST_BACKOFF_SECONDS = 60
STORE_FOR_SECONDS = 60


@dataclass(frozen=True)
class AccessToken:
    """A token to send, and its sealed form, by which a later complaint about it is recognised."""

    text: str = field(repr=False)
    sealed: str = field(repr=False)


def access_token(grant_id: uuid.UUID, *, stale: str = "", known: Grant | None = None) -> AccessToken:
    """Return a token that is good now. `stale` is the sealed form of one that the provider called expired.

    `known` is the grant as it was read a moment ago; it saves a query while its token is fresh.
    Raises NeedsReconnect, WrongKeys, or TemporaryError (with retry_after) when none can be had at present.
    """
    if known and known.status == Grant.Status.ACTIVE and known.access_token_sealed != stale:
        if known.is_fresh(_margin(known)):
            return _stored(known)
    give_up_at = time.monotonic() + settings.TOKEN_WAIT_SECONDS
    while True:
        grant = _read(grant_id)
        usable = grant.is_fresh() and grant.access_token_sealed != stale
        if usable and (grant.is_fresh(_margin(grant)) or grant.is_leased() or _is_waiting(grant)):
            return _stored(grant)
        try:
            refreshed = _refresh_once(grant)
        except (TemporaryError, WrongKeys):
            if usable:
                return _stored(grant)
            raise
        if refreshed:
            return refreshed
        if time.monotonic() > give_up_at:
            raise TemporaryError("The access token is being renewed; try again.", retry_after=2)
        time.sleep(random.uniform(0.1, 0.3))


def refresh_now(grant_id: uuid.UUID) -> bool:
    """Finish a half-done refresh, or keep an idle grant alive. False when another process does it already."""
    grant = Grant.objects.filter(pk=grant_id, status=Grant.Status.ACTIVE).select_related("app").first()
    if grant is None:
        return False
    try:
        return _refresh_once(grant) is not None
    except (ProviderError, VaultError) as error:
        logger.warning("grant %s could not be refreshed: %s", grant_id, error)
        return False


def _read(grant_id: uuid.UUID) -> Grant:
    grant = Grant.objects.filter(pk=grant_id).select_related("app").first()
    if grant is None:
        raise NeedsReconnect(GONE)
    if grant.status != Grant.Status.ACTIVE:
        raise NeedsReconnect(grant.reason or GONE)
    return grant


def _stored(grant: Grant) -> AccessToken:
    return AccessToken(grant.open("access_token"), grant.access_token_sealed)


def _margin(grant: Grant) -> float:
    # Spread by the grant's own id, so that grants of one moment do not all fall due at one moment.
    return settings.TOKEN_MARGIN_SECONDS * (0.8 + 0.4 * (grant.pk.int % 1000) / 1000)


def _is_waiting(grant: Grant) -> bool:
    return grant.not_before is not None and grant.not_before > clock.now()


def _refresh_once(grant: Grant) -> AccessToken | None:
    """Refresh the grant as it was read. None when another process has the lease or was faster."""
    if not grant.refresh_token_sealed:
        return _without_refresh_token(grant)
    if grant.app.refused_at:
        raise WrongKeys(grant.app.refused_reason)
    if _is_waiting(grant) and not grant.is_leased():
        seconds = (grant.not_before - clock.now()).total_seconds() if grant.not_before else 1
        raise TemporaryError("The provider's token endpoint is in trouble; try again.", retry_after=max(1.0, seconds))
    owner = owner_name()
    claimed_at = time.monotonic()
    if not Grant.objects.claim_refresh(grant, owner):
        return None
    grant.version += 1
    grant.lease_owner = owner
    failpoint("refresh.claimed")
    return _Refresh(grant, claimed_at).run()


def _without_refresh_token(grant: Grant) -> AccessToken:
    if grant.is_fresh():
        return _stored(grant)
    reason = gettext_noop("The consent did not allow access while you are away. Connect again.")
    Grant.objects.filter(pk=grant.pk, version=grant.version).update(status=Grant.Status.NEEDS_RECONNECT, reason=reason)
    raise NeedsReconnect(reason)


class _Refresh:
    """One claimed refresh: send, store, and whatever else becomes of it. Every write names the claim's version."""

    def __init__(self, grant: Grant, claimed_at: float) -> None:
        self.grant, self.claimed_at = grant, claimed_at
        self.app: OAuthApp = grant.app
        self.provider: Provider = get(self.app.provider)
        self.mine = Grant.objects.filter(pk=grant.pk, version=grant.version, lease_owner=grant.lease_owner)

    def run(self) -> AccessToken | None:
        tokens = self._send()
        failpoint("refresh.answered")
        return self._store(tokens)

    def _send(self) -> Tokens:
        keys = Keys(self.app.client_id, self.app.open("client_secret"))
        refresh_token = self.grant.open("refresh_token")
        if time.monotonic() - self.claimed_at > settings.TOKEN_SEND_BY_SECONDS:
            # This process was stopped for a while: another may have the lease by now, and a late send would be the
            # second use of one token. The lease runs out by itself.
            raise TemporaryError("The refresh was not sent in time.", retry_after=1)
        try:
            return oauth.refresh(self.provider, keys, refresh_token)
        except NeedsReconnect as error:
            return self._try_sibling(keys, error)
        except (WrongKeys, PermanentError) as error:
            self.app.refuse(str(error))
            self._release()
            raise WrongKeys(str(error), was_sent=True) from error
        except TemporaryError as error:
            self._wait(error)
            raise

    def _try_sibling(self, keys: Keys, refusal: NeedsReconnect) -> Tokens:
        """A pair that was received but lost the race to be stored may be the one that still works."""
        current = Grant.objects.filter(pk=self.grant.pk).first()
        if current and current.sibling_token_sealed:
            try:
                return oauth.refresh(self.provider, keys, current.open("sibling_token"))
            except NeedsReconnect:
                pass
        reason = ENDED % {"provider": self.provider.name}
        died = self.mine.update(
            status=Grant.Status.NEEDS_RECONNECT, reason=reason, lease_until=None, refresh_started_at=None
        )
        if died:
            logger.warning("grant %s needs a reconnect: %s", self.grant.pk, refusal)
            raise NeedsReconnect(reason, was_sent=True)
        raise TemporaryError("Another process renewed the token meanwhile.", retry_after=1)

    def _release(self) -> None:
        self.mine.update(lease_until=None, refresh_started_at=None)

    def _wait(self, error: TemporaryError) -> None:
        backoff = min(2.0**self.grant.failures, LONGEST_BACKOFF_SECONDS) * random.uniform(0.7, 1.3)
        values = {
            "lease_until": None,
            "failures": min(self.grant.failures + 1, 30),
            "not_before": Now() + timedelta(seconds=max(error.retry_after or 0, backoff)),
        }
        if error.was_sent is not None:
            # Surely not spent. Otherwise `refresh_started_at` stays, and the sweeper sends the same token again while
            # the provider's leeway lasts.
            values["refresh_started_at"] = None
        self.mine.update(**values)

    def _store(self, tokens: Tokens) -> AccessToken | None:
        """Commit the new pair, then hand it out. None when it lost the race; then it is kept as the sibling."""
        grant = self.grant
        old_refresh = grant.refresh_token_sealed
        values = {
            "access_token_sealed": grant.seal("access_token", tokens.access),
            "refresh_token_sealed": grant.seal("refresh_token", tokens.refresh) if tokens.refresh else old_refresh,
            "sibling_token_sealed": "",
            "expires_at": clock.now() + timedelta(seconds=tokens.expires_in),
            "scopes": tokens.scopes or grant.scopes,
            "lease_until": None,
            "refresh_started_at": None,
            "not_before": None,
            "failures": 0,
            "refreshed_at": Now(),
            # Whoever read the row while the lease was held must not take it for unchanged once the lease is gone.
            "version": F("version") + 1,
        }
        give_up_at = time.monotonic() + STORE_FOR_SECONDS
        while True:
            try:
                failpoint("refresh.storing")
                if self.mine.update(**values):
                    return AccessToken(tokens.access, str(values["access_token_sealed"]))
                if tokens.refresh:
                    sibling = grant.seal("sibling_token", tokens.refresh)
                    Grant.objects.filter(pk=grant.pk).update(sibling_token_sealed=sibling)
                return None
            except DatabaseError:
                # The provider has rotated already: losing this answer would cost the consent.
                if time.monotonic() > give_up_at:
                    raise
                close_old_connections()
                time.sleep(0.5)
