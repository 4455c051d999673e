"""Reading what happened to issues since some moment: to poll, and to fill the gap that an outage left.

What is read is put into the shape of a delivery and read as one, so that a trigger tells the same whichever way it
came. Version 2 of the REST API speaks as webhooks do: texts are texts.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations import clock
from integrations.errors import PermanentError, TemporaryError
from integrations.provider_api import ProviderApi
from integrations.providers.base import Feed, Happening, NotHeard, Reading, Wish
from integrations.providers.jira import happenings, jql, triggers
from integrations.providers.jira.registering import REGISTERING

REST = "rest/api/2"
PAGE = 100
# One reading ends after so many issues; the next goes on where it ended.
MOST_ISSUES = 200
# The search index lags behind, so the last moments are read again the next time.
LAG = timedelta(minutes=2)
# Jira's search takes whole minutes, so that each begins a while before the moment that is meant.
OVERLAP = timedelta(minutes=3)
MOST_PAGES = 1000
POLL_SECONDS = 60
Json = dict[str, Any]


def read(api: ProviderApi, since: datetime, cursor: Mapping[str, Any], wishes: list[Wish]) -> Reading:
    """Return what was created, changed and said since then.

    A reading that goes on where another ended has a cursor: "from" is the moment that the first was asked for, since
    an issue that is found late may have changed early, too; "until" is how far the index could be trusted then; "read"
    are the issues at its end that were read, with the change that was seen, so that any number of one minute comes to
    an end; "for" are the wishes they were read for.
    """
    wanted = _wanted(wishes)
    settled = happenings.moment(cursor.get("until")) or clock.now() - LAG
    first = happenings.moment(cursor.get("from")) or since
    before = cursor.get("read", {}) if cursor.get("for") == wanted else {}
    found: list[Happening] = []
    seen: dict[str, str] = {}
    until, has_more = settled, False
    for issue in _changed(api, since, wishes):
        number, updated = str(issue["id"]), str(issue["fields"].get("updated"))
        if before.get(number) == updated:
            continue
        at = happenings.moment(updated) or since
        if len(seen) >= MOST_ISSUES:
            # Sorted by the moment of the last change: what follows changed later.
            has_more = True
            break
        # Each is read, also where something newer was told of it: what was told before that may have been lost.
        found += _of_issue(api, number, first, {wish.trigger for wish in wishes})
        seen[number], until = updated, min(max(since, at), settled)
    found.sort(key=lambda happening: happening.at)
    if not has_more:
        return Reading(found, settled, {}, every_seconds=POLL_SECONDS)
    read = {number: text for number, text in {**before, **seen}.items() if _is_new(text, until - OVERLAP)}
    memory = {"from": first.isoformat(), "until": settled.isoformat(), "for": wanted, "read": read}
    return Reading(found, until, memory, has_more=True, every_seconds=POLL_SECONDS)


def _wanted(wishes: list[Wish]) -> list[Any]:
    return sorted([wish.trigger, sorted(triggers.within(wish.filters) or ())] for wish in wishes)


def _changed(api: ProviderApi, since: datetime, wishes: list[Wish]) -> Iterator[Json]:
    """Yield the issues that changed since then, the longest ago first. Raises TemporaryError where it has no end.

    JQL knows dates in the time zone of the account, which nobody tells us; so many minutes ago is the same everywhere.
    """
    minutes = max(1, math.ceil((clock.now() - since).total_seconds() / 60) + 1)
    where = f"updated >= -{minutes}m"
    named = [triggers.within(wish.filters) for wish in wishes]
    keys = sorted({key for keys in named for key in keys or ()})
    if keys and None not in named:
        where += f" AND project in ({', '.join(map(jql.quoted, keys))})"
    token = None
    for _ in range(MOST_PAGES):
        body: Json = {"jql": f"{where} ORDER BY updated ASC", "fields": ["updated"], "maxResults": PAGE}
        page = api.post(f"{REST}/search/jql", body | ({"nextPageToken": token} if token else {}))
        yield from (issue for issue in page.get("issues", []) if issue.get("id") and "fields" in issue)
        following = page.get("nextPageToken")
        if page.get("isLast", not following) or not following:
            return
        if following == token:
            raise TemporaryError("Jira’s search gives the same page again and again, so what changed cannot be read.")
        token = following
    raise TemporaryError(f"Jira’s search finds more than {MOST_PAGES * PAGE:,} changed issues, which are not all read.")


def _of_issue(api: ProviderApi, issue_id: str, since: datetime, wanted: set[str]) -> list[Happening]:
    try:
        issue = api.get(f"{REST}/issue/{issue_id}", {"fields": "*all", "expand": "changelog"})
    except PermanentError as error:
        if error.status == 404:
            return []  # Deleted, or moved out of sight, since the search.
        raise
    histories = (issue.pop("changelog", None) or {}).get("histories") or []
    told = []
    # Webhooks lead to the site, the API to the gateway.
    issue["self"] = f"{api.connection.site_url}/rest/api/2/issue/{issue_id}"
    if happenings.ISSUE_CREATED in wanted:
        told += _created(issue, since)
    if happenings.ISSUE_UPDATED in wanted:
        told += [_updated(issue, history) for history in histories if _is_new(history.get("created"), since)]
    if happenings.COMMENT_CREATED in wanted:
        told += [_commented(issue, comment) for comment in _comments(api, issue, since)]
    return [happening for body in told if (happening := _read(body))]


def _read(body: Json) -> Happening | None:
    try:
        return happenings.read(body)
    except NotHeard:
        return None


def _created(issue: Json, since: datetime) -> list[Json]:
    created, fields = issue["fields"].get("created"), issue["fields"]
    if not _is_new(created, since):
        return []
    body: Json = {"webhookEvent": "jira:issue_created", "issue_event_type_name": "issue_created", "issue": issue}
    return [body | {"timestamp": _stamp(created), "user": fields.get("creator")}]


def _updated(issue: Json, history: Json) -> Json:
    changelog = {"id": history.get("id"), "items": history.get("items") or []}
    # Each change is told with the issue as it was found, but with its own moment.
    fields = issue["fields"] | {"updated": history.get("created")}
    body: Json = {"webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_updated"}
    body |= {"timestamp": _stamp(history.get("created")), "user": history.get("author")}
    return body | {"issue": {**issue, "fields": fields}, "changelog": changelog}


def _commented(issue: Json, comment: Json) -> Json:
    names = ("summary", "issuetype", "project", "assignee", "priority", "status")
    short = {**issue, "fields": {name: issue["fields"].get(name) for name in names}}
    comment["self"] = f"{issue['self']}/comment/{comment.get('id')}"
    return {
        "webhookEvent": "comment_created",
        "timestamp": _stamp(comment.get("created")),
        "comment": comment,
        "issue": short,
    }


def _comments(api: ProviderApi, issue: Json, since: datetime) -> list[Json]:
    """Return the comments made since then, the oldest first."""
    found: list[Json] = []
    for _ in range(20):
        query = {"orderBy": "-created", "startAt": len(found), "maxResults": 50}
        comments = api.get(f"{REST}/issue/{issue['id']}/comment", query).get("comments") or []
        found += [comment for comment in comments if _is_new(comment.get("created"), since)]
        if len(comments) < 50 or not _is_new(comments[-1].get("created"), since):
            break
    return found[::-1]


def _is_new(text: Any, since: datetime) -> bool:
    at = happenings.moment(text)
    return at is not None and at >= since


def _stamp(text: Any) -> int:
    at = happenings.moment(text)
    return int(at.timestamp() * 1000) if at else 0


FEED = Feed(
    slug="issues",
    title="Issues and comments",
    triggers=triggers.ISSUE_TRIGGERS,
    read=read,
    registering=REGISTERING,
    poll_seconds=POLL_SECONDS,
)
