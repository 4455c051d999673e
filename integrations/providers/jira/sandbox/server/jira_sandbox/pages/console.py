"""The developer console: apps, their client IDs and secrets."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from ..records import Client
from ..scopes import OFFLINE, SCOPES
from ..state import state


def console(request: HttpRequest) -> HttpResponse:
    context: dict[str, Any] = {"scopes": {name: words for name, words in SCOPES.items() if name != OFFLINE}}
    if request.method == "POST":
        done = _act(request, context)
        if done is not None:
            return done
    context["clients"] = [client for client in state.clients.values() if not client.is_development]
    response = render(request, "jira_sandbox/console.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _act(request: HttpRequest, context: dict[str, Any]) -> HttpResponse | None:
    """Do what was asked. A new secret is shown once, on the page that answers; everything else leads back."""
    client = state.clients.get(request.POST.get("client", ""))
    action = request.POST.get("action")
    with state.lock:
        if action == "create":
            _create(request, context)
            return None
        if action == "rotate" and client and not client.is_development:
            context["shown"] = rotate(client)
            return None
        if action == "delete" and client and not client.is_development:
            state.delete_client(client.client_id)
    return redirect("/console")


def _create(request: HttpRequest, context: dict[str, Any]) -> None:
    name, callback = request.POST.get("name", "").strip(), request.POST.get("callback_url", "").strip()
    chosen = [scope for scope in request.POST.getlist("scopes") if scope in SCOPES]
    parts = urlsplit(callback)
    if not name or parts.scheme not in ("http", "https") or not parts.netloc:
        context |= {"error": "Give the app a name and a full callback URL.", "name": name, "callback_url": callback}
        return
    context["shown"] = create(name, callback, chosen)


def create(name: str, callback_url: str, scopes: list[str]) -> Client:
    """Store a new app; its secret is in what is returned."""
    client = Client(secrets.token_urlsafe(24), _secret(), name, callback_url, scopes)
    state.save_client(client)
    return client


def rotate(client: Client) -> Client:
    client.secret = _secret()
    state.save_client(client)
    return client


def _secret() -> str:
    return f"SANDBOX{secrets.token_urlsafe(40)}"
