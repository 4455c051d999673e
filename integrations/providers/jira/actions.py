"""What can be done in Jira: one function and one declaration each.

Sources: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ and …/api-group-issue-search/
"""

from collections.abc import Mapping
from typing import Any

from integrations.errors import PermanentError, TemporaryError
from integrations.provider_api import ProviderApi, segment
from integrations.providers.base import Action, Field, Option
from integrations.providers.jira import adf, fields, jql, pickers

REST = "rest/api/3"
# What we make carries its operation's id here, so that it can be found again when the answer was lost.
MARK = "patchbay.op"
MOST_RESULTS = 1000
PAGE = 100
LOOKED_AT = 50

READ, WRITE, USERS = "read:jira-work", "write:jira-work", "read:jira-user"
FORMATS = (Option("markdown", "Markdown"), Option("text", "Plain text"), Option("adf", "Atlassian document (ADF)"))

PROJECT = Field("project", "Project", "select", source="projects", placeholder="OPS")
ISSUE = Field("issue", "Issue", help="Key or ID.", placeholder="OPS-123", is_required=True)
SUMMARY = Field("summary", "Summary")
DESCRIPTION = Field("description", "Description", "rich_text")
FORMAT = Field("format", "Text format", "select", options=FORMATS, default="markdown", is_required=False)
ASSIGNEE = Field(
    "assignee",
    "Assignee",
    "select",
    source="people",
    depends_on=("project",),
    help="An account ID, or the e-mail of someone who can be assigned.",
)
PRIORITY = Field("priority", "Priority", "select", source="priorities", depends_on=("project", "issue_type"))
DUE = Field("due_date", "Due date", "date", placeholder="2026-11-23")
FURTHER = Field("fields", "Further fields", "object", help="Custom fields, by ID or name.")
LIMIT = Field("limit", "At most", "number", default=50, help=f"How many to return: 1 to {MOST_RESULTS:,}.")
WANTED = Field(
    "return_fields",
    "Fields to return",
    "list",
    default=["summary", "status", "assignee", "priority", "updated"],
    help="Jira returns only IDs where none is named. *all returns everything.",
    source="fields",
)


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


TEXT_OUT: dict[str, Any] = {"type": "string"}
REFERENCE = _object(id=TEXT_OUT, key=TEXT_OUT, url=TEXT_OUT)
PERSON = _object(accountId=TEXT_OUT, displayName=TEXT_OUT, emailAddress=TEXT_OUT)
NAMED = _object(id=TEXT_OUT, name=TEXT_OUT)
ISSUE_OUT = _object(
    id=TEXT_OUT,
    key=TEXT_OUT,
    url=TEXT_OUT,
    fields={
        **_object(
            summary=TEXT_OUT,
            description={"type": ["object", "null"]},
            status=NAMED,
            priority=NAMED,
            issuetype=NAMED,
            project=_object(id=TEXT_OUT, key=TEXT_OUT, name=TEXT_OUT),
            assignee=PERSON,
            reporter=PERSON,
            labels={"type": "array", "items": TEXT_OUT},
            created=TEXT_OUT,
            updated=TEXT_OUT,
        ),
        "additionalProperties": True,
    },
)
FOUND = _object(
    issues={"type": "array", "items": ISSUE_OUT},
    count={"type": "integer"},
    isLast={"type": "boolean"},
    nextPageToken={"type": ["string", "null"]},
)
REFERENCE_SAMPLE = {"id": "10010", "key": "OPS-4", "url": "https://acme.atlassian.net/browse/OPS-4"}
ISSUE_SAMPLE = {
    **REFERENCE_SAMPLE,
    "fields": {
        "summary": "Disk is full",
        "status": {"id": "3", "name": "In Progress"},
        "priority": {"id": "2", "name": "High"},
        "issuetype": {"id": "10002", "name": "Bug"},
        "project": {"id": "10000", "key": "OPS", "name": "Operations"},
        "assignee": {"accountId": "5f2a81c0", "displayName": "Ada Park", "emailAddress": "ada@example.com"},
        "labels": ["urgent"],
        "created": "2026-11-20T09:30:00.000+0000",
        "updated": "2026-11-23T14:05:00.000+0000",
    },
}
FOUND_SAMPLE = {"issues": [ISSUE_SAMPLE], "count": 1, "isLast": True, "nextPageToken": None}


def _given(values: Mapping[str, Any], key: str) -> Any:
    """Return an input, None where it was left empty."""
    value = values.get(key)
    return None if value in ("", []) else value


def _url(api: ProviderApi, key: str) -> str:
    return f"{api.connection.site_url}/browse/{key}"


def _reference(api: ProviderApi, found: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": str(found["id"]), "key": found["key"], "url": _url(api, found["key"])}


def _with_url(api: ProviderApi, found: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in ("expand", "self")}
    return kept | ({"url": _url(api, found["key"])} if "key" in found else {})


def _mark(op_key: str) -> list[dict[str, Any]]:
    return [{"key": MARK, "value": {"op": op_key}}]


# Create issue -------------------------------------------------------------------------------------------------------


def run_create_issue(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    project, form = str(values["project"]).strip(), str(_given(values, "format") or "markdown")
    body: dict[str, Any] = {
        "project": fields.by_id_or("key", project),
        "issuetype": fields.by_id_or("name", values["issue_type"]),
        "summary": " ".join(str(values["summary"]).split()),
    }
    body |= _usual(api, values, project, form)
    if _given(values, "parent"):
        body["parent"] = {"key": str(values["parent"]).strip()}
    if _given(values, "labels"):
        body["labels"] = fields.labels(values["labels"])
    if _given(values, "fields"):
        kind = pickers.find_type(api, project, str(values["issue_type"]))
        metas = pickers.type_fields(api, project, kind["id"])
        body |= fields.custom(api, metas, values["fields"], project, form)
    made = api.post(f"{REST}/issue", {"fields": body, "properties": _mark(op_key)})
    return _reference(api, made)


def _usual(api: ProviderApi, values: Mapping[str, Any], project: str, form: str) -> dict[str, Any]:
    """Return the fields that creating and updating share."""
    body: dict[str, Any] = {}
    if _given(values, "description") is not None:
        body["description"] = adf.document(values["description"], form, "description")
    if _given(values, "priority") is not None:
        body["priority"] = fields.by_id_or("name", values["priority"])
    if _given(values, "assignee") is not None:
        body["assignee"] = pickers.person(api, project, str(values["assignee"]).strip(), "assignee")
    if _given(values, "due_date") is not None:
        body["duedate"] = fields.date(values["due_date"], "due_date")
    return body


def find_created_issue(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    """Look for the issue that a lost answer spoke of, by its mark among the newest of this account."""
    query = f"project = {jql.quoted(values['project'])} AND reporter = currentUser() AND created >= -1d"
    body = {"jql": f"{query} ORDER BY created DESC", "fields": ["key"], "properties": [MARK], "maxResults": LOOKED_AT}
    for issue in api.post(f"{REST}/search/jql", body).get("issues", []):
        if (issue.get("properties") or {}).get(MARK, {}).get("op") == op_key:
            return _reference(api, issue)
    return None


create_issue = Action(
    slug="create_issue",
    title="Create issue",
    description="Create an issue in a project.",
    fields=(
        Field("project", "Project", "select", source="projects", placeholder="OPS", is_required=True),
        Field("issue_type", "Issue type", "select", source="issue_types", depends_on=("project",), is_required=True),
        Field("summary", "Summary", is_required=True),
        DESCRIPTION,
        FORMAT,
        PRIORITY,
        ASSIGNEE,
        Field("labels", "Labels", "list"),
        Field("parent", "Parent issue", placeholder="OPS-100", help="Of a sub-task, or the epic."),
        DUE,
        FURTHER,
    ),
    run=run_create_issue,
    find=find_created_issue,
    more_fields=pickers.more_fields,
    effect="once",
    output=REFERENCE,
    sample=REFERENCE_SAMPLE,
    scopes=(WRITE, READ),
)


# Update issue -------------------------------------------------------------------------------------------------------


def run_update_issue(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    issue = segment(values["issue"])
    form = str(_given(values, "format") or "markdown")
    found = api.get(f"{REST}/issue/{issue}", {"fields": "status,project"})
    project = str(found.get("fields", {}).get("project", {}).get("key", ""))
    body = _usual(api, values, project, form)
    if _given(values, "summary") is not None:
        body["summary"] = " ".join(str(values["summary"]).split())
    if values.get("unassign") is True:
        body["assignee"] = None
    if _given(values, "fields"):
        metas = list(api.get(f"{REST}/issue/{issue}/editmeta").get("fields", {}).values())
        body |= fields.custom(api, metas, values["fields"], project, form)
    verbs = {"labels_add": "add", "labels_remove": "remove"}
    moves = [{verb: label} for key, verb in verbs.items() for label in fields.labels(_given(values, key))]
    if body or moves:
        sent = {"fields": body} | ({"update": {"labels": moves}} if moves else {})
        api.put(f"{REST}/issue/{issue}", sent, {"notifyUsers": "false" if values.get("notify") is False else None})
    if _given(values, "status"):
        _move(api, found, str(values["status"]).strip())
    return _reference(api, found)


def _move(api: ProviderApi, found: Mapping[str, Any], wanted: str) -> None:
    """Take the transition that leads to a status; nothing where the issue is there already."""
    now = found.get("fields", {}).get("status") or {}
    if wanted.lower() in (str(now.get("name", "")).lower(), str(now.get("id"))):
        return
    path = f"{REST}/issue/{found['id']}/transitions"
    offered = api.get(path).get("transitions", [])
    for transition in offered:
        to = transition.get("to") or {}
        if wanted.lower() in (str(to.get("name", "")).lower(), str(to.get("id"))):
            api.post(path, {"transition": {"id": transition["id"]}})
            return
    names = ", ".join(dict.fromkeys(str((item.get("to") or {}).get("name")) for item in offered)) or "none at all"
    words = f"{found['key']} cannot be moved to “{wanted[:60]}” from where it is. It can go to: {names}."
    raise PermanentError(words, fields={"status": words}, was_sent=True)


update_issue = Action(
    slug="update_issue",
    title="Update issue",
    description="Change fields, labels and the status of an issue. What is left empty stays as it is.",
    fields=(
        ISSUE,
        SUMMARY,
        DESCRIPTION,
        FORMAT,
        Field("status", "Status", "select", source="statuses", depends_on=("issue",), help="Where the issue may go."),
        Field("priority", "Priority", "select", source="priorities", depends_on=("issue",)),
        Field("assignee", "Assignee", "select", source="people", depends_on=("issue",), help=ASSIGNEE.help),
        Field("unassign", "Take the assignee away", "switch"),
        Field("labels_add", "Labels to add", "list"),
        Field("labels_remove", "Labels to remove", "list"),
        DUE,
        Field("notify", "Let Jira notify watchers", "switch", default=True),
        FURTHER,
    ),
    run=run_update_issue,
    effect="idempotent",
    output=REFERENCE,
    sample=REFERENCE_SAMPLE,
    scopes=(WRITE, READ),
)


# Read one, delete ---------------------------------------------------------------------------------------------------


def run_get_issue(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    wanted = _given(values, "return_fields")
    query = {"fields": ",".join(_names(wanted)) if wanted else None}
    return _with_url(api, api.get(f"{REST}/issue/{segment(values['issue'])}", query))


def _names(value: Any) -> list[str]:
    items = value if isinstance(value, list) else str(value).split(",")
    return [str(item).strip() for item in items if str(item).strip()]


get_issue = Action(
    slug="get_issue",
    title="Get issue by key",
    description="Read one issue. Jira follows keys of moved issues, so the key that comes back may be another.",
    fields=(
        ISSUE,
        Field("return_fields", "Fields to return", "list", source="fields", help="All where none is named."),
    ),
    run=run_get_issue,
    output=ISSUE_OUT,
    sample=ISSUE_SAMPLE,
    scopes=(READ,),
)


def run_delete_issue(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    subtasks = "true" if values.get("delete_subtasks") is True else None
    api.delete(f"{REST}/issue/{segment(values['issue'])}", {"deleteSubtasks": subtasks})
    return {"deleted": True, "issue": str(values["issue"])}


def find_deleted_issue(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    try:
        api.get(f"{REST}/issue/{segment(values['issue'])}", {"fields": "key"})
    except PermanentError as error:
        if error.status == 404:
            return {"deleted": True, "issue": str(values["issue"])}
        raise
    return None


delete_issue = Action(
    slug="delete_issue",
    title="Delete issue",
    description="Delete an issue for good.",
    fields=(ISSUE, Field("delete_subtasks", "Delete its sub-tasks too", "switch")),
    run=run_delete_issue,
    find=find_deleted_issue,
    effect="idempotent",
    output=_object(deleted={"type": "boolean"}, issue=TEXT_OUT),
    sample={"deleted": True, "issue": "OPS-4"},
    scopes=(WRITE,),
)


# Search -------------------------------------------------------------------------------------------------------------


def _limit(values: Mapping[str, Any]) -> int:
    value = _given(values, "limit")
    try:
        number = 50 if value is None else int(value)
    except (TypeError, ValueError):
        number = 0
    if not 1 <= number <= MOST_RESULTS:
        words = f"“At most” takes a whole number from 1 to {MOST_RESULTS:,}."
        raise PermanentError(words, fields={"limit": words})
    return number


def _search(api: ProviderApi, query: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Follow nextPageToken until there are enough; a token that comes back unchanged ends it with an error."""
    limit = _limit(values)
    wanted = _names(_given(values, "return_fields") or WANTED.default)
    issues: list[Any] = []
    token = str(_given(values, "page_token") or "") or None
    while True:
        body = {"jql": query, "fields": wanted, "maxResults": min(PAGE, limit - len(issues))}
        page = api.post(f"{REST}/search/jql", body | ({"nextPageToken": token} if token else {}))
        issues += [_with_url(api, issue) for issue in page.get("issues", [])]
        following = page.get("nextPageToken")
        is_last = page.get("isLast", not following) or not following
        if is_last or len(issues) >= limit:
            break
        if following == token:
            raise TemporaryError("Jira's list of results does not go on: it names the same page again.", was_sent=True)
        token = following
    return {
        "issues": issues,
        "count": len(issues),
        "isLast": bool(is_last),
        "nextPageToken": None if is_last else following,
    }


def run_search_issues(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    query = jql.from_filter(values.get("filter"), str(_given(values, "order_by") or ""), "filter")
    return _search(api, query, values) | {"jql": query}


search_issues = Action(
    slug="search_issues",
    title="Search issues",
    description="Find issues by conditions; the JQL is written for you.",
    fields=(
        Field("filter", "Conditions", "conditions", is_required=True, vocabulary=jql.vocabulary()),
        Field("order_by", "Order", "select", options=jql.ORDERS, default="created DESC"),
        LIMIT,
        WANTED,
    ),
    run=run_search_issues,
    output={**FOUND, "properties": {**FOUND["properties"], "jql": TEXT_OUT}},
    sample=FOUND_SAMPLE | {"jql": 'project = "OPS" ORDER BY created DESC'},
    scopes=(READ,),
)


def run_search_jql(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    return _search(api, str(values["jql"]).strip(), values)


search_jql = Action(
    slug="search_jql",
    title="Search by JQL",
    description="Find issues by a JQL query. Jira wants a restriction in it, such as a project or a time.",
    fields=(
        Field(
            "jql",
            "JQL",
            "query",
            is_required=True,
            quote=jql.into_text,
            placeholder="project = OPS AND updated >= -1d",
            help="A value put in by {{ }} is quoted for you, and stays one value.",
        ),
        LIMIT,
        WANTED,
        Field("page_token", "Page token", help="nextPageToken of an earlier search, to go on from there."),
    ),
    run=run_search_jql,
    output=FOUND,
    sample=FOUND_SAMPLE,
    scopes=(READ,),
)


# Projects, issue types ----------------------------------------------------------------------------------------------


def run_get_projects(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    limit, found = _limit(values), list[dict[str, Any]]()
    query = {"query": _given(values, "query"), "orderBy": "key", "expand": "description,lead"}
    is_last = True
    while len(found) < limit:
        page = _projects(api, query | {"startAt": len(found), "maxResults": min(PAGE, limit - len(found))})
        found += [_project(api, item) for item in page.get("values", [])]
        is_last = bool(page.get("isLast", True))
        if is_last or not page.get("values"):
            break
    return {"projects": found, "count": len(found), "isLast": is_last}


def _projects(api: ProviderApi, query: dict[str, Any]) -> Any:
    try:
        return api.get(f"{REST}/project/search", query)
    except PermanentError as error:
        if error.status == 404:  # What Jira answers when nothing matches.
            return {"values": [], "isLast": True}
        raise


def _project(api: ProviderApi, item: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: item.get(name) for name in ("id", "key", "name", "description", "projectTypeKey", "lead")}
    return kept | {"url": _url(api, item["key"])}


get_projects = Action(
    slug="get_projects",
    title="Get projects",
    description="List the projects that the user may see.",
    fields=(Field("query", "Name or key", help="Only those that contain it."), LIMIT),
    run=run_get_projects,
    output=_object(
        projects={
            "type": "array",
            "items": _object(id=TEXT_OUT, key=TEXT_OUT, name=TEXT_OUT, url=TEXT_OUT, lead=PERSON),
        },
        count={"type": "integer"},
        isLast={"type": "boolean"},
    ),
    sample={
        "projects": [
            {"id": "10000", "key": "OPS", "name": "Operations", "url": "https://acme.atlassian.net/browse/OPS"}
        ],
        "count": 1,
        "isLast": True,
    },
    scopes=(READ,),
)


def run_get_issue_types(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    names = ("id", "name", "description", "subtask", "hierarchyLevel")
    types = pickers.types_of(api, str(values["project"]).strip())
    return {"issueTypes": [{name: item.get(name) for name in names} for item in types], "count": len(types)}


get_issue_types = Action(
    slug="get_issue_types",
    title="Get issue types",
    description="List the types of issue that the user may create in a project.",
    fields=(Field("project", "Project", "select", source="projects", is_required=True),),
    run=run_get_issue_types,
    output=_object(
        issueTypes={"type": "array", "items": _object(id=TEXT_OUT, name=TEXT_OUT, subtask={"type": "boolean"})},
        count={"type": "integer"},
    ),
    sample={"issueTypes": [{"id": "10001", "name": "Task", "subtask": False}], "count": 1},
    scopes=(READ,),
)


# Comments -----------------------------------------------------------------------------------------------------------


def run_add_comment(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    issue = segment(values["issue"])
    document = adf.document(values["body"], str(_given(values, "format") or "markdown"), "body")
    made = api.post(f"{REST}/issue/{issue}/comment", {"body": document, "properties": _mark(op_key)})
    return _comment(api, issue, made)


def _comment(api: ProviderApi, issue: str, made: Mapping[str, Any]) -> dict[str, Any]:
    author = made.get("author") or {}
    return {
        "id": str(made["id"]),
        "issue": issue,
        "url": f"{_url(api, issue)}?focusedCommentId={made['id']}",
        "author": {name: author.get(name) for name in ("accountId", "displayName")},
        "created": made.get("created"),
    }


def find_added_comment(api: ProviderApi, values: Mapping[str, Any], op_key: str) -> Any:
    """Look for the comment among the newest of this account on the issue, by its mark."""
    issue, mine = segment(values["issue"]), api.connection.grant.account_id
    page = api.get(f"{REST}/issue/{issue}/comment", {"orderBy": "-created", "maxResults": LOOKED_AT})
    own = [item for item in page.get("comments", []) if (item.get("author") or {}).get("accountId") == mine]
    for item in own[:10]:
        try:
            mark = api.get(f"{REST}/comment/{segment(item['id'])}/properties/{MARK}")
        except PermanentError as error:
            if error.status != 404:
                raise
            continue
        if (mark.get("value") or {}).get("op") == op_key:
            return _comment(api, issue, item)
    return None


add_comment = Action(
    slug="add_comment",
    title="Add comment",
    description="Comment on an issue.",
    fields=(
        ISSUE,
        Field("body", "Comment", "rich_text", is_required=True),
        FORMAT,
    ),
    run=run_add_comment,
    find=find_added_comment,
    is_find_sure=True,
    effect="once",
    output=_object(
        id=TEXT_OUT,
        issue=TEXT_OUT,
        url=TEXT_OUT,
        author=_object(accountId=TEXT_OUT, displayName=TEXT_OUT),
        created=TEXT_OUT,
    ),
    sample={
        "id": "10020",
        "issue": "OPS-4",
        "url": "https://acme.atlassian.net/browse/OPS-4?focusedCommentId=10020",
        "author": {"accountId": "5f2a81c0", "displayName": "Ada Park"},
        "created": "2026-11-23T14:05:00.000+0000",
    },
    scopes=(WRITE, READ),
)

ACTIONS = (
    create_issue,
    update_issue,
    get_issue,
    search_issues,
    search_jql,
    get_projects,
    add_comment,
    delete_issue,
    get_issue_types,
)
