"""The rules of Atlassian's OAuth server: consent, codes, rotating refresh tokens, and how each of them dies.

A refresh token names its consent (`family`) and its refresh (`generation`). The newest generation works. The one before
works for a short while after it was used, because an answer may get lost on its way. Anything older looks like theft,
and ends the whole grant.
"""

import secrets
import time
from typing import Any

from . import signing
from .records import Client, Grant
from .scopes import OFFLINE
from .state import state


class Refused(Exception):
    """An answer of the token endpoint that is not 200."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def check_request(params: dict[str, str]) -> str | None:
    """Return why an authorize request is refused before anyone is asked, or None when it is in order."""
    client = state.clients.get(params.get("client_id", ""))
    if client is None:
        return "There is no app with this client_id."
    if not client.accepts(params.get("redirect_uri", "")):
        return "The redirect_uri is not the callback URL registered for this app."
    if params.get("audience") != "api.atlassian.com":
        return "The audience must be api.atlassian.com."
    if params.get("response_type") != "code":
        return "The response_type must be code."
    asked = params.get("scope", "").split()
    if not asked:
        return "The scope parameter is missing."
    # offline_access cannot be chosen in the console: every app may ask for it.
    foreign = [scope for scope in asked if scope not in client.scopes and scope != OFFLINE]
    if foreign:
        return f"This app may not ask for: {', '.join(foreign)}. Add the scope to the app in the console first."
    return None


def consent(client_id: str, account_id: str, sites: list[str], scopes: list[str], redirect_uri: str) -> str:
    """Record that the account agreed, and return a code. The grant itself changes when the code is exchanged."""
    code = secrets.token_urlsafe(32)
    with state.lock:
        state.codes[code] = {
            "client_id": client_id,
            "account_id": account_id,
            "sites": sites,
            "scopes": scopes,
            "redirect_uri": redirect_uri,
            "at": time.time(),
        }
    return code


def authenticate(params: dict[str, Any]) -> Client:
    """Return the client. This comes before the grant is looked at, so that a wrong secret can spend nothing."""
    client = state.clients.get(str(params.get("client_id")))
    secret = str(params.get("client_secret") or "")
    if client is None or not secrets.compare_digest(client.secret.encode(), secret.encode()):
        raise Refused(401, "access_denied", "Unauthorized")
    return client


def exchange(client: Client, params: dict[str, Any]) -> dict[str, Any]:
    """Turn a code into tokens, once."""
    code = state.codes.pop(str(params.get("code")), None)
    if (
        code is None
        or code["client_id"] != client.client_id
        or code["redirect_uri"] != params.get("redirect_uri")
        or time.time() - code["at"] > state.settings.code_seconds
    ):
        raise Refused(403, "invalid_grant", "Invalid authorization code")
    grant = open_grant(client, code["account_id"], code["sites"], code["scopes"])
    return issue_tokens(grant)


def open_grant(client: Client, account_id: str, sites: list[str], scopes: list[str]) -> Grant:
    """Record a consent. Sites add up over consents; scopes and the token pair are those of the newest."""
    grant = state.by_pair.get((client.client_id, account_id))
    if grant is None:
        grant = Grant(f"grant-{secrets.token_hex(6)}", client.client_id, account_id, [], [])
    kept = [] if grant.revoked else grant.sites
    grant.sites = list(dict.fromkeys([*kept, *sites]))
    grant.scopes = scopes
    grant.family += 1
    grant.generation = 0
    grant.rotated_at = grant.used_at = time.time()
    grant.revoked = grant.reuse_detected = False
    state.save_grant(grant)
    return grant


def refresh(client: Client, params: dict[str, Any]) -> dict[str, Any]:
    """Turn a refresh token into a new pair, by the rules in the module's first lines."""
    token = signing.read(state.signing_key, str(params.get("refresh_token")))
    grant = state.grants.get(token["grant"]) if token and token.get("use") == "refresh" else None
    if token is None or grant is None or grant.client_id != client.client_id or grant.revoked:
        raise dead_token()
    now = time.time()
    if token["family"] != grant.family or now - grant.used_at > state.settings.inactivity_seconds:
        raise dead_token()
    if token["generation"] == grant.generation:
        grant.generation += 1
        grant.rotated_at = now
    elif token["generation"] != grant.generation - 1 or now - grant.rotated_at > state.settings.reuse_leeway_seconds:
        grant.revoked = grant.reuse_detected = True
        state.save_grant(grant)
        raise dead_token()
    grant.used_at = now
    state.save_grant(grant)
    return issue_tokens(grant)


def dead_token() -> Refused:
    """Both bodies have been seen for a token that no longer works; a setting chooses one."""
    if state.settings.dead_token_answer == "unauthorized_client":
        return Refused(403, "unauthorized_client", "refresh_token is invalid")
    return Refused(403, "invalid_grant", "Unknown or invalid refresh token.")


def issue_tokens(grant: Grant) -> dict[str, Any]:
    """Return the body of a successful token answer."""
    now, lifetime = time.time(), state.settings.access_token_seconds
    base = {"grant": grant.id, "family": grant.family}
    access = {**base, "use": "access", "scopes": grant.scopes, "at": now, "until": now + lifetime}
    body: dict[str, Any] = {
        "access_token": signing.sign(state.signing_key, access),
        "expires_in": lifetime,
        "token_type": "Bearer",
        "scope": " ".join(grant.scopes),
    }
    if OFFLINE in grant.scopes and not state.settings.omit_refresh_token:
        renewal = {**base, "use": "refresh", "generation": grant.generation}
        body["refresh_token"] = signing.sign(state.signing_key, renewal)
    return body


def read_access_token(token: str) -> tuple[Grant, list[str]] | None:
    """Return the grant and scopes of a working access token, else None."""
    payload = signing.read(state.signing_key, token)
    if payload is None or payload.get("use") != "access":
        return None
    grant = state.grants.get(payload["grant"])
    if grant is None or grant.revoked or payload["until"] <= time.time() or payload["at"] <= grant.access_expired_at:
        return None
    return grant, payload["scopes"]


def grant_of_refresh_token(token: str) -> Grant | None:
    payload = signing.read(state.signing_key, token)
    return state.grants.get(payload["grant"]) if payload else None
