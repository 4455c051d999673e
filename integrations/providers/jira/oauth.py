"""Atlassian's OAuth 2.0 (3LO).

Source: https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from integrations import http
from integrations.errors import PermanentError, TemporaryError
from integrations.providers.base import Account, Site, provider_setting

DEAD_GRANT = "invalid_grant"


def auth_url() -> str:
    return provider_setting("jira", "AUTH_URL", "https://auth.atlassian.com").rstrip("/")


def api_url() -> str:
    return provider_setting("jira", "API_URL", "https://api.atlassian.com").rstrip("/")


def authorize_url() -> str:
    return f"{auth_url()}/authorize"


def token_url() -> str:
    return f"{auth_url()}/oauth/token"


def refusal(status: int, body: Mapping[str, Any]) -> str:
    """Sort an error of the token endpoint by its code, never by its status: 400, 401 and 403 all occur for each."""
    code, words = str(body.get("error", "")), str(body.get("error_description", "")).lower()
    if code == DEAD_GRANT:
        return "grant"
    if code == "unauthorized_client":
        # What a dead refresh token really gets; without those words it is the app that is refused.
        return "grant" if "refresh_token" in words or "refresh token" in words else "keys"
    if code in ("access_denied", "invalid_client", "invalid_scope", "invalid_request"):
        return "keys"
    return ""


def sites(access_token: str) -> list[Site]:
    """Return the Jira sites this token reaches. One site is listed once a product, so entries are merged by id."""
    found: dict[str, Site] = {}
    for entry in _get(f"{api_url()}/oauth/token/accessible-resources", access_token, list):
        scopes = tuple(scope for scope in entry.get("scopes", []) if "jira" in scope)
        if scopes and entry.get("id"):
            found[entry["id"]] = Site(entry["id"], entry.get("name", ""), entry.get("url", ""), scopes)
    return sorted(found.values(), key=lambda site: site.name.lower())


def account(access_token: str, site: Site) -> Account:
    """Return who consented. Jira's own scopes suffice for `myself`, but not for Atlassian's `/me`."""
    me = _get(f"{api_url()}/ex/jira/{quote(site.id, safe='')}/rest/api/3/myself", access_token, dict)
    if not me.get("accountId"):
        raise PermanentError("Jira did not say whose account this is.")
    return Account(me["accountId"], me.get("displayName", ""), me.get("emailAddress", ""))


def _get(url: str, access_token: str, wanted: type) -> Any:
    answer = http.send("GET", url, headers={"Authorization": f"Bearer {access_token}"})
    found = answer.json()
    if answer.status >= 500 or answer.status == 429:
        raise TemporaryError(f"Jira answers {answer.status}.", retry_after=http.retry_after(answer.headers))
    if answer.status != 200 or not isinstance(found, wanted):
        raise PermanentError(f"Jira answers {answer.status} where it should tell about the account.")
    return found
