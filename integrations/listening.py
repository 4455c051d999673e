"""How a connection hears of its triggers: told by the provider where that can be had, read where it cannot.

`tend` is called again and again for each subscription. It asks who listens, has the provider send just that, and reads
what was not told: all of it where nothing is told, and what an outage left out where something is.
"""

import logging
import random
import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q
from django.db.transaction import on_commit

from integrations import clock, extension, registrations, webhooks
from integrations.database import writing
from integrations.errors import NeedsReconnect, PermanentError, ProviderError, RateLimited, TemporaryError
from integrations.models import Connection, Event, Integration, Registration, SiteWebhook, Subscription
from integrations.owners import owner_name
from integrations.provider_api import ProviderApi
from integrations.providers.base import Feed, Happening, Reading, Wish

logger = logging.getLogger(__name__)

Way = Subscription.Way
LEASE_SECONDS = 180
DEADLINE_SECONDS = 120
LATER = timedelta(hours=1)
LONGEST_BACKOFF = 3600
STOP_SECONDS = 8
# Of more the sweeper hears, a few at a time.
HINTED = 20
# What is told may be under way so long; only what is older counts as not told.
ON_ITS_WAY = timedelta(minutes=2)
# A registration that has said nothing in its first minutes, while things happened, is deaf.
DEAF_AFTER = timedelta(minutes=2)
FURTHEST = timedelta(days=29)
ROUTINE = "It was time to read."
SILENT = (
    "The webhook made by hand did not tell of what happened, so that this is read. Look in the site’s settings whether"
    " it is still there, switched on, and has this address and secret."
)


def ask(connection_ids: Iterable[uuid.UUID], feed: str) -> None:
    """Have it looked at soon what these connections hear of a feed: somebody began or ceased to listen."""
    from integrations import tasks

    found = Connection.objects.filter(pk__in=list(connection_ids)).values_list("pk", "project_id")
    now = clock.now()
    wanted = [Subscription(connection_id=pk, project_id=project, feed=feed, due_at=now) for pk, project in found]
    Subscription.objects.bulk_create(wanted, ignore_conflicts=True, batch_size=500)
    own = Subscription.objects.filter(connection__in=[each.connection_id for each in wanted], feed=feed)
    own.ask()
    if len(wanted) <= HINTED:
        ids = [str(pk) for pk in own.values_list("pk", flat=True)]
        on_commit(lambda: [tasks.hint(tasks.tend_subscription, pk) for pk in ids])


def ask_all(connection: Connection) -> None:
    """Have all looked at soon that a connection hears, or should hear: it was reconnected, say."""
    provider = connection.integration.provider
    feeds = [provider.feed_of(wish.trigger) for wish in extension.installed().wishes(connection)]
    wanted = {feed.slug for feed in feeds if feed}
    for slug in wanted.union(connection.subscriptions.values_list("feed", flat=True)):
        ask([connection.pk], slug)


def ask_everybody(integration: Integration) -> None:
    """Have it looked at soon what each connection of an integration hears. The sweeper takes them a few at a time."""
    Subscription.objects.filter(connection__integration=integration).ask()


def stop(connection: Connection) -> None:
    """Have the provider forget a connection that is about to be removed; where it does not answer, it forgets alone."""
    if not connection.is_healthy:
        return
    api = ProviderApi(connection, time.monotonic() + STOP_SECONDS, is_upkeep=True)
    for feed in connection.integration.provider.feeds:
        if feed.registering:
            try:
                registrations.end_all(connection, feed.slug, api, feed.registering)
            except ProviderError as error:
                logger.info("registrations were left to expire: %s", error)


# One look -----------------------------------------------------------------------------------------------------------


def tend(subscription_id: uuid.UUID) -> None:
    """Look at a subscription that is due, and nobody else is looking at."""
    subscription = Subscription.objects.claim(subscription_id, owner_name(), LEASE_SECONDS)
    if subscription is None:
        return
    feed = subscription.told_by
    if feed is None:
        subscription.delete()  # The provider has no such feed any more.
        return
    look = _Look(subscription, feed)
    try:
        look.go()
    except RateLimited as error:
        look.again_in(error.retry_after or 60)
    except TemporaryError as error:
        look.failed(str(error), error.retry_after)
    except NeedsReconnect as error:
        look.lost(str(error))
    except PermanentError as error:
        look.failed(str(error))
    except Exception:
        look.failed("Something went wrong here; the log of the server says what.")
        raise
    finally:
        look.release()


class _Look:
    def __init__(self, subscription: Subscription, feed: Feed) -> None:
        self.subscription, self.feed, self.connection = subscription, feed, subscription.connection
        self.now = clock.now()
        self.api = ProviderApi(self.connection, time.monotonic() + DEADLINE_SECONDS, is_upkeep=True)
        self.changes: dict[str, Any] = {}
        self.due_at: datetime | None = self.now + LATER
        self.is_over = False
        self.way: str = Way.NONE
        self.has_more = False
        self.registration: Registration | None = None

    def go(self) -> None:
        if not self.connection.is_healthy:
            self.lost(self.connection.health_reason or "The account must be connected again.")
            return
        if not self.connection.integration.is_active:
            self.lost(f"{self.api.provider.name} is not active in this project.")
            return
        wishes = [
            wish
            for wish in extension.installed().wishes(self.connection)
            if any(trigger.slug == wish.trigger for trigger in self.feed.triggers)
        ]
        if not wishes:
            self._end()
            return
        heard = [wish for wish in wishes if not self._missing(wish)]
        if not heard:
            self._lack(wishes)
            return
        self._note_triggers(heard)
        gap = self._register(heard) or self.subscription.unread.removeprefix(ROUTINE)
        if self._must_read(gap):
            self._read(heard, gap)
        self.changes |= {"error": "", "error_at": None, "failures": 0}
        self.due_at = self._next()

    def release(self) -> None:
        if not self.is_over:
            self.subscription.release(self.due_at, **self.changes)

    # Failures

    def again_in(self, seconds: float) -> None:
        self.due_at = self.now + timedelta(seconds=max(seconds, 1))

    def failed(self, words: str, retry_after: float | None = None) -> None:
        failures = self.subscription.failures + 1
        self.changes |= {"error": words[:500], "error_at": self.now, "failures": failures}
        self.again_in(max(retry_after or 0, _scaled(min(30 * 2 ** min(failures, 10), LONGEST_BACKOFF))))

    def lost(self, words: str) -> None:
        """Nothing can be heard until somebody does something about it; then it is looked at again at once."""
        self.changes |= {"way": Way.NONE, "error": words[:500], "error_at": self.now}
        self.due_at = self.now + LATER

    # Who listens

    def _missing(self, wish: Wish) -> list[str]:
        """Return the scopes without which a wish cannot be granted. Without that for registering it can: by polling."""
        trigger = self.api.provider.trigger(wish.trigger)
        fine = set(self.connection.grant.scopes)
        if self.feed.registering:
            fine |= set(self.feed.registering.scopes)
        return [scope for scope in (trigger.needs(wish.filters) if trigger else ()) if scope not in fine]

    def _lack(self, wishes: list[Wish]) -> None:
        missing = sorted({scope for wish in wishes for scope in self._missing(wish)})
        words = f"The account has not granted {', '.join(missing)}. Add it in Settings, and let the user reconnect."
        self.changes |= {"triggers": {}}
        self.lost(words)

    def _end(self) -> None:
        """Nobody listens any more."""
        if self.feed.registering:
            try:
                registrations.end_all(self.connection, self.feed.slug, self.api, self.feed.registering)
            except (TemporaryError, RateLimited):
                if self.subscription.failures < 5:
                    raise
        mine = Subscription.objects.filter(pk=self.subscription.pk, lease_owner=self.subscription.lease_owner)
        if mine.filter(asked=self.subscription.asked).delete()[0]:
            self.is_over = True
        self.changes |= {"triggers": {}, "way": Way.NONE, "words": "", "heard_until": None}
        self.due_at = self.now

    def _note_triggers(self, wishes: list[Wish]) -> None:
        """Write down what is wanted before it is asked for: the first delivery may be faster than our next line."""
        before, since = self.subscription.triggers, self.now.isoformat()
        triggers = {wish.trigger: before.get(wish.trigger, since) for wish in wishes}
        heard_until = self.subscription.heard_until or self.now
        if triggers != before or self.subscription.heard_until is None:
            mine = Subscription.objects.filter(pk=self.subscription.pk, lease_owner=self.subscription.lease_owner)
            mine.update(triggers=triggers, heard_until=heard_until)
            self.subscription.triggers, self.subscription.heard_until = triggers, heard_until

    # What is told

    def _register(self, wishes: list[Wish]) -> str:
        """Have the provider tell, where it does; settle the way. Return why something may have been missed."""
        by_hand = SiteWebhook.objects.filter(connection=self.connection, feed=self.feed.slug)
        newest = by_hand.exclude(delivered_at=None).order_by("-delivered_at").first()
        if newest and newest.delivered_at:
            self._trust(newest.delivered_at)
            return ""
        registering = self.feed.registering
        if registering is None:
            self._go_by(Way.POLL, "")  # Reading says how it is read.
            return ""
        missing = [scope for scope in registering.scopes if scope not in self.connection.grant.scopes]
        if missing:
            words = f"The account has not granted {', '.join(missing)}, so that nothing is told at once."
            self._go_by(Way.POLL, words)
            return ""
        try:
            outcome = registrations.reconcile(self.connection, self.feed.slug, self.api, registering, wishes)
        except PermanentError as error:
            self._go_by(Way.POLL, str(error))
            return ""
        self.registration = outcome.registration
        told_since = self.subscription.delivered_at is not None and (
            self.subscription.delivered_at >= outcome.registration.created_at
        )
        if self.subscription.words == registering.deaf and registering.deaf and not told_since:
            self._go_by(Way.POLL, registering.deaf)
        else:
            self._go_by(Way.WEBHOOK, outcome.words)
        return outcome.gap

    def _trust(self, delivered_at: datetime) -> None:
        """Go by a webhook made by hand, unless something was found since its last delivery that it did not tell."""
        missed_at = self.subscription.gap_until
        if missed_at is None or missed_at < delivered_at:
            self._go_by(Way.HAND, "")
            return
        self._go_by(Way.POLL, SILENT)
        if self.now - missed_at >= _scaled_delta(ON_ITS_WAY):
            self._alert(SILENT, self.subscription.gap_events)

    def _go_by(self, way: str, words: str) -> None:
        self.way = way
        self.changes |= {"way": way, "words": words[:500]}

    # What is read

    def _must_read(self, gap: str) -> bool:
        before = self.subscription
        if self.way == Way.POLL or gap or before.unread or before.read_at is None or self.feed.registering is None:
            return True
        return self.now - before.read_at >= timedelta(seconds=0.9 * _scaled(settings.LISTEN_SECONDS))

    def _read(self, wishes: list[Wish], gap: str) -> None:
        assert self.subscription.heard_until is not None
        since = max(self.subscription.heard_until, self.now - FURTHEST)
        reading = self.feed.read(self.api, since, self.subscription.cursor, wishes)
        settled = clock.now() - ON_ITS_WAY
        found = [each for each in reading.happenings if self._is_wanted(each)]
        if self.way == Way.WEBHOOK and not gap:
            # What is told may be a little late; it is read the next time, if it was not told by then.
            found = [happening for happening in found if happening.at < settled]
        events = self._store(found, reading)
        until = max(since, min(reading.until, settled) if self.way == Way.WEBHOOK else reading.until)
        self.changes |= {"heard_until": until, "read_at": self.now, "every_seconds": reading.every_seconds}
        self.has_more = reading.has_more
        self.changes |= {"unread": (gap or ROUTINE)[:200] if reading.has_more else ""}
        if reading.words and self.way == Way.POLL and not self.changes["words"]:
            self.changes |= {"words": reading.words[:500]}
        if events:
            self.changes |= {"found_at": self.now}
        only_read = {webhooks.key_of(self.connection, each) for each in found if each.is_only_read}
        missed = [event for event in events if event.key not in only_read]
        if (self.way == Way.WEBHOOK and (gap or events)) or (self.way == Way.HAND and missed):
            self._note_gap(since, len(missed), gap)
        extension.installed().dispatch([event for event in events if event.state == Event.State.RECEIVED])

    def _is_wanted(self, happening: Happening) -> bool:
        since = self.subscription.triggers.get(happening.trigger)
        return since is not None and happening.at >= datetime.fromisoformat(since)

    def _store(self, found: list[Happening], reading: Reading) -> list[Event]:
        source = Event.Source.POLL if self.way == Way.POLL else Event.Source.CATCH_UP
        for _ in range(webhooks.TRIES):
            try:
                with writing():
                    self._keep_cursor(reading)
                    by_key = {webhooks.key_of(self.connection, happening): happening for happening in found}
                    known = Event.objects.telling([self.connection.pk], by_key)
                    told = set(known.values_list("key", flat=True))
                    new = {key: happening for key, happening in by_key.items() if key not in told}
                    events = [webhooks.event_of(self.connection, happening, source) for happening in new.values()]
                    return webhooks.store(events)
            except IntegrityError:
                continue  # Told by the provider at this moment; the next look at the ledger shows it.
        return []

    def _keep_cursor(self, reading: Reading) -> None:
        if reading.cursor != self.subscription.cursor:
            Subscription.objects.filter(pk=self.subscription.pk).update(cursor=dict(reading.cursor))

    def _note_gap(self, since: datetime, count: int, reason: str) -> None:
        words = reason or self._untold()
        goes_on = bool(self.subscription.unread)
        self.changes |= {
            "gap_from": self.subscription.gap_from if goes_on else since,
            "gap_until": self.now,
            "gap_events": count + (self.subscription.gap_events if goes_on else 0),
            "gap_reason": words[:200],
        }
        if self.way == Way.HAND:
            return  # A delivery may be on its way; the next look knows.
        registering, registration = self.feed.registering, self.registration
        told = self.subscription.delivered_at
        if count and not reason and registering and registering.deaf and registration:
            is_old = self.now - registration.created_at >= _scaled_delta(DEAF_AFTER)
            if is_old and (told is None or told < registration.created_at):
                self._go_by(Way.POLL, registering.deaf)
        if told is not None and (count or reason):
            self._alert(words, count)

    def _untold(self) -> str:
        return f"{self.api.provider.name} did not tell of what happened."

    def _alert(self, words: str, count: int) -> None:
        """A trigger that used to speak has fallen silent: once a day at most."""
        last = self.subscription.alerted_at
        if last is not None and self.now - last < timedelta(days=1):
            return
        self.changes |= {"alerted_at": self.now}
        more_than = "More than " if self.has_more else ""
        fetched = f"{more_than}{count} event{'' if count == 1 else 's'} had to be fetched afterwards."
        more = fetched if count else "Nothing was missed."
        extension.installed().warn(self.connection, f"{self.feed.title}: {words} {more}")

    # When again

    def _next(self) -> datetime:
        if self.has_more:
            return self.now
        if self.way == Way.WEBHOOK:
            seconds = settings.LISTEN_SECONDS * random.uniform(0.9, 1.1)
        else:
            seconds = self.changes.get("every_seconds", self.subscription.every_seconds)
        return self.now + timedelta(seconds=_scaled(seconds))


def _scaled(seconds: float) -> float:
    return seconds * settings.LISTEN_SCALE


def _scaled_delta(span: timedelta) -> timedelta:
    return span * settings.LISTEN_SCALE


def after_outage() -> None:
    """Have everything that is told looked at: nobody was there to be told."""
    Subscription.objects.filter(Q(way=Way.WEBHOOK) | Q(way=Way.HAND)).ask()
