from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import audit
from integrations.dashboard.access import Role, form_page, page
from integrations.dashboard.forms import ProjectForm
from integrations.dashboard.paging import page_of
from integrations.models import Member, Project


@page
def home(request: HttpRequest) -> HttpResponse:
    """Go to the project that was open last, or to the only one."""
    mine = Project.objects.visible_to(request.user)
    last = mine.filter(pk=request.session["project"]).first() if request.session.get("project") else None
    found = [last] if last else list(mine[:2])
    if len(found) == 1:
        return redirect("dashboard:overview", found[0].pk)
    return redirect("dashboard:projects")


@page
def projects(request: HttpRequest) -> HttpResponse:
    found = page_of(Project.objects.visible_to(request.user), request, "name")
    return render(request, "dashboard/projects.html", {"page": found})


@form_page(Role.DEVELOPER)
def new_project(request: HttpRequest) -> HttpResponse:
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            project = form.save()
            Member.objects.create(project=project, user=_user(request), role=Member.Role.OWNER)
            audit.record(project, request.user, "project created", f"{project.name} ({project.kind})")
        messages.success(request, f"{project.name} is ready.")
        return redirect("dashboard:overview", project.pk)
    return render(request, "dashboard/new_project.html", {"form": form})


def _user(request: HttpRequest) -> Any:
    return request.user
