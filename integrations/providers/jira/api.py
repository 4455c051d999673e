"""Calling Jira's REST API through Atlassian's gateway."""

from typing import Any
from urllib.parse import quote

from integrations.providers.jira.oauth import api_url

REMOVED_SEARCH = ("/rest/api/2/search", "/rest/api/3/search")


def base_url(site_id: str) -> str:
    return f"{api_url()}/ex/jira/{quote(site_id, safe='')}/"


def means_expired(status: int, body: bytes) -> bool:
    """Can a fresh token cure this? Not when a scope is missing: refreshing then burns a rotation for nothing."""
    return status == 401 and b"scope" not in body


def message(body: Any) -> str:
    """Return the error text of Jira ({errorMessages, errors}), its gateway ({message}) or the auth server ({error})."""
    if not isinstance(body, dict):
        return ""
    messages, errors = body.get("errorMessages"), body.get("errors")
    texts = [text for text in messages if isinstance(text, str)] if isinstance(messages, list) else []
    if isinstance(errors, dict):
        texts += [f"{field}: {text}" for field, text in errors.items()]
    return " ".join(texts) or str(body.get("message") or body.get("error_description") or body.get("error") or "")


def hint(method: str, path: str, status: int) -> str:
    if status == 410 and path.rstrip("/") in REMOVED_SEARCH:
        return (
            "Call POST /rest/api/3/search/jql with {jql, fields, maxResults, nextPageToken} instead. It returns only"
            " ids unless you name fields, needs a bounded JQL such as 'project = ACME order by created', and has no"
            " startAt."
        )
    if status == 401:
        return "The connection lacks a scope for this call. Add it in Settings and let the user reconnect."
    if status == 404 and "/issue/" in path:
        return "Jira also answers 404 when this user may not see the issue."
    return ""
