"""Start a connection, follow it, claim it: our own SDK's calls and Paragon's."""

import json
import secrets
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from integrations import connect
from integrations.connect import ConnectError, Wish
from integrations.models import ConnectSession, Integration
from integrations.sdk import shapes
from integrations.sdk.api import ApiError, Caller, api

LONGEST_KEY = 64


# Our own SDK --------------------------------------------------------------------------------------------------------


@api("POST")
def begin(caller: Caller) -> dict[str, Any]:
    """Open an attempt.

    Takes {integration, origin, returnUrl?, selectedCredentialId?, allowMultipleCredentials?, externalId?} and answers
    {sessionId, startUrl}; the popup goes to startUrl, which works once.
    """
    body = caller.json()
    integration = caller.integration(provider_slug=str(body.get("integration", "")))
    origin = _origin(caller, str(body.get("origin", "")))
    app = connect.usable_app(integration)
    user = connect.connected_user(caller.user)
    connect.check_user(app, user)
    code = secrets.token_urlsafe(32)
    session = connect.open_session(
        user,
        integration,
        ConnectSession.Protocol.PATCHBAY,
        origin=origin,
        wish=_wish(caller, body, integration),
        start_hash=connect.digest(code),
    )
    return {"sessionId": str(session.pk), "startUrl": settings.PUBLIC_URL + reverse("portal:start", args=[code])}


@api("GET", "DELETE")
def session(caller: Caller, session_id: uuid.UUID) -> dict[str, Any] | None:
    """Tell how an attempt goes: {status: open | returned | claimed | failed, …}. DELETE gives it up."""
    found = _session(caller, pk=session_id)
    if caller.request.method == "DELETE":
        connect.fail(found, "cancelled", gettext(connect.CLOSED))
        return None
    body: dict[str, Any] = {"status": found.status}
    if found.status == ConnectSession.Status.FAILED:
        body |= {"code": found.error_code, "message": found.error}
    elif found.status == ConnectSession.Status.CLAIMED and found.connection:
        body["credential"] = shapes.credential(found.connection)
    return body


@api("POST")
def claim(caller: Caller) -> dict[str, Any]:
    """Claim a consent with the current user's token: {code} → the credential."""
    return shapes.credential(connect.claim(caller.user, str(caller.json().get("code", ""))))


def _session(caller: Caller, **lookup: Any) -> ConnectSession:
    found = (
        ConnectSession.objects.filter(project=caller.project, user__sub=caller.user.sub, **lookup)
        .select_related("connection__grant", "connection__integration", "connection__user")
        .first()
    )
    if found is None:
        raise ApiError(404, "no_session", "There is no such connection attempt.")
    return found


def _origin(caller: Caller, stated: str) -> str:
    """Return the opener's origin: what the browser says where it says so, and always one of the project's."""
    origin = caller.request.headers.get("Origin") or stated
    if origin == settings.PUBLIC_URL:
        origin = stated  # asked by the portal, on behalf of the page around it
    if not caller.project.allows_origin(origin):
        raise ApiError(400, "origin_not_allowed", "This origin is not among the project's allowed origins.")
    return origin


def _wish(caller: Caller, options: dict[str, Any], integration: Integration) -> Wish:
    wanted = options.get("selectedCredentialId")
    chosen = caller.connections().filter(integration=integration)
    connection = None
    if isinstance(wanted, str) and wanted:
        connection = next((item for item in chosen if wanted in (str(item.pk), item.external_id)), None)
    return Wish(
        connection=connection,
        allow_multiple=bool(options.get("allowMultipleCredentials")) and connection is None,
        external_id=str(options.get("externalId") or "")[:200],
        return_url=_return_url(caller, str(options.get("returnUrl") or "")),
    )


def _return_url(caller: Caller, asked: str) -> str:
    """Return a registered return URL, never free input. Without a wish, the only registered one will do."""
    registered = caller.project.return_urls
    if asked and asked not in registered:
        words = "This return URL is not registered. Add it under Settings › SDK › Return URLs in Patchbay."
        raise ApiError(400, "unknown_return_url", words)
    return asked or (registered[0] if len(registered) == 1 else "")


# Paragon's SDK ------------------------------------------------------------------------------------------------------


@api("GET")
def build_oauth(caller: Caller) -> dict[str, str]:
    """Answer where the popup goes. A problem is a page of ours that tells it, because this SDK hangs on an error."""
    query = caller.request.GET
    integration = caller.integration(**_integration_lookup(query.get("action", ""), query.get("integrationId", "")))
    origin = _origin(caller, query.get("originForPostMessage", ""))
    key = query.get("oauthMetaKeyId", "")[:LONGEST_KEY]
    if not key:
        raise ApiError(400, "no_key", "oauthMetaKeyId is missing.")
    options = _options(query.get("installOptions", ""))
    user = connect.connected_user(caller.user)
    found = connect.join_key(user, integration, origin, key, _wish(caller, options, integration))
    try:
        return {"redirectUrl": connect.provider_address(found)}
    except ConnectError as error:
        connect.fail(found, error.code, str(error))
        return {"redirectUrl": settings.PUBLIC_URL + reverse("portal:problem", args=[found.pk])}


def _integration_lookup(slug: str, integration_id: str) -> dict[str, Any]:
    try:
        return {"pk": uuid.UUID(integration_id)}
    except ValueError:
        return {"provider_slug": slug}


def _options(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@api("GET", "DELETE")
def session_by_key(caller: Caller, key: str) -> Any:
    """Answer {connectCredentialId} once the consent is claimed, or with the failed attempt's own id, else {}."""
    found = _session(caller, key=key) if _known(caller, key) else None
    if caller.request.method == "DELETE":
        if found:
            connect.cancel(found)
        return HttpResponse(status=204)
    if found is None:
        return {}
    connect.outcome(caller.user, found)
    if found.status == ConnectSession.Status.FAILED:
        return {"connectCredentialId": str(found.pk)}
    return {"connectCredentialId": str(found.connection_id)} if found.connection_id else {}


def _known(caller: Caller, key: str) -> bool:
    return ConnectSession.objects.filter(project=caller.project, user__sub=caller.user.sub, key=key).exists()
