"""Who is connected, and what an operator does with one of them."""

import re
import uuid
from datetime import UTC, datetime, time
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations import audit
from integrations import users as people
from integrations.dashboard.access import Role, action, find_project, form_page, of_project, page, page_for
from integrations.dashboard.forms import UserFilterForm
from integrations.dashboard.paging import page_of
from integrations.models import Call, ConnectedUser, Project


@page
def users(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = UserFilterForm(request.GET)
    found = form.find(partial(_wanted, project)).prefetch_related("connections__grant")
    sub = form.cleaned_data.get("q")
    context = {
        "project": project,
        "section": "users",
        "form": form,
        "is_filtered": form.is_filtered,
        # Of many whose ID begins alike, or has it somewhere, this one is meant.
        "exact": project.connected_users.filter(sub=sub).first() if sub else None,
        "page": page_of(found, request, "-created_at"),
    }
    return render(request, "dashboard/users.html", context)


def _wanted(project: Project, wanted: dict[str, Any]) -> QuerySet[ConnectedUser]:
    found = ConnectedUser.objects.filter(project=project)
    if wanted.get("q"):
        found = found.named(wanted["q"])
    if wanted.get("provider"):
        found = found.connected_to(wanted["provider"])
    if wanted.get("since"):
        found = found.filter(created_at__gte=datetime.combine(wanted["since"], time.min, UTC))
    found = found.with_health(wanted.get("health", ""))
    if wanted.get("provider") and wanted.get("health") == "none":
        found = found.none()  # Whoever is connected to something has a connection: no need to look through all.
    return found


@page
def user(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
    found = _find(request, project_id, user_id)
    connections = found.connections.select_related("grant__app", "integration__project", "user")
    context = {
        "project": found.project,
        "section": "users",
        "connected_user": found,
        "metadata": found.meta.items(),  # by its name in a template, it could be a value called so
        "page": page_of(connections, request, "-created_at"),
        "calls": Call.objects.filter(project=found.project, sub=found.sub)[:10],
    }
    return render(request, "dashboard/user.html", context)


def _find(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> ConnectedUser:
    project = find_project(request, project_id)
    return of_project(project, get_object_or_404(ConnectedUser, project=project, pk=user_id))


@action(Role.DEVELOPER)
def disable(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
    found = _find(request, project_id, user_id)
    people.disable(found, request.user)
    messages.success(
        request, f"{found} is disabled: nothing is done in their name any more. What they connected is kept."
    )
    return redirect("dashboard:user", project_id, user_id)


@action(Role.DEVELOPER)
def enable(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
    found = _find(request, project_id, user_id)
    people.enable(found, request.user)
    messages.success(request, f"{found} is enabled again.")
    return redirect("dashboard:user", project_id, user_id)


@page_for(Role.ADMIN)
def export(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> StreamingHttpResponse:
    """Download all that is kept about a user, as JSON."""
    found = _find(request, project_id, user_id)
    audit.record(found.project, request.user, "user exported", found.sub)
    name = re.sub(r"[^\w.-]+", "-", found.sub)[:60]
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return StreamingHttpResponse(people.export(found), content_type="application/json", headers=headers)


@form_page(Role.ADMIN)
def delete(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
    """Ask, then delete a user with everything of theirs."""
    found = _find(request, project_id, user_id)
    context = {"project": found.project, "section": "users", "connected_user": found}
    if request.method == "POST":
        if request.POST.get("sub", "").strip() == found.sub:
            people.delete(found, request.user)
            messages.success(request, f"{found.sub} is deleted, with everything that was kept about them.")
            return redirect("dashboard:users", project_id)
        context["error"] = f"Type {found.sub} to confirm."
    return render(request, "dashboard/delete_user.html", context | {"connections": found.connections.count()})
