"""From an event to the runs that it causes. Every event ends as dispatched, ignored or failed, and says why."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.database import writing
from integrations.models import Connection, Event
from integrations.tasks import hint
from workflows import engine, runs
from workflows.definition import order_key, trigger_of
from workflows.models import Enablement, Run, Workflow

BATCH = 200


def record(
    project_id: uuid.UUID, source: str, name: str, payload: Any, *, sub: str = "", connection: Connection | None = None
) -> Event:
    """Store that something happened; what it causes happens in a task, after the commit."""
    event = Event.objects.create(
        project_id=project_id, source=source, name=name[:120], payload=payload, sub=sub, connection=connection
    )
    transaction.on_commit(lambda: publish(event.pk))
    return event


def publish(event_id: uuid.UUID) -> None:
    from workflows import tasks

    hint(tasks.dispatch_event, str(event_id))


def dispatch(event_id: uuid.UUID, *, begin: bool = False) -> int:
    """Make the runs of an event, once, however often this is called. Return how many there are.

    With `begin`, the first of them is carried here and now: the worker is awake already.
    """
    event = Event.objects.undelivered().filter(pk=event_id).first()
    if event is None:
        return 0
    count, first = 0, None
    for listeners in _batches(_listeners(event)):
        made = [_run(event, listener) for listener in listeners]
        if begin and not count and not made[0].order_key and engine.has_room(made[0]):
            first = made[0]
            first.begin(engine.owner_name())
        with writing():
            Run.objects.bulk_create(made, ignore_conflicts=True)
            if len(made) < BATCH:
                _settle(event, count + len(made))
        if count < BATCH:
            # Of very many runs the first are hinted at; the others follow as these end, so that a queue full of one
            # project's hints does not keep everybody else waiting.
            for run in made:
                if run is not first:
                    runs.hint(run.pk)
        count += len(made)
    if not count:
        _settle(event, 0)
    if first:
        # Where another worker had made the runs of this event already, this one was not stored: its first write finds
        # no row, and it ends before it has done anything.
        engine.carry(first)
    return count


def _settle(event: Event, count: int) -> None:
    if count:
        Event.objects.settle(event, Event.State.DISPATCHED, f"{count} run{'' if count == 1 else 's'}")
    else:
        Event.objects.settle(event, Event.State.IGNORED, _why_nobody(event))


def _listeners(event: Event) -> QuerySet[Enablement]:
    found = Enablement.objects.on().filter(
        workflow__project=event.project_id, workflow__deployed__isnull=False, workflow__is_paused=False
    )
    if event.source == Event.Source.SCHEDULE:
        found = found.filter(workflow=event.payload.get("workflow"))
    else:
        kind = {Event.Source.APP: "event", Event.Source.CONNECTED: "connected"}[Event.Source(event.source)]
        name = event.name if kind == "event" else ""
        found = found.filter(workflow__trigger_type=kind, workflow__trigger_name=name)
        found = (
            found.filter(connection=event.connection_id)
            if event.connection_id
            else found.filter(connection__user__sub=event.sub)
        )
    return found.filter(connection__integration__is_active=True)


LISTENER = (
    *("pk", "settings", "workflow_id", "workflow__deployed_id"),
    *("connection_id", "connection__settings", "connection__user__sub"),
)


def _batches(found: QuerySet[Enablement]) -> Iterator[list[dict[str, Any]]]:
    """Yield the listeners a batch at a time: a schedule may have very many. Versions are not read with each."""
    last = 0
    while True:
        batch = list(found.filter(pk__gt=last).order_by("pk").values(*LISTENER)[:BATCH])
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        last = batch[-1]["pk"]


def _run(event: Event, listener: dict[str, Any]) -> Run:
    version = engine.version_of(listener["workflow__deployed_id"])
    payload = {"at": event.payload["at"]} if event.source == Event.Source.SCHEDULE else event.payload
    chosen = runs.merged_settings(version.definition, listener["connection__settings"], listener["settings"])
    return Run(
        project_id=event.project_id,
        workflow_id=listener["workflow_id"],
        version_id=version.pk,
        connection_id=listener["connection_id"],
        sub=listener["connection__user__sub"],
        event_id=event.pk,
        trigger=str(trigger_of(version.definition).get("type")),
        payload=payload,
        settings=chosen,
        order_key=order_key(version.definition, payload),
        wake_at=Now(),
    )


def _why_nobody(event: Event) -> str:
    workflows = Workflow.objects.filter(project=event.project_id)
    if event.source == Event.Source.CONNECTED:
        return "No deployed workflow that is on by default begins with “Integration enabled”."
    if event.source == Event.Source.SCHEDULE:
        return "The workflow is switched on for nobody."
    if not workflows.listening_to("event", event.name).exists():
        return f"No deployed workflow listens to “{event.name}”."
    if not Connection.objects.filter(project=event.project_id, user__sub=event.sub).exists():
        return "This user has no connection."
    return "No workflow that listens to it is switched on for this user."


# Schedules ----------------------------------------------------------------------------------------------------------


def next_fire(trigger: dict[str, Any], after: datetime) -> datetime:
    """Return when a schedule fires next, in its own time zone's sense of the clock."""
    zone = ZoneInfo(str(trigger.get("zone") or "UTC"))
    return next(CronSim(str(trigger["cron"]), after.astimezone(zone))).astimezone(ZoneInfo("UTC"))


def fire_due(now: datetime) -> int:
    """Record an event for every schedule that is due, once each, however long nobody looked. Return how many."""
    fired = 0
    for workflow in Workflow.objects.due().select_related("deployed")[:BATCH]:
        assert workflow.deployed is not None
        due = workflow.next_fire_at
        following = next_fire(trigger_of(workflow.deployed.definition), now)
        with transaction.atomic():
            # Two sweepers, or one twice: only who moves the time on may fire.
            mine = Workflow.objects.filter(pk=workflow.pk, next_fire_at=due)
            if not mine.update(next_fire_at=following):
                continue
            payload = {"workflow": str(workflow.pk), "at": due.isoformat() if due else now.isoformat()}
            record(workflow.project_id, Event.Source.SCHEDULE, workflow.name, payload)
            fired += 1
    return fired
