"""From what Jira sends to what our triggers tell: flat, stable shapes, with Jira's own words beside them as `raw`.

Nothing is taken for granted: real bodies lack what the documentation promises. What is missing is null.
Source: https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.providers.base import Happening, NotHeard

ISSUE_CREATED, ISSUE_UPDATED, COMMENT_CREATED = "issue_created", "issue_updated", "comment_created"
PROJECT_CREATED, PROJECT_UPDATED = "project_created", "project_updated"
NAMES = {
    "jira:issue_created": ISSUE_CREATED,
    "jira:issue_updated": ISSUE_UPDATED,
    "comment_created": COMMENT_CREATED,
    "project_created": PROJECT_CREATED,
    "project_updated": PROJECT_UPDATED,
}
Json = Mapping[str, Any]


def read(body: Any) -> Happening:
    """Return what a delivery tells. Raises NotHeard for what is no trigger of ours."""
    told = _object(body)
    name = str(told.get("webhookEvent") or "")
    trigger = NAMES.get(name)
    if trigger is None:
        raise NotHeard(f"No trigger is about “{name[:60]}”." if name else "It does not say which event it is.")
    if trigger == COMMENT_CREATED:
        return _comment(told)
    if trigger in (PROJECT_CREATED, PROJECT_UPDATED):
        return project_happening(trigger, told)
    return _issue(trigger, told)


def site_of(body: Any) -> str:
    """Return the address of the site that a body is about, in lower case; "" where it does not say."""
    told = _object(body)
    for name in ("issue", "comment", "project", "user"):
        link = str(_object(told.get(name)).get("self") or "")
        if "/rest/" in link:
            return link.partition("/rest/")[0].lower()
    return ""


# Issues and comments ------------------------------------------------------------------------------------------------


def _issue(trigger: str, told: Json) -> Happening:
    issue = _object(told.get("issue"))
    issue_id = _text(issue.get("id"))
    if not issue_id:
        raise NotHeard("It does not say which issue it is about.")
    changelog = _object(told.get("changelog"))
    changes = [_change(item) for item in _list(changelog.get("items")) if isinstance(item, Mapping)]
    kind = str(told.get("issue_event_type_name") or "")
    if trigger == ISSUE_UPDATED and not changes and kind.startswith("issue_comment"):
        raise NotHeard("A comment changed, and no field of the issue. New Comment tells of comments.")
    own = issue_shape(issue)
    fallback = own["created"] if trigger == ISSUE_CREATED else own["updated"]
    at = moment(fallback) or _at(told)
    key = f"{trigger}:{issue_id}"
    if trigger == ISSUE_UPDATED:
        key = f"{trigger}:{_text(changelog.get('id')) or f'{issue_id}:{at.isoformat()}'}"
    payload = {"event": trigger, **own, "changes": changes, "by": _person(told.get("user")) or NOBODY}
    return Happening(trigger, key, f"issue:{issue_id}", at, _with_raw(payload, at, told))


def _comment(told: Json) -> Happening:
    comment = _object(told.get("comment"))
    comment_id = _text(comment.get("id"))
    if not comment_id:
        raise NotHeard("It does not say which comment it is about.")
    issue = _object(told.get("issue"))
    # Some bodies have no issue, but the comment's own address has its id.
    issue_id = _text(issue.get("id")) or _between(str(comment.get("self") or ""), "/issue/", "/comment/")
    created = _iso(comment.get("created"))
    at = moment(created) or _at(told)
    author = _person(comment.get("author"))
    whole = issue_shape({**issue, "id": issue_id})
    payload = {
        "event": COMMENT_CREATED,
        "id": comment_id,
        "body": _text(comment.get("body")),
        "author": author,
        "created": created,
        "is_internal": comment.get("jsdPublic") is False,
        "issue": {name: whole[name] for name in SHORT},
        "by": author or NOBODY,
    }
    subject = f"issue:{issue_id}" if issue_id else f"comment:{comment_id}"
    return Happening(COMMENT_CREATED, f"{COMMENT_CREATED}:{comment_id}", subject, at, _with_raw(payload, at, told))


SHORT = ("id", "key", "url", "summary", "type", "status", "priority", "project", "assignee")
NOBODY = {"id": "", "name": ""}


def issue_shape(issue: Json) -> dict[str, Any]:
    """Return an issue as triggers tell it."""
    fields, key = _object(issue.get("fields")), _text(issue.get("key"))
    site = str(issue.get("self") or "").partition("/rest/")[0]
    parent = _object(fields.get("parent"))
    return {
        "id": _text(issue.get("id")),
        "key": key,
        "url": f"{site}/browse/{key}" if site and key else None,
        "summary": _text(fields.get("summary")),
        "description": _text(fields.get("description")),
        "type": _named(fields.get("issuetype")),
        "status": _status(fields.get("status")),
        "priority": _named(fields.get("priority")),
        "project": _project(fields.get("project")),
        "assignee": _person(fields.get("assignee")),
        "reporter": _person(fields.get("reporter")),
        "labels": [str(label) for label in _list(fields.get("labels"))],
        "parent": {"id": _text(parent.get("id")), "key": _text(parent.get("key"))} if parent else None,
        "components": _names(fields.get("components")),
        "fix_versions": _names(fields.get("fixVersions")),
        "due_date": _text(fields.get("duedate")),
        "resolution": _text(_object(fields.get("resolution")).get("name")),
        "created": _iso(fields.get("created")),
        "updated": _iso(fields.get("updated")),
        "custom": {name: value for name, value in fields.items() if name.startswith("customfield_") and value},
    }


def _change(item: Json) -> dict[str, Any]:
    return {
        "field": _text(item.get("fieldId")) or _text(item.get("field")),
        "name": _text(item.get("field")),
        "from": _text(item.get("fromString")),
        "to": _text(item.get("toString")),
        "from_id": _text(item.get("from")),
        "to_id": _text(item.get("to")),
    }


def _status(value: Any) -> dict[str, Any] | None:
    found = _named(value)
    return {**found, "category": _text(_object(_object(value).get("statusCategory")).get("key"))} if found else None


def _project(value: Any) -> dict[str, Any] | None:
    found = _object(value)
    return {name: _text(found.get(name)) for name in ("id", "key", "name")} if found else None


def _named(value: Any) -> dict[str, Any] | None:
    found = _object(value)
    return {"id": _text(found.get("id")), "name": _text(found.get("name"))} if found else None


def _names(value: Any) -> list[str]:
    return [str(item["name"]) for item in _list(value) if isinstance(item, Mapping) and item.get("name")]


def _person(value: Any) -> dict[str, Any] | None:
    found = _object(value)
    return {"id": _text(found.get("accountId")) or "", "name": _text(found.get("displayName")) or ""} if found else None


# Projects -----------------------------------------------------------------------------------------------------------


def project_happening(trigger: str, told: Json, changes: list[dict[str, Any]] | None = None) -> Happening:
    """Return what a webhook tells of a project, or what the comparison of two polls put in its shape."""
    project = _object(told.get("project"))
    project_id = _text(project.get("id"))
    if not project_id:
        raise NotHeard("It does not say which project it is about.")
    at = _at(told)
    category, key = _object(project.get("projectCategory")), _text(project.get("key"))
    site = str(project.get("self") or "").partition("/rest/")[0]
    payload = {
        "event": trigger,
        "id": project_id,
        "key": key,
        "name": _text(project.get("name")),
        "url": f"{site}/browse/{key}" if site and key else None,
        "lead": _person(project.get("projectLead")),
        "category": _named(category),
        "changes": changes or [],
        "by": _person(told.get("user")) or NOBODY,
    }
    key = f"{trigger}:{project_id}" if trigger == PROJECT_CREATED else f"{trigger}:{project_id}:{at.isoformat()}"
    return Happening(trigger, key, f"project:{project_id}", at, _with_raw(payload, at, told))


# Small parts --------------------------------------------------------------------------------------------------------


def moment(text: Any) -> datetime | None:
    """Return a time of Jira's, such as 2024-12-29T08:41:23.904+0530, aware and in UTC; None for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _iso(text: Any) -> str | None:
    found = moment(text)
    return found.isoformat(timespec="milliseconds") if found else None


def _at(told: Json) -> datetime:
    stamp = told.get("timestamp")
    if isinstance(stamp, int | float) and not isinstance(stamp, bool) and 0 < stamp < 1e14:
        return datetime.fromtimestamp(stamp / 1000, UTC)
    raise NotHeard("It does not say when it happened.")


def _with_raw(payload: dict[str, Any], at: datetime, told: Json) -> dict[str, Any]:
    return {**payload, "at": at.isoformat(timespec="milliseconds"), "raw": dict(told)}


def _object(value: Any) -> Json:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    """Return a text or a number as text, None for anything else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def _between(text: str, before: str, after: str) -> str | None:
    return text.partition(before)[2].partition(after)[0] or None
