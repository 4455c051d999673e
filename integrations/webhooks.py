"""Deliveries of providers: verified, stored, committed, and only then answered. What they mean is found out later.

A delivery is for the connections whose registrations it names, at the site that it comes from; one to an address that
was made by hand is for that connection alone. Each gets an event of its own, and what was told before, by whichever
way, counts once.
"""

import hashlib
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connections
from django.db.models import F, Q, Value
from django.db.models.functions import Now

from integrations import clock, payloads, providers
from integrations.database import delete_in_batches, writing
from integrations.failpoints import failpoint
from integrations.mailbox import Mailbox
from integrations.models import (
    Connection,
    Delivery,
    Event,
    OAuthApp,
    RefusedDeliveries,
    Registration,
    SiteWebhook,
    Subscription,
)
from integrations.providers.base import Delivered, Feed, Happening, NotHeard, Provider
from integrations.remember import Remembered
from integrations.together import Together

logger = logging.getLogger(__name__)

# Deliveries under way when a client secret changes are signed with the one before; the sender repeats for an hour.
PREVIOUS_SECRET = timedelta(days=1)
# Between asking for a registration and knowing its id, deliveries may come that name it.
ASKING = timedelta(minutes=2)
# The time of the last delivery is written that often at most.
A_WHILE = timedelta(seconds=10)
BATCH = 200
TRIES = 3


@dataclass(frozen=True)
class Door:
    """An address that deliveries come to: an app's, or one that was made by hand for a connection."""

    provider_slug: str
    # Whose allowance it uses: the project's, or that of the deployment's own app.
    tenant_id: uuid.UUID
    app_id: uuid.UUID | None = None
    site_webhook_id: uuid.UUID | None = None

    @property
    def id(self) -> uuid.UUID:
        found = self.app_id or self.site_webhook_id
        assert found is not None
        return found


@dataclass(frozen=True)
class Answer:
    status: int
    code: str = ""
    message: str = ""


# At the door --------------------------------------------------------------------------------------------------------

_doors: Remembered[dict[tuple[str, str], Door]] = Remembered()
_secrets: Remembered[tuple[str, ...]] = Remembered()


def find_door(provider_slug: str, token: str, *, by_hand: bool = False) -> Door | None:
    """Return who an address belongs to. Unknown ones cost no query: all that exist are known."""
    known = _doors.get("all")
    if known is None:
        known = _doors.keep("all", _all_doors())
    return known.get((f"{provider_slug}/site" if by_hand else provider_slug, token))


def _all_doors() -> dict[tuple[str, str], Door]:
    doors = {}
    for pk, slug, token, project in OAuthApp.objects.values_list("pk", "provider", "webhook_token", "project_id"):
        doors[slug, token] = Door(slug, project or pk, app_id=pk)
    found = SiteWebhook.objects.values_list("pk", "connection__integration__provider_slug", "token", "project_id")
    for pk, slug, token, project in found:
        doors[f"{slug}/site", token] = Door(slug, project, site_webhook_id=pk)
    return doors


def receive(door: Door, headers: Mapping[str, str], body: bytes) -> Answer:
    """Take a delivery. Header names are in lower case. Raises DatabaseError where it could not be stored."""
    provider = providers.get(door.provider_slug)
    if not _is_genuine(provider, door, headers, body):
        _refused(door, "The signature is missing or wrong.")
        return Answer(401, "bad_signature", "The signature is missing or wrong.")
    assert provider.webhooks is not None
    problem, told = "", None
    try:
        told = payloads.decode(body)
    except ValueError as error:
        problem = str(error)
    delivered = provider.webhooks.identify(headers, told)
    delivery = Delivery(
        app_id=door.app_id,
        site_webhook_id=door.site_webhook_id,
        provider_slug=door.provider_slug,
        key=_key(door, delivered, body),
        site=delivered.site[:300],
        # As an expression: PostgreSQL then gets rows of values, which costs half of what arrays of JSON texts cost.
        body=Value(payloads.readable(body)),
        repetition=delivered.repetition,
    )
    failpoint("webhook.before_commit")
    _store(delivery)
    failpoint("webhook.committed")
    _mailbox.post(door.tenant_id, delivery.pk)
    return Answer(400, "bad_body", f"The body cannot be read. {problem}") if problem else Answer(200)


def _is_genuine(provider: Provider, door: Door, headers: Mapping[str, str], body: bytes) -> bool:
    if provider.webhooks is None:
        return False
    known = _secrets.get(door.id)
    if known is None:
        known = _secrets.keep(door.id, _secrets_of(door))
    if door.app_id:
        return provider.webhooks.is_genuine(headers, body, known)
    return bool(known) and provider.webhooks.is_from_site(headers, body, known[0])


def _secrets_of(door: Door) -> tuple[str, ...]:
    if door.site_webhook_id:
        webhook = SiteWebhook.objects.filter(pk=door.site_webhook_id).first()
        return (webhook.open("secret"),) if webhook else ()
    app = OAuthApp.objects.filter(pk=door.id).first()
    if app is None or not app.client_secret_sealed:
        return ()
    changed_just_now = app.secret_set_at is not None and clock.now() - app.secret_set_at < PREVIOUS_SECRET
    previous = (app.open("previous_secret"),) if app.previous_secret_sealed and changed_just_now else ()
    return (app.open("client_secret"), *previous)


def _key(door: Door, delivered: Delivered, body: bytes) -> str:
    """Return what repetitions of a delivery have in common; without an identifier that is the whole body."""
    name = delivered.identifier or hashlib.sha256(body).hexdigest()
    return hashlib.sha256(f"{door.id}|{delivered.site}|{name}".encode()).hexdigest()


def _store_all(deliveries: list[Delivery]) -> list[None]:
    with writing():
        Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    return [None] * len(deliveries)


_store = Together(_store_all)


def _task() -> Any:
    from integrations import tasks

    return tasks.handle_webhook


_mailbox = Mailbox(_task)


class _Refusals:
    """Counts what was turned away; a flood of it makes a write a second, not one each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Door] = Counter()
        self._reason = ""
        self._written_at = -1.0
        self._timer: threading.Timer | None = None

    def note(self, door: Door, reason: str) -> None:
        with self._lock:
            self._counts[door] += 1
            self._reason = reason
            if self._timer is not None:
                return
            if time.monotonic() - self._written_at < 1:
                self._timer = self._later()
                return
        self.flush()

    def _later(self) -> threading.Timer | None:
        timer = threading.Timer(1, self._flush_or_say)
        timer.daemon = True
        timer.start()
        return timer

    def flush(self) -> None:
        """Write what was counted since the last time."""
        with self._lock:
            counts, self._counts, self._timer = self._counts, Counter(), None
            self._written_at = time.monotonic()
        for door, count in counts.items():
            if door.site_webhook_id:
                own = SiteWebhook.objects.filter(pk=door.site_webhook_id)
                own.update(refused_count=F("refused_count") + count, refused_at=Now())
                continue
            defaults = {"last_at": clock.now(), "last_reason": self._reason[:200]}
            RefusedDeliveries.objects.get_or_create(app_id=door.app_id, defaults=defaults)
            RefusedDeliveries.objects.filter(app_id=door.app_id).update(count=F("count") + count, **defaults)

    def _flush_or_say(self) -> None:
        try:
            self.flush()
        except DatabaseError as error:
            logger.warning("refused deliveries are not counted: %s", type(error).__name__)
        finally:
            connections.close_all()


_refusals = _Refusals()


def _refused(door: Door, reason: str) -> None:
    logger.warning("a delivery to %s was refused: %s", door.provider_slug, reason)
    _refusals.note(door, reason)


# What it means ------------------------------------------------------------------------------------------------------


def handle(*delivery_ids: uuid.UUID) -> list[Event]:
    """Make the events of these deliveries, once, and return those that are to be dispatched."""
    for _ in range(TRIES):
        # Two workers may hear the same by two ways at one moment; the slower one then finds what the other stored.
        with suppress(IntegrityError):
            return _handle(delivery_ids)
    return _handle(delivery_ids)


def _handle(delivery_ids: tuple[uuid.UUID, ...]) -> list[Event]:
    with writing(can_be_redone=True):
        waiting = Delivery.objects.waiting().filter(pk__in=delivery_ids).order_by("pk")
        deliveries = list(waiting.select_for_update(skip_locked=True))
        told = {delivery.pk: _decoded(delivery) for delivery in deliveries}
        targets = _targets(deliveries, told)
        events: list[Event] = []
        handled = []
        for delivery in deliveries:
            found = targets[delivery.pk]
            if not found and _may_be_asked_for(delivery, told[delivery.pk]):
                continue
            handled.append(delivery.pk)
            events += _events(delivery, told[delivery.pk], found)
        stored = store(events)
        Delivery.objects.filter(pk__in=handled).update(state=Delivery.State.HANDLED)
    return [event for event in stored if event.state == Event.State.RECEIVED]


@dataclass(frozen=True)
class _Told:
    body: Any = None
    delivered: Delivered = field(default_factory=Delivered)
    problem: str = ""


def _decoded(delivery: Delivery) -> _Told:
    webhooks = providers.get(delivery.provider_slug).webhooks
    try:
        body = payloads.decode(delivery.body.encode())
    except ValueError as error:
        return _Told(problem=f"The body cannot be read. {error}")
    return _Told(body, webhooks.identify({}, body)) if webhooks else _Told(problem="The provider sends nothing.")


def site_key(url: str) -> str:
    """Return a site's address as deliveries are compared with it."""
    return url.rstrip("/").lower()


REGISTERED = ("app_id", "site", "provider_id", "connection_id", "connection__site_url")


def _targets(deliveries: list[Delivery], told: Mapping[uuid.UUID, _Told]) -> dict[uuid.UUID, list[Connection]]:
    """Return the connections that each delivery is for."""
    addresses = [delivery.site_webhook_id for delivery in deliveries if delivery.site_webhook_id]
    made_by_hand = SiteWebhook.objects.filter(pk__in=addresses).values_list(
        "pk", "connection_id", "connection__site_url"
    )
    by_hand = {pk: (connection_id, url) for pk, connection_id, url in made_by_hand}
    wanted = Q(pk=None)
    for delivery in deliveries:
        ids = told[delivery.pk].delivered.registrations
        if delivery.app_id and ids and delivery.site:
            wanted |= Q(app=delivery.app_id, site=delivery.site, provider_id__in=ids)
    rows = Registration.objects.filter(wanted).values_list(*REGISTERED) if len(wanted) > 1 else ()
    # A connection that has moved to another site hears nothing of the old one.
    registered = {(app, site, name): pk for app, site, name, pk, url in rows if site_key(url) == site}
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for delivery in deliveries:
        if delivery.site_webhook_id:
            owner = by_hand.get(delivery.site_webhook_id)
            is_its_site = owner and (not delivery.site or delivery.site == site_key(owner[1]))
            found[delivery.pk] = [owner[0]] if owner and is_its_site else []
            continue
        keys = [(delivery.app_id, delivery.site, each) for each in told[delivery.pk].delivered.registrations]
        found[delivery.pk] = list(dict.fromkeys(registered[key] for key in keys if key in registered))
    connections = Connection.objects.remembered({pk for each in found.values() for pk in each})
    return {delivery: [connections[pk] for pk in each if pk in connections] for delivery, each in found.items()}


def _may_be_asked_for(delivery: Delivery, told: _Told) -> bool:
    """Is a registration being made at this moment that the delivery may be for?"""
    if not delivery.app_id or not told.delivered.registrations:
        return False
    asking = Registration.objects.filter(app=delivery.app_id, site=delivery.site, provider_id="")
    return asking.filter(created_at__gt=Now() - ASKING).exists()


def _events(delivery: Delivery, told: _Told, connections: list[Connection]) -> Iterable[Event]:
    source = Event.Source.HAND if delivery.site_webhook_id else Event.Source.WEBHOOK
    if not connections:
        yield from _stray(delivery, told, source)
        return
    try:
        happening, reason = _happening(delivery, told), ""
        if delivery.site_webhook_id and happening.at and happening.at < clock.now() - _remembered():
            # Its signature holds for ever, and what it told may be forgotten.
            reason = "It is older than what is remembered here, so it may be a repetition."
    except NotHeard as error:
        happening, reason = None, str(error)
    for connection in connections:
        yield event_of(connection, happening, source, delivery=delivery, reason=reason, body=told.body)


def _stray(delivery: Delivery, told: _Told, source: str) -> Iterable[Event]:
    """Yield the event of a delivery that is for nobody, where it can be told whose page it belongs on."""
    app = OAuthApp.objects.filter(pk=delivery.app_id).first() if delivery.app_id else None
    webhook = SiteWebhook.objects.filter(pk=delivery.site_webhook_id).first() if delivery.site_webhook_id else None
    project_id = (app.project_id if app else None) or (webhook.project_id if webhook else None)
    if project_id is None:
        logger.info("a delivery to the development keys' app is for no registration")
        return
    if told.problem:
        state, reason = Event.State.FAILED, told.problem
    elif webhook:
        state, reason = Event.State.IGNORED, "It comes from another site than this connection's."
    else:
        state, reason = Event.State.IGNORED, _why_stray(delivery, told)
    yield Event(
        project_id=project_id,
        connection_id=webhook.connection_id if webhook else None,
        source=source,
        name=_name(told.body),
        payload={"raw": told.body},
        delivery=delivery,
        state=state,
        reason=reason[:300],
    )


def _why_stray(delivery: Delivery, told: _Told) -> str:
    if not told.delivered.registrations:
        return "It names no registration, so it is for nobody."
    return f"No registration of ours at {delivery.site or 'an unknown site'} has the ID it names."


def _happening(delivery: Delivery, told: _Told) -> Happening:
    webhooks = providers.get(delivery.provider_slug).webhooks
    if webhooks is None or told.problem:
        raise NotHeard(told.problem)
    return webhooks.read(told.body)


def _name(body: Any) -> str:
    found = body.get("webhookEvent") if isinstance(body, Mapping) else None
    return str(found or "")[:120]


def event_of(
    connection: Connection,
    happening: Happening | None,
    source: str,
    *,
    delivery: Delivery | None = None,
    reason: str = "",
    body: Any = None,
) -> Event:
    """Return an event that is not stored yet; one with a reason is ignored."""
    event = Event(
        project_id=connection.project_id,
        connection=connection,
        sub=connection.user.sub,
        source=source,
        delivery=delivery,
        name=happening.trigger if happening else _name(body),
        payload=dict(happening.payload) if happening else {"raw": body},
        state=Event.State.IGNORED if reason else Event.State.RECEIVED,
        reason=reason[:300],
    )
    if happening:
        event.key, event.subject = key_of(connection, happening), happening.subject[:120]
        event.happened_at = happening.at
    return event


def key_of(connection: Connection, happening: Happening) -> str:
    """Return what counts once for a connection. Ids are a site's own, and a connection may move to another."""
    return f"{happening.key}@{site_key(connection.site_url).partition('://')[2]}"[:200]


def store(events: list[Event]) -> list[Event]:
    """Store events inside a transaction of the caller's. What was told before is ignored, and says so."""
    told = [event for event in events if event.key and event.source in Event.TOLD]
    subscriptions = _subscriptions(told)
    _judge(told, subscriptions)
    _ignore_known([event for event in events if event.key])
    Event.objects.bulk_create(events)
    _note_delivered(told, subscriptions)
    return events


Subscriptions = Mapping[tuple[uuid.UUID | None, str], Subscription]


def _subscriptions(events: list[Event]) -> Subscriptions:
    """Return what listens to these, by connection and feed."""
    if not events:
        return {}
    found = Subscription.objects.filter(connection__in={event.connection_id for event in events}).order_by("pk")
    if any(_feed_of(event).by_hand for event in events):
        # Two deliveries about one project at once, or one beside a comparison, must not overwrite each other's memory.
        found = found.select_for_update()
    return {(each.connection_id, each.feed): each for each in found}


def _judge(events: list[Event], subscriptions: Subscriptions) -> None:
    """Ignore what nobody listens to, and what the feed's memory knows already."""
    for event in events:
        feed = _feed_of(event)
        subscription = subscriptions.get((event.connection_id, feed.slug))
        if subscription is None or event.name not in subscription.triggers:
            _ignore(event, "Nobody listens to it.")
            continue
        cursor = feed.absorb(subscription.cursor, event.happening)
        if cursor is None:
            _ignore(event, "Reading has told this already.")
            event.is_repetition = True
        elif cursor is not subscription.cursor:
            subscription.cursor = dict(cursor)
            Subscription.objects.filter(pk=subscription.pk).update(cursor=subscription.cursor)


def _feed_of(event: Event) -> Feed:
    assert event.connection is not None
    feed = event.connection.integration.provider.feed_of(event.name)
    assert feed is not None
    return feed


def _ignore(event: Event, reason: str) -> None:
    event.state, event.reason, event.key = Event.State.IGNORED, reason, ""


def _ignore_known(events: list[Event]) -> None:
    if not events:
        return
    known: dict[tuple[uuid.UUID | None, str], Event] = {}
    found = Event.objects.telling({event.connection_id for event in events}, {event.key for event in events})
    for event in found.only("connection_id", "key", "source", "created_at"):
        known[event.connection_id, event.key] = event
    for event in events:
        before = known.setdefault((event.connection_id, event.key), event)
        if before is not event:
            at = f" at {before.created_at:%Y-%m-%d %H:%M:%S}" if before.created_at else ""
            _ignore(event, f"It was told before{at}: {before.get_source_display()}.")
            event.is_repetition = True


def _note_delivered(events: list[Event], subscriptions: Subscriptions) -> None:
    """Remember when the provider last told anything, for the pages and for the watch over silence."""
    for key in {(event.connection_id, _feed_of(event).slug) for event in events} & set(subscriptions):
        subscription = subscriptions[key]
        own = Subscription.objects.filter(pk=subscription.pk)
        if subscription.delivered_at is None or subscription.delivered_at < clock.now() - A_WHILE:
            own.update(delivered_at=Now())
        if subscription.way == Subscription.Way.POLL:
            own.ask()  # It was taken for deaf: now it is told at once again.
    # Of a webhook made by hand only what it is for counts: its administrator may have ticked more.
    meant = [event.delivery for event in events if event.delivery and _feed_of(event).by_hand]
    by_hand = {delivery.site_webhook_id for delivery in meant if delivery.site_webhook_id}
    if by_hand:
        SiteWebhook.objects.filter(pk__in=by_hand).update(delivered_at=Now())


def _remembered() -> timedelta:
    return timedelta(days=settings.RUN_LOG_DAYS)


def prune() -> int:
    """Delete old deliveries that were handled, a batch at a time. Return how many."""
    old = Delivery.objects.filter(created_at__lt=Now() - _remembered())
    old = old.exclude(state=Delivery.State.WAITING)
    return delete_in_batches(old)
