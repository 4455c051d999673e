"""How a view of the HTTP API is written: @api("GET") def me(caller): return {...}."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt

from integrations import language, user_tokens
from integrations.connect import ConnectError
from integrations.models import ConnectedUser, Connection, Integration, Project
from integrations.proxy import ProxyError, named
from integrations.refusals import refusal
from integrations.sdk.middleware import NOT_ALLOWED, remembered_project
from integrations.user_tokens import EndUser

P = ParamSpec("P")
BODY_BYTES = 1_000_000
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class ApiError(Exception):
    """An answer that is not a success. 401 and 403 are for bad tokens and keys only: Paragon's SDK logs out on them."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.more = status, code, more


@dataclass(frozen=True)
class Caller:
    """Who asks: an end user of a project, by a verified user token."""

    request: HttpRequest
    project: Project
    user: EndUser

    def connected_user(self) -> ConnectedUser | None:
        """Return the row of this end user, None before anything was stored for them."""
        return ConnectedUser.objects.filter(project=self.project, sub=self.user.sub).first()

    def connections(self) -> Any:
        """Return this end user's connections: the only ones that exist for this caller."""
        mine = Connection.objects.filter(project=self.project, user__sub=self.user.sub)
        return mine.select_related("integration", "grant", "user")

    def integrations(self) -> Any:
        return Integration.objects.filter(project=self.project).select_related("oauth_app", "project", "portal")

    def integration(self, **lookup: Any) -> Integration:
        found: Integration | None = self.integrations().filter(**lookup).first()
        if found is None:
            raise ApiError(404, "no_integration", "This project has no such integration.")
        return found

    def connection(self, wanted: str) -> Connection:
        found: Connection | None = self.connections().filter(**named(wanted)).first()
        if found is None:
            raise ApiError(404, "no_credential", "There is no such connection.")
        return found

    def selected(self) -> str:
        """Return the connection that the request names in its header, "" for the default one."""
        return self.request.headers.get("X-Paragon-Credential", "")[:255]

    def json(self) -> dict[str, Any]:
        """Return the request's JSON object. Raises ApiError 400 or 413."""
        return json_of(self.request)


def json_of(request: HttpRequest) -> dict[str, Any]:
    """Return a request's JSON object, {} for no body. Raises ApiError 400 or 413."""
    body = request.read(BODY_BYTES + 1)
    if len(body) > BODY_BYTES:
        raise ApiError(413, "too_large", f"The body is larger than {BODY_BYTES:,} bytes.")
    try:
        found = json.loads(body or b"{}")
        _check_storable(found)
    except (ValueError, RecursionError):
        raise ApiError(400, "bad_json", "The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise ApiError(400, "bad_json", "The body must be a JSON object.")
    return found


def _check_storable(found: object) -> None:
    """Raise ValueError for what Python takes for JSON and no database keeps: NaN, half a surrogate pair, NUL."""
    text = json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    if NUL.search(text):
        raise ValueError("NUL")


def bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def identify(request: HttpRequest, project_id: uuid.UUID, token: str) -> Caller:
    """Return the caller. Raises InvalidUserToken; an unknown project reads the same as a wrong token."""
    project = remembered_project(project_id)
    if project is None:
        raise user_tokens.InvalidUserToken
    return Caller(request, project, user_tokens.verify_remembered(project, token))


def check_origin(request: HttpRequest, project: Project) -> None:
    """Raise ApiError when a browser calls from a page that the project does not know."""
    origin = request.headers.get("Origin")
    if origin and origin != settings.PUBLIC_URL and not project.allows_origin(origin):
        raise ApiError(400, "origin_not_allowed", NOT_ALLOWED)


View = Callable[..., HttpResponseBase]


def api(*methods: str) -> Callable[[Callable[Concatenate[Caller, P], Any]], View]:
    """Make a function of (caller, ...) a view: token checked, methods checked, every outcome JSON."""

    def decorate(function: Callable[Concatenate[Caller, P], Any]) -> View:
        @csrf_exempt
        @language.spoken
        @wraps(function)
        def view(request: HttpRequest, project_id: uuid.UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method not in methods:
                return method_not_allowed(methods)
            try:
                caller = identify(request, project_id, bearer(request))
                check_origin(request, caller.project)
                return as_response(function(caller, *args, **kwargs))
            except Exception as error:
                answer = answer_to(error)
                if answer is None:
                    raise
                return answer

        view.methods = methods  # type: ignore[attr-defined]
        return view

    return decorate


def as_response(result: Any) -> HttpResponseBase:
    if isinstance(result, HttpResponseBase):
        return result
    return HttpResponse(status=204) if result is None else JsonResponse(result, safe=False)


def method_not_allowed(methods: tuple[str, ...]) -> JsonResponse:
    allow = ", ".join(methods)
    return refusal(405, "method_not_allowed", f"Use {allow} here.", headers={"Allow": allow})


def enabled(connection: Connection) -> Connection:
    """Return it. Raises ApiError where nothing may be done in its user's name."""
    if connection.user.disabled_at:
        raise ApiError(400, "user_disabled", gettext(ConnectedUser.DISABLED))
    return connection


def answer_to(error: Exception) -> JsonResponse | None:
    """Return the JSON for an error we know; None for a bug, which the middleware turns into a plain 500."""
    if isinstance(error, user_tokens.InvalidUserToken):
        return refusal(401, "invalid_user_token", str(error))
    if isinstance(error, ApiError):
        return refusal(error.status, error.code, str(error), **error.more)
    if isinstance(error, ConnectError):
        return refusal(409, error.code, str(error))
    if isinstance(error, ProxyError):
        answer = refusal(error.status, error.code, str(error))
        if error.retry_after is not None:
            answer["Retry-After"] = str(int(error.retry_after) + 1)
        return answer
    return None
