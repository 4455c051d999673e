"""OAuth 2.0 with any provider: where to send the browser, and the one POST of the token endpoint."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from integrations import http
from integrations.errors import NeedsReconnect, PermanentError, TemporaryError, WrongKeys
from integrations.providers.base import Keys, Provider, Tokens

DEFAULT_EXPIRES_IN = 3600
SHORTEST, LONGEST = 5, 86_400
ERROR_LENGTH = 200


def authorize_url(provider: Provider, *, client_id: str, scopes: list[str], redirect_uri: str, state: str) -> str:
    """Return the provider's consent page for this attempt."""
    params = dict(provider.oauth.authorize_params) | {
        "client_id": client_id,
        "scope": " ".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
        "response_type": "code",
    }
    return f"{provider.oauth.authorize_url()}?{urlencode(params)}"


def exchange(provider: Provider, keys: Keys, *, code: str, redirect_uri: str) -> Tokens:
    """Trade a one-time code for tokens. Raises NeedsReconnect when the code is stale, WrongKeys, TemporaryError."""
    return _token_call(provider, keys, {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri})


def refresh(provider: Provider, keys: Keys, refresh_token: str) -> Tokens:
    """Trade the refresh token for a new pair. Raises NeedsReconnect when the grant died, WrongKeys, TemporaryError."""
    return _token_call(provider, keys, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def check_keys(provider: Provider, keys: Keys) -> None:
    """Ask the provider whether it knows this client ID and secret. Raises WrongKeys when not, TemporaryError if unsure.

    The provider checks the client before the grant, so a made-up refresh token is refused for the right reason only
    when the keys are good.
    """
    try:
        refresh(provider, keys, "patchbay-checks-its-keys")
    except NeedsReconnect:
        return


def _token_call(provider: Provider, keys: Keys, body: dict[str, str]) -> Tokens:
    answer = http.send(
        "POST",
        provider.oauth.token_url(),
        json_body=body | {"client_id": keys.client_id, "client_secret": keys.client_secret},
        deadline_seconds=settings.TOKEN_DEADLINE_SECONDS,
    )
    retry_after = http.retry_after(answer.headers)
    found = _decode(answer.body(1_000_000))
    if answer.status == 200:
        return _tokens(found)
    refusal = provider.oauth.refusal(answer.status, found)
    secrets = [keys.client_secret, body.get("refresh_token", ""), body.get("code", "")]
    words = _words(found, secrets) or f"status {answer.status}"
    if refusal == "keys":
        raise WrongKeys(f"{provider.name} refuses the client ID or secret ({words}).", was_sent=True)
    if refusal == "grant":
        raise NeedsReconnect(f"{provider.name} no longer accepts this consent ({words}).", was_sent=True)
    if answer.status == 429 or answer.status >= 500 or not found:
        # A gateway may fail before or after the token was spent, so what became of it is unknown.
        sent = True if answer.status == 429 else None
        raise TemporaryError(
            f"{provider.name}'s token endpoint answers {answer.status}.", retry_after=retry_after, was_sent=sent
        )
    raise PermanentError(f"{provider.name} refuses the token request ({words}).", was_sent=True)


def _decode(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _words(found: Mapping[str, Any], sent: list[str]) -> str:
    """Return what the endpoint says, without what was sent to it: some repeat the secret that they refuse."""
    parts = [found.get("error"), found.get("error_description")]
    text = ": ".join(part for part in parts if isinstance(part, str) and part)
    for secret in filter(None, sent):
        text = text.replace(secret, "[secret]")
    return text[:ERROR_LENGTH]


def _tokens(found: Mapping[str, Any]) -> Tokens:
    access, renewal = found.get("access_token"), found.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise TemporaryError("The token endpoint answered without a token.", was_sent=None)
    scope = found.get("scope")
    return Tokens(
        access=access,
        refresh=renewal if isinstance(renewal, str) else "",
        expires_in=_expires_in(found.get("expires_in")),
        scopes=scope.split() if isinstance(scope, str) else [],
    )


def _expires_in(value: object) -> int:
    """Return seconds that can be trusted: providers have sent text, nothing, nought and a billion."""
    try:
        given = int(float(value)) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        given = 0
    return min(max(given, SHORTEST), LONGEST) if given > 0 else DEFAULT_EXPIRES_IN
