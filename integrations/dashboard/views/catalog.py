import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations import providers, setup
from integrations.dashboard.access import action, find_project, page
from integrations.models import Integration, Project
from integrations.providers.base import Provider


@dataclass(frozen=True)
class Card:
    """A provider of the catalog, and what this project made of it."""

    provider: Provider
    integration: Integration | None


@page
def catalog(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    query = request.GET.get("q", "").strip()
    added = _added(project)
    cards = [Card(provider, added.get(provider.slug)) for provider in providers.catalog() if _matches(provider, query)]
    context = {"project": project, "section": "catalog", "cards": cards, "query": query}
    return render(request, "dashboard/catalog.html", context)


@page
def provider(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    project = find_project(request, project_id)
    card = Card(_provider(slug), _added(project).get(slug))
    return render(request, "dashboard/provider.html", {"project": project, "section": "catalog", "card": card})


@action
def add(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    project = find_project(request, project_id)
    integration = setup.add_integration(project, _provider(slug).slug, request.user)
    messages.success(request, f"{integration.provider.name} is in this project. Set it up below, then activate it.")
    return redirect("dashboard:integration_settings", project.pk, slug)


def _provider(slug: str) -> Provider:
    try:
        return providers.get(slug)
    except KeyError:
        raise Http404 from None


def _added(project: Project) -> dict[str, Integration]:
    return {row.provider_slug: row for row in Integration.objects.filter(project=project)}


def _matches(provider: Provider, query: str) -> bool:
    text = " ".join([provider.name, provider.tagline, *provider.categories]).lower()
    return all(word in text for word in query.lower().split())
