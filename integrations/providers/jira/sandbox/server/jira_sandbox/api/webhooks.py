"""Dynamic webhooks: registered by an app in a user's name, five of them, for thirty days."""

import time
from typing import Any
from urllib.parse import urlsplit

from ..jql.match import ALIASES
from ..jql.parse import Branch, JqlError, Node, parse
from ..records import LOOPBACK_NAMES, Webhook
from ..sending import is_everything
from ..state import state
from .gateway import READ, Call, JiraError, route
from .represent import moment

MANAGE = "manage:jira-webhook"
KEEPS_SECONDS = 30 * 24 * 3600
MOST = 5
EVENTS = {
    "jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created", "comment_updated",
    "comment_deleted", "issue_property_set", "issue_property_deleted", "sprint_created", "sprint_updated",
    "sprint_closed", "sprint_deleted", "sprint_started", "jira:version_released", "jira:version_unreleased",
    "jira:version_created", "jira:version_moved", "jira:version_updated", "jira:version_merged", "jira:version_deleted",
}  # fmt: skip
FIELDS = {"key", "project", "issuetype", "status", "priority", "assignee", "reporter"}
OPERATORS = {"=", "!=", "in", "not in"}


def _mine(call: Call) -> list[Webhook]:
    """Return the webhooks of this app, user and site."""
    own = (call.client_id, call.account.account_id, call.site.cloud_id)
    return [webhook for webhook in state.webhooks.values() if webhook.owner == own]


@route("POST", "webhook", READ, MANAGE)
def register(call: Call) -> dict[str, Any]:
    body = call.json()
    url, wanted = str(body.get("url") or ""), body.get("webhooks")
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES
    if not (parts.scheme == "https" or is_local) or not parts.netloc:
        raise JiraError(400, "The webhook URL must use https and a publicly trusted certificate.")
    if not isinstance(wanted, list) or not wanted:
        raise JiraError(400, "At least one webhook must be given.")
    for item in wanted:
        events = item.get("events") if isinstance(item, dict) else None
        if not isinstance(events, list) or not events:
            raise JiraError(400, "Every webhook needs its events, as a list.")
        unknown = [event for event in events if event not in EVENTS]
        if unknown:
            raise JiraError(400, f"Invalid webhook event: {unknown[0]}")
    return {"webhookRegistrationResult": [_registered(call, url, item) for item in wanted]}


def _registered(call: Call, url: str, item: dict[str, Any]) -> dict[str, Any]:
    jql, fields = str(item.get("jqlFilter") or ""), item.get("fieldIdsFilter") or []
    others = {webhook.url for webhook in state.webhooks.values() if webhook.client_id == call.client_id}
    problem = _jql_problem(call, jql)
    if others - {url}:
        problem = "Only a single URL per app is allowed to be registered via REST API."
    elif len(_mine(call)) >= MOST:
        problem = f"The limit of {MOST} webhooks for this app and user is reached."
    if problem:
        return {"errors": [problem]}
    ids = [webhook.id for webhook in state.webhooks.values() if webhook.site == call.site.cloud_id]
    webhook_id = max([999, *ids, state.last_webhook.get(call.site.cloud_id, 0)]) + 1
    state.last_webhook[call.site.cloud_id] = webhook_id
    expires_at = time.time() + KEEPS_SECONDS
    owner = {"client_id": call.client_id, "account_id": call.account.account_id, "site": call.site.cloud_id}
    state.save_webhook(Webhook(webhook_id, url=url, events=list(item["events"]), jql=jql, fields=list(fields),
                               expires_at=expires_at, **owner))  # fmt: skip
    return {"createdWebhookId": webhook_id}


def _jql_problem(call: Call, jql: str) -> str:
    """Return why a filter cannot be a webhook's: it may say far less than a search."""
    if not jql.strip():
        return "Empty JQL search not supported"
    if is_everything(jql):
        return ""
    try:
        where = parse(jql).where
    except JqlError as error:
        return str(error)
    known = {name.lower() for p in call.projects("edit", "browse") for name in (p.key, p.id, p.name)}
    for term in _terms(where):
        if term.operator not in OPERATORS:
            return f"Operator {term.operator} is unsupported"
        field = ALIASES.get(term.field, term.field)
        if field not in FIELDS:
            return f"The clause {term.field} is unsupported"
        for value in term.values if field == "project" else ():
            if value.lower() not in known:
                return f"The value '{value}' does not exist for the field 'project'."
    return ""


def _terms(node: Node | None) -> list[Any]:
    if node is None:
        return []
    return [term for child in node.nodes for term in _terms(child)] if isinstance(node, Branch) else [node]


@route("GET", "webhook", READ, MANAGE)
def listed(call: Call) -> dict[str, Any]:
    start, most = call.number("startAt", 0, 10**6), call.number("maxResults", 100, 100)
    found = sorted(_mine(call), key=lambda webhook: webhook.id)
    page = [shown(webhook) for webhook in found[start : start + most]]
    return {"startAt": start, "maxResults": most, "total": len(found), "isLast": start + most >= len(found),
            "values": page}  # fmt: skip


def shown(webhook: Webhook) -> dict[str, Any]:
    more = {"fieldIdsFilter": webhook.fields} if webhook.fields else {}
    return {"id": webhook.id, "url": webhook.url, "events": webhook.events, "jqlFilter": webhook.jql,
            "expirationDate": moment(webhook.expires_at), **more}  # fmt: skip


def _named(call: Call) -> list[Webhook]:
    wanted = call.json().get("webhookIds")
    if not isinstance(wanted, list):
        raise JiraError(400, "webhookIds must be given.")
    return [webhook for webhook in _mine(call) if webhook.id in wanted]


@route("PUT", "webhook/refresh", READ, MANAGE)
def refresh(call: Call) -> dict[str, Any]:
    expires_at = time.time() + KEEPS_SECONDS
    for webhook in _named(call):
        webhook.expires_at = expires_at
        state.save_webhook(webhook)
    return {"expirationDate": moment(expires_at)}


@route("DELETE", "webhook", READ, MANAGE)
def delete(call: Call) -> tuple[str, int]:
    for webhook in _named(call):
        state.delete_webhook(webhook)
    return "", 202


@route("GET", "webhook/failed", READ, MANAGE)
def failed(call: Call) -> None:
    raise JiraError(403, "The caller isn't an app.")
