"""What the operator's pages do, as JSON, for tests and scripts."""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse

from .. import oauth
from ..api import adf, issues, projects, webhooks
from ..records import Account, AdminWebhook, Client, Grant, Issue, Project, Webhook
from ..seed import ACME, PRIORITIES, SITES, STATUSES
from ..sending import sender
from ..state import state
from . import console, operator

Action = Callable[[dict[str, Any]], Any]


class OperatorError(Exception):
    """What the operator asked for does not exist; the message says so."""


def operate(request: HttpRequest, path: str) -> HttpResponse:
    action = ACTIONS.get(f"{request.method} {path.rstrip('/')}")
    if action is None:
        return JsonResponse({"message": f"There is no {request.method} {path}."}, status=404)
    try:
        body = json.loads(request.body or b"{}")
        with state.lock:
            return JsonResponse(action(body), safe=False)
    except (OperatorError, TypeError, ValueError, KeyError) as error:
        return JsonResponse({"message": f"{type(error).__name__}: {error}"}, status=400)


def _reset(body: dict[str, Any]) -> dict[str, Any]:
    state.reset()
    sender.forget()
    return {}


def _state(body: dict[str, Any]) -> dict[str, Any]:
    calls: dict[str, dict[str, int]] = {}
    for (grant_type, outcome), number in state.token_calls.items():
        calls.setdefault(grant_type, {})[outcome] = number
    return {
        "token_calls": calls,
        "api_calls": sum(state.api_calls.values()),
        "lost": sum(grant.reuse_detected for grant in state.grants.values()),
        "ledger": state.ledger,
        "settings": asdict(state.settings),
        "grants": [
            {
                "id": grant.id,
                "account_id": grant.account_id,
                "client_id": grant.client_id,
                "revoked": grant.revoked,
                "reuse_detected": grant.reuse_detected,
            }
            for grant in state.grants.values()
        ],
        "accounts": [{"account_id": a.account_id, "name": a.name} for a in state.accounts.values()],
    }


def _clients(body: dict[str, Any]) -> dict[str, str]:
    client = console.create(body["name"], body["callback_url"], list(body["scopes"]))
    return {"client_id": client.client_id, "client_secret": client.secret}


def _rotate(body: dict[str, Any]) -> dict[str, str]:
    client = console.rotate(_client(body))
    return {"client_id": client.client_id, "client_secret": client.secret}


def _client(body: dict[str, Any]) -> Client:
    found = state.clients.get(str(body.get("client_id")))
    if found is None:
        raise OperatorError("there is no such client")
    return found


def _chosen(body: dict[str, Any]) -> list[Grant]:
    """Return the grants of an account, a client or a refresh token, or all of them."""
    if body.get("all"):
        return list(state.grants.values())
    if body.get("refresh_token"):
        grant = oauth.grant_of_refresh_token(body["refresh_token"])
        return [grant] if grant else []
    wanted = {name: body[name] for name in ("account_id", "client_id") if name in body}
    if not wanted:
        raise OperatorError("name an account_id, a client_id, a refresh_token or all")
    return [grant for grant in state.grants.values() if all(getattr(grant, name) == wanted[name] for name in wanted)]


def _revoke(body: dict[str, Any]) -> dict[str, int]:
    chosen = _chosen(body)
    for grant in chosen:
        operator.revoke(grant)
    return {"revoked": len(chosen)}


def _expire(body: dict[str, Any]) -> dict[str, int]:
    chosen = _chosen(body)
    for grant in chosen:
        operator.expire(grant)
    return {"expired": len(chosen)}


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    state.change_settings(body)
    return asdict(state.settings)


def _consent(body: dict[str, Any]) -> dict[str, str]:
    """Consent without the page: {client_id, account, sites?, scopes, redirect_uri, state} → {redirect}."""
    account = next((a for a in state.accounts.values() if body["account"] in (a.account_id, a.name, a.email)), None)
    if account is None:
        raise OperatorError("there is no such account")
    sites = body.get("sites") or account.sites
    code = oauth.consent(_client(body).client_id, account.account_id, sites, list(body["scopes"]), body["redirect_uri"])
    return {"redirect": f"{body['redirect_uri']}?{urlencode({'code': code, 'state': body.get('state', '')})}"}


def _bulk(body: dict[str, Any]) -> list[dict[str, str]]:
    """Make many accounts and grants at once: {client_id, count}."""
    client, made = _client(body), []
    for number in range(int(body["count"])):
        account = Account(f"bulk-{secrets.token_hex(8)}", f"Person {number}", f"person{number}@example.com", [ACME])
        state.save_account(account)
        tokens = oauth.issue_tokens(oauth.open_grant(client, account.account_id, account.sites, client.scopes))
        made.append(
            {
                "account_id": account.account_id,
                "site": ACME,
                "access_token": tokens["access_token"],
                "refresh_token": tokens.get("refresh_token", ""),
            }
        )
    return made


def _issue(body: dict[str, Any]) -> dict[str, str]:
    """Create an issue as a person: {project, summary, type?, account?, description?}."""
    project = next((p for p in state.projects.values() if p.key == body["project"]), None)
    if project is None:
        raise OperatorError("there is no such project")
    author = str(body.get("account") or next(iter(state.accounts)))
    values = {"summary": body["summary"], "issuetype": body.get("type", "10001")}
    made = issues.make(author, project, values | {"description": adf.from_text(body.get("description", ""))})
    return {"id": made.id, "key": made.key}


def _found_issue(body: dict[str, Any]) -> Issue:
    found = next((issue for issue in state.issues.values() if issue.key == body["key"]), None)
    if found is None:
        raise OperatorError("there is no such issue")
    return found


def _person(body: dict[str, Any]) -> str:
    wanted = body.get("account")
    found = next((a for a in state.accounts.values() if wanted in (a.account_id, a.name, a.email)), None)
    return found.account_id if found else next(iter(state.accounts))


def _change_issue(body: dict[str, Any]) -> dict[str, str]:
    """Change an issue as a person: {key, account?, summary?, status?, priority?, labels?, assignee?, description?}."""
    issue = _found_issue(body)
    values: dict[str, Any] = {name: body[name] for name in ("summary", "labels", "assignee") if name in body}
    statuses = {status["name"]: key for key, status in STATUSES.items()}
    priorities = {name: key for key, name in PRIORITIES.items()}
    for name, ids in (("status", statuses), ("priority", priorities)):
        if name in body:
            values[name] = ids.get(body[name], body[name])
    if "description" in body:
        values["description"] = adf.from_text(body["description"])
    issues.change(issue, _person(body), values)
    return {"history_id": issue.history[-1]["id"] if issue.history else ""}


def _comment(body: dict[str, Any]) -> dict[str, str]:
    found = issues.add_comment(_found_issue(body), _person(body), adf.from_text(body["text"]))
    return {"id": found["id"]}


def _delete_issue(body: dict[str, Any]) -> dict[str, str]:
    issues.remove(_found_issue(body), _person(body))
    return {}


def _age(body: dict[str, Any]) -> dict[str, int]:
    """Let everything that happened to issues be so many seconds longer ago: {seconds}."""
    seconds = float(body["seconds"])
    for issue in state.issues.values():
        issue.created, issue.updated = issue.created - seconds, issue.updated - seconds
        for entry in issue.history:
            entry["at"] -= seconds
        for comment in issue.comments:
            comment["created"] -= seconds
    return {"issues": len(state.issues)}


def _site(wanted: object) -> str:
    found = next((site for site in SITES.values() if wanted in (site.cloud_id, site.slug)), None)
    return found.cloud_id if found else ACME


def _project(body: dict[str, Any]) -> dict[str, str]:
    made = projects.make(_site(body.get("site")), body["key"], body["name"], _person(body))
    return {"id": made.id, "key": made.key}


def _change_project(body: dict[str, Any]) -> dict[str, str]:
    found: Project | None = next((p for p in state.projects.values() if p.key == body["key"]), None)
    if found is None:
        raise OperatorError("there is no such project")
    values: dict[str, str] = {name: str(body[name]) for name in ("name", "description", "lead") if name in body}
    projects.change(found, _person(body), values)
    return {}


def _webhooks(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [asdict(webhook) | webhooks.shown(webhook) for webhook in state.webhooks.values()]


def _chosen_webhooks(body: dict[str, Any]) -> list[Webhook]:
    return [webhook for webhook in state.webhooks.values() if body.get("all") or webhook.id in body["ids"]]


def _delete_webhooks(body: dict[str, Any]) -> dict[str, int]:
    chosen = _chosen_webhooks(body)
    for webhook in chosen:
        state.delete_webhook(webhook)
    return {"deleted": len(chosen)}


def _expire_webhooks(body: dict[str, Any]) -> dict[str, int]:
    chosen = _chosen_webhooks(body)
    for webhook in chosen:
        operator.expire_webhook(webhook)
    return {"expired": len(chosen)}


def _admin_webhook(body: dict[str, Any]) -> dict[str, str]:
    site = _site(body.get("site"))
    made = AdminWebhook(state.next_id(), site, body["url"], body["secret"], list(body["events"]))
    state.save_admin_webhook(made)
    return {"id": made.id}


def _deliveries(body: dict[str, Any]) -> list[dict[str, Any]]:
    return list(sender.sent)


def _repeat(body: dict[str, Any]) -> dict[str, bool]:
    return {"repeated": sender.repeat(body["identifier"])}


ACTIONS: dict[str, Action] = {
    "POST reset": _reset,
    "GET state": _state,
    "POST clients": _clients,
    "POST clients/rotate": _rotate,
    "POST grants/revoke": _revoke,
    "POST grants/bulk": _bulk,
    "POST tokens/expire": _expire,
    "POST settings": _settings,
    "POST consent": _consent,
    "POST issues": _issue,
    "POST issues/change": _change_issue,
    "POST issues/comment": _comment,
    "POST issues/delete": _delete_issue,
    "POST issues/age": _age,
    "POST projects": _project,
    "POST projects/change": _change_project,
    "GET webhooks": _webhooks,
    "POST webhooks/delete": _delete_webhooks,
    "POST webhooks/expire": _expire_webhooks,
    "POST admin-webhooks": _admin_webhook,
    "GET deliveries": _deliveries,
    "POST deliveries/repeat": _repeat,
}
