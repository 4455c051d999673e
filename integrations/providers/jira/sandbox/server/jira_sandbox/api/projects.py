"""Projects, and what an issue in them may hold."""

from typing import Any

from .. import happenings
from ..records import Project
from ..seed import CUSTOM_FIELDS, ISSUE_TYPES, PRIORITIES, STATUSES, TEAMS
from ..sending import sender
from ..state import state
from . import auditing, represent
from .gateway import READ, Call, JiraError, route


@route("GET", "project/search", READ)
def search(call: Call) -> dict[str, Any]:
    query = call.request.GET.get("query", "").lower()
    access = ("edit",) if call.request.GET.get("action") in ("create", "edit") else ("edit", "browse")
    keys = call.request.GET.getlist("keys")
    found = [p for p in call.projects(*access) if query in p.key.lower() or query in p.name.lower()]
    found = sorted((p for p in found if not keys or p.key in keys), key=lambda p: p.key)
    if not found:
        raise JiraError(404, "No projects matching the criteria could be found.")
    start, most = call.number("startAt", 0, 10**6), call.number("maxResults", 50, 100)
    values = [represent.project(call, p, expanded="expand" in call.request.GET) for p in found[start : start + most]]
    body: dict[str, Any] = {"self": f"{call.base}/project/search", "maxResults": most, "startAt": start}
    body |= {"total": len(found), "isLast": start + most >= len(found), "values": values}
    if not body["isLast"]:
        body["nextPage"] = f"{call.base}/project/search?startAt={start + most}&maxResults={most}"
    return body


@route("GET", "project/(?P<key>[^/]+)", READ)
def one(call: Call, key: str) -> dict[str, Any]:
    return represent.project(call, call.project(key), expanded=True)


@route("GET", "project/(?P<key>[^/]+)/statuses", READ)
def statuses(call: Call, key: str) -> list[Any]:
    call.project(key)
    every = [represent.status(call, status_id) for status_id in STATUSES]
    kinds = [represent.issue_type(call, type_id) for type_id in ISSUE_TYPES]
    wanted = ("self", "id", "name", "subtask")
    return [{name: kind[name] for name in wanted} | {"statuses": every} for kind in kinds]


@route("GET", "issue/createmeta/(?P<key>[^/]+)/issuetypes", READ)
def issue_types(call: Call, key: str) -> dict[str, Any]:
    call.project(key, to_edit=True)
    kinds = [represent.issue_type(call, type_id) for type_id in ISSUE_TYPES]
    return {"startAt": 0, "maxResults": 50, "total": len(kinds), "issueTypes": kinds}


@route("GET", "issue/createmeta/(?P<key>[^/]+)/issuetypes/(?P<type_id>[^/]+)", READ)
def type_fields(call: Call, key: str, type_id: str) -> dict[str, Any]:
    call.project(key, to_edit=True)
    if type_id not in ISSUE_TYPES:
        raise JiraError(404, f"The issue type {type_id} does not exist in this project.")
    fields = fields_of_type(call, key, type_id)
    return {"startAt": 0, "maxResults": 50, "total": len(fields), "fields": fields}


def fields_of_type(call: Call, key: str, type_id: str) -> list[dict[str, Any]]:
    priorities = [represent.priority(call, priority_id) for priority_id in PRIORITIES]
    return [
        _field("summary", "string", required=True),
        _field("issuetype", "issuetype", required=True, allowed=[represent.issue_type(call, type_id)]),
        _field("project", "project", required=True),
        _field("description", "string"),
        _field("priority", "priority", allowed=priorities, default=priorities[2]),
        _field("assignee", "user", complete=f"{call.base}/user/assignable/search?project={key}&query="),
        _field("reporter", "user"),
        _field("labels", "array", items="string"),
        _field("parent", "issuelink", required=ISSUE_TYPES[type_id]["level"] < 0),
        _field("duedate", "date"),
        *(_custom(name, field, type_id) for name, field in CUSTOM_FIELDS.items() if type_id in field["types"]),
    ]


def _custom(name: str, field: dict[str, Any], type_id: str) -> dict[str, Any]:
    kinds = {"option": ("option", "select"), "number": ("number", "float"), "textarea": ("string", "textarea")}
    kind, custom = kinds[field["kind"]]
    body = {
        "fieldId": name,
        "key": name,
        "name": field["name"],
        "required": type_id in field["required_for"],
        "hasDefaultValue": False,
        "operations": ["set"],
        "schema": {
            "type": kind,
            "custom": f"com.atlassian.jira.plugin.system.customfieldtypes:{custom}",
            "customId": int(name.rpartition("_")[2]),
        },
    }
    if kind == "option":
        body["allowedValues"] = [{"id": team, "value": words} for team, words in TEAMS.items()]
    return body


def _field(name: str, kind: str, *, required: bool = False, items: str = "", **more: Any) -> dict[str, Any]:
    schema = {"type": kind, "system": name} | ({"items": items} if items else {})
    body = {
        "fieldId": name,
        "key": name,
        "name": represent.FIELD_NAMES[name],
        "required": required,
        "hasDefaultValue": "default" in more,
        "operations": ["add", "remove", "set"] if kind == "array" else ["set"],
        "schema": schema,
    }
    names = {"allowed": "allowedValues", "default": "defaultValue", "complete": "autoCompleteUrl"}
    return body | {names[key]: value for key, value in more.items()}


@route("GET", "field", READ)
def fields(call: Call) -> list[Any]:
    return [
        {
            "id": name,
            "key": name,
            "name": words,
            "custom": False,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": [name],
            "schema": {"type": "string", "system": name},
        }
        for name, words in represent.FIELD_NAMES.items()
    ]


# Made and changed by people -----------------------------------------------------------------------------------------


def make(site: str, key: str, name: str, account_id: str) -> Project:
    project = Project(state.next_id(), site, key, name, "", account_id, {"*": "edit"})
    state.save_project(project)
    auditing.note("Project created", project, account_id, [])
    sender.tell(happenings.project_told("project_created", project, account_id))
    return project


def change(project: Project, account_id: str, values: dict[str, str]) -> None:
    """Give a project another name, description or lead."""
    changes = [
        {"fieldName": name.title(), "changedFrom": getattr(project, name), "changedTo": value}
        for name, value in values.items()
        if getattr(project, name) != value
    ]
    if not changes:
        return
    for name, value in values.items():
        setattr(project, name, value)
    state.save_project(project)
    auditing.note("Project updated", project, account_id, changes)
    sender.tell(happenings.project_told("project_updated", project, account_id))
