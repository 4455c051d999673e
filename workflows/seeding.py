"""Made-up workflows with many events and runs, as integrations/seeding.py makes users and calls."""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from integrations.models import Event, Integration, Project
from integrations.models.base import first_uuid_at
from integrations.seeding import CHUNK, as_they_come, chance_of, connected, integrations, often_the_same, store
from workflows import runs
from workflows.models import Enablement, Run, StepRun, Workflow

FLOWS = ("Tickets from tasks", "Comments to the team", "Nightly summary", "Escalations", "Releases")
NAMES = ("task.created", "task.done", "comment.added", "invoice.paid")
SOURCES = ("app", "app", "webhook", "webhook", "poll", "catch_up")
REASONS = (
    "Create: the provider answers 400: Specify a valid priority",
    "HTTP request: The address answers 502",
    "Get issue: 404",
)
# Only what is over: a worker that is at hand would go on with the rest.
ENDS = (Run.Status.DONE, Run.Status.FAILED, Run.Status.UNCERTAIN, Run.Status.CANCELLED, Run.Status.DEAD)
STATES = (Event.State.DISPATCHED, Event.State.IGNORED, Event.State.FAILED)


@transaction.atomic
def add_events(project: Project, count: int, days: int) -> None:
    """Add events, and a run of one step for each that was dispatched: about seven of ten."""
    flows = [workflow for made in integrations(project) for workflow in _workflows(project, made)]
    rows = _happenings(project, flows, as_they_come(count, days), chance_of(project, count))
    while some := list(islice(rows, CHUNK)):
        who = ("project", "connection", "sub")
        told = ("source", "name", "state", "reason", "subject", "payload", "happened_at", "created_at")
        store(Event, ("id", *who, *told), [event for event, _, _ in some])
        began = ("event", "trigger", "payload", "status", "reason", "created_at", "started_at")
        names = ("id", *who, "workflow", "version", *began, "ended_at", "alerted_at")
        store(Run, names, [run for _, run, _ in some if run])
        did = ("type", "status", "op_key", "generation", "input", "output", "error")
        store(StepRun, ("run", "path", *did, "started_at", "ended_at"), [step for _, _, step in some if step])


def _workflows(project: Project, integration: Integration) -> Iterator[Workflow]:
    """Yield deployed workflows of an integration, each switched on for a part of its connections."""
    connections = list(integration.connections.order_by("created_at").values_list("pk", "created_at"))
    step = {"id": "do", "type": "action", "action": integration.provider.actions[0].slug, "input": {}}
    for number, name in enumerate(FLOWS):
        definition = {"trigger": {"type": "event", "name": NAMES[number % len(NAMES)]}, "steps": [step]}
        made = Workflow.objects.filter(integration=integration, name=name).first()
        if made:
            yield made
            continue
        workflow = Workflow.objects.create(project=project, integration=integration, name=name, draft=definition)
        workflow.deployed = runs.pinned(workflow, definition)
        workflow.save()
        on = ((workflow.pk, pk, True, at) for pk, at in connections[number :: number + 1])
        store(Enablement, ("workflow", "connection", "is_enabled", "updated_at"), on)
        yield workflow


def _happenings(
    project: Project, flows: Sequence[Workflow], moments: Iterator[datetime], chance: random.Random
) -> Iterator[tuple[Any, Any, Any]]:
    """Yield (event, run, step): columns of their rows; None for the run of an event that was not dispatched."""
    users = connected(project)
    for at in moments:
        sub, connection = users[often_the_same(chance, len(users))]
        who = (project.pk, connection, sub)
        state = chance.choices(STATES, (70, 29, 1))[0]
        reason = {"dispatched": "1 run", "ignored": "No workflow listens to it.", "failed": "The filter is wrong."}
        payload = json.dumps({"title": f"Disk {chance.randrange(1000)} is full", "by": sub})
        name, subject = NAMES[often_the_same(chance, len(NAMES))], f"issue:{chance.randrange(5000)}"
        source, event = chance.choice(SOURCES), _uuid_at(at, chance)
        row = (event, *who, source, name, state, reason[state], subject, payload, at, at)
        if state != Event.State.DISPATCHED:
            yield row, None, None
            continue
        flow, status = chance.choice(flows), chance.choices(ENDS, (9600, 250, 20, 30, 10))[0]
        why = chance.choice(REASONS) if status in ("failed", "uncertain", "dead") else ""
        run, ended = _uuid_at(at, chance), at + timedelta(milliseconds=int(chance.lognormvariate(6, 1)))
        began = (event, "event", payload, status, why, at, at, ended, ended)
        step = (run, "do", "action", "done" if status == "done" else "failed", run, 1, "{}", payload, why, at, ended)
        yield row, (run, *who, flow.pk, flow.deployed_id, *began), step


def _uuid_at(at: datetime, chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=first_uuid_at(at).int | chance.getrandbits(62))
