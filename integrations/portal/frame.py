"""The Connect Portal's page, which an SDK puts into an iframe on the customer's page."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from integrations.models import Project


@require_GET
@xframe_options_exempt
def ui(request: HttpRequest) -> HttpResponse:
    """Serve the portal, framed by the project's own origins only.

    An SDK makes the iframe before it knows its project. Without one the page is an empty shell which anyone may frame:
    it shows nothing, and loads itself again with the project as soon as it is told which.
    """
    project = _project(request.GET.get("projectId", ""))
    providers = [item.provider for item in project.integrations.all()] if project else []
    response = render(request, "portal/ui.html", {"project": project, "providers": providers})
    ancestors = project.frame_ancestors() if project else ["*"]
    response._csp_replace = {"frame-ancestors": ancestors}  # type: ignore[attr-defined]
    response["Referrer-Policy"] = "no-referrer"
    return response


def _project(project_id: str) -> Project | None:
    try:
        return Project.objects.filter(pk=uuid.UUID(project_id)).first()
    except ValueError:
        return None
