"""Choices from the connected account, for forms: projects, issue types, people, and the fields that a type asks for."""

from collections.abc import Mapping
from typing import Any

from integrations.errors import PermanentError
from integrations.provider_api import ProviderApi, segment
from integrations.providers.base import Field, Option, Options

PAGE = 50
REST = "rest/api/3"
# Inputs of their own in our forms, or set by Jira.
KNOWN = {"project", "issuetype", "summary", "description", "assignee", "priority", "labels", "parent", "duedate"}
UNSETTABLE = {"attachment", "issuelinks", "comment", "worklog"}


def projects(api: ProviderApi, search: str, cursor: str, values: Mapping[str, Any]) -> Options:
    query = {"query": search or None, "startAt": cursor or 0, "maxResults": PAGE, "orderBy": "key"}
    try:
        page = api.get(f"{REST}/project/search", query)
    except PermanentError as error:
        if error.status == 404:  # What Jira answers when nothing matches.
            return Options([])
        raise
    options = [Option(item["key"], f"{item['name']} ({item['key']})") for item in page.get("values", [])]
    return Options(options, _next(page, len(options)))


def _next(page: Mapping[str, Any], count: int) -> str:
    start = int(page.get("startAt", 0)) + count
    is_last = page.get("isLast", start >= int(page.get("total", 0)))
    return "" if is_last or not count else str(start)


def issue_types(api: ProviderApi, search: str, cursor: str, values: Mapping[str, Any]) -> Options:
    """Return the types by name: a workflow runs for many users, whose sites number them differently."""
    found = [Option(item["name"], item["name"]) for item in types_of(api, _project(values))]
    return Options(_matching(found, search))


def types_of(api: ProviderApi, project: str) -> list[dict[str, Any]]:
    return _all(api, f"{REST}/issue/createmeta/{segment(project)}/issuetypes", "issueTypes")


def type_fields(api: ProviderApi, project: str, type_id: str) -> list[dict[str, Any]]:
    path = f"{REST}/issue/createmeta/{segment(project)}/issuetypes/{segment(type_id)}"
    return _all(api, path, "fields")


def _all(api: ProviderApi, path: str, name: str) -> list[dict[str, Any]]:
    """Return every item of a list that Jira pages."""
    found: list[dict[str, Any]] = []
    for _ in range(20):
        page = api.get(path, {"startAt": len(found), "maxResults": 200})
        items = page.get(name, page.get("values", []))
        found += items
        if not items or len(found) >= int(page.get("total", 0)):
            break
    return found


def find_type(api: ProviderApi, project: str, wanted: str) -> dict[str, Any]:
    """Return the issue type of this id or name. Raises PermanentError at the field, naming what there is."""
    types = types_of(api, project)
    for item in types:
        if wanted in (item["id"], item["name"]) or wanted.lower() == item["name"].lower():
            return item
    words = f"{project} has no issue type “{wanted[:60]}”. It has {', '.join(item['name'] for item in types[:10])}."
    raise PermanentError(words, fields={"issue_type": words})


def priorities(api: ProviderApi, search: str, cursor: str, values: Mapping[str, Any]) -> Options:
    """Return the priorities that this project and type may have: the endpoint that lists all is deprecated."""
    project = _project(values)
    wanted = str(values.get("issue_type") or "")
    kind = find_type(api, project, wanted) if wanted else next(iter(types_of(api, project)), None)
    if kind is None:
        return Options([])
    for field in type_fields(api, project, kind["id"]):
        if _id(field) == "priority":
            names = [Option(item["name"], item["name"]) for item in field.get("allowedValues", [])]
            return Options(_matching(names, search))
    return Options([])


def people(api: ProviderApi, search: str, cursor: str, values: Mapping[str, Any]) -> Options:
    """Return who can be assigned in the project. Jira filters after it has fetched, so a page may be short."""
    start = int(cursor or 0)
    query = {"project": _project(values), "query": search, "startAt": start, "maxResults": PAGE}
    found = api.get(f"{REST}/user/assignable/search", query)
    options = [Option(item["accountId"], item.get("displayName", item["accountId"])) for item in found]
    return Options(options, str(start + PAGE) if len(found) == PAGE else "")


def person(api: ProviderApi, project: str, wanted: str, key: str) -> dict[str, str]:
    """Return the account that a form names, by account id or by e-mail. Raises PermanentError at the field."""
    if "@" not in wanted:
        return {"accountId": wanted}
    found = api.get(f"{REST}/user/assignable/search", {"project": project, "query": wanted, "maxResults": 2})
    if len(found) == 1:
        return {"accountId": found[0]["accountId"]}
    words = f"{'Nobody' if not found else 'More than one account'} who can be assigned has the e-mail {wanted[:80]}."
    raise PermanentError(words, fields={key: words})


def statuses(api: ProviderApi, search: str, cursor: str, values: Mapping[str, Any]) -> Options:
    by_type = api.get(f"{REST}/project/{segment(_project(values))}/statuses")
    names = dict.fromkeys(status["name"] for kind in by_type for status in kind.get("statuses", []))
    return Options(_matching([Option(name, name) for name in names], search))


def fields(api: ProviderApi, search: str, cursor: str, values: Mapping[str, Any]) -> Options:
    found = api.get(f"{REST}/field")
    return Options(_matching([Option(item["id"], item["name"]) for item in found], search))


def _project(values: Mapping[str, Any]) -> str:
    project = str(values.get("project") or "").strip()
    if not project and "-" in str(values.get("issue") or ""):
        project = str(values["issue"]).rpartition("-")[0]
    if not project or "{{" in project:
        raise PermanentError("Choose a project first.", fields={"project": "Choose a project first."})
    return project


def _matching(options: list[Option], search: str) -> list[Option]:
    return [option for option in options if search.lower() in option.label.lower()]


def _id(field: Mapping[str, Any]) -> str:
    return str(field.get("fieldId") or field.get("key") or field.get("id"))


# Custom fields ------------------------------------------------------------------------------------------------------

SOURCES = {
    "projects": projects,
    "issue_types": issue_types,
    "priorities": priorities,
    "people": people,
    "statuses": statuses,
    "fields": fields,
}


def more_fields(api: ProviderApi, values: Mapping[str, Any]) -> list[Field]:
    """Return the inputs that the chosen type has beyond the usual ones, those it demands first."""
    project, wanted = str(values.get("project") or ""), str(values.get("issue_type") or "")
    if not project or not wanted or "{{" in project + wanted:
        return []
    kind = find_type(api, project, wanted)
    found = [item for item in type_fields(api, project, kind["id"]) if _id(item) not in KNOWN | UNSETTABLE]
    made = [_field(item) for item in found]
    return sorted(made, key=lambda item: not item.is_required)


def _field(found: Mapping[str, Any]) -> Field:
    schema, allowed = found.get("schema", {}), found.get("allowedValues") or []
    options = tuple(Option(_label(item), _label(item)) for item in allowed[:200])
    return Field(
        f"fields.{_id(found)}",
        str(found.get("name", _id(found))),
        _kind(schema, bool(options)),
        is_required=bool(found.get("required")) and not found.get("hasDefaultValue"),
        options=options if schema.get("type") != "array" else (),
        help=f"One or more of: {', '.join(option.label for option in options[:12])}"
        if _is_list(schema, options)
        else "",
        source="people" if schema.get("type") == "user" else "",
        depends_on=("project",) if schema.get("type") == "user" else (),
    )


def _is_list(schema: Mapping[str, Any], options: tuple[Option, ...]) -> bool:
    return schema.get("type") == "array" and bool(options)


def _kind(schema: Mapping[str, Any], has_options: bool) -> str:
    if is_rich(schema):
        return "rich_text"
    kinds = {"number": "number", "date": "date", "array": "list", "string": "text", "user": "select"}
    kind = kinds.get(str(schema.get("type")), "select" if has_options else "object")
    return "select" if has_options and kind == "text" else kind


def is_rich(schema: Mapping[str, Any]) -> bool:
    """Does this field take a document? `environment` says "string" of itself and wants one all the same."""
    return schema.get("system") in ("description", "environment") or str(schema.get("custom", "")).endswith(":textarea")


def _label(item: Mapping[str, Any]) -> str:
    return str(item.get("value") or item.get("name") or item.get("key") or item.get("id"))
