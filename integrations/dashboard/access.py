"""Who may see what: every page finds its rows here, so that a stranger gets 404 and learns nothing."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from integrations.models import Integration, Project
from integrations.providers import SLUGS

View = TypeVar("View", bound=Callable[..., HttpResponse])


def page(view: View) -> View:
    """A page to read."""
    return _guarded(view, "GET", "HEAD")


def form_page(view: View) -> View:
    """A page with a form that posts to itself."""
    return _guarded(view, "GET", "HEAD", "POST")


def action(view: View) -> View:
    """A button."""
    return _guarded(view, "POST")


def _guarded(view: View, *methods: str) -> View:
    # Never cached: behind a shared cache, or with the Back button after signing out, a page must not come up again.
    return login_required(never_cache(require_http_methods(methods)(view)))


def find_project(request: HttpRequest, project_id: uuid.UUID) -> Project:
    project = get_object_or_404(Project.objects.visible_to(request.user), pk=project_id)
    if request.session.get("project") != str(project.pk):
        request.session["project"] = str(project.pk)
    return project


def find_integration(request: HttpRequest, project_id: uuid.UUID, slug: str) -> Integration:
    if slug not in SLUGS:
        raise Http404
    project = find_project(request, project_id)
    integrations = Integration.objects.visible_to(request.user).select_related("oauth_app__project", "project")
    return get_object_or_404(integrations, project=project, provider_slug=slug)


def is_owner(request: HttpRequest, project: Project) -> bool:
    return Project.objects.owned_by(request.user).filter(pk=project.pk).exists()
