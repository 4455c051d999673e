"""For which users a workflow is switched on, and switching it in their stead."""

import uuid
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html

from integrations import audit
from integrations.dashboard.access import Role, action, page, page_before
from integrations.dashboard.forms import UserSearchForm
from integrations.dashboard.paging import page_of
from integrations.models import ConnectedUser, Connection
from workflows import settings
from workflows.dashboard.access import find_workflow
from workflows.models import Workflow


@page
def users(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    form = UserSearchForm(request.GET)
    found = form.find(partial(_connections, workflow)).select_related("grant", "user")
    shown = page_of(found, request, "-created_at")
    ids = [connection.pk for connection in shown.rows]
    switched_on = set(workflow.enablements.on().filter(connection__in=ids).values_list("connection_id", flat=True))
    context = {
        "project": workflow.project,
        "section": "workflows",
        "workflow": workflow,
        "page": shown,
        "switched_on": switched_on,
        "form": form,
        "is_filtered": form.is_filtered,
    }
    return render(request, "workflows/users.html", context)


def _connections(workflow: Workflow, wanted: dict[str, Any]) -> QuerySet[Connection]:
    found = workflow.integration.connections.all()
    if wanted.get("q"):
        found = found.filter(user__in=ConnectedUser.objects.filter(project=workflow.project_id).named(wanted["q"]))
    return found


@action(Role.DEVELOPER)
def switch(
    request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID, connection_id: uuid.UUID
) -> HttpResponse:
    """Switch a deployed workflow on or off for a connection, by the rules that hold for its user."""
    workflow = find_workflow(request, project_id, workflow_id)
    connection = get_object_or_404(workflow.integration.connections.select_related("user", "grant"), pk=connection_id)
    is_on = request.POST.get("on") == "yes"
    if is_on and not workflow.is_deployed:
        messages.error(request, f"{workflow.name} is not deployed: there is nothing to switch on.")
    elif is_on and (lacking := settings.lacking(workflow, connection)):
        words = f"It stays off for {connection.user.display_name}: {' '.join(lacking.values())}"
        guide = reverse("docs:page", args=["sdk"]) + "#3-methods"
        advice = format_html('They choose it in the portal, or your product does <a href="{}">by the SDK</a>.', guide)
        messages.error(request, format_html("{} {}", words, advice))
    else:
        settings.switch(workflow, connection, on=is_on)
        audit.record(
            workflow.project,
            request.user,
            "workflow switched on" if is_on else "workflow switched off",
            f"{workflow.name} for {connection.user.sub}",
        )
        words = "switched on" if is_on else "switched off"
        messages.success(request, f"{workflow.name} is {words} for {connection.user.display_name}.")
    # Back to the page of the list that the button stood on.
    return redirect(page_before(request, otherwise=reverse("workflows:users", args=[project_id, workflow_id])))
