"""Issues: create, read, edit, move, comment, attach."""

import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from django.http import FileResponse, HttpResponseBase

from .. import happenings
from ..records import Issue
from ..seed import CUSTOM_FIELDS, ISSUE_TYPES, PRIORITIES, STATUSES, TEAMS, TRANSITIONS
from ..sending import sender
from ..state import state
from . import adf, projects, represent
from .gateway import READ, WRITE, Call, JiraError, route

DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
LONGEST_SUMMARY = 255
ISSUE = "issue/(?P<key>[^/]+)"


@route("POST", "issue", WRITE)
def create(call: Call) -> tuple[dict[str, Any], int]:
    body = call.json()
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise JiraError(400, "The request body is missing 'fields'.")
    errors: dict[str, str] = {}
    project = _project(call, fields.get("project"), errors)
    values = {name: reader(call, fields[name], errors) for name, reader in READERS.items() if name in fields}
    errors |= {
        name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
        for name in _unknown(fields)
    }
    if not str(fields.get("summary") or "").strip():
        errors["summary"] = "You must specify a summary of the issue."
    if not values.get("issuetype"):
        errors.setdefault("issuetype", "Specify an issue type")
    custom = {name: value for name, value in fields.items() if name in CUSTOM_FIELDS}
    errors |= _missing_custom(values.get("issuetype"), custom) | _wrong_custom(custom)
    if errors or project is None:
        raise JiraError(400, **errors)
    return _created(call, make(call.account.account_id, project, values | custom, _properties(body))), 201


def _missing_custom(type_id: Any, custom: dict[str, Any]) -> dict[str, str]:
    needed = [(name, field) for name, field in CUSTOM_FIELDS.items() if type_id in field["required_for"]]
    return {name: f"{field['name']} is required." for name, field in needed if not custom.get(name)}


def _wrong_custom(custom: dict[str, Any]) -> dict[str, str]:
    errors = {}
    for name, value in custom.items():
        kind = CUSTOM_FIELDS[name]["kind"]
        if kind == "option" and not (isinstance(value, dict) and str(value.get("id")) in TEAMS):
            errors[name] = f"Specify a valid value for {CUSTOM_FIELDS[name]['name']}"
        if kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
            errors[name] = "Operation value must be a number"
        if kind == "textarea" and adf.problem(value):
            errors[name] = adf.problem(value)
    return errors


def _properties(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("properties")
    items = given if isinstance(given, list) else []
    return {str(item["key"]): item.get("value") for item in items if isinstance(item, dict) and "key" in item}


def make(account_id: str, project: Any, values: dict[str, Any], properties: dict[str, Any] | None = None) -> Issue:
    """Store a new issue in a project."""
    now = time.time()
    project.last_number += 1
    defaults: dict[str, Any] = {
        "description": None,
        "status": "10000",
        "priority": "3",
        "labels": [],
        "assignee": None,
        "parent": None,
    }
    fields = defaults | {"reporter": account_id} | values
    issue = Issue(state.next_id(), project.site, project.key, project.last_number, account_id, now, now, fields)
    issue.properties = properties or {}
    state.save_project(project)
    state.save_issue(issue)
    state.record_effect("issue_created", account_id, key=issue.key, site=issue.site, properties=issue.properties)
    sender.tell(happenings.issue_created(issue, account_id))
    return issue


def _created(call: Call, issue: Issue) -> dict[str, Any]:
    return {"id": issue.id, "key": issue.key, "self": f"{call.base}/issue/{issue.id}"}


def _unknown(fields: dict[str, Any]) -> list[str]:
    return [
        name for name in fields if name not in READERS and name != "project" and not name.startswith("customfield_")
    ]


def _project(call: Call, value: Any, errors: dict[str, str]) -> Any:
    wanted = (value or {}).get("key") or (value or {}).get("id") if isinstance(value, dict) else None
    if not wanted:
        errors["project"] = "Specify a valid project ID or key"
        return None
    for project in call.projects("edit"):
        if wanted in (project.id, project.key):
            return project
    known = [p for p in call.projects("browse") if wanted in (p.id, p.key)]
    words = "You do not have permission to create issues in this project." if known else "valid project is required"
    errors["project"] = words
    return None


# Readers turn what a client sends into what is stored, and note what is wrong with it -------------------------------


def _text(call: Call, value: Any, errors: dict[str, str]) -> str:
    if not isinstance(value, str) or "\n" in value:
        errors["summary"] = "The summary is invalid because it contains newline characters."
        return ""
    if len(value) > LONGEST_SUMMARY:
        errors["summary"] = f"Summary can't exceed {LONGEST_SUMMARY} characters."
    return value


def _document(call: Call, value: Any, errors: dict[str, str]) -> Any:
    if value is None:
        return None
    if call.version == 2:
        return adf.from_text(str(value))
    found = adf.problem(value)
    if found:
        errors["description"] = found
    return value


def _choice(field: str, choices: dict[str, str]) -> Callable[[Call, Any, dict[str, str]], str | None]:
    by_name = {name.lower(): key for key, name in choices.items()}

    def read(call: Call, value: Any, errors: dict[str, str]) -> str | None:
        given = value if isinstance(value, dict) else {}
        found = str(given.get("id")) if str(given.get("id")) in choices else by_name.get(str(given.get("name")).lower())
        if found is None:
            errors[field] = f"Specify a valid '{field}'"
        return found

    return read


def _person(field: str) -> Callable[[Call, Any, dict[str, str]], str | None]:
    def read(call: Call, value: Any, errors: dict[str, str]) -> str | None:
        if value is None:
            return None
        wanted = (value.get("accountId") or value.get("id")) if isinstance(value, dict) else None
        account = state.accounts.get(str(wanted))
        if account is None or call.site.cloud_id not in account.sites:
            errors[field] = f"User '{wanted}' does not exist or cannot be assigned."
            return None
        return account.account_id

    return read


def _labels(call: Call, value: Any, errors: dict[str, str]) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        errors["labels"] = "data was not an array of strings"
        return []
    if any(" " in label for label in value):
        errors["labels"] = "The label can't contain spaces."
    return list(dict.fromkeys(value))


def _parent(call: Call, value: Any, errors: dict[str, str]) -> str | None:
    if value is None:
        return None
    wanted = (value.get("key") or value.get("id")) if isinstance(value, dict) else None
    try:
        return call.issue(str(wanted)).key
    except JiraError:
        errors["parent"] = "Could not find issue by id or key."
        return None


def _date(call: Call, value: Any, errors: dict[str, str]) -> str | None:
    if value is not None and not (isinstance(value, str) and DATE.match(value)):
        errors["duedate"] = "Error parsing date string: use YYYY-MM-DD"
    return value if isinstance(value, str) else None


READERS: dict[str, Callable[[Call, Any, dict[str, str]], Any]] = {
    "summary": _text,
    "description": _document,
    "issuetype": _choice("issuetype", {key: kind["name"] for key, kind in ISSUE_TYPES.items()}),
    "priority": _choice("priority", PRIORITIES),
    "assignee": _person("assignee"),
    "reporter": _person("reporter"),
    "labels": _labels,
    "parent": _parent,
    "duedate": _date,
}


# One issue ----------------------------------------------------------------------------------------------------------


@route("GET", ISSUE, READ)
def read(call: Call, key: str) -> dict[str, Any]:
    wanted = [name for name in call.request.GET.get("fields", "*all").split(",") if name]
    return represent.issue(call, call.issue(key), wanted or ["*all"], call.request.GET.get("expand", ""))


@route("PUT", ISSUE, WRITE)
def edit(call: Call, key: str) -> Any:
    issue = call.issue(key, to_edit=True)
    body = call.json()
    fields, update = body.get("fields") or {}, body.get("update") or {}
    errors = {name: "Field is in both 'fields' and 'update'." for name in fields if name in update}
    errors |= {
        name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
        for name in _unknown(fields)
    }
    values = {name: reader(call, fields[name], errors) for name, reader in READERS.items() if name in fields}
    custom = {name: value for name, value in fields.items() if name in CUSTOM_FIELDS}
    errors |= _wrong_custom({name: value for name, value in custom.items() if value is not None})
    values |= custom
    for name, operations in update.items():
        values |= _updated(call, issue, name, operations, errors)
    if errors:
        raise JiraError(400, **errors)
    change(issue, call.account.account_id, values)
    if call.request.GET.get("returnIssue") == "true":
        return represent.issue(call, issue, ["*all"])
    return None


def _updated(call: Call, issue: Issue, name: str, operations: Any, errors: dict[str, str]) -> dict[str, Any]:
    value = issue.fields.get(name)
    for operation in operations if isinstance(operations, list) else []:
        verb, given = next(iter(operation.items()))
        if verb == "set" and name in READERS:
            value = READERS[name](call, given, errors)
        elif name == "labels" and verb in ("add", "remove"):
            kept = [label for label in value or [] if label != given]
            value = [*kept, given] if verb == "add" else kept
        else:
            errors[name] = f"Operation '{verb}' is not supported on field '{name}'."
    return {name: value}


def change(issue: Issue, account_id: str, values: dict[str, Any]) -> None:
    """Store new field values and what they replaced."""
    items: list[dict[str, Any]] = [
        {"field": name, "fieldtype": "jira", "fieldId": name}
        | {"from": _id(name, issue.fields.get(name)), "fromString": _shown(issue.fields.get(name))}
        | {"to": _id(name, value), "toString": _shown(value)}
        for name, value in values.items()
        if issue.fields.get(name) != value
    ]
    issue.fields.update(values)
    issue.updated = time.time()
    if items:
        issue.history.append({"id": state.next_id(), "author": account_id, "at": issue.updated, "items": items})
    state.save_issue(issue)
    state.record_effect("issue_updated", account_id, key=issue.key, fields=[item["field"] for item in items])
    if items:
        sender.tell(happenings.issue_updated(issue, account_id, issue.history[-1]))


def _id(field: str, value: Any) -> str | None:
    return str(value) if value and field in ("status", "priority", "assignee", "reporter", "issuetype") else None


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return adf.text_of(value) if value.get("type") == "doc" else TEAMS.get(str(value.get("id")), "")
    if isinstance(value, list):
        return " ".join(value)
    if str(value) in state.accounts:
        return state.accounts[str(value)].name
    return STATUSES.get(str(value), {}).get("name") or PRIORITIES.get(str(value)) or str(value or "")


@route("DELETE", ISSUE, WRITE)
def delete(call: Call, key: str) -> None:
    issue = call.issue(key, to_edit=True)
    remove(issue, call.account.account_id)


def remove(issue: Issue, account_id: str) -> None:
    told = happenings.issue_deleted(issue, account_id)
    state.delete_issue(issue)
    state.record_effect("issue_deleted", account_id, key=issue.key)
    sender.tell(told)


@route("GET", f"{ISSUE}/editmeta", READ)
def editmeta(call: Call, key: str) -> dict[str, Any]:
    issue = call.issue(key, to_edit=True)
    found = projects.fields_of_type(call, issue.project, issue.fields["issuetype"])
    kept = [field for field in found if field["key"] not in ("project",)]
    return {"fields": {field["key"]: {k: v for k, v in field.items() if k != "fieldId"} for field in kept}}


@route("GET", f"{ISSUE}/transitions", READ)
def transitions(call: Call, key: str) -> dict[str, Any]:
    issue = call.issue(key)
    may_edit = issue.project in {project.key for project in call.projects("edit")}
    return {"expand": "transitions", "transitions": represent.transitions(call) if may_edit else []}


@route("POST", f"{ISSUE}/transitions", WRITE)
def transition(call: Call, key: str) -> None:
    issue = call.issue(key, to_edit=True)
    wanted = str((call.json().get("transition") or {}).get("id"))
    if wanted not in TRANSITIONS:
        raise JiraError(400, f"Transition id '{wanted}' is not valid for this issue.")
    change(issue, call.account.account_id, {"status": TRANSITIONS[wanted]})


@route("GET", f"{ISSUE}/comment", READ)
def comments(call: Call, key: str) -> dict[str, Any]:
    issue = call.issue(key)
    start, most = call.number("startAt", 0, 10**6), call.number("maxResults", 100, 100)
    ordered = issue.comments[::-1] if call.request.GET.get("orderBy") == "-created" else issue.comments
    page = [represent.comment(call, issue, found) for found in ordered[start : start + most]]
    return {"startAt": start, "maxResults": most, "total": len(issue.comments), "comments": page}


@route("POST", f"{ISSUE}/comment", WRITE)
def comment(call: Call, key: str) -> tuple[dict[str, Any], int]:
    issue = call.issue(key, to_edit=True)
    given = call.json()
    body = given.get("body")
    document: Any = adf.from_text(str(body or "")) if call.version == 2 else body
    if adf.problem(document) or not document["content"]:
        raise JiraError(400, **{"comment": adf.problem(document) or "Comment body can not be empty!"})
    return represent.comment(
        call, issue, add_comment(issue, call.account.account_id, document, _properties(given))
    ), 201


def add_comment(
    issue: Issue, account_id: str, document: dict[str, Any], properties: dict[str, Any] | None = None
) -> dict[str, Any]:
    issue.updated = time.time()
    found = {"id": state.next_id(), "author": account_id, "body": document, "created": issue.updated}
    found["properties"] = properties or {}
    issue.comments.append(found)
    state.save_issue(issue)
    state.record_effect("comment_created", account_id, key=issue.key, properties=found["properties"])
    sender.tell(happenings.comment_created(issue, found))
    return found


@route("GET", "comment/(?P<comment_id>[^/]+)/properties/(?P<name>[^/]+)", READ)
def comment_property(call: Call, comment_id: str, name: str) -> dict[str, Any]:
    for issue in list(state.issues.values()):
        for found in issue.comments:
            if found["id"] == comment_id and name in found.get("properties", {}):
                call.issue(issue.key)
                return {"key": name, "value": found["properties"][name]}
    raise JiraError(404, f"The property with key '{name}' was not found.")


@route("GET", f"{ISSUE}/properties/(?P<name>[^/]+)", READ)
def read_property(call: Call, key: str, name: str) -> dict[str, Any]:
    issue = call.issue(key)
    if name not in issue.properties:
        raise JiraError(404, f"The property with key '{name}' was not found.")
    return {"key": name, "value": issue.properties[name]}


@route("PUT", f"{ISSUE}/properties/(?P<name>[^/]+)", WRITE)
def write_property(call: Call, key: str, name: str) -> tuple[str, int]:
    issue = call.issue(key, to_edit=True)
    status = 200 if name in issue.properties else 201
    issue.properties[name] = call.json()
    state.save_issue(issue)
    return "", status


# Attachments --------------------------------------------------------------------------------------------------------


@route("POST", f"{ISSUE}/attachments", WRITE)
def attach(call: Call, key: str) -> list[Any]:
    issue = call.issue(key, to_edit=True)
    if call.request.headers.get("X-Atlassian-Token") != "no-check":
        raise JiraError(403, "XSRF check failed")
    state.files.mkdir(parents=True, exist_ok=True)
    added = []
    for upload in call.request.FILES.getlist("file"):
        file_id = state.next_id()
        with (state.files / f"{file_id}-{secrets.token_hex(4)}").open("wb") as file:
            file.writelines(upload.chunks())
        found = {
            "id": file_id,
            "filename": upload.name,
            "author": call.account.account_id,
            "created": time.time(),
            "size": upload.size,
            "mime_type": upload.content_type or "application/octet-stream",
            "path": file.name,
        }
        issue.attachments.append(found)
        added.append(represent.attachment(call, found))
    state.save_issue(issue)
    return added


@route("GET", "attachment/content/(?P<file_id>[^/]+)", READ)
def content(call: Call, file_id: str) -> HttpResponseBase:
    for issue in state.issues.values():
        for found in issue.attachments:
            if found["id"] == file_id:
                call.issue(issue.key)
                file = open(found["path"], "rb")  # noqa: SIM115 (the response closes it)
                return FileResponse(file, filename=found["filename"], content_type=found["mime_type"])
    raise JiraError(404, f"The attachment with id '{file_id}' does not exist")
