"""Who is connected, what they called, and who changed what."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from integrations.dashboard.access import find_project, page
from integrations.dashboard.forms import CallFilterForm, UserFilterForm
from integrations.dashboard.paging import page_of
from integrations.models import AuditEntry, Call, ConnectedUser


@page
def users(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = UserFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = ConnectedUser.objects.filter(project=project).prefetch_related("connections__grant")
    if wanted.get("q"):
        found = found.named(wanted["q"])
    found = found.with_health(wanted.get("health", ""))
    context = {"project": project, "section": "users", "form": form, "is_filtered": any(wanted.values())}
    return render(request, "dashboard/users.html", {**context, "page": page_of(found, request, "-created_at")})


@page
def user(request: HttpRequest, project_id: uuid.UUID, user_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    found = get_object_or_404(ConnectedUser, project=project, pk=user_id)
    connections = found.connections.select_related("grant__app", "integration__project", "user")
    context = {
        "project": project,
        "section": "users",
        "connected_user": found,
        "page": page_of(connections, request, "-created_at"),
        "calls": Call.objects.filter(project=project, sub=found.sub)[:10],
    }
    return render(request, "dashboard/user.html", context)


@page
def calls(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = CallFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    found = Call.objects.filter(project=project)
    if wanted.get("user"):
        found = found.filter(sub=wanted["user"])
    if wanted.get("provider"):
        found = found.filter(provider_slug=wanted["provider"])
    if wanted.get("status"):
        first = int(wanted["status"]) * 100
        found = found.filter(status__gte=first, status__lt=first + 100)
    context = {"project": project, "section": "calls", "form": form, "is_filtered": any(wanted.values())}
    return render(request, "dashboard/calls.html", {**context, "page": page_of(found, request, "-at")})


@page
def audit_log(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    found = page_of(AuditEntry.objects.filter(project=project), request, "-at")
    return render(request, "dashboard/audit.html", {"project": project, "section": "audit", "page": found})
