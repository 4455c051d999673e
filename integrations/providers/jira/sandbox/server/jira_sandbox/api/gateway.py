"""Atlassian's API gateway: token, site, scope, then the route; and its own error answers."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from ..oauth import read_access_token
from ..records import Account, Issue, Project
from ..seed import SITES, Site
from ..state import state

REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline"
    " is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
READ, WRITE, USER = "read:jira-work", "write:jira-work", "read:jira-user"


class JiraError(Exception):
    """An answer in Jira's own error shape."""

    def __init__(self, status: int, *messages: str, **errors: str) -> None:
        super().__init__(*messages)
        self.status, self.body = status, {"errorMessages": list(messages), "errors": errors}


@dataclass
class Call:
    """One call that passed the gateway: whose, on which site, in which version of the API."""

    request: HttpRequest
    account: Account
    site: Site
    version: int
    client_id: str = ""

    @property
    def base(self) -> str:
        return f"{settings.SANDBOX_URL}/ex/jira/{self.site.cloud_id}/rest/api/{self.version}"

    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.request.body or b"{}")
        except ValueError:
            raise JiraError(400, "There was an error parsing JSON. Check that your request body is valid.") from None
        if not isinstance(found, dict):
            raise JiraError(400, "There was an error parsing JSON. Check that your request body is valid.")
        return found

    def number(self, name: str, default: int, most: int) -> int:
        text = str(self.request.GET.get(name, default))
        return min(int(text), most) if text.isdigit() else default

    def projects(self, *access: str) -> list[Project]:
        """Return the site's projects that the account may use in one of these ways."""
        mine = [project for project in state.projects.values() if project.site == self.site.cloud_id]
        return [project for project in mine if project.access_of(self.account.account_id) in access]

    def project(self, key: str, *, to_edit: bool = False) -> Project:
        access = ("edit",) if to_edit else ("edit", "browse")
        for project in self.projects(*access):
            if key in (project.id, project.key):
                return project
        raise JiraError(404, f"No project could be found with key '{key}'.")

    def issue(self, key: str, *, to_edit: bool = False) -> Issue:
        found = state.issues.get(key) or state.by_key.get((self.site.cloud_id, key.upper()))
        readable = {project.key: project for project in self.projects("edit", "browse")}
        if found is None or found.site != self.site.cloud_id or found.project not in readable:
            raise JiraError(404, "Issue does not exist or you do not have permission to see it.")
        if to_edit and readable[found.project].access_of(self.account.account_id) != "edit":
            raise JiraError(403, "You do not have permission to edit issues in this project.")
        return found


Handler = Callable[..., Any]
ROUTES: list[tuple[str, re.Pattern[str], tuple[str, ...], Handler]] = []


def route(method: str, pattern: str, *scopes: str) -> Callable[[Handler], Handler]:
    """Serve `pattern` (below /rest/api/<version>/) to tokens that have the scopes."""

    def add(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile(f"^{pattern}$"), scopes, handler))
        return handler

    return add


def gateway(request: HttpRequest, cloud_id: str, version: int, path: str) -> HttpResponseBase:
    if state.settings.api_latency_ms:
        time.sleep(state.settings.api_latency_ms / 1000)
    limited = _rate_limited()
    response: HttpResponseBase
    if limited:
        response = limited
    elif _troubled(request, "fail_next"):
        response = JsonResponse({"message": "Internal server error"}, status=500)
    else:
        response = _serve(request, cloud_id, version, path.rstrip("/"))
    if response.status_code < 300 and _troubled(request, "lose_next"):
        response = dropped()
    with state.lock:
        state.api_calls[request.method or "", path, response.status_code] += 1
    response["X-RateLimit-Limit"] = "350"
    response["X-RateLimit-Remaining"] = "0" if limited else "349"
    return response


def _rate_limited() -> JsonResponse | None:
    with state.lock:
        left = state.settings.rate_limit_next
        if not left:
            return None
        state.change_settings({"rate_limit_next": left - 1})
    response = JsonResponse({"message": "Rate limit exceeded."}, status=429)
    response["RateLimit-Reason"] = state.settings.rate_limit_reason
    if state.settings.rate_limit_retry_after is not None:
        response["Retry-After"] = f"{state.settings.rate_limit_retry_after:g}"
    return response


def _troubled(request: HttpRequest, setting: str) -> bool:
    """Is this one of the next writing calls that the operator wants trouble for? Searching only reads."""
    with state.lock:
        left = getattr(state.settings, setting)
        if not left or request.method == "GET" or request.path.endswith(("/search/jql", "/jql/match", "/jql/parse")):
            return False
        state.change_settings({setting: left - 1})
    return True


def dropped() -> HttpResponseBase:
    """Break off in the middle of an answer: more is promised than is sent, so the client sees a broken connection."""

    def nothing() -> Any:
        yield b'{"'
        raise ConnectionAbortedError("The operator asked for a dropped connection.")

    return StreamingHttpResponse(nothing(), headers={"Content-Length": "2000", "Content-Type": "application/json"})


def _serve(request: HttpRequest, cloud_id: str, version: int, path: str) -> HttpResponseBase:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    with state.lock:
        found = read_access_token(token.strip()) if kind == "Bearer" else None
        if found is None:
            return _refused(401, "Unauthorized")
        grant, scopes = found
        account = state.accounts[grant.account_id]
    if cloud_id not in grant.sites or cloud_id not in account.sites:
        return _refused(403, "The app is not installed on this instance")
    if path == "search":
        return JsonResponse({"errorMessages": [REMOVED], "errors": {}}, status=410)
    return _dispatch(Call(request, account, SITES[cloud_id], version, grant.client_id), path, scopes)


def _dispatch(call: Call, path: str, scopes: list[str]) -> HttpResponseBase:
    matches = [
        (method, found, needed, handler)
        for method, pattern, needed, handler in ROUTES
        if (found := pattern.match(path))
    ]
    for method, found, needed, handler in matches:
        if method != call.request.method:
            continue
        if not set(needed) <= set(scopes):
            return _refused(401, "Unauthorized; scope does not match")
        try:
            with state.lock:
                return _response(handler(call, **found.groupdict()))
        except JiraError as error:
            return JsonResponse(error.body, status=error.status)
    return JsonResponse({"errorMessages": ["null for uri: /rest/api/…"]}, status=405 if matches else 404)


def _response(result: Any) -> HttpResponseBase:
    if isinstance(result, HttpResponseBase):
        return result
    if result is None:
        return HttpResponse(status=204)
    body, status = result if isinstance(result, tuple) else (result, 200)
    if body == "":
        return HttpResponse(status=status)
    return JsonResponse(body, status=status, safe=False)


def _refused(status: int, message: str) -> JsonResponse:
    return JsonResponse({"code": status, "message": message}, status=status)
