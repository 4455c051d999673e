"""The manual is for everyone, signed in or not: it tells nothing of any project."""

import uuid
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from integrations.docs import pages, reference
from integrations.docs import search as searching
from integrations.models import Project

MOST_PROJECTS = 100


@require_safe
@never_cache  # whoever is signed in sees their projects in the bar on top
def index(request: HttpRequest) -> HttpResponse:
    return _show(request, "docs/index.html")


@require_safe
@never_cache
def page(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show a page, or send a file that pages show. Only what is listed is looked for, wherever a path may lead."""
    if slug in pages.FILES:
        return FileResponse(pages.FILES[slug].open("rb"))
    found = pages.PAGES.get(slug)
    if found is None or found.file is None:
        return _missing(request, slug)
    before, after = pages.around(found)
    return _show(request, "docs/page.html", current=found, content=found.content(), before=before, after=after)


@require_safe
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[: searching.MOST_CHARACTERS]
    return _show(request, "docs/search.html", query=query, results=searching.search(query))


@require_safe
@never_cache
def reference_index(request: HttpRequest) -> HttpResponse:
    current = pages.PAGES["reference"]
    before, after = pages.around(current)
    return _show(
        request, "docs/reference.html", current=current, schemes=reference.schemes(), before=before, after=after
    )


@require_safe
@never_cache
def reference_group(request: HttpRequest, slug: str) -> HttpResponse:
    found = next((each for each in reference.groups() if each.slug == slug), None)
    if found is None:
        return _missing(request, slug)
    return _show(
        request,
        "docs/reference_group.html",
        current=pages.PAGES["reference"],
        group=found,
        group_title=found.title,
        projects=_projects_to_try(request.user),
        last_project=_last_project(request),
    )


def _show(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"groups": pages.GROUPS, "reference_groups": reference.groups(), "section": "docs"}
    return render(request, template, context, status=status)


def _missing(request: HttpRequest, wanted: str) -> HttpResponse:
    """Say that there is no such page, and offer what its address sounds like."""
    words = " ".join(wanted.removesuffix(".md").replace("-", " ").replace("/", " ").split())
    return _show(request, "docs/missing.html", 404, query=words, results=searching.search(words)[:5])


def _projects_to_try(user: Any) -> list[Project]:
    if not user.is_authenticated:
        return []
    return list(Project.objects.visible_to(user).with_role(user)[:MOST_PROJECTS])


def _last_project(request: HttpRequest) -> uuid.UUID | None:
    """Return the project that was open last in the dashboard, which is most likely what somebody asks about."""
    last = request.session.get("project") if request.user.is_authenticated else None
    return uuid.UUID(last) if last else None
