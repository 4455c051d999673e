"""The operator's page: see what the sandbox holds, act as a Jira user, make trouble."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from ..api import adf, issues, projects
from ..records import TOKEN_MODES, AdminWebhook, Grant, Issue, Webhook
from ..seed import ISSUE_TYPES, PRIORITIES, SITES, STATUSES
from ..sending import sender
from ..state import state

NEWEST = 30
SHOWN_SENT = 10
ADMIN_EVENTS = ("project_created", "project_updated", "jira:issue_created", "jira:issue_updated", "comment_created")


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
            "webhooks": [_webhook(webhook) for webhook in state.webhooks.values()],
            "admin_webhooks": [
                {"webhook": webhook, "site": SITES[webhook.site].name} for webhook in state.admin_webhooks.values()
            ],
            "admin_events": ADMIN_EVENTS,
            "sites": list(SITES.values()),
            "deliveries": [
                each | {"at": datetime.fromtimestamp(each["at"], UTC)}
                for each in list(sender.sent)[: -SHOWN_SENT - 1 : -1]
            ],
            "token_calls": sum(state.token_calls.values()),
            "api_calls": sum(state.api_calls.values()),
        }
    return render(request, "jira_sandbox/operator.html", context)


def _webhook(webhook: Webhook) -> dict[str, Any]:
    client = state.clients.get(webhook.client_id)
    return {
        "key": f"{webhook.site}/{webhook.id}",
        "webhook": webhook,
        "client": client.name if client else webhook.client_id,
        "account": state.accounts[webhook.account_id].name,
        "site": SITES[webhook.site].name,
        "expires": datetime.fromtimestamp(webhook.expires_at, UTC),
        "has_expired": webhook.expires_at <= time.time(),
    }


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


def _create_project(request: HttpRequest) -> None:
    key, name = request.POST.get("key", "").strip().upper(), request.POST.get("name", "").strip()
    site = request.POST.get("site", "")
    is_free = all((p.site, p.key) != (site, key) for p in state.projects.values())
    if key.isalnum() and name and site in SITES and is_free:
        with state.lock:
            projects.make(site, key, name, _person(request))


def _rename_project(request: HttpRequest) -> None:
    project, name = state.projects.get(request.POST.get("project", "")), request.POST.get("name", "").strip()
    if project and name:
        with state.lock:
            projects.change(project, _person(request), {"name": name})


def _make_admin_webhook(request: HttpRequest) -> None:
    url, site = request.POST.get("url", "").strip(), request.POST.get("site", "")
    events = [event for event in request.POST.getlist("events") if event in ADMIN_EVENTS]
    if url.startswith(("http://", "https://")) and site in SITES and events:
        with state.lock:
            secret = request.POST.get("secret", "").strip()
            state.save_admin_webhook(AdminWebhook(state.next_id(), site, url, secret, events))


def _delete_admin_webhook(request: HttpRequest) -> None:
    with state.lock:
        state.delete_admin_webhook(request.POST.get("webhook", ""))


def expire_webhook(webhook: Webhook) -> None:
    webhook.expires_at = time.time() - 1
    state.save_webhook(webhook)


def _on_webhook(act: Callable[[Webhook], None]) -> Callable[[HttpRequest], None]:
    def run(request: HttpRequest) -> None:
        site, _, number = request.POST.get("webhook", "").partition("/")
        webhook = state.webhooks.get((site, int(number))) if number.isdigit() else None
        if webhook:
            with state.lock:
                act(webhook)

    return run


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
    "project": _create_project,
    "rename": _rename_project,
    "admin_webhook": _make_admin_webhook,
    "delete_admin_webhook": _delete_admin_webhook,
    "delete_webhook": _on_webhook(state.delete_webhook),
    "expire_webhook": _on_webhook(expire_webhook),
}


def reset(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        state.reset()
        sender.forget()
    return redirect("/")
