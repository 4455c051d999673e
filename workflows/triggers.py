"""Triggers of a provider: who listens to what, and which events pass a workflow's filter.

A filter may hold {{settings.project}} and the like, so each connection has its own. What the provider alone can judge
(a query in its own language) is asked of it, once an event for all who listen.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext, ngettext

from integrations import clock, listening
from integrations.errors import PermanentError, ProviderError
from integrations.models import Connection, Event, Subscription
from integrations.provider_api import ProviderApi
from integrations.providers.base import Trigger, Wish
from workflows import engine, expressions
from workflows.definition import hard_scopes, trigger_of
from workflows.expressions import ExpressionError
from workflows.models import Enablement, Run, StepRun, Workflow

KIND = "integration"
# The provider's index may not know yet what it is asked about: asked again so many seconds after the event came in.
ASK_AGAIN = (5, 15, 60)
GIVE_UP_AFTER = timedelta(days=1)
# Clocks of ours and the provider's differ; an effect of ours is told within so much of the time that it took.
SKEW = timedelta(seconds=5)
UNDER_WAY = timedelta(seconds=60)


class Unready(Exception):
    """A filter cannot be filled in for a connection; the message says what is missing."""


def filters_of(trigger: Trigger, given: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filter of a trigger with what its expressions look up. Raises Unready.

    What was written and comes out empty passes nothing: it must not turn into "everything".
    """
    filled: dict[str, Any] = {}
    for key, value in given.items():
        item = trigger.field(key)
        if item is None or value in (None, "", []):
            continue
        try:
            if item.quote is not None and isinstance(value, str) and "{{" in value:
                found = expressions.render_quoted(value, scope, item.quote)
            else:
                found = expressions.render(value, scope)
        except (ExpressionError, PermanentError) as error:
            raise Unready(f"{item.label}: {error}") from error
        if found in (None, "", []):
            raise Unready(f"{item.label} is empty for this user, so nothing passes.")
        filled[key] = found
    return filled


def scope_of(listener: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    user = {"id": listener["connection__user__sub"], "meta": listener["connection__user__meta"]}
    return {"settings": settings, "user": user}


ROOTS = ("settings", "user")
LISTENER = (
    *("pk", "settings", "workflow_id", "workflow__deployed_id"),
    *("connection_id", "connection__settings", "connection__user__sub", "connection__user__meta"),
)


def switched_on() -> QuerySet[Enablement]:
    return Enablement.objects.on().filter(
        workflow__deployed__isnull=False,
        workflow__is_paused=False,
        connection__integration__is_active=True,
        connection__user__disabled_at=None,
    )


def wishes(connection: Connection) -> list[Wish]:
    """Return what is listened to for a connection. A workflow whose filter cannot be filled in yet hears nothing."""
    from workflows.runs import merged_settings

    found = []
    listeners = switched_on().filter(connection=connection, workflow__trigger_type=KIND).order_by("pk")
    for listener in listeners.values(*LISTENER):
        definition = engine.version_of(listener["workflow__deployed_id"]).definition
        given = trigger_of(definition)
        trigger = connection.integration.provider.trigger(str(given.get("name")))
        if trigger is None:
            continue
        settings = merged_settings(definition, listener["connection__settings"], listener["settings"])
        try:
            filters = filters_of(trigger, given.get("input") or {}, scope_of(listener, settings))
        except Unready:
            continue
        found.append(Wish(trigger.slug, filters))
    return found


def changed(workflow: Workflow, before: str = "") -> None:
    """Have it looked at what everybody hears who has this workflow on: what it begins with has changed."""
    provider = workflow.integration.provider
    names = {before, workflow.trigger_name if workflow.trigger_type == KIND else ""} - {""}
    for slug in {feed.slug for name in names if (feed := provider.feed_of(name))}:
        for batch in _batches(workflow):
            listening.ask(batch, slug)


def _batches(workflow: Workflow, size: int = 500) -> Iterable[list[uuid.UUID]]:
    last = 0
    while True:
        rows = Enablement.objects.on().filter(workflow=workflow, pk__gt=last).order_by("pk")
        batch = list(rows.values_list("pk", "connection_id")[:size])
        if batch:
            yield [connection_id for _, connection_id in batch]
        if len(batch) < size:
            return
        last = batch[-1][0]


def switched(workflow: Workflow, connection: Connection) -> None:
    """Have it looked at what a connection hears: it has begun or ceased to listen, or its settings are others."""
    feed = workflow.integration.provider.feed_of(workflow.trigger_name) if workflow.trigger_type == KIND else None
    if feed:
        listening.ask([connection.pk], feed.slug)


def notice(workflow: Workflow, connection: Connection) -> dict[str, Any] | None:
    """Return what the end user should know of a workflow's trigger: {"text", "reconnect": would that help?}."""
    provider = workflow.integration.provider
    trigger = provider.trigger(workflow.trigger_name)
    if trigger is None or workflow.deployed is None:
        return None
    given = trigger_of(workflow.deployed.definition).get("input") or {}
    missing = [scope for scope in trigger.needs(given) if scope not in connection.grant.scopes]
    # Consent brings what was chosen in Settings, so that reconnecting is of no use before it is chosen there.
    helps = bool(missing) and set(missing) <= set(workflow.integration.chosen_scopes())
    if set(missing) & set(hard_scopes(provider, trigger, given)):
        text = gettext("%(provider)s has not been allowed to tell of this (%(scopes)s).")
        return _unheard(text % {"provider": provider.name, "scopes": ", ".join(missing)}, helps)
    if missing:
        text = gettext("Delayed up to 1 minute: %(provider)s has not been allowed to tell of this at once.")
        return _unheard(text % {"provider": provider.name}, helps)
    feed = provider.feed_of(trigger.slug)
    late = connection.subscriptions.filter(feed=feed.slug if feed else "", way=Subscription.Way.POLL).first()
    if late is None:
        return None
    text = ngettext("Delayed up to %(count)s minute.", "Delayed up to %(count)s minutes.", late.minutes)
    return {"text": text % {"count": late.minutes}, "reconnect": False}


def _unheard(text: str, helps: bool) -> dict[str, Any]:
    return {"text": f"{text} {gettext('Reconnect to allow it.')}" if helps else text, "reconnect": helps}


def heal() -> None:
    """Have it looked at what connections hear that should listen and do not: rows were changed past our functions."""
    listening_now = Workflow.objects.deployed().filter(trigger_type=KIND, is_paused=False)
    for workflow in listening_now.select_related("integration"):
        feed = workflow.integration.provider.feed_of(workflow.trigger_name)
        if feed:
            heard = Subscription.objects.filter(feed=feed.slug, connection=OuterRef("connection"))
            deaf = switched_on().filter(workflow=workflow).exclude(Exists(heard))
            listening.ask(deaf.values_list("connection_id", flat=True)[:500], feed.slug)


# Which events pass --------------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """Who an event is for; why it is not for the others; and until when it waits for an answer of the provider."""

    passing: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    ask_again_at: datetime | None = None
    failure: str = ""


def judge(event: Event, listeners: list[dict[str, Any]]) -> Verdict:
    """Sort out who of those that listen to its trigger an event of the provider is for."""
    verdict, asking = Verdict(), []
    for listener in listeners:
        reason, query = _mismatch(event, listener, verdict)
        if reason is None:
            continue
        if reason:
            verdict.reasons.append(reason)
        elif query:
            asking.append((listener, query))
        else:
            verdict.passing.append(listener)
    if asking:
        _ask_provider(event, asking, verdict)
    return verdict


def _mismatch(event: Event, listener: Mapping[str, Any], verdict: Verdict) -> tuple[str | None, str]:
    """Return why an event is not for a listener, "" where it is, None where that shows in a moment; and what the
    provider still has to judge.
    """
    from workflows.runs import merged_settings

    definition = engine.version_of(listener["workflow__deployed_id"]).definition
    given = trigger_of(definition)
    connection = event.connection
    trigger = connection.integration.provider.trigger(event.name) if connection else None
    if trigger is None or connection is None:
        return "Its connection or its trigger is gone.", ""
    options = given.get("options") or {}
    if options.get("skip_own"):
        words, is_open = _why_own(event, connection, trigger)
        if words:
            return words, ""
        if is_open and clock.now() - event.created_at < UNDER_WAY:
            # A step of ours is under way, and what it did shows when it ends.
            verdict.ask_again_at = clock.now() + timedelta(seconds=1)
            return None, ""
    if options.get("skip_late") and _is_late(event):
        return "A later change of the same was dispatched already.", ""
    settings = merged_settings(definition, listener["connection__settings"], listener["settings"])
    try:
        filters = filters_of(trigger, given.get("input") or {}, scope_of(listener, settings))
    except Unready as error:
        return str(error), ""
    return trigger.mismatch(event.happening, filters), trigger.query(filters, event.happening)


def _ask_provider(event: Event, asking: list[tuple[dict[str, Any], str]], verdict: Verdict) -> None:
    connection = event.connection
    assert connection is not None
    webhooks = connection.integration.provider.webhooks
    assert webhooks is not None
    name, age = connection.integration.provider.name, (clock.now() - event.created_at).total_seconds()
    try:
        found = webhooks.matches(ProviderApi(connection), event.happening, [query for _, query in asking])
    except PermanentError as error:
        verdict.failure = f"The filter could not be judged. {error}"
        return
    except ProviderError as error:
        if age > GIVE_UP_AFTER.total_seconds():
            verdict.failure = f"The filter could not be judged. {error}"
        wait = max(getattr(error, "retry_after", None) or 0, min(5 + age, 600))
        verdict.ask_again_at = clock.now() + timedelta(seconds=wait)
        return
    if found is None:
        later = next((seconds for seconds in ASK_AGAIN if seconds > age + 1), None)
        if later is None:
            verdict.failure = f"{name}'s search does not know what it is about, so the filter could not be judged."
        else:
            verdict.ask_again_at = event.created_at + timedelta(seconds=later)
        return
    for (listener, _), reason in zip(asking, found, strict=True):
        if reason:
            verdict.reasons.append(reason)
        else:
            verdict.passing.append(listener)


def _is_late(event: Event) -> bool:
    """Was something later about the same subject dispatched already?"""
    same = Event.objects.about(event.connection_id, event.subject).filter(name=event.name)
    return same.filter(happened_at__gt=event.happened_at, state=Event.State.DISPATCHED).exclude(pk=event.pk).exists()


def _why_own(event: Event, connection: Connection, trigger: Trigger) -> tuple[str, bool]:
    """Return which run of this connection caused an event, in words, "" where none did; and whether that may change.

    A connection acts as its user, so that the account alone tells nothing: what counts is what our steps did, and when.
    """
    if event.happened_at is None or (event.payload.get("by") or {}).get("id") != connection.grant.account_id:
        return "", False
    names = trigger.names(event.payload)
    steps = StepRun.objects.filter(
        run__in=Run.objects.filter(connection=connection.pk, created_at__gt=Now() - timedelta(days=1)),
        type__in=("action", "request"),
        started_at__lte=event.happened_at + SKEW,
    ).exclude(ended_at__lt=event.happened_at - SKEW)
    # A burst may have very many steps in these seconds: only those that speak of it are read.
    said = steps.annotate(asked=Cast("input", TextField()), answered=Cast("output", TextField()))
    speaks = Q(status=StepRun.Status.STARTED)
    for name in names:
        speaks |= Q(asked__contains=name) | Q(answered__contains=name)
    is_open = False
    for step in said.filter(speaks).only("run_id", "input", "output", "status").iterator(chunk_size=100):
        texts = [*_texts(step.input), *_texts(step.output)]
        if names & set(texts) or any(name in path.split("/") for name in names for path in texts if "/" in path):
            return f"A run of this connection caused it ({step.run_id}).", False
        is_open = is_open or step.status == StepRun.Status.STARTED
    return "", is_open


def _texts(value: Any) -> list[str]:
    """Return the texts and numbers that an input or output holds, down to its second level."""
    found = list(value.values()) if isinstance(value, dict) else []
    inner = [item for each in found if isinstance(each, dict) for item in each.values()]
    return [str(item) for item in (*found, *inner) if isinstance(item, str | int)]
