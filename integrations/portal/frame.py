"""The Connect Portal's page, which an SDK puts into an iframe on the customer's page."""

import uuid

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from integrations import language
from integrations.models import Integration, Portal, Project
from integrations.portal.look import Look, look_of
from integrations.portal.words import words
from integrations.providers import SLUGS


@require_GET
@xframe_options_exempt
@language.spoken
def ui(request: HttpRequest) -> HttpResponse:
    """Serve the portal, framed by the project's own origins only.

    An SDK makes the iframe before it knows its project. Without one the page is an empty shell which anyone may frame:
    it shows nothing, and loads itself again with the project as soon as it is told which.
    """
    project = _project(request.GET.get("projectId", ""))
    looks = [look_of(Portal.objects.of(item)) for item in _integrations(project)] if project else []
    origins = project.allowed_origins if project else []
    response = show(request, project, looks, origins=origins)
    ancestors = project.frame_ancestors() if project else ["*"]
    response._csp_replace = {"frame-ancestors": ancestors}  # type: ignore[attr-defined]
    response["Referrer-Policy"] = "no-referrer"
    return response


def show(
    request: HttpRequest, project: Project | None, looks: list[Look], *, origins: list[str], preview: bool = False
) -> HttpResponse:
    """Render the page for these integrations, to be told by pages of these origins whom it is for."""
    context = {"project": project, "looks": looks, "origins": origins, "words": words(), "preview": preview}
    return render(request, "portal/ui.html", context)


def _integrations(project: Project) -> QuerySet[Integration]:
    return project.integrations.filter(provider_slug__in=SLUGS).select_related("project", "portal")


def _project(project_id: str) -> Project | None:
    try:
        return Project.objects.filter(pk=uuid.UUID(project_id), deleted_at=None).first()
    except ValueError:
        return None
