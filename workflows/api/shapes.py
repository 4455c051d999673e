"""What the management API answers about runs and events. A workflow execution, in Paragon's words, is our Run."""

from collections.abc import Iterable
from typing import Any

from integrations.api.shapes import moment, page_in_dashboard
from integrations.models import Event
from workflows.models import Run, StepRun

Status = Run.Status
# Paragon's words for how an execution stands, by ours. Ours say more, and are in `state`.
STATUSES: dict[str, tuple[Run.Status, ...]] = {
    "EXECUTING": (Status.QUEUED, Status.RUNNING),
    "DELAYED": (Status.WAITING, Status.NEEDS_RECONNECT),
    "SUCCEEDED": (Status.DONE,),
    "FAILED": (Status.FAILED, Status.UNCERTAIN, Status.CANCELLED, Status.DEAD),
}
STEP_STATUSES = {StepRun.Status.DONE: "SUCCEEDED", StepRun.Status.FAILED: "FAILED", StepRun.Status.UNCERTAIN: "FAILED"}
STEP_STATUSES |= {StepRun.Status.STARTED: "EXECUTING"}
TRIGGER = "trigger"
TRIGGER_TYPES = {"schedule": "TRIGGER/CRON", "event": "TRIGGER/EVENT", "request": "TRIGGER/REQUEST"}


def execution(run: Run, task_count: int) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "userId": run.sub,
        "workflowId": str(run.workflow_id),
        "status": next(name for name, ours in STATUSES.items() if run.status in ours),
        "state": run.status,
        "reason": run.reason or None,
        "taskCount": task_count,
        "runDuration": run.milliseconds,
        "dateStarted": moment(run.created_at),
        "dateEnded": moment(run.ended_at),
        "replayOf": str(run.replay_of_id) if run.replay_of_id else None,
        "dashboardUrl": page_in_dashboard("workflows:run", run.project_id, run.pk),
    }


def step_executions(run: Run, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the trigger and every step, linked in the order in which they ran.

    `rows` are StepRuns in that order with `input_size` and `output_size`. A step inside a fan out comes after the one
    before it of the same item, the first one after the fan out itself.
    """
    found = [_trigger(run)]
    last: dict[str, dict[str, Any]] = {"": found[0]}
    for row in rows:
        step = _step(run, row)
        before = last[next(item for item in _around(row.iteration) if item in last)]
        step["prev"] = before["id"]
        before["next"].append(step["id"])
        last[row.iteration] = step
        found.append(step)
    return found


def _around(iteration: str) -> Iterable[str]:
    """Yield an item of a fan out and those around it: "3.0", "3", ""."""
    while iteration:
        yield iteration
        iteration = iteration.rpartition(".")[0]
    yield ""


def _trigger(run: Run) -> dict[str, Any]:
    at = moment(run.created_at)
    kind = TRIGGER_TYPES.get(run.trigger, f"TRIGGER/{run.trigger.upper()}")
    return _linked(TRIGGER, TRIGGER, run, kind) | {"status": "SUCCEEDED", "start": at, "end": at}


def _step(run: Run, row: Any) -> dict[str, Any]:
    return _linked(str(row.pk), row.path, run, f"ACTION/{row.type.upper()}") | {
        "status": STEP_STATUSES.get(row.status, "DELAYED"),
        "start": moment(row.started_at),
        "end": moment(row.ended_at),
        "inputSize": row.input_size or 0,
        "outputSize": row.output_cut_bytes or row.output_size or 0,
        "iteration": row.iteration or None,
        "error": row.error or None,
    }


def _linked(pk: str, step_id: str, run: Run, kind: str) -> dict[str, Any]:
    return {
        "id": pk,
        "stepId": step_id,
        "workflowExecutionId": str(run.pk),
        "type": kind,
        "prev": None,
        "next": [],
        "inputSize": 0,
        "outputSize": 0,
        "iteration": None,
        "error": None,
    }


def event(row: Event) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "source": row.source,
        "state": row.state,
        "reason": row.reason or None,
        "userId": row.sub or None,
        "connectionId": str(row.connection_id) if row.connection_id else None,
        "date": moment(row.created_at),
        "dateHappened": moment(row.happened_at),
        "replayOf": str(row.replay_of_id) if row.replay_of_id else None,
        "dashboardUrl": page_in_dashboard("workflows:event", row.project_id, row.pk),
    }
