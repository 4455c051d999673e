"""Every address of the sandbox. None of them exists in Patchbay's own web process."""

from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path, re_path

from .api import auditing, issues, people, projects, search, webhooks  # noqa: F401 (they add their routes)
from .api.gateway import gateway
from .avatars import avatar
from .pages import consent, console, operator, operator_api, tokens

STATIC = Path(__file__).parent / "static"


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def rest(request: HttpRequest, cloud_id: str, version: str, path: str) -> HttpResponseBase:
    return gateway(request, cloud_id, int(version), path)


def stylesheet(request: HttpRequest) -> HttpResponseBase:
    return FileResponse((STATIC / "sandbox.css").open("rb"), content_type="text/css")


urlpatterns = [
    path("", operator.home),
    path("healthz", healthz),
    path("reset", operator.reset),
    path("console", console.console),
    path("sandbox.css", stylesheet),
    path("avatars/<str:name>.svg", avatar),
    path("sites/<slug:slug>/browse/<str:key>", operator.browse),
    path("operator/api/<path:path>", operator_api.operate),
    path("authorize", consent.authorize),
    path("oauth/token", tokens.token),
    path("oauth/token/accessible-resources", tokens.accessible_resources),
    path("me", tokens.me),
    re_path(r"^ex/jira/(?P<cloud_id>[^/]+)/rest/api/(?P<version>[23])/(?P<path>.*)$", rest),
]
