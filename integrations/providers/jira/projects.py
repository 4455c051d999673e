"""Hearing of projects. Jira tells no OAuth app of them: an administrator's webhook does, the audit log does, and else
what the account sees is compared with what it saw before.

A project is remembered as what can be compared of it. The first look only remembers.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integrations import clock
from integrations.errors import PermanentError
from integrations.provider_api import ProviderApi
from integrations.providers.base import Feed, Happening, Reading, Wish
from integrations.providers.jira import happenings, triggers

COMPARE_SECONDS = 300
AUDIT_SECONDS = 60
# An audit log that was refused is asked again after a day: people become administrators, sites change their plan.
ASK_AGAIN = timedelta(days=1)
PAGE = 100
MOST_PAGES = 100
# 1,000 projects every five minutes would take a fifth of an app's quota of an hour.
CHEAP = 500
NAMES = {"key": "key", "name": "name", "description": "description", "lead": "lead", "category": "category"}
Json = dict[str, Any]


def read(api: ProviderApi, since: datetime, cursor: Mapping[str, Any], wishes: list[Wish]) -> Reading:
    """Return the projects that are new or changed since the last look, with who did it where the audit log says so."""
    now = clock.now()
    memory = dict(cursor)
    records, words = _audited(api, since, memory, now, wishes)
    compared_at = happenings.moment(memory.get("compared_at"))
    is_due = compared_at is None or now - compared_at >= timedelta(seconds=_pace(memory) - 5)
    if records == [] and not is_due:
        return Reading([], now - timedelta(minutes=1), memory, words=words, every_seconds=AUDIT_SECONDS)
    seen = {str(project["id"]): project for project in _projects(api)}
    known = memory.get("projects")
    found = [] if known is None else _differences(api, known, seen, records or [], now)
    memory |= {"projects": {key: _kept(project) for key, project in seen.items()}, "compared_at": now.isoformat()}
    every = _pace(memory) if records is None else AUDIT_SECONDS
    return Reading(found, now - timedelta(minutes=1), memory, words=words, every_seconds=every)


def _pace(memory: Mapping[str, Any]) -> float:
    return COMPARE_SECONDS * max(1.0, len(memory.get("projects") or {}) / CHEAP)


def _projects(api: ProviderApi) -> list[Json]:
    found: list[Json] = []
    for _ in range(MOST_PAGES):
        query = {
            "startAt": len(found),
            "maxResults": PAGE,
            "expand": "description,lead,url,projectKeys",
            "orderBy": "key",
            "status": "live",
        }
        try:
            page = api.get("rest/api/3/project/search", query)
        except PermanentError as error:
            if error.status == 404:  # What Jira answers when the account sees none.
                return found
            raise
        values = page.get("values") or []
        found += [value for value in values if value.get("id")]
        if page.get("isLast", True) or not values:
            break
    return found


def _kept(project: Mapping[str, Any]) -> Json:
    """Return what is compared of a project. What changes with every issue in it is left out."""
    return {
        "key": project.get("key"),
        "name": project.get("name"),
        "description": project.get("description") or "",
        "lead": (project.get("lead") or {}).get("accountId"),
        "category": (project.get("projectCategory") or {}).get("id"),
    }


def _differences(
    api: ProviderApi, known: Mapping[str, Any], seen: Mapping[str, Json], records: list[Json], now: datetime
) -> list[Happening]:
    found = []
    for project_id, project in seen.items():
        before, after = known.get(project_id), _kept(project)
        if before is not None and before.get("description") is None:
            before = before | {"description": after["description"]}  # Only a delivery told of it, which has none.
        if before == after:
            continue
        trigger = happenings.PROJECT_CREATED if before is None else happenings.PROJECT_UPDATED
        at, author = _who(records, project_id, trigger, now)
        changes = [] if before is None else _changes(before, after)
        told = _as_webhook(api, trigger, project, at, author)
        happening = happenings.project_happening(trigger, told, changes)
        # A webhook has no description: it can say that a project changed, and not this.
        found.append(replace(happening, is_only_read={change["field"] for change in changes} == {"description"}))
    return found


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Json]:
    is_id = {"lead", "category"}
    return [
        {
            "field": name,
            "name": name,
            "from": None if name in is_id else before.get(name),
            "to": None if name in is_id else after[name],
            "from_id": before.get(name) if name in is_id else None,
            "to_id": after[name] if name in is_id else None,
        }
        for name in NAMES
        if before.get(name) != after[name]
    ]


def _as_webhook(api: ProviderApi, trigger: str, project: Json, at: datetime, author: Json | None) -> Json:
    """Return a project as an administrator's webhook would tell of it."""
    told = {name: value for name, value in project.items() if name not in ("lead", "insight", "expand")}
    told["self"] = f"{api.connection.site_url}/rest/api/2/project/{project['id']}"
    told["projectLead"] = project.get("lead")
    body: Json = {"webhookEvent": trigger, "timestamp": int(at.timestamp() * 1000), "project": told}
    return body | ({"user": author} if author else {})


# Audit log ----------------------------------------------------------------------------------------------------------


def _audited(
    api: ProviderApi, since: datetime, memory: Json, now: datetime, wishes: list[Wish]
) -> tuple[list[Json] | None, str]:
    """Return what the audit log says of projects since then, None where it may not be read; and how it stands."""
    wanted = any(triggers.ADMINISTER in triggers.project_scopes(wish.filters) for wish in wishes)
    if not wanted or triggers.ADMINISTER not in api.connection.grant.scopes:
        return None, f"Projects are compared every {round(_pace(memory) / 60)} minutes."
    refused_at = happenings.moment(memory.get("audit_refused_at"))
    if refused_at and now - refused_at < ASK_AGAIN:
        return None, str(memory.get("audit_words"))
    try:
        start = (since - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        page = api.get("rest/api/3/auditing/record", {"from": start, "limit": 1000})
    except PermanentError as error:
        if error.status not in (401, 403):
            raise
        minutes = round(_pace(memory) / 60)
        words = (
            "Jira does not let this account read the audit log: it takes a Jira administrator, and a site on a paid"
            f" plan. Projects are compared every {minutes} minutes instead."
        )
        memory |= {"audit_refused_at": now.isoformat(), "audit_words": words}
        return None, words
    memory.pop("audit_refused_at", None)
    records = [record for record in page.get("records") or [] if _is_about_project(record)]
    new = [record for record in records if str(record.get("id")) not in (memory.get("audit_ids") or [])]
    memory["audit_ids"] = [str(record.get("id")) for record in records][:200]
    return new, "The audit log is read every minute."


def _is_about_project(record: Mapping[str, Any]) -> bool:
    """Summaries are in the site's language, so the category and the type of the object count."""
    about = str((record.get("objectItem") or {}).get("typeName") or "").lower()
    return about == "project" or "project" in str(record.get("category") or "").lower()


def _who(records: list[Json], project_id: str, trigger: str, now: datetime) -> tuple[datetime, Json | None]:
    """Return when it happened and who did it, by the audit log; now and nobody where it does not say."""
    about = [record for record in records if str((record.get("objectItem") or {}).get("id")) == project_id]
    newest = max(about, key=lambda record: str(record.get("created")), default=None)
    if newest is None:
        return now, None
    account = newest.get("authorAccountId")
    return happenings.moment(newest.get("created")) or now, {"accountId": account} if account else None


# An administrator's webhook -----------------------------------------------------------------------------------------


def absorb(cursor: Mapping[str, Any], happening: Happening) -> Mapping[str, Any] | None:
    """Return the memory with what a delivery tells, None where the comparison has told it already."""
    project = happening.payload["raw"]["project"]
    project_id, memory = str(project["id"]), dict(cursor)
    told = {
        "key": project.get("key"),
        "name": project.get("name"),
        "lead": (project.get("projectLead") or {}).get("accountId"),
        "category": str((project.get("projectCategory") or {}).get("id") or "") or None,
    }
    known = dict(memory.get("projects") or {})
    before = known.get(project_id)
    is_created = happening.trigger == happenings.PROJECT_CREATED
    if before is not None and (is_created or all(before.get(name) == value for name, value in told.items())):
        # The description is not in a webhook: what changed may be that, and the next comparison tells it.
        return None
    if memory.get("projects") is not None:
        memory["projects"] = known | {project_id: {"description": None} | (before or {}) | told}
    return memory


BY_HAND = (
    "In Jira, as an administrator: Settings › System › WebHooks › Create a WebHook. Enter the URL and the secret, and"
    " tick the project events “created” and “updated”. Jira then tells of projects at once."
)
FEED = Feed(
    slug="projects",
    title="Projects",
    triggers=triggers.PROJECT_TRIGGERS,
    read=read,
    poll_seconds=COMPARE_SECONDS,
    absorb=absorb,
    by_hand=BY_HAND,
)
