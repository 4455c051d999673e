import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import providers, setup
from integrations.dashboard.access import Role, action, find_project, page
from integrations.dashboard.catalog import Shelf
from integrations.dashboard.snippets import example_snippets
from integrations.docs.pages import PAGES
from integrations.models import Integration, Project
from integrations.providers.base import Provider


@page
def catalog(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    query, category = request.GET.get("q", "").strip(), request.GET.get("category", "")
    shelf = Shelf(providers.catalog(), _added(project), query, category)
    context = {
        "project": project,
        "section": "catalog",
        "shelf": shelf,
        "contributing_url": f"{PAGES['contributing'].url}#how-to-add-a-provider",
    }
    return render(request, "dashboard/catalog.html", context)


@page
def provider(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    project = find_project(request, project_id)
    found = _provider(slug)
    context = {
        "project": project,
        "section": "catalog",
        "provider": found,
        "integration": _added(project).get(slug),
        "snippets": example_snippets(project, found),
        "manual": PAGES.get(slug),
    }
    return render(request, "dashboard/provider.html", context)


@action(Role.DEVELOPER)
def add(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    project = find_project(request, project_id)
    try:
        integration = setup.add_integration(project, _provider(slug).slug, request.user)
    except setup.SetupRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("dashboard:integration", project.pk, slug)
    messages.success(request, f"{integration.provider.name} is in this project. Set it up below, then activate it.")
    return redirect("dashboard:integration_settings", project.pk, slug)


def _provider(slug: str) -> Provider:
    try:
        return providers.get(slug)
    except KeyError:
        raise Http404 from None


def _added(project: Project) -> dict[str, Integration]:
    return {row.provider_slug: row for row in Integration.objects.filter(project=project).with_counts()}
