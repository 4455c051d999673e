"""What is true of every route of the HTTP API: JSON whatever happens, and CORS for the project's own origins."""

import logging
import re
import uuid
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers

from integrations.models import Project
from integrations.refusals import refusal
from integrations.remember import Remembered

logger = logging.getLogger(__name__)

API_PATH = re.compile(r"^/(?:v2/)?projects/([^/]+)/|^/api/|^/webhooks/")
METHODS = "GET, POST, PUT, PATCH, DELETE"
EXPOSED = "Retry-After, ETag, Content-Disposition, X-RateLimit-Remaining, X-RateLimit-Reset, X-Patchbay-Hint"
NOT_ALLOWED = "This origin is not allowed. Add it under Settings › SDK › Allowed origins in Patchbay."
FOR_BACK_ENDS = "API keys are for back ends. A page that held one would give it to everyone who opens the page."
DISK_FULL = "53100"  # PostgreSQL's name for it
Handler = Callable[[HttpRequest], HttpResponseBase]
_projects: Remembered[Project] = Remembered()


def remembered_project(project_id: uuid.UUID) -> Project | None:
    """Return a project as it was at most three seconds ago; None for an unknown id, which is never remembered."""
    found = _projects.get(project_id)
    if found is None:
        found = Project.objects.filter(pk=project_id, deleted_at=None).first()
        return _projects.keep(project_id, found) if found else None
    return found


def _call_view(request: HttpRequest) -> HttpResponseBase:
    found = request.resolver_match
    if found is None:
        raise Resolver404
    try:
        response: HttpResponseBase = found.func(request, *found.args, **found.kwargs)
    except (OperationalError, InterfaceError) as error:
        return _unavailable(error)
    return response


def _unavailable(error: Exception) -> JsonResponse:
    """Answer while the database is away, locked or full: nothing was stored, so that trying again is safe."""
    logger.error("the database refuses: %s", error)
    name = getattr(error.__cause__, "sqlite_errorname", "") or getattr(error.__cause__, "sqlstate", "")
    if name in ("SQLITE_FULL", DISK_FULL):
        words = "The server has no room left to store anything. Nothing was done; its operator must make room."
        return refusal(507, "storage_full", words)
    words = "The database cannot be reached at the moment. Nothing was done; try again in a few seconds."
    return refusal(503, "database_unavailable", words, headers={"Retry-After": "5"})


class ApiMiddleware:
    """Serve the API, which knows no cookies and no pages, without the middleware that is about those.

    Of what a proxied call costs, that would be a quarter.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self._call_view = cast("Handler", convert_exception_to_response(_call_view))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        match = API_PATH.match(request.path_info)
        if not match:
            return self.get_response(request)
        view = self._resolve(request)
        is_for_back_ends = getattr(view, "is_for_back_ends", False)
        origin = request.headers.get("Origin", "")
        allowed = bool(origin) and not is_for_back_ends and self._allows(match.group(1), origin)
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            words = "The address holds a NUL character."
            response: HttpResponseBase = refusal(400, "bad_address", words)
        elif request.method == "OPTIONS":
            response = self._preflight(request, FOR_BACK_ENDS if is_for_back_ends else "" if allowed else NOT_ALLOWED)
        else:
            # One page of the popup has its address among the API's.
            response = self._in_json(self._call_view(request) if view else self.get_response(request))
        if response.status_code == 204:
            # What says nothing is of no type; Django calls it HTML.
            del response["Content-Type"]
        if allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = EXPOSED
        patch_vary_headers(response, ["Origin"])
        response.setdefault("Cache-Control", "no-store")
        response.setdefault("Referrer-Policy", "no-referrer")
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        return response

    @staticmethod
    def _resolve(request: HttpRequest) -> Callable[..., Any] | None:
        """Return the API's view of an address, None for one that is not the API's."""
        try:
            request.resolver_match = resolve(request.path_info, settings.API_URLCONF)
        except Resolver404:
            return None
        return request.resolver_match.func

    @staticmethod
    def _allows(project_id: str | None, origin: str) -> bool:
        if project_id is None or origin == settings.PUBLIC_URL:
            return True  # the API's own description is for everyone, and the portal is our own page
        try:
            project = remembered_project(uuid.UUID(project_id))
        except (ValueError, OperationalError, InterfaceError):
            return False
        return project is not None and project.allows_origin(origin)

    @staticmethod
    def _preflight(request: HttpRequest, why_not: str) -> HttpResponse:
        if why_not:
            return refusal(400, "origin_not_allowed", why_not)
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = METHODS
        # The customer's page may add headers of its own to a proxied call; Authorization must be named, not starred.
        response["Access-Control-Allow-Headers"] = request.headers.get(
            "Access-Control-Request-Headers", "Authorization"
        )
        response["Access-Control-Max-Age"] = "600"
        return response

    @staticmethod
    def _in_json(response: HttpResponseBase) -> HttpResponseBase:
        """Replace a page of Django's own (404, 500, 400) by JSON; answers marked final stay."""
        is_page = response.get("Content-Type", "").startswith("text/html")
        if response.status_code < 400 or not is_page or hasattr(response, "is_final"):
            return response
        words = {404: "There is no such address in this API.", 400: "The request cannot be understood."}
        fallback = "Something went wrong on our side. Try again; the server's log tells more."
        status = response.status_code
        return refusal(status, f"http_{status}", words.get(status, fallback))
