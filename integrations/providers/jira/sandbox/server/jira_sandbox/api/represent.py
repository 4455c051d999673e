"""Issues, people and projects in Jira's shapes."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..avatars import avatar_urls
from ..records import Account, Issue, Project
from ..seed import ISSUE_TYPES, PRIORITIES, STATUSES, TRANSITIONS
from ..state import state
from . import adf
from .gateway import Call

FIELD_NAMES = {
    "summary": "Summary",
    "description": "Description",
    "issuetype": "Issue Type",
    "project": "Project",
    "status": "Status",
    "priority": "Priority",
    "assignee": "Assignee",
    "reporter": "Reporter",
    "creator": "Creator",
    "labels": "Labels",
    "parent": "Parent",
    "created": "Created",
    "updated": "Updated",
    "comment": "Comment",
    "attachment": "Attachment",
    "duedate": "Due date",
}


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at % 1 * 1000):03d}+0000"


def user(call: Call, account: Account) -> dict[str, Any]:
    return {
        "self": f"{call.base}/user?accountId={account.account_id}",
        "accountId": account.account_id,
        "accountType": "atlassian",
        "emailAddress": account.email,
        "avatarUrls": avatar_urls(account.name),
        "displayName": account.name,
        "active": True,
        "timeZone": ZoneInfo(account.time_zone).key,
    }


def person(call: Call, account_id: str | None) -> dict[str, Any] | None:
    account = state.accounts.get(account_id or "")
    return user(call, account) if account else None


def project(call: Call, found: Project, *, expanded: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = {
        "self": f"{call.base}/project/{found.id}",
        "id": found.id,
        "key": found.key,
        "name": found.name,
        "projectTypeKey": "software",
        "simplified": False,
        "style": "classic",
        "isPrivate": False,
        "avatarUrls": avatar_urls(found.name),
    }
    if expanded:
        body |= {"description": found.description, "lead": person(call, found.lead)}
        body |= {"issueTypes": [issue_type(call, type_id) for type_id in ISSUE_TYPES]}
    return body


def issue_type(call: Call, type_id: str) -> dict[str, Any]:
    kind = ISSUE_TYPES[type_id]
    return {
        "self": f"{call.base}/issuetype/{type_id}",
        "id": type_id,
        "name": kind["name"],
        "description": kind["description"],
        "iconUrl": avatar_urls(kind["name"])["16x16"],
        "subtask": kind["level"] < 0,
        "hierarchyLevel": kind["level"],
    }


def status(call: Call, status_id: str) -> dict[str, Any]:
    found = STATUSES[status_id]
    return {
        "self": f"{call.base}/status/{status_id}",
        "id": status_id,
        "name": found["name"],
        "description": "",
        "iconUrl": avatar_urls(found["name"])["16x16"],
        "statusCategory": {"self": f"{call.base}/statuscategory/{found['category']['id']}", **found["category"]},
    }


def priority(call: Call, priority_id: str) -> dict[str, Any]:
    return {
        "self": f"{call.base}/priority/{priority_id}",
        "id": priority_id,
        "name": PRIORITIES[priority_id],
        "iconUrl": avatar_urls(PRIORITIES[priority_id])["16x16"],
    }


def rich_text(call: Call, document: Any) -> Any:
    """REST v3 speaks ADF, v2 plain strings, for the same field."""
    if document is None:
        return None
    return document if call.version == 3 else adf.text_of(document)


def comment(call: Call, issue: Issue, found: dict[str, Any]) -> dict[str, Any]:
    author = person(call, found["author"])
    return {
        "self": f"{call.base}/issue/{issue.id}/comment/{found['id']}",
        "id": found["id"],
        "author": author,
        "updateAuthor": author,
        "body": rich_text(call, found["body"]),
        "created": moment(found["created"]),
        "updated": moment(found["created"]),
        "jsdPublic": True,
    }


def attachment(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "self": f"{call.base}/attachment/{found['id']}",
        "id": found["id"],
        "filename": found["filename"],
        "author": person(call, found["author"]),
        "created": moment(found["created"]),
        "size": found["size"],
        "mimeType": found["mime_type"],
        "content": f"{call.base}/attachment/content/{found['id']}",
    }


def fields_of(call: Call, issue: Issue) -> dict[str, Any]:
    own = issue.fields
    home = next(p for p in state.projects.values() if (p.site, p.key) == (issue.site, issue.project))
    comments = [comment(call, issue, found) for found in issue.comments]
    return {
        "summary": own["summary"],
        "description": rich_text(call, own.get("description")),
        "issuetype": issue_type(call, own["issuetype"]),
        "project": project(call, home),
        "status": status(call, own["status"]),
        "priority": priority(call, own["priority"]),
        "assignee": person(call, own.get("assignee")),
        "reporter": person(call, own.get("reporter")),
        "creator": person(call, issue.creator),
        "labels": own.get("labels", []),
        "parent": {"key": own["parent"]} if own.get("parent") else None,
        "duedate": own.get("duedate"),
        "created": moment(issue.created),
        "updated": moment(issue.updated),
        "comment": {"comments": comments, "startAt": 0, "maxResults": len(comments), "total": len(comments)},
        "attachment": [attachment(call, found) for found in issue.attachments],
        **{name: value for name, value in own.items() if name.startswith("customfield_")},
    }


def issue(call: Call, found: Issue, wanted: list[str], expand: str = "") -> dict[str, Any]:
    """Return an issue with the wanted fields: names, "*all", "*navigable", and "-name" to leave one out."""
    body: dict[str, Any] = {"id": found.id, "key": found.key, "self": f"{call.base}/issue/{found.id}"}
    # "id" and "key" are not fields; asking for nothing else gives an issue without any.
    if set(wanted) <= {"id", "key"}:
        return body
    fields = fields_of(call, found)
    left_out = {name[1:] for name in wanted if name.startswith("-")}
    if not ({"*all", "*navigable"} & set(wanted) or wanted == [f"-{name}" for name in left_out]):
        fields = {name: value for name, value in fields.items() if name in wanted}
    body["fields"] = {name: value for name, value in fields.items() if name not in left_out}
    body["expand"] = "renderedFields,names,schema,transitions,changelog"
    if "names" in expand:
        body["names"] = FIELD_NAMES
    if "transitions" in expand:
        body["transitions"] = transitions(call)
    if "changelog" in expand:
        body["changelog"] = changelog(call, found)
    return body


def changelog(call: Call, found: Issue) -> dict[str, Any]:
    histories = [
        {
            "id": entry["id"],
            "author": person(call, entry["author"]),
            "created": moment(entry["at"]),
            "items": entry["items"],
        }
        for entry in reversed(found.history)
    ]
    return {"startAt": 0, "maxResults": len(histories), "total": len(histories), "histories": histories}


def transitions(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": transition_id,
            "name": STATUSES[status_id]["name"],
            "to": status(call, status_id),
            "hasScreen": False,
            "isGlobal": True,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "fields": {},
        }
        for transition_id, status_id in TRANSITIONS.items()
    ]
