"""Paragon's Task History API: what ran, step by step, and running it again."""

import uuid
from typing import Any

from django import forms
from django.db.models import Count, QuerySet, TextField
from django.db.models.functions import Cast, Length
from django.http import JsonResponse

from integrations import audit
from integrations.api.door import KeyCaller, needs
from integrations.api.queries import Moment, Query, integration_field, listed, next_link, user_field
from integrations.sdk.api import ApiError
from workflows import runs
from workflows.api import shapes
from workflows.models import Run, StepRun

PAGE = 100
MOST_SKIPPED = 10_000
MOST_STEPS = 5_000


class HistoryQuery(Query):
    ORDERS = [("DESC", "newest first"), ("ASC", "oldest first")]
    userId = user_field()
    workflowId = forms.UUIDField(required=False, help_text="Only runs of this workflow.")
    integration = integration_field()
    status = forms.ChoiceField(
        required=False, choices=[(name, name) for name in shapes.STATUSES], help_text="Only runs that stand like this."
    )
    beforeDate = Moment(required=False, help_text="Only runs that began at this time or before.")
    afterDate = Moment(required=False, help_text="Only runs that began at this time or later.")
    offset = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_SKIPPED,
        help_text="How many to leave out. To read far, follow nextLink instead.",
    )
    sortBy = forms.ChoiceField(required=False, choices=ORDERS, help_text="By when they began; DESC if not given.")


@needs("runs:read")
def list_executions(caller: KeyCaller) -> dict[str, Any]:
    """Answer a page of runs, tests left out, with how many there are in all."""
    wanted = HistoryQuery(caller.request.GET).wanted()
    names = {"userId": "user", "workflowId": "workflow", "beforeDate": "until", "afterDate": "since"}
    found = Run.objects.matching(caller.project, {ours: wanted.get(name) for name, ours in names.items()})
    if "status" in wanted:
        found = found.filter(status__in=shapes.STATUSES[wanted["status"]])
    if "integration" in wanted:
        found = found.filter(workflow__integration__provider_slug=wanted["integration"])
    order = "id" if wanted.get("sortBy") == "ASC" else "-id"
    rows = found.defer("payload", "settings", "response")
    page = listed(caller.request, rows, {"limit": PAGE} | wanted, order, skip=wanted.get("offset", 0))
    counts = _task_counts(page.rows)
    return {
        "workflowExecutions": [shapes.execution(run, counts.get(run.pk, 0)) for run in page.rows],
        "nextLink": next_link(caller.request, page),
        "total": found.count(),
    }


def _task_counts(found: list[Run]) -> dict[uuid.UUID, int]:
    """Return how many steps each run did, its trigger left out."""
    counts = StepRun.objects.filter(run__in=found).order_by().values_list("run").annotate(Count("pk"))
    return dict(counts)


def _run(caller: KeyCaller, run_id: uuid.UUID) -> Run:
    related = Run.objects.select_related("version", "workflow__deployed", "connection__user", "event")
    found: Run | None = related.filter(project=caller.project, pk=run_id).first()
    if found is None:
        raise ApiError(404, "no_run", "There is no such run.")
    return found


@needs("runs:read")
def read_execution(caller: KeyCaller, run_id: uuid.UUID) -> dict[str, Any]:
    run = _run(caller, run_id)
    rows = list(_sized(run.steps.defer("input", "output").order_by("pk"))[:MOST_STEPS])
    return shapes.execution(run, len(rows)) | {"stepExecutions": shapes.step_executions(run, rows)}


def _sized(rows: QuerySet[StepRun]) -> QuerySet[Any]:
    """Add `input_size` and `output_size`: how long the JSON is, without reading it."""
    return rows.annotate(input_size=Length(Cast("input", TextField())), output_size=Length(Cast("output", TextField())))


@needs("runs:read")
def read_step(caller: KeyCaller, run_id: uuid.UUID, step_id: str) -> dict[str, Any]:
    """Answer what a step took and gave. Of an output that was too large to keep, its beginning as text."""
    run = _run(caller, run_id)
    if step_id == shapes.TRIGGER:
        return {"isLargeInput": False, "isLargeOutput": False, "input": None, "output": run.payload}
    is_number = step_id.isascii() and step_id.isdigit() and len(step_id) <= 18
    row = run.steps.filter(pk=step_id).first() if is_number else None
    if row is None:
        raise ApiError(404, "no_step", "This run has no such step.")
    is_large = row.output_cut_bytes > 0
    return {"isLargeInput": False, "isLargeOutput": is_large, "input": row.input, "output": row.output}


@needs("runs:replay")
def replay(caller: KeyCaller, run_id: uuid.UUID) -> JsonResponse:
    """Run it again, from the start and on the same version, as a new run. Its effects happen again."""
    run = _run(caller, run_id)
    caller.json()
    try:
        again = runs.replay(run)
    except runs.RunRefused as refusal:
        raise ApiError(409, refusal.code, str(refusal)) from refusal
    audit.record(caller.project, caller.actor, "run replayed", f"{run.pk} as {again.pk}")
    again.refresh_from_db()
    return JsonResponse(shapes.execution(again, 0), status=201)
