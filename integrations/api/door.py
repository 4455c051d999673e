"""How an address of the management API is served: the key decides about the project, its scopes about each method."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from integrations.api import keys
from integrations.models import ApiKey, Project
from integrations.sdk.api import ApiError, answer_to, as_response, bearer, json_of, method_not_allowed
from integrations.sdk.middleware import FOR_BACK_ENDS

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class KeyCaller:
    """Who asks: a program of the project, by an API key."""

    request: HttpRequest
    key: ApiKey

    @property
    def project(self) -> Project:
        return self.key.project

    @property
    def actor(self) -> str:
        """Return how the audit log names this caller."""
        return f"API key {self.key}"

    def json(self, *allowed: str) -> dict[str, Any]:
        """Return the request's JSON object. Raises ApiError for anything that is not among the allowed names."""
        body = json_of(self.request)
        unknown = sorted(body.keys() - set(allowed))
        if unknown:
            words = f"These cannot be set here: {', '.join(unknown)[:300]}. Allowed: {', '.join(allowed) or 'nothing'}."
            raise ApiError(400, "unknown_field", words)
        return body


def needs(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say which scope a function of (caller, ...) takes."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function.scope = scope  # type: ignore[attr-defined]
        return function

    return decorate


def serve(**functions: Callable[..., Any]) -> View:
    """Make one view of functions by method: key and scope checked, every outcome JSON."""
    methods = tuple(functions)

    @csrf_exempt
    def view(request: HttpRequest, project_id: uuid.UUID, **where: Any) -> HttpResponseBase:
        function = functions.get(request.method or "")
        if function is None:
            return method_not_allowed(methods)
        try:
            caller = _identify(request, project_id, function.scope)  # type: ignore[attr-defined]
            return as_response(function(caller, **where))
        except Exception as error:
            answer = answer_to(error)
            if answer is None:
                raise
            if answer.status_code == 401:
                answer["WWW-Authenticate"] = "Bearer"
            return answer

    view.methods = methods  # type: ignore[attr-defined]
    view.scopes = {name: function.scope for name, function in functions.items()}  # type: ignore[attr-defined]
    # The middleware lets no page of a browser read what comes from here.
    view.is_for_back_ends = True  # type: ignore[attr-defined]
    return view


def _identify(request: HttpRequest, project_id: uuid.UUID, scope: str) -> KeyCaller:
    """Return the caller. Raises ApiError; a key of another project reads the same as one that never was."""
    text = bearer(request)
    key = keys.find(project_id, text)
    if key is None:
        raise ApiError(401, "invalid_api_key", _why_unknown(text))
    if key.revoked_at:
        raise ApiError(401, "invalid_api_key", f"This API key was revoked on {key.revoked_at:%Y-%m-%d}.")
    if key.is_expired:
        raise ApiError(401, "invalid_api_key", f"This API key expired on {key.expires_at:%Y-%m-%d}.")
    # The pages of this server may ask: its API reference, with a key that its reader has pasted.
    if request.headers.get("Origin", settings.PUBLIC_URL) != settings.PUBLIC_URL:
        raise ApiError(400, "origin_not_allowed", FOR_BACK_ENDS)
    if scope not in key.scopes:
        words = f"This API key lacks the scope {scope}. Make one that has it under Settings › API keys in Patchbay."
        raise ApiError(403, "missing_scope", words, scope=scope)
    key.note_use()
    return KeyCaller(request, key)


def _why_unknown(text: str) -> str:
    if text.startswith(keys.MARK) and not keys.is_well_formed(text):
        return "The API key is mistyped or cut off: it does not check out. Copy it whole."
    return (
        "Send an API key of this project: Authorization: Bearer pbs_… Make one under Settings › API keys in Patchbay."
    )
