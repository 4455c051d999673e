"""From an event to the runs that it causes. Every event ends as dispatched, ignored or failed, and says why."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sized
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.database import writing
from integrations.mailbox import Mailbox
from integrations.models import ConnectedUser, Connection, Event
from integrations.owners import owner_name
from workflows import engine, runs, triggers
from workflows.carriers import carriers
from workflows.definition import order_key, trigger_of
from workflows.models import Enablement, Run, Workflow
from workflows.models.workflow import WorkflowQuerySet
from workflows.triggers import Verdict

BATCH = 200


def _task() -> Any:
    from workflows import tasks

    return tasks.dispatch_event


_mailbox = Mailbox(_task)


def record(
    project_id: uuid.UUID, source: str, name: str, payload: Any, *, sub: str = "", connection: Connection | None = None
) -> Event:
    """Store that something happened; what it causes happens in a task, after the commit."""
    event = Event.objects.create(
        project_id=project_id, source=source, name=name[:120], payload=payload, sub=sub, connection=connection
    )
    transaction.on_commit(lambda: _mailbox.post(event.project_id, event.pk))
    return event


def replay(event: Event) -> Event:
    """Have an event dispatched once more, by what is deployed and switched on now. It is a new event, without a key:
    what it tells was told before, and this time that is no reason to ignore it. Of one that failed, what ran already
    does not run again.
    """
    again = Event.objects.create(
        project_id=event.project_id,
        connection_id=event.connection_id,
        sub=event.sub,
        source=event.source,
        name=event.name,
        payload=event.payload,
        subject=event.subject,
        happened_at=event.happened_at,
        delivery_id=event.delivery_id,
        replay_of=event,
    )
    transaction.on_commit(lambda: _mailbox.post(again.project_id, again.pk))
    return again


def dispatch(*event_ids: uuid.UUID, begin: bool = False) -> int:
    """Make the runs of those of these events that are due. As `dispatch_events`."""
    due = Event.objects.due().filter(pk__in=event_ids).order_by("pk")
    found = due.select_related("connection__grant", "connection__integration", "connection__user")
    return dispatch_events(list(found), begin=begin)


def dispatch_events(events: list[Event], *, begin: bool = False) -> int:
    """Make the runs of these events, once, however often this is called. Return how many there are.

    With `begin`, as many of them as this worker can carry are carried here and now: it is awake already.
    """
    if not events:
        return 0
    heard = _heard(events)
    count = sum(_dispatch_alone(event) for event in events if event.pk not in heard)
    if not heard:
        return count
    verdicts = {event: _judged(event, heard[event.pk]) for event in events if event.pk in heard}
    made = {event: [_run(event, listener) for listener in verdict.passing] for event, verdict in verdicts.items()}
    every = [run for runs_of_one in made.values() for run in runs_of_one]
    mine = [run for run in every if begin and not run.order_key]
    for run in mine:
        run.begin(owner_name())
    with writing(can_be_redone=True):
        Run.objects.bulk_create(every, ignore_conflicts=True)
        _settle(made, verdicts)
    for run in every:
        if run.order_key or not begin:
            runs.hint(run.pk)
    if mine:
        # Where another worker had made the runs of an event already, these were not stored: the first write of each
        # finds no row, and it ends before it has done anything.
        with carriers.reserved(len(mine)) as places:
            places.carry(mine, runs.hand_out)
    return count + len(every)


def _dispatch_alone(event: Event) -> int:
    """Make the runs of an event that has very many, a batch at a time.

    The first are hinted at; the others follow as these end, so that a queue full of one project's hints does not keep
    everybody else waiting.
    """
    count = 0
    verdict = Verdict()
    for listeners in _batches(_listeners(event)):
        verdict = _judged(event, listeners)
        made = [_run(event, listener) for listener in verdict.passing]
        with writing(can_be_redone=True):
            Run.objects.bulk_create(made, ignore_conflicts=True)
            if len(listeners) < BATCH:
                _settle({event: range(count + len(made))}, {event: verdict})
        for run in made if count == 0 else []:
            runs.hint(run.pk)
        count += len(made)
    _settle({event: range(count)}, {event: verdict})
    return count


def _judged(event: Event, listeners: list[dict[str, Any]]) -> Verdict:
    """Return who an event is for: of what the provider told, those whose filter it passes, else all who listen."""
    if event.replay_of_id and listeners:
        done = _done_before(event)
        listeners = [each for each in listeners if (each["workflow_id"], each["connection_id"]) not in done]
    if event.source in Event.FROM_PROVIDER and listeners:
        return triggers.judge(event, listeners)
    return Verdict(passing=listeners)


def _done_before(event: Event) -> set[tuple[Any, ...]]:
    """Return for whom the event that failed, and is replayed here, has run nevertheless: (workflow, connection)."""
    before = Run.objects.filter(event=event.replay_of_id, event__state=Event.State.FAILED)
    return set(before.values_list("workflow_id", "connection_id"))


def _settle(made: Mapping[Event, Sized], verdicts: Mapping[Event, Verdict]) -> None:
    """End events by how many runs each has; one that waits for an answer of the provider does not end yet."""
    ids: dict[int, list[uuid.UUID]] = defaultdict(list)
    for event, runs_of_one in made.items():
        verdict = verdicts[event]
        if verdict.failure:
            count = len(runs_of_one)
            ran = f"{count} run{'' if count == 1 else 's'} began. " if count else ""
            Event.objects.settle([event.pk], Event.State.FAILED, f"{ran}{verdict.failure}")
        elif verdict.ask_again_at:
            Event.objects.undelivered().filter(pk=event.pk).update(due_at=verdict.ask_again_at)
        elif len(runs_of_one):
            ids[len(runs_of_one)].append(event.pk)
        else:
            reason = " ".join(dict.fromkeys(verdict.reasons)) or _why_nobody(event)
            Event.objects.settle([event.pk], Event.State.IGNORED, reason)
    for count, alike in ids.items():
        Event.objects.settle(alike, Event.State.DISPATCHED, f"{count} run{'' if count == 1 else 's'}")


KINDS = {Event.Source.APP: "event", Event.Source.CONNECTED: "connected"}
KINDS |= dict.fromkeys(Event.FROM_PROVIDER, triggers.KIND)
EAR = ("workflow__project_id", "workflow__trigger_type", "workflow__trigger_name")


def _heard(events: list[Event]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """Return the listeners of events, of all in two queries at most; of none where there are very many."""
    few = [event for event in events if event.source != Event.Source.SCHEDULE]
    projects, kinds, names = (set(each) for each in zip(*map(_ear, few), strict=True)) if few else ((), (), ())
    near = triggers.switched_on().filter(
        workflow__project__in=projects, workflow__trigger_type__in=kinds, workflow__trigger_name__in=names
    )
    own = {event.connection_id for event in few if event.connection_id}
    subs = {event.sub for event in few if not event.connection_id}
    nearer = [near.filter(connection__in=own)] if own else []
    nearer += [near.filter(connection__user__sub__in=subs)] if subs else []
    rows = {row["pk"]: row for found in nearer for row in found.order_by("pk").values(*triggers.LISTENER, *EAR)[:BATCH]}
    if len(rows) >= BATCH:
        return {}
    by_ear: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows.values():
        ear = tuple(row[name] for name in EAR)
        by_ear[*ear, row["connection_id"]].append(row)
        by_ear[*ear, row["connection__user__sub"]].append(row)
    return {event.pk: by_ear[*_ear(event), event.connection_id or event.sub] for event in few}


def _ear(event: Event) -> tuple[uuid.UUID, str, str]:
    kind = KINDS[Event.Source(event.source)]
    return event.project_id, kind, "" if kind == "connected" else event.name


def _listeners(event: Event) -> QuerySet[Enablement]:
    found = triggers.switched_on().filter(workflow__project=event.project_id)
    if event.source == Event.Source.SCHEDULE:
        return found.filter(workflow=event.payload.get("workflow"))
    _, kind, name = _ear(event)
    found = found.filter(workflow__trigger_type=kind, workflow__trigger_name=name)
    if event.connection_id:
        return found.filter(connection=event.connection_id)
    return found.filter(connection__user__sub=event.sub)


def _batches(found: QuerySet[Enablement]) -> Iterator[list[dict[str, Any]]]:
    """Yield the listeners a batch at a time: a schedule may have very many. Versions are not read with each."""
    last = 0
    while True:
        batch = list(found.filter(pk__gt=last).order_by("pk").values(*triggers.LISTENER)[:BATCH])
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


WHY_NOBODY: dict[str, str] = {
    Event.Source.CONNECTED: "No deployed workflow that is on by default begins with “Integration enabled”.",
    Event.Source.SCHEDULE: "The workflow is switched on for nobody.",
}


def _why_nobody(event: Event) -> str:
    workflows = Workflow.objects.filter(project=event.project_id)
    if event.source in Event.FROM_PROVIDER:
        has_any = workflows.listening_to(triggers.KIND, event.name).exists()
        if has_any:
            return _disabled(event) or "No workflow that begins with it is switched on for this connection."
        return _paused(workflows, triggers.KIND, event) or "No deployed workflow begins with it."
    if event.source in WHY_NOBODY:
        return WHY_NOBODY[event.source]
    if not workflows.listening_to("event", event.name).exists():
        return _paused(workflows, "event", event) or f"No deployed workflow listens to “{event.name}”."
    mine = Connection.objects.filter(project=event.project_id, user__sub=event.sub)
    if not mine.exists():
        return "This user has no connection."
    return _disabled(event) or "No workflow that listens to it is switched on for this user."


def _disabled(event: Event) -> str:
    user = {"connections": event.connection_id} if event.connection_id else {"sub": event.sub}
    users = ConnectedUser.objects.filter(project=event.project_id, **user)
    return "This user is disabled." if users.exclude(disabled_at=None).exists() else ""


def _paused(workflows: WorkflowQuerySet, trigger: str, event: Event) -> str:
    found = workflows.deployed().filter(trigger_type=trigger, trigger_name=event.name, is_paused=True).first()
    return f"“{found.name}” begins with it, and is paused." if found else ""


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
