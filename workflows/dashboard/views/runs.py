"""What ran: the list, one run as a timeline, and what can be done about it."""

import json
import uuid
from collections import Counter
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from integrations import audit, users
from integrations.dashboard.access import Role, action, find_project, page
from integrations.dashboard.paging import page_of
from integrations.models import Project
from workflows import runs as use_cases
from workflows.dashboard.access import find_run
from workflows.dashboard.forms import RunFilterForm
from workflows.dashboard.timeline import timeline
from workflows.models import Run
from workflows.runs import RunRefused

MOST_REPLAYED = 500
LATEST = 50


@page
def runs(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = RunFilterForm(request.GET, project=project)
    found = form.find(partial(Run.objects.matching, project)).select_related("workflow__integration")
    shown = page_of(found.defer("payload", "settings", "response"), request, "-id")
    users.link(project, shown.rows)
    context = {
        "project": project,
        "section": "runs",
        "form": form,
        "is_filtered": form.is_filtered,
        "page": shown,
        "is_live": form.is_valid() and not request.GET.get("after"),
        # Asked by the whole page only.
        "has_tests": lambda: form.is_valid() and not form.cleaned_data["tests"] and _tested_lately(project),
        "can_replay": any(run.status in Run.BAD for run in shown.rows),
    }
    template = "workflows/runs.html#rows" if getattr(request, "htmx", False) else "workflows/runs.html"
    return render(request, template, context)


def _tested_lately(project: Project) -> bool:
    """Are there tests among the latest runs? Whoever has just made one looks for it in the list."""
    latest = Run.objects.filter(project=project).order_by("-pk").values_list("is_test", flat=True)
    return any(latest[:LATEST])


@page
def run(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    found = find_run(request, project_id, run_id)
    users.link(found.project, [found])
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


@action(Role.SUPPORT)
def cancel(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    found = find_run(request, project_id, run_id)
    if use_cases.cancel(found):
        audit.record(found.project, request.user, "run cancelled", str(found.pk))
        messages.success(request, "The run is being cancelled. What it is doing at this moment is finished first.")
    else:
        messages.info(request, "The run is over already.")
    return redirect("workflows:run", project_id, run_id)


@action(Role.SUPPORT)
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


@action(Role.SUPPORT)
def replay_many(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Replay the failures that the list's filter shows."""
    project = find_project(request, project_id)
    form = RunFilterForm(request.POST, project=project)
    if not form.is_valid():
        messages.error(request, "Nothing was replayed: the filter is not right.")
        return redirect(reverse("workflows:runs", args=[project_id]) + form.as_query())
    failed = Run.objects.matching(project, form.cleaned_data).filter(status__in=(Run.Status.FAILED, Run.Status.DEAD))
    before = len(failed.exclude(replays=None).order_by().values("pk").distinct()[: MOST_REPLAYED + 1])
    count, refusals = 0, Counter[str]()
    new = failed.filter(replays=None).select_related("version", "workflow__deployed", "connection__user", "event")
    for found in new[:MOST_REPLAYED]:
        try:
            use_cases.replay(found)
            count += 1
        except RunRefused as refusal:
            refusals[str(refusal)] += 1
    many = f"{count} failed run{'' if count == 1 else 's'}"
    audit.record(project, request.user, "runs replayed", many)
    words = f"{many} started again."
    for reason, skipped in refusals.items():
        words += f" {skipped} could not: {reason}"
    if before:
        shown = before if before <= MOST_REPLAYED else f"More than {MOST_REPLAYED}"
        words += f" {shown} had been replayed before and {'was' if before == 1 else 'were'} left out."
    messages.success(request, words)
    return redirect(reverse("workflows:runs", args=[project_id]) + form.as_query())


@action(Role.SUPPORT)
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
