"""Settings › Environment."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import audit, copying
from integrations.dashboard.access import Role, find_project, form_page, page
from integrations.dashboard.context import SETTINGS_TABS
from integrations.dashboard.forms import CopyProjectForm, ProjectSettingsForm
from integrations.models import Project


@page
def settings(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Go to the first page of Settings that whoever asks may open."""
    project = find_project(request, project_id)
    return redirect(next(tab.url_name for tab in SETTINGS_TABS if project.role.covers(tab.needs)), project.pk)


@form_page(Role.ADMIN)
def project_settings(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = ProjectSettingsForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        if form.has_changed():
            form.save()
            audit.record(project, request.user, "project changed", change=audit.change_in(form))
        messages.success(request, "The project is saved.")
        return redirect("dashboard:project_settings", project.pk)
    # A refused name or kind is shown in the form, not in the rest of the page.
    shown = Project.objects.with_role(request.user).get(pk=project.pk)
    context = {"project": shown, "section": "settings", "tab": "project", "form": form}
    return render(request, "dashboard/project_settings.html", context)


@form_page(Role.ADMIN)
def copy_project(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Show what copying to another project would change there, and do it when that is confirmed."""
    project = find_project(request, project_id)
    form = CopyProjectForm(request.POST or None, source=project, actor=request.user)
    context = {"project": project, "section": "settings", "tab": "project", "form": form}
    if request.method == "POST" and form.is_valid():
        target, is_confirmed = form.cleaned_data["target"], "confirmed" in request.POST
        found = copying.copy(project, target, request.user, is_dry=not is_confirmed)
        if is_confirmed and not found.problems:
            messages.success(request, f"{target} is set up as {project} is.")
            for words in found.left:
                messages.warning(request, words)
            return redirect("dashboard:overview", target.pk)
        context |= {"target": target, "found": found}
    return render(request, "dashboard/copy_project.html", context)
