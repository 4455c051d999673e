"""The workflows of a project, and what is done with one as a whole."""

import json
import uuid

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations import audit
from integrations.dashboard.access import Role, action, find_project, form_page, page
from integrations.dashboard.paging import page_of
from integrations.models import Connection, Integration
from integrations.models.base import CountUpTo
from workflows import deploy as deploys
from workflows import runs
from workflows.dashboard.access import find_workflow
from workflows.dashboard.forms import NewWorkflowForm
from workflows.dashboard.views import builder
from workflows.definition import EMPTY
from workflows.models import Enablement, Run, Workflow
from workflows.runs import RunRefused

MOST_WORKFLOWS = 500


@page
def workflows(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    last = Run.objects.filter(workflow=OuterRef("pk"), is_test=False).order_by("-pk")
    on = Enablement.objects.on().filter(workflow=OuterRef("pk")).order_by()
    found = (
        Workflow.objects.written()
        .filter(project=project)
        .select_related("integration__project", "deployed")
        .annotate(
            user_count=CountUpTo(on.values("pk")),
            last_status=Subquery(last.values("status")[:1]),
            last_at=Subquery(last.values("created_at")[:1]),
        )
    )
    context = {
        "project": project,
        "section": "workflows",
        "workflows": found[:MOST_WORKFLOWS],
        "has_integration": Integration.objects.filter(project=project).exists(),
        "status_names": dict(Run.Status.choices),
    }
    return render(request, "workflows/workflows.html", context)


@form_page(Role.DEVELOPER)
def new_workflow(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = NewWorkflowForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        if Workflow.objects.filter(project=project).count() >= MOST_WORKFLOWS:
            form.add_error(None, f"A project can have {MOST_WORKFLOWS} workflows at most.")
        else:
            workflow = Workflow.objects.create(
                project=project,
                name=form.cleaned_data["name"],
                integration=form.cleaned_data["integration"],
                draft=EMPTY,
            )
            audit.record(project, request.user, "workflow made", workflow.name)
            return redirect("workflows:build", project.pk, workflow.pk)
    context = {"project": project, "section": "workflows", "form": form}
    return render(request, "workflows/new_workflow.html", context)


@action(Role.DEVELOPER)
def deploy(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    try:
        version = deploys.deploy(workflow, request.user)
    except deploys.NotDeployable as refusal:
        messages.error(request, f"Not deployed: {refusal}", extra_tags="until-mended")
        builder.show_refused(request, workflow, refusal.problems)
    else:
        messages.success(request, f"Version {version.number} is deployed. New runs use it from now on.")
    return redirect("workflows:build", project_id, workflow_id)


@action(Role.DEVELOPER)
def undeploy(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    deploys.undeploy(workflow, request.user)
    messages.success(request, f"{workflow.name} is undeployed: nothing starts it any more. Runs under way finish.")
    return redirect("workflows:build", project_id, workflow_id)


@action(Role.DEVELOPER)
def pause(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    """Pause a workflow, or let it go on."""
    workflow = find_workflow(request, project_id, workflow_id)
    deploys.pause(workflow, request.user, is_paused=not workflow.is_paused)
    words = "paused: nothing starts it until it goes on" if workflow.is_paused else "going on"
    messages.success(request, f"{workflow.name} is {words}.")
    return redirect("workflows:build", project_id, workflow_id)


@form_page(Role.DEVELOPER)
def delete(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    under_way = Run.objects.unfinished().filter(workflow=workflow).count()
    if request.method == "POST":
        deploys.delete(workflow, request.user)
        messages.success(request, f"{workflow.name} is deleted, with its runs.")
        return redirect("workflows:workflows", project_id)
    users = workflow.enablements.filter(is_enabled=True).count()
    context = {"project": workflow.project, "section": "workflows", "workflow": workflow}
    return render(request, "workflows/delete.html", {**context, "under_way": under_way, "users": users})


@action(Role.DEVELOPER)
def duplicate(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    copy = Workflow.objects.create(
        project=workflow.project,
        integration=workflow.integration,
        name=f"{workflow.name[:110]} (copy)",
        description=workflow.description,
        draft=workflow.draft,
        samples=workflow.samples,
    )
    messages.success(request, f"{copy.name} is a copy, not deployed yet.")
    return redirect("workflows:build", project_id, copy.pk)


@page
def versions(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    found = page_of(
        workflow.versions.exclude(number=None).select_related("created_by"), request, "-created_at", size=20
    )
    numbers = [version.number - 1 for version in found.rows if version.number]
    before = {item.number: item.definition for item in workflow.versions.filter(number__in=numbers)}
    rows = [
        {
            "version": version,
            "changes": deploys.changes(before.get((version.number or 0) - 1), version.definition, workflow.integration),
        }
        for version in found.rows
    ]
    context = {"project": workflow.project, "section": "workflows", "workflow": workflow, "page": found}
    return render(request, "workflows/versions.html", {**context, "versions": rows})


@action(Role.DEVELOPER)
def roll_back(
    request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID, version_id: uuid.UUID
) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    version = get_object_or_404(workflow.versions.exclude(number=None), pk=version_id)
    deploys.roll_back(workflow, version, request.user)
    messages.success(request, f"Version {version.number} runs again; the draft is that version too.")
    return redirect("workflows:versions", project_id, workflow_id)


@form_page(Role.DEVELOPER)
def run_now(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    """Run what is deployed for one connection, with a payload of one's own."""
    workflow = find_workflow(request, project_id, workflow_id)
    connections = Connection.objects.filter(integration=workflow.integration_id).select_related("user", "grant")
    context = {
        "project": workflow.project,
        "section": "workflows",
        "workflow": workflow,
        "connections": connections[:200],
        "payload": json.dumps(workflow.samples.get("trigger") or {}, indent=2),
    }
    if request.method == "POST":
        text, wanted = request.POST.get("payload", "{}"), request.POST.get("connection", "")
        context |= {"payload": text, "wanted": wanted}
        try:
            payload = json.loads(text or "{}")
            connection = connections.filter(pk=uuid.UUID(wanted)).first()
            if connection is None:
                context["error"] = "Choose a connection."
            else:
                run = runs.start_by_hand(workflow, connection, payload, is_test=False)
                return redirect("workflows:run", project_id, run.pk)
        except ValueError as error:
            context["error"] = f"The payload is not valid JSON: {error}." if wanted else "Choose a connection."
        except RunRefused as refusal:
            context["error"] = str(refusal)
    return render(request, "workflows/run_now.html", context)
