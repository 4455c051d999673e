"""Keep what a provider sends equal to what is wanted: one registration a connection and feed, made, widened without a
gap, renewed, verified, and removed when nobody listens.

What we wrote down is not trusted: registrations vanish and expire behind our back, and a process that dies half-way
leaves one that nobody knows of. So each look begins with what the provider itself lists.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from integrations import clock
from integrations.errors import PermanentError
from integrations.failpoints import failpoint
from integrations.models import Connection, Registration
from integrations.provider_api import ProviderApi
from integrations.providers.base import Hook, Registering, Wish
from integrations.webhooks import ASKING, site_key

logger = logging.getLogger(__name__)

Plan = tuple[tuple[str, ...], str]


@dataclass
class Outcome:
    """What stands now, and why something may have been missed meanwhile ("" where nothing was)."""

    registration: Registration
    gap: str = ""
    words: str = ""


@dataclass
class _Look:
    connection: Connection
    feed: str
    api: ProviderApi
    registering: Registering
    hooks: dict[str, Hook] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = self.connection.grant.app
        self.site = site_key(self.connection.site_url)

    def see(self) -> None:
        self.hooks = {hook.id: hook for hook in self.registering.hooks(self.api)}

    def rows(self) -> list[Registration]:
        """Return what we believe to have registered."""
        return list(Registration.objects.live().filter(connection=self.connection, feed=self.feed))

    def is_here(self, row: Registration) -> bool:
        """Does it belong to the app and the site that the connection has now?"""
        return (row.app_id, row.site) == (self.app.pk, self.site)


def reconcile(
    connection: Connection, feed: str, api: ProviderApi, registering: Registering, wishes: list[Wish]
) -> Outcome:
    """Make the provider send what is wished for, and nothing else. Raises ProviderError.

    A PermanentError says that it cannot be had: not with this account, not at this address, not within its limits.
    """
    look = _Look(connection, feed, api, registering)
    look.see()
    rows, now = look.rows(), clock.now()
    plans = registering.plans(wishes)
    has_moved = _remove_moved(look)
    alive = [row for row in rows if look.is_here(row) and row.provider_id in look.hooks]
    gap = "" if len(alive) == len(rows) or alive else "The registration was gone."
    gap = "The address of this server has changed." if has_moved else gap
    kept = next((row for row in alive if _fits(row, look.hooks[row.provider_id], plans)), None)
    if kept is None:
        # The new one first: until it stands the old one goes on telling.
        kept = _make(look, plans, replaceable=alive)
    else:
        gap = _renew(look, kept, now) or gap
    _end([row for row in rows if row.pk != kept.pk], look)
    _remove_strangers(look)
    name = connection.integration.provider.name
    words = f"{name} refused “{kept.instead_of[:100]}”, so it sends all, and it is sorted out here."
    return Outcome(kept, gap, words if kept.instead_of else "")


def _fits(row: Registration, hook: Hook, plans: list[Plan]) -> bool:
    events, wanted = plans[0]
    if set(hook.events or row.events) != set(events):
        return False
    return row.filter == wanted or (row.instead_of == wanted and (events, row.filter) in plans)


def _renew(look: _Look, row: Registration, now: datetime) -> str:
    """Keep a registration alive, and write down that it was seen. Return why something may have been missed."""
    expires_at = look.hooks[row.provider_id].expires_at or row.expires_at
    has_expired = expires_at is not None and expires_at <= now
    if expires_at is None or expires_at - now < look.registering.keeps_for / 3:
        expires_at = look.registering.renew(look.api, [row.provider_id])
    Registration.objects.filter(pk=row.pk).update(expires_at=expires_at, verified_at=Now())
    row.expires_at = expires_at
    return "The registration had expired." if has_expired else ""


def _make(look: _Look, plans: list[Plan], replaceable: list[Registration]) -> Registration:
    _remove_strangers(look)
    if len(look.hooks) >= look.registering.most and replaceable:
        # There is no room for both, so that there is a gap for a moment; reading fills it.
        _delete(look, [row.provider_id for row in replaceable])
    refused = ""
    for number, plan in enumerate(plans):
        try:
            return _ask(look, plan, instead_of=plans[0][1] if number else "")
        except PermanentError as error:
            refused = refused or str(error)
    raise PermanentError(refused, was_sent=True)


def _ask(look: _Look, plan: Plan, instead_of: str) -> Registration:
    events, filter_ = plan
    # Stored before it is asked for: a delivery that is faster than the answer waits for it.
    row = Registration.objects.create(
        connection=look.connection,
        app=look.app,
        site=look.site,
        feed=look.feed,
        events=list(events),
        filter=filter_,
        instead_of=instead_of,
    )
    try:
        failpoint("register.before")
        hook = look.registering.create(look.api, look.app.webhook_url, events, filter_)
        failpoint("register.done")
    except PermanentError:
        row.delete()
        raise
    # An id may come again after the site has forgotten what had it.
    Registration.objects.filter(app=look.app, site=look.site, provider_id=hook.id).delete()
    row.provider_id, row.expires_at = hook.id, hook.expires_at
    row.verified_at = clock.now()
    row.save(update_fields=["provider_id", "expires_at", "verified_at"])
    look.hooks[hook.id] = hook
    return row


def _end(rows: list[Registration], look: _Look) -> None:
    """Have the provider forget registrations, and remember them a while: what they told may still be on its way."""
    _delete(look, [row.provider_id for row in rows if look.is_here(row) and row.provider_id in look.hooks])
    Registration.objects.filter(pk__in=[row.pk for row in rows], provider_id="").delete()
    Registration.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=Now())


def _delete(look: _Look, ids: list[str]) -> None:
    if ids:
        look.registering.delete(look.api, ids)
        look.hooks = {key: hook for key, hook in look.hooks.items() if key not in ids}


def _remove_moved(look: _Look) -> bool:
    """Have the provider forget what we registered when this server had another address: an app has one at a time."""
    moved = [hook.id for hook in look.hooks.values() if hook.url and hook.url != look.app.webhook_url]
    here = Registration.objects.live().filter(app=look.app, site=look.site, provider_id__in=moved)
    known = list(here.values_list("provider_id", flat=True))
    _delete(look, known)
    return bool(known)


def _remove_strangers(look: _Look) -> None:
    """Have the provider forget what has our address and nobody knows: a process died between asking and storing."""
    here = Registration.objects.live().filter(app=look.app, site=look.site)
    being_asked_for = here.filter(Q(provider_id="") & Q(created_at__gt=Now() - ASKING))
    if being_asked_for.exists():
        return
    known = set(here.values_list("provider_id", flat=True))
    strangers = [hook.id for hook in look.hooks.values() if hook.url == look.app.webhook_url and hook.id not in known]
    if strangers:
        logger.info("removing %d registrations that nobody knows of", len(strangers))
        _delete(look, strangers)


def end_all(connection: Connection, feed: str, api: ProviderApi, registering: Registering) -> None:
    """Have the provider forget all that was registered for a connection and feed. Raises ProviderError."""
    look = _Look(connection, feed, api, registering)
    rows = look.rows()
    if not rows:
        return
    look.see()
    _end(rows, look)
    _remove_strangers(look)


def prune() -> int:
    """Forget registrations that ended long ago, and those that were asked for by a process that died."""
    died = Registration.objects.filter(provider_id="", created_at__lt=Now() - timedelta(hours=1))
    return Registration.objects.long_ended().delete()[0] + died.delete()[0]
