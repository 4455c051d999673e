"""Jira's deliveries: who sent them, and what only Jira can judge of them.

Those of an app carry a token signed with its client secret, those of an administrator's webhook a signature of the
body with the secret that was entered there. Neither is taken for the other.
Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/#securing-a-webhook
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt

from integrations.provider_api import ProviderApi
from integrations.providers.base import Delivered, Happening, Webhooks
from integrations.providers.jira import happenings

LEEWAY_SECONDS = 60
LONGEST_TOKEN = 8192
IDENTIFIER = "x-atlassian-webhook-identifier"


def is_genuine(headers: Mapping[str, str], body: bytes, secrets: tuple[str, ...]) -> bool:
    """Is this delivery signed with one of the app's secrets? What its token claims beyond times is not documented."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN:
        return False
    return any(_is_signed(token.strip(), secret) for secret in secrets)


@lru_cache(64)
def _key(secret: str) -> jwt.PyJWK:
    """Return a secret as PyJWT wants it: made ready once, not with each delivery."""
    encoded = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    return jwt.PyJWK({"kty": "oct", "k": encoded}, "HS256")


def _is_signed(token: str, secret: str) -> bool:
    try:
        jwt.decode(
            token,
            _key(secret),
            algorithms=["HS256"],
            leeway=LEEWAY_SECONDS,
            options={"verify_aud": False, "verify_iss": False, "verify_iat": False, "verify_sub": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        return False
    return True


def is_from_site(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(headers.get("x-hub-signature", "").encode(), wanted.encode())


def identify(headers: Mapping[str, str], body: Any) -> Delivered:
    ids = body.get("matchedWebhookIds") if isinstance(body, Mapping) else None
    found = [str(item) for item in ids if isinstance(item, int | str)] if isinstance(ids, list) else []
    retry = headers.get("x-atlassian-webhook-retry", "")
    repetition = int(retry) if retry.isdecimal() and len(retry) < 4 else 0
    return Delivered(happenings.site_of(body), headers.get(IDENTIFIER, "")[:200], tuple(found[:100]), repetition)


def matches(api: ProviderApi, happening: Happening, queries: list[str]) -> list[str] | None:
    """Have Jira judge JQL for the issue that something happened to: "" or why not, for each.

    None while its search index does not know the issue: it lags behind by seconds.
    """
    kind, _, issue_id = happening.subject.partition(":")
    if kind != "issue" or not issue_id.isdigit():
        return ["It does not say which issue it is about, so that no JQL can be asked."] * len(queries)
    body = {"issueIds": [int(issue_id)], "jqls": [f"id = {issue_id}", *queries]}
    found = api.post("rest/api/3/jql/match", body)
    answers = found.get("matches", []) if isinstance(found, Mapping) else []
    if len(answers) != len(queries) + 1 or not answers[0].get("matchedIssues"):
        return None
    return [_verdict(answer) for answer in answers[1:]]


def _verdict(answer: Mapping[str, Any]) -> str:
    errors = answer.get("errors")
    if errors:
        return f"Jira refuses the filter: {' '.join(map(str, errors))[:200]}"
    return "" if answer.get("matchedIssues") else "It does not match the filter."


WEBHOOKS = Webhooks(
    is_genuine=is_genuine,
    is_from_site=is_from_site,
    identify=identify,
    read=happenings.read,
    matches=matches,
)
