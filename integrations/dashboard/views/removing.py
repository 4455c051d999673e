"""Delete a project, or take an integration out of it: asked first, with what goes."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import removing
from integrations.dashboard.access import Role, find_integration, find_project, form_page
from integrations.dashboard.forms import ConfirmForm
from integrations.models import ConnectedUser, Connection
from integrations.models.base import CountUpTo
from integrations.setup import SetupRefused


@form_page(Role.OWNER)
def delete_project(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = ConfirmForm(request.POST or None, name=project.name)
    if request.method == "POST" and form.is_valid():
        try:
            removing.delete_project(project, request.user)
        except SetupRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{project.name} is deleted. Its rows are cleared away in the background.")
            return redirect("dashboard:projects")
    context = {
        "project": project,
        "section": "settings",
        "tab": "project",
        "form": form,
        "users": _count(ConnectedUser.objects.filter(project=project)),
        "integrations": project.integrations.count(),
    }
    return render(request, "dashboard/delete_project.html", context)


@form_page(Role.ADMIN)
def remove_integration(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    integration = find_integration(request, project_id, slug)
    provider = integration.provider
    form = ConfirmForm(request.POST or None, name=provider.name)
    if request.method == "POST" and form.is_valid():
        try:
            removing.remove_integration(integration, request.user)
        except SetupRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{provider.name} is being removed. It may take a few minutes.")
            return redirect("dashboard:integrations", project_id)
    context = {
        "project": integration.project,
        "section": "integrations",
        "tab": "settings",
        "form": form,
        "integration": integration,
        "provider": provider,
        "connections": _count(Connection.objects.filter(integration=integration)),
    }
    return render(request, "dashboard/remove_integration.html", context)


def _count(rows: QuerySet[Any]) -> int:
    """Count no further than anybody needs to know; the filter `counted` writes it."""
    return rows[: CountUpTo.MOST + 1].count()
