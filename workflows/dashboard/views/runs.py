"""What ran: the list, one run as a timeline, and what can be done about it."""

import json
import uuid
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import audit
from integrations.dashboard.access import action, find_project, page
from integrations.dashboard.paging import page_of
from integrations.models import Project
from integrations.models.base import first_uuid_at
from workflows import runs as use_cases
from workflows.dashboard.access import find_run
from workflows.dashboard.forms import RunFilterForm
from workflows.dashboard.timeline import timeline
from workflows.models import Run
from workflows.runs import RunRefused

BAD = (Run.Status.FAILED, Run.Status.UNCERTAIN, Run.Status.DEAD)
MOST_REPLAYED = 500


@page
def runs(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = RunFilterForm(request.GET, project=project)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = filtered(project, wanted).select_related("workflow__integration", "connection__user")
    shown = page_of(found.defer("payload", "settings", "response"), request, "-id")
    context = {
        "project": project,
        "section": "runs",
        "form": form,
        "is_filtered": any(wanted.values()),
        "page": shown,
        "is_live": not request.GET.get("after"),
        "can_replay": any(run.status in BAD for run in shown.rows),
    }
    template = "workflows/runs.html#rows" if getattr(request, "htmx", False) else "workflows/runs.html"
    return render(request, template, context)


def filtered(project: Project, wanted: dict[str, Any]) -> QuerySet[Run]:
    """Return the project's runs that a filter asks for. Each condition has an index that ends in the order."""
    found = Run.objects.filter(project=project)
    if not wanted.get("tests"):
        found = found.filter(is_test=False)
    status = wanted.get("status")
    if status == "bad":
        found = found.filter(status__in=BAD)
    elif status == "active":
        found = found.filter(status__in=Run.UNFINISHED)
    elif status:
        found = found.filter(status=status)
    if wanted.get("workflow"):
        found = found.filter(workflow=wanted["workflow"])
    if wanted.get("integration"):
        found = found.filter(workflow__integration=wanted["integration"])
    if wanted.get("user"):
        found = found.filter(sub=wanted["user"])
    if wanted.get("since"):
        found = found.filter(pk__gte=first_uuid_at(wanted["since"]))
    if wanted.get("until"):
        found = found.filter(pk__lt=first_uuid_at(wanted["until"] + timedelta(milliseconds=1)))
    if wanted.get("error"):
        found = found.filter(reason__icontains=wanted["error"]).exclude(reason="")
    return found


@page
def run(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    found = find_run(request, project_id, run_id)
    context = {
        "project": found.project,
        "section": "runs",
        "run": found,
        "timeline": timeline(found),
        "payload": json.dumps(found.payload, indent=2, ensure_ascii=False)[:20_000],
        "user_settings": json.dumps(found.settings, indent=2, ensure_ascii=False) if found.settings else "",
    }
    template = "workflows/run.html#run" if getattr(request, "htmx", False) else "workflows/run.html"
    return render(request, template, context)


@action
def cancel(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    found = find_run(request, project_id, run_id)
    if use_cases.cancel(found):
        audit.record(found.project, request.user, "run cancelled", str(found.pk))
        messages.success(request, "The run is being cancelled. What it is doing at this moment is finished first.")
    else:
        messages.info(request, "The run is over already.")
    return redirect("workflows:run", project_id, run_id)


@action
def replay(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    """Run it again: from the start or from a step, on the same version or the one deployed now."""
    found = find_run(request, project_id, run_id)
    from_step, is_newest = request.POST.get("from_step", "")[:60], request.POST.get("version") == "newest"
    try:
        again = use_cases.replay(found, newest=is_newest, from_step=from_step)
    except RunRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("workflows:run", project_id, run_id)
    audit.record(found.project, request.user, "run replayed", f"{found.pk} as {again.pk}")
    return redirect("workflows:run", project_id, again.pk)


@action
def replay_many(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Replay the failures that the list's filter shows."""
    project = find_project(request, project_id)
    form = RunFilterForm(request.POST, project=project)
    wanted = form.cleaned_data if form.is_valid() else {}
    failed = filtered(project, wanted).filter(status__in=(Run.Status.FAILED, Run.Status.DEAD), replays=None)
    count = skipped = 0
    for found in failed.select_related("version", "workflow__deployed", "connection__user", "event")[:MOST_REPLAYED]:
        try:
            use_cases.replay(found)
            count += 1
        except RunRefused:
            skipped += 1
    audit.record(project, request.user, "runs replayed", f"{count} runs")
    words = f"{count} failed run{'' if count == 1 else 's'} started again."
    if skipped:
        words += f" {skipped} could not, because their connection was removed."
    messages.success(request, words)
    return redirect("workflows:runs", project_id)


@action
def resolve(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    """Say whether a step whose outcome nobody knows is done, or is to be repeated."""
    found = find_run(request, project_id, run_id)
    wanted = request.POST.get("step", "")
    row = found.steps.filter(pk=wanted).first() if wanted.isdigit() else None
    if row is None:
        messages.error(request, "Say which step it is about.")
        return redirect("workflows:run", project_id, run_id)
    answer = request.POST.get("answer", "")
    try:
        output = json.loads(request.POST.get("output") or "{}")
        use_cases.resolve(found, row, answer, output)
    except ValueError:
        messages.error(request, "The output is not valid JSON.")
    except RunRefused as refusal:
        messages.error(request, str(refusal))
    else:
        audit.record(found.project, request.user, "step resolved", f"{row.path} of {found.pk}: {answer}"[:500])
        messages.success(request, "The run goes on.")
    return redirect("workflows:run", project_id, run_id)
