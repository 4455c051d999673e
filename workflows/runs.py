"""What people and programs do with runs: start, cancel, replay, resolve, resume."""

import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from integrations.models import ConnectedUser, Connection, Event, Integration
from workflows import definition as definitions
from workflows import engine
from workflows.models import Enablement, Run, StepRun, Workflow, WorkflowVersion
from workflows.models.run import parked_with_healthy_grant
from workflows.settings import items_of

RESPONSE_SECONDS = 55
MOST_PAYLOAD = 1_000_000


class RunRefused(Exception):
    """Why nothing can be done, in words; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# Start --------------------------------------------------------------------------------------------------------------


def new_run(
    version: WorkflowVersion,
    connection: Connection,
    *,
    trigger: str,
    payload: Any,
    settings: Mapping[str, Any] | None = None,
    event: Event | None = None,
    **fields: Any,
) -> Run:
    """Return a run that is not stored yet. Raises RunRefused where nothing may be done in the user's name."""
    if connection.user.disabled_at:
        raise RunRefused("user_disabled", ConnectedUser.DISABLED)
    return Run(
        project_id=connection.project_id,
        workflow_id=version.workflow_id,
        version=version,
        connection=connection,
        sub=connection.user.sub,
        event=event,
        trigger=trigger,
        payload=payload,
        settings=dict(settings or {}),
        order_key=definitions.order_key(version.definition, payload),
        wake_at=Now(),
        **fields,
    )


def settings_for(workflow: Workflow, connection: Connection, chosen: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the settings that a run sees: defaults, then those shared by all workflows, then the workflow's own."""
    definition = workflow.deployed.definition if workflow.deployed else workflow.draft
    return merged_settings(definition, connection.settings, chosen)


def merged_settings(
    definition: Mapping[str, Any], shared: Mapping[str, Any] | None, chosen: Mapping[str, Any] | None
) -> dict[str, Any]:
    declared = items_of(definition)
    defaults = {str(item.get("key")): item.get("default") for item in declared if item.get("default") is not None}
    # One that is shared now may have been the workflow's own before.
    common = {item.get("key") for item in declared if item.get("shared")}
    own = {key: value for key, value in (chosen or {}).items() if key not in common}
    return defaults | dict(shared or {}) | own


def start(run: Run) -> Run:
    """Store a run and have a worker look at it."""
    run.save(force_insert=True)
    transaction.on_commit(lambda: hint(run.pk))
    return run


def hint(run_id: uuid.UUID) -> bool:
    """Have a worker look at a run. False when no broker takes it: the sweeper, or the caller, does it then."""
    from integrations.tasks import hint as publish
    from workflows import tasks

    return publish(tasks.advance_run, str(run_id))


def hand_out(stored: Iterable[Run]) -> None:
    """Let others have runs that this worker has stored and did not come to."""
    ids = [run.pk for run in stored]
    if ids:
        Run.objects.filter(pk__in=ids, generation=0).update(started_at=None)
    for pk in ids:
        hint(pk)


def start_by_request(enablement: Enablement, payload: Mapping[str, Any]) -> Run:
    workflow = enablement.workflow
    version = deployed_version(workflow)
    chosen = settings_for(workflow, enablement.connection, enablement.settings)
    return start(new_run(version, enablement.connection, trigger="request", payload=payload, settings=chosen))


def start_by_hand(
    workflow: Workflow, connection: Connection, payload: Any, *, is_test: bool, only_step: str = ""
) -> Run:
    """Run the draft as a test, or what is deployed for real."""
    version = pinned(workflow, workflow.draft) if is_test else deployed_version(workflow)
    chosen = Enablement.objects.filter(workflow=workflow, connection=connection).first()
    values = settings_for(workflow, connection, chosen.settings if chosen else None)
    run = new_run(version, connection, trigger="manual", payload=payload, settings=values)
    run.is_test, run.only_step = is_test, only_step
    return start(run)


def start_action(integration: Integration, connection: Connection, slug: str, values: Mapping[str, Any]) -> Run:
    """Run a single action: a workflow of one step, whose input is the request's body taken as it is."""
    action = integration.provider.action(slug)
    if action is None:
        raise RunRefused("no_action", f"{integration.provider.name} has no action “{slug}”.")
    workflow, _ = Workflow.objects.get_or_create(
        integration=integration,
        action_slug=slug,
        defaults={"project_id": integration.project_id, "name": action.title, "is_hidden": True},
    )
    # One expression for each input, so that nothing in the request is ever read as an expression.
    step_input = {key: "{{trigger.input[" + json.dumps(key) + "]}}" for key in sorted(values)}
    step = {"id": "action", "type": "action", "action": slug, "input": step_input, "retry": True}
    version = pinned(workflow, {"trigger": {"type": "request"}, "steps": [step]})
    return start(new_run(version, connection, trigger="action", payload={"input": dict(values)}))


def deployed_version(workflow: Workflow) -> WorkflowVersion:
    if workflow.deployed is None:
        raise RunRefused("not_deployed", "The workflow is not deployed.")
    if workflow.is_paused:
        raise RunRefused("paused", "The workflow is paused.")
    return workflow.deployed


def digest(definition: Any) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def pinned(workflow: Workflow, definition: dict[str, Any]) -> WorkflowVersion:
    """Return a version without a number for a definition that is tried out."""
    try:
        with transaction.atomic():
            version, _ = WorkflowVersion.objects.get_or_create(
                workflow=workflow, number=None, digest=digest(definition), defaults={"definition": definition}
            )
    except IntegrityError:
        version = WorkflowVersion.objects.get(workflow=workflow, number=None, digest=digest(definition))
    return version


# Wait for an answer -------------------------------------------------------------------------------------------------


def wait_for(run_id: uuid.UUID, seconds: float, *, for_end: bool = False) -> Run:
    """Return the run once it has responded or ended, or as it is after `seconds`."""
    give_up_at, pause = time.monotonic() + seconds, 0.005
    while True:
        run = Run.objects.select_related("workflow__integration").get(pk=run_id)
        is_answered = run.is_over or (run.response is not None and not for_end)
        if is_answered or run.status == Run.Status.NEEDS_RECONNECT or time.monotonic() >= give_up_at:
            return run
        time.sleep(min(pause, max(0.0, give_up_at - time.monotonic())))
        pause = min(pause * 1.3, 0.25)


# Change ---------------------------------------------------------------------------------------------------------------


def cancel(run: Run) -> bool:
    """Ask a run to end. One that nobody carries ends at once; an effect under way is finished and recorded first."""
    wanted = Run.objects.unfinished().filter(pk=run.pk)
    if not wanted.update(cancel_requested_at=Now()):
        return False
    wanted.free().update(status=Run.Status.CANCELLED, ended_at=Now(), wake_at=None, lease_until=None)
    return True


def replay(run: Run, *, newest: bool = False, from_step: str = "") -> Run:
    """Run it again as a new run. Its effects happen again, except those of the steps before `from_step`."""
    if run.connection is None:
        raise RunRefused("no_connection", "The connection of this run was removed, so it cannot run again.")
    version = run.version
    if newest:
        version = deployed_version(run.workflow)
    again = new_run(
        version,
        run.connection,
        trigger=run.trigger,
        payload=run.payload,
        settings=run.settings,
        event=run.event,
        replay_of=run,
        is_test=run.is_test,
    )
    with transaction.atomic():
        again.save(force_insert=True)
        if from_step:
            _copy_steps(run, again, from_step)
    transaction.on_commit(lambda: hint(again.pk))
    return again


def _copy_steps(run: Run, again: Run, from_step: str) -> None:
    """Take over what was done before a step, so that it is not done again."""
    order = [str(step["id"]) for step in definitions.walk(definitions.steps_of(again.version.definition))]
    if from_step not in order:
        raise RunRefused("no_step", "That step is not in the version that would run.")
    before = set(order[: order.index(from_step)])
    rows = []
    for row in run.steps.filter(path__in=before, status__in=[StepRun.Status.DONE, StepRun.Status.FAILED]):
        # What holds the step, or comes after it inside a fan out, is done anew.
        row.pk, row.run, row.generation = None, again, 0
        row.op_key = engine.operation_key(again.pk, row.path, row.iteration)
        rows.append(row)
    steps = definitions.walk(definitions.steps_of(again.version.definition))
    holders = {str(step["id"]) for step in steps if definitions.holds(step, from_step)}
    StepRun.objects.bulk_create([row for row in rows if row.path not in holders or row.type == "condition"])


def resolve(run: Run, row: StepRun, answer: str, output: Any = None) -> None:
    """Settle a step that nobody knows the outcome of: "done", "repeat" or "failed"."""
    if run.status != Run.Status.UNCERTAIN or row.status != StepRun.Status.UNCERTAIN:
        raise RunRefused("not_uncertain", "This step is settled already.")
    if answer == "done":
        row.status, row.output, row.error = StepRun.Status.DONE, output if output is not None else {}, ""
    elif answer == "repeat":
        row.status, row.error, row.looks, row.ended_at = StepRun.Status.WAITING, "", 0, None
    else:
        row.status, row.error = StepRun.Status.FAILED, "It did not happen."
    with transaction.atomic():
        again = Run.objects.filter(pk=run.pk, status=Run.Status.UNCERTAIN)
        if not again.update(status=Run.Status.QUEUED, reason="", wake_at=Now(), ended_at=None, alerted_at=None):
            raise RunRefused("not_uncertain", "This step is settled already.")
        row.save()
    transaction.on_commit(lambda: hint(run.pk))


def resume(grant_id: uuid.UUID | None = None) -> int:
    """Go on with the runs that waited for a reconnect which has happened. Return how many."""
    parked = parked_with_healthy_grant()
    if grant_id is not None:
        parked = parked.filter(connection__grant_id=grant_id)
    ids = list(parked.values_list("pk", flat=True)[:1000])
    Run.objects.filter(pk__in=ids, status=Run.Status.NEEDS_RECONNECT).update(
        status=Run.Status.QUEUED, reason="", wake_at=Now()
    )
    transaction.on_commit(lambda: [hint(pk) for pk in ids])  # type: ignore[func-returns-value]
    return len(ids)


# After --------------------------------------------------------------------------------------------------------------


def _after_end(run: Run, status: str, reason: str) -> None:
    from workflows import alerts

    if run.is_test:
        keep_samples(run)
    elif status in (Run.Status.FAILED, Run.Status.UNCERTAIN, Run.Status.DEAD):
        alerts.note(run)
    _hint_next(run)


def _after_release(run: Run, *, is_due: bool) -> None:
    if is_due:
        hint(run.pk)
    _hint_next(run)


def _hint_next(run: Run) -> None:
    following = Run.objects.next_after(run) if run.is_crowded or run.order_key else None
    if following:
        hint(following)


def keep_samples(run: Run) -> None:
    """Keep what a test showed, for the variable menu and for testing single steps."""
    samples: dict[str, Any] = {"trigger": run.payload}
    for row in run.steps.filter(status=StepRun.Status.DONE, iteration__in=["", "0"], output_cut_bytes=0):
        if len(json.dumps(row.output)) <= 100_000:
            samples[row.path] = row.output
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=run.workflow_id)
        workflow.samples = workflow.samples | samples
        workflow.save(update_fields=["samples"])


engine.after_end = _after_end
engine.after_release = _after_release
