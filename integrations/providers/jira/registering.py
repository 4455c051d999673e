"""Asking Jira to send: dynamic webhooks, of which an app has five a user and site, with one address for all.

Source: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-webhooks/
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.errors import PermanentError
from integrations.provider_api import ProviderApi
from integrations.providers.base import Hook, Registering, Wish
from integrations.providers.jira import happenings, jql, triggers

PATH = "rest/api/3/webhook"
EVERYTHING = "project != null"
EVENTS = {trigger: name for name, trigger in happenings.NAMES.items()}
KEEPS_FOR = timedelta(days=30)
MOST_PAGES = 10
DEAF = (
    "Jira accepted the registration and sends nothing. A private app is told of its owner's sites only: in the"
    " developer console, under Distribution, switch sharing on. And Jira must be able to reach this server over https."
)


def plans(wishes: list[Wish]) -> list[tuple[tuple[str, ...], str]]:
    """Return the events that are wanted, for the wished projects alone where every wish names some."""
    events = tuple(sorted({EVENTS[wish.trigger] for wish in wishes}))
    named = [triggers.within(wish.filters) for wish in wishes]
    keys = sorted({key for keys in named for key in keys or ()})
    narrow = [(events, f"project in ({', '.join(map(jql.quoted, keys))})")] if keys and None not in named else []
    return [*narrow, (events, EVERYTHING)]


def hooks(api: ProviderApi) -> list[Hook]:
    found: list[Hook] = []
    for _ in range(MOST_PAGES):
        page = api.get(PATH, {"startAt": len(found), "maxResults": 100})
        values = page.get("values", [])
        found += [_hook(value) for value in values]
        if page.get("isLast", True) or not values:
            break
    return found


def _hook(value: Mapping[str, Any]) -> Hook:
    events = tuple(sorted(map(str, value.get("events") or [])))
    filter_ = str(value.get("jqlFilter") or "")
    return Hook(str(value["id"]), str(value.get("url") or ""), events, filter_, expiry(value.get("expirationDate")))


def expiry(value: Any) -> datetime | None:
    """Return a time that is a date by the examples and a number of milliseconds by the schema."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000, UTC)
    return happenings.moment(value)


def create(api: ProviderApi, url: str, events: tuple[str, ...], filter_: str) -> Hook:
    """Register one webhook. A refusal comes inside an answer of 200, and is raised as PermanentError."""
    body = {"url": url, "webhooks": [{"events": list(events), "jqlFilter": filter_}]}
    found = api.post(PATH, body)
    results = found if isinstance(found, list) else found.get("webhookRegistrationResult") or []
    result = results[0] if results else {}
    errors = [str(words) for words in result.get("errors") or []]
    if errors or "createdWebhookId" not in result:
        said = " ".join(errors) or "it gave the webhook no ID"
        raise PermanentError(f"Jira does not register the webhook: {said[:300]}", was_sent=True)
    return Hook(str(result["createdWebhookId"]), url, events, filter_, datetime.now(UTC) + KEEPS_FOR)


def renew(api: ProviderApi, ids: list[str]) -> datetime:
    found = api.put(f"{PATH}/refresh", {"webhookIds": [int(each) for each in ids]})
    return expiry(found.get("expirationDate")) or datetime.now(UTC) + KEEPS_FOR


def delete(api: ProviderApi, ids: list[str]) -> None:
    api.call("DELETE", PATH, body={"webhookIds": [int(each) for each in ids]})


REGISTERING = Registering(
    scopes=(triggers.TELL,),
    plans=plans,
    hooks=hooks,
    create=create,
    renew=renew,
    delete=delete,
    keeps_for=KEEPS_FOR,
    most=5,
    deaf=DEAF,
)
