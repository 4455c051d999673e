"""The token endpoint, the list of sites and the profile."""

import json
import random
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from .. import oauth
from ..api.gateway import dropped
from ..avatars import avatar_url
from ..records import Grant
from ..scopes import CONFLUENCE_SCOPES, JIRA_SCOPES
from ..seed import SITES
from ..state import state

HTML_ERROR = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
GRANT_TYPES = {"authorization_code": oauth.exchange, "refresh_token": oauth.refresh}


def token(request: HttpRequest) -> HttpResponseBase:
    """Answer a token call, or misbehave as the operator asked."""
    if request.method != "POST":
        return JsonResponse({"error": "invalid_request", "error_description": "Use POST."}, status=405)
    params = _parameters(request)
    grant_type = str(params.get("grant_type"))
    time.sleep(random.uniform(*state.settings.token_latency_ms) / 1000)
    mode = _mode()
    if mode == "hang":
        time.sleep(state.settings.token_mode_seconds)
    trouble = _trouble(mode)
    if trouble is not None:
        _count(grant_type, mode)
        return trouble
    with state.lock:
        answer = _grant(grant_type, params)
    if mode == "lost":
        return dropped()
    return answer


def _mode() -> str:
    """Return how to behave for this call; `fail_next_token_calls` limits a failure to the next few calls."""
    with state.lock:
        left = state.settings.fail_next_token_calls
        if left:
            state.change_settings({"fail_next_token_calls": left - 1})
            return "fail" if state.settings.token_mode == "normal" else state.settings.token_mode
        return state.settings.token_mode


def _trouble(mode: str) -> HttpResponseBase | None:
    if mode == "fail":
        return JsonResponse({"error": "server_error", "error_description": "Something went wrong."}, status=500)
    if mode == "rate_limit":
        return JsonResponse({"error": "too_many_requests", "error_description": "Slow down."}, status=429)
    if mode == "html":
        return HttpResponse(HTML_ERROR, status=502)
    return dropped() if mode == "drop" else None


def _grant(grant_type: str, params: dict[str, Any]) -> HttpResponse:
    try:
        client = oauth.authenticate(params)
        if grant_type not in GRANT_TYPES:
            raise oauth.Refused(400, "unsupported_grant_type", f"Unsupported grant type: {grant_type}")
        body, status = GRANT_TYPES[grant_type](client, params), 200
    except oauth.Refused as refusal:
        body, status = {"error": refusal.error, "error_description": refusal.description}, refusal.status
    _count(grant_type, body.get("error", "ok"))
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _count(grant_type: str, outcome: str) -> None:
    with state.lock:
        state.token_calls[grant_type, outcome] += 1


def _parameters(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _bearer(request: HttpRequest) -> tuple[Grant, list[str]] | None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return oauth.read_access_token(value.strip()) if kind == "Bearer" else None


def accessible_resources(request: HttpRequest) -> HttpResponse:
    """List the sites of the grant, one entry for each site and product."""
    with state.lock:
        found = _bearer(request)
        if found is None:
            return JsonResponse({"code": 401, "message": "Unauthorized"}, status=401)
        grant, scopes = found
        reachable = state.accounts[grant.account_id].sites
    entries: list[dict[str, Any]] = []
    for cloud_id in grant.sites:
        if cloud_id not in reachable:
            continue
        site = SITES[cloud_id]
        entry = {
            "id": cloud_id,
            "url": f"{settings.SANDBOX_URL}/sites/{site.slug}",
            "name": site.name,
            "scopes": [scope for scope in scopes if scope in JIRA_SCOPES],
            "avatarUrl": avatar_url(site.name),
        }
        if site.has_confluence:
            entries.append({**entry, "scopes": CONFLUENCE_SCOPES})
        entries.append(entry)
    return JsonResponse(entries, safe=False)


def me(request: HttpRequest) -> HttpResponse:
    """Answer the User identity API, which wants the scope read:me."""
    with state.lock:
        found = _bearer(request)
    if found is None:
        return JsonResponse({"code": 401, "message": "Unauthorized"}, status=401)
    grant, scopes = found
    if "read:me" not in scopes:
        return JsonResponse({"code": 403, "message": "Forbidden"}, status=403)
    account = state.accounts[grant.account_id]
    return JsonResponse(
        {
            "account_type": "atlassian",
            "account_id": account.account_id,
            "email": account.email,
            "name": account.name,
            "picture": avatar_url(account.name),
            "account_status": "active",
            "nickname": account.name.split()[0],
            "zoneinfo": account.time_zone,
            "locale": "en-GB",
            "extended_profile": {},
        }
    )
