"""The operator's page: see what the sandbox holds, act as a Jira user, make trouble."""

import time
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from ..api import adf, issues
from ..records import TOKEN_MODES, Grant, Issue
from ..seed import ISSUE_TYPES, PRIORITIES, SITES, STATUSES
from ..state import state

NEWEST = 30


def home(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        ACTIONS.get(request.POST.get("action", ""), _nothing)(request)
        return redirect("/")
    with state.lock:
        newest = sorted(state.issues.values(), key=lambda issue: issue.updated, reverse=True)[:NEWEST]
        context = {
            "issues": [shown(issue) for issue in newest],
            "projects": [{"site": SITES[p.site].name, "project": p} for p in state.projects.values()],
            "people": list(state.accounts.values())[:NEWEST],
            "types": {key: kind["name"] for key, kind in ISSUE_TYPES.items()},
            "grants": [_grant(grant) for grant in list(state.grants.values())[-NEWEST:]],
            "settings": state.settings,
            "modes": TOKEN_MODES,
            "token_calls": sum(state.token_calls.values()),
            "api_calls": sum(state.api_calls.values()),
        }
    return render(request, "jira_sandbox/operator.html", context)


def _grant(grant: Grant) -> dict[str, Any]:
    client = state.clients.get(grant.client_id)
    return {
        "id": grant.id,
        "account": state.accounts[grant.account_id].name,
        "client": client.name if client else grant.client_id,
        "sites": ", ".join(SITES[site].name for site in grant.sites),
        "scopes": " ".join(grant.scopes),
        "state": "Reuse detected" if grant.reuse_detected else "Revoked" if grant.revoked else "Active",
        "refreshes": grant.generation,
    }


def shown(issue: Issue) -> dict[str, Any]:
    assignee = state.accounts.get(issue.fields.get("assignee") or "")
    return {
        "key": issue.key,
        "id": issue.id,
        "url": f"/sites/{SITES[issue.site].slug}/browse/{issue.key}",
        "site": SITES[issue.site].name,
        "summary": issue.fields["summary"],
        "type": ISSUE_TYPES[issue.fields["issuetype"]]["name"],
        "status_id": issue.fields["status"],
        "status": STATUSES[issue.fields["status"]]["name"],
        "priority": PRIORITIES[issue.fields["priority"]],
        "assignee": assignee.name if assignee else "Unassigned",
        "description": adf.text_of(issue.fields.get("description")),
        "labels": issue.fields.get("labels") or [],
        "comments": [
            {"author": state.accounts[found["author"]].name, "text": adf.text_of(found["body"])}
            for found in issue.comments
        ],
    }


def browse(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """Show one issue at the address that links in a product lead to."""
    site = next((site for site in SITES.values() if site.slug == slug), None)
    issue = state.by_key.get((site.cloud_id, key.upper())) if site else None
    if issue is None:
        raise Http404("There is no such issue.")
    if request.method == "POST":
        _act_on_issue(request, issue)
        return redirect(request.path)
    context = {"issue": shown(issue), "people": list(state.accounts.values())[:NEWEST]}
    context["statuses"] = {key: status["name"] for key, status in STATUSES.items()}
    return render(request, "jira_sandbox/issue.html", context)


def _act_on_issue(request: HttpRequest, issue: Issue) -> None:
    person = _person(request)
    with state.lock:
        if request.POST.get("comment", "").strip():
            issues.add_comment(issue, person, adf.from_text(request.POST["comment"]))
        changes: dict[str, Any] = {}
        if request.POST.get("summary", "").strip():
            changes["summary"] = request.POST["summary"].strip()
        if request.POST.get("status") in STATUSES:
            changes["status"] = request.POST["status"]
        if "description" in request.POST:
            changes["description"] = adf.from_text(request.POST["description"])
        if changes:
            issues.change(issue, person, changes)


def _person(request: HttpRequest) -> str:
    wanted = request.POST.get("person", "")
    return wanted if wanted in state.accounts else next(iter(state.accounts))


# Actions of the page --------------------------------------------------------------------------------------------------


def _create_issue(request: HttpRequest) -> None:
    project = state.projects.get(request.POST.get("project", ""))
    summary = request.POST.get("summary", "").strip()
    kind = request.POST.get("type", "")
    if project and summary and kind in ISSUE_TYPES:
        with state.lock:
            description = adf.from_text(request.POST.get("description", ""))
            issues.make(_person(request), project, {"summary": summary, "issuetype": kind, "description": description})


def revoke(grant: Grant) -> None:
    grant.revoked = True
    state.save_grant(grant)


def expire(grant: Grant) -> None:
    grant.access_expired_at = time.time()
    state.save_grant(grant)


def _on_grant(act: Callable[[Grant], None]) -> Callable[[HttpRequest], None]:
    def run(request: HttpRequest) -> None:
        grant = state.grants.get(request.POST.get("grant", ""))
        if grant:
            with state.lock:
                act(grant)

    return run


def _set_token_mode(request: HttpRequest) -> None:
    mode = request.POST.get("mode", "normal")
    if mode in TOKEN_MODES:
        with state.lock:
            state.change_settings({"token_mode": mode})


def _limit_rate(request: HttpRequest) -> None:
    count, wait = request.POST.get("count", ""), request.POST.get("retry_after", "")
    with state.lock:
        state.change_settings(
            {
                "rate_limit_next": int(count) if count.isdigit() else 0,
                "rate_limit_retry_after": float(wait) if wait.isdigit() else None,
            }
        )


def _nothing(request: HttpRequest) -> None:
    return


ACTIONS: dict[str, Callable[[HttpRequest], None]] = {
    "create": _create_issue,
    "revoke": _on_grant(revoke),
    "expire": _on_grant(expire),
    "mode": _set_token_mode,
    "limit": _limit_rate,
}


def reset(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        state.reset()
    return redirect("/")
