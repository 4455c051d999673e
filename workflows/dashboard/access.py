"""Who may see which workflow and which run."""

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from integrations.dashboard.access import find_project, of_project
from workflows.models import Run, Workflow


def find_workflow(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> Workflow:
    project = find_project(request, project_id)
    found = Workflow.objects.visible_to(request.user).written()
    related = found.select_related("integration__oauth_app", "integration__project", "deployed")
    return of_project(project, get_object_or_404(related, project=project, pk=workflow_id))


def find_run(request: HttpRequest, project_id: uuid.UUID, run_id: uuid.UUID) -> Run:
    project = find_project(request, project_id)
    found = Run.objects.visible_to(request.user).select_related(
        "workflow__integration__project",
        "version",
        "event__connection__integration",
        "replay_of",
        "connection__user",
        "connection__grant",
        "connection__integration__project",
    )
    return of_project(project, get_object_or_404(found, project=project, pk=run_id))
