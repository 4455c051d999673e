"""How a project is, and what to do next."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations import onboarding
from integrations.dashboard.access import find_project, page
from integrations.dashboard.views.integrations import may_go_to_consent, to_try
from integrations.models import Connection, Integration, Project
from integrations.providers import SLUGS

LOST_SHOWN = 5


@page
def overview(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    integrations = _integrations(project)
    steps = onboarding.steps(project, integrations)
    lost = Connection.objects.filter(project=project).needing_reconnect()
    context = {
        "project": project,
        "section": "overview",
        "steps": steps,
        "done_count": sum(step.is_done for step in steps),
        "next_step": next((step for step in steps if not step.is_done), None),
        "integrations": integrations,
        "lost": lost.select_related("user", "grant", "integration").order_by("-updated_at")[:LOST_SHOWN],
    }
    tried = next((each for each in integrations if each.is_active), None)
    if tried is None or not project.role.may_develop:
        return render(request, "dashboard/overview.html", context)
    response = render(request, "dashboard/overview.html", context | to_try(request, tried))
    return may_go_to_consent(response, tried)


def _integrations(project: Project) -> list[Integration]:
    found = Integration.objects.filter(project=project, provider_slug__in=SLUGS).select_related("oauth_app", "project")
    return list(found.with_counts().order_by("created_at"))
