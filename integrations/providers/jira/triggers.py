"""What a workflow can begin with: issues, comments and projects."""

import re
from collections.abc import Mapping
from typing import Any

from integrations.errors import PermanentError, TemporaryError
from integrations.provider_api import ProviderApi
from integrations.providers.base import Field, Happening, Trigger
from integrations.providers.jira import happenings, jql

READ, TELL, ADMINISTER = "read:jira-work", "manage:jira-webhook", "manage:jira-configuration"
ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)
QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")

PROJECTS = Field(
    "projects",
    "Projects",
    "list",
    source="projects",
    placeholder="Every project",
    help="Keys, separated by commas. {{settings.project}} is the one that each user chose.",
)
JQL = Field(
    "jql",
    "JQL",
    "query",
    quote=jql.into_text,
    placeholder="priority = High AND labels = urgent",
    help="Only issues that match. Whatever Jira's search accepts, without ORDER BY.",
)
FIELDS = Field(
    "fields",
    "Fields",
    "list",
    source="fields",
    placeholder="Any field",
    help="Only when one of these changes: status, assignee, customfield_10051…",
)
POLLING_ONLY = Field(
    "polling_only",
    "Polling only",
    "switch",
    default=False,
    help="Do without manage:jira-configuration: projects are compared every five minutes, and nobody is told who"
    " changed them.",
)


def values_of(value: Any) -> list[str]:
    """Return what a list field holds: a list, or texts between commas."""
    items = value if isinstance(value, list) else str(value or "").split(",")
    return [str(item).strip() for item in items if str(item).strip()]


def within(filters: Mapping[str, Any]) -> list[str] | None:
    return values_of(filters.get("projects")) or None


def query(filters: Mapping[str, Any], happening: Happening | None) -> str:
    """Return the JQL that Jira has to judge; with the projects where a comment came without its issue's."""
    written, keys = str(filters.get("jql") or "").strip(), within(filters)
    if happening is None or not keys or _names_of_project(happening) or not _is_about_issue(happening):
        return written
    place = f"project in ({', '.join(map(jql.quoted, keys))})"
    return f"{place} AND ({written})" if written else place


def mismatch(happening: Happening, filters: Mapping[str, Any]) -> str:
    wrong = _other_project(happening, values_of(filters.get("projects")))
    return wrong or _other_fields(happening, values_of(filters.get("fields")))


def _other_project(happening: Happening, wanted: list[str]) -> str:
    if not wanted:
        return ""
    mine = _names_of_project(happening)
    if {name.lower() for name in mine} & {name.lower() for name in wanted} or (not mine and _is_about_issue(happening)):
        return ""  # Where the project is not told, Jira is asked.
    return f"It is in another project: {', '.join(mine) or 'it does not say which'}."


def _names_of_project(happening: Happening) -> list[str]:
    about = happening.payload.get("issue") or happening.payload
    project = about.get("project") or {}
    return [str(project[name]) for name in ("key", "name", "id") if project.get(name)]


def _is_about_issue(happening: Happening) -> bool:
    return happening.subject.startswith("issue:")


def _other_fields(happening: Happening, wanted: list[str]) -> str:
    if not wanted:
        return ""
    changes = happening.payload.get("changes") or []
    changed = {str(change.get(name)).lower() for change in changes for name in ("field", "name")}
    if changed & {name.lower() for name in wanted}:
        return ""
    return "None of the fields changed that the workflow waits for."


def names(payload: Mapping[str, Any]) -> set[str]:
    """Return the ids and keys of the issue, and of the comment, that a payload tells of."""
    about = [payload, payload.get("issue") or {}]
    return {str(each[name]) for each in about for name in ("id", "key") if each.get(name)}


def check(api: ProviderApi, filters: Mapping[str, Any]) -> dict[str, str]:
    """Return what Jira finds wrong with a filter, by field."""
    text = query(filters, None)
    if not text or "{{" in text:
        return {}
    if ORDER_BY.search(QUOTED.sub("", text)):
        return {"jql": "Leave ORDER BY out: a filter has no order."}
    try:
        found = api.post("rest/api/3/jql/parse", {"queries": [text]}, {"validation": "strict"})
    except TemporaryError:
        return {}  # It is judged again at each event, and a filter that Jira refuses is told there.
    except PermanentError as error:
        return {"jql": str(error)}
    errors = [words for parsed in found.get("queries", []) for words in parsed.get("errors") or []]
    return {"jql": " ".join(errors)[:400]} if errors else {}


# Shapes -------------------------------------------------------------------------------------------------------------

TEXT: dict[str, Any] = {"type": "string"}
MAYBE: dict[str, Any] = {"type": ["string", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


PERSON, NAMED = _object(id=TEXT, name=TEXT), _object(id=TEXT, name=TEXT)
PROJECT = _object(id=TEXT, key=TEXT, name=TEXT)
STATUS = _object(id=TEXT, name=TEXT, category=TEXT)
CHANGE = _object(field=TEXT, name=TEXT, **{"from": MAYBE, "to": MAYBE, "from_id": MAYBE, "to_id": MAYBE})
RAW = {"type": "object", "additionalProperties": True}
HEAD = {"event": TEXT, "at": TEXT, "by": PERSON, "raw": RAW}
ISSUE_OUT = _object(
    id=TEXT,
    key=TEXT,
    url=TEXT,
    summary=TEXT,
    description=TEXT,
    type=NAMED,
    status=STATUS,
    priority=NAMED,
    project=PROJECT,
    assignee=PERSON,
    reporter=PERSON,
    labels=_list(TEXT),
    parent=_object(id=TEXT, key=TEXT),
    components=_list(TEXT),
    fix_versions=_list(TEXT),
    due_date=TEXT,
    resolution=TEXT,
    created=TEXT,
    updated=TEXT,
    custom=RAW,
    changes=_list(CHANGE),
    **HEAD,
)
SHORT_ISSUE = _object(**{name: ISSUE_OUT["properties"][name] for name in happenings.SHORT})
COMMENT_OUT = _object(
    id=TEXT, body=TEXT, author=PERSON, created=TEXT, is_internal={"type": "boolean"}, issue=SHORT_ISSUE, **HEAD
)
PROJECT_OUT = _object(
    id=TEXT, key=TEXT, name=TEXT, url=TEXT, lead=PERSON, category=NAMED, changes=_list(CHANGE), **HEAD
)

ADA, BO = {"id": "5f2a81c0", "name": "Ada Park"}, {"id": "712020:3c9d", "name": "Bo Lind"}
OPS = {"id": "10000", "key": "OPS", "name": "Operations"}
ISSUE_SAMPLE: dict[str, Any] = {
    "event": happenings.ISSUE_UPDATED,
    "id": "10010",
    "key": "OPS-4",
    "url": "https://acme.atlassian.net/browse/OPS-4",
    "summary": "Disk is full",
    "description": "Since this morning.",
    "type": {"id": "10002", "name": "Bug"},
    "status": {"id": "3", "name": "In Progress", "category": "indeterminate"},
    "priority": {"id": "2", "name": "High"},
    "project": OPS,
    "assignee": ADA,
    "reporter": BO,
    "labels": ["urgent"],
    "parent": None,
    "components": [],
    "fix_versions": [],
    "due_date": None,
    "resolution": None,
    "created": "2026-11-20T09:30:00.000+00:00",
    "updated": "2026-11-23T14:05:00.000+00:00",
    "custom": {},
    "changes": [
        {"field": "status", "name": "status", "from": "To Do", "to": "In Progress", "from_id": "10000", "to_id": "3"}
    ],
    "by": ADA,
    "at": "2026-11-23T14:05:00.000+00:00",
    "raw": {"webhookEvent": "jira:issue_updated"},
}
CREATED_SAMPLE = ISSUE_SAMPLE | {
    "event": happenings.ISSUE_CREATED,
    "changes": [],
    "by": BO,
    "at": "2026-11-20T09:30:00.000+00:00",
    "raw": {"webhookEvent": "jira:issue_created"},
}
COMMENT_SAMPLE = {
    "event": happenings.COMMENT_CREATED,
    "id": "10040",
    "body": "The log folder is to blame.",
    "author": BO,
    "created": "2026-11-23T14:06:00.000+00:00",
    "is_internal": False,
    "issue": {name: ISSUE_SAMPLE[name] for name in happenings.SHORT},
    "by": BO,
    "at": "2026-11-23T14:06:00.000+00:00",
    "raw": {"webhookEvent": "comment_created"},
}
PROJECT_SAMPLE = {
    "event": happenings.PROJECT_UPDATED,
    **OPS,
    "url": "https://acme.atlassian.net/browse/OPS",
    "lead": ADA,
    "category": None,
    "changes": [{"field": "name", "name": "name", "from": "Ops", "to": "Operations", "from_id": None, "to_id": None}],
    "by": ADA,
    "at": "2026-11-23T14:07:00.000+00:00",
    "raw": {"webhookEvent": "project_updated"},
}


def _about_issues(slug: str, title: str, description: str, **more: Any) -> Trigger:
    """Declare a trigger that is told of issues, and filtered as they are."""
    return Trigger(
        slug=slug,
        title=title,
        description=description,
        scopes=(READ, TELL),
        mismatch=mismatch,
        query=query,
        within=within,
        check=check,
        names=names,
        **more,
    )


ISSUE_TRIGGERS = (
    _about_issues(
        happenings.ISSUE_CREATED,
        "New issue",
        "Starts when an issue is created.",
        fields=(PROJECTS, JQL),
        output=ISSUE_OUT,
        sample=CREATED_SAMPLE,
    ),
    _about_issues(
        happenings.ISSUE_UPDATED,
        "Issue updated",
        "Starts when a field of an issue changes: its status, its assignee, any other.",
        fields=(PROJECTS, FIELDS, JQL),
        output=ISSUE_OUT,
        sample=ISSUE_SAMPLE,
    ),
    _about_issues(
        happenings.COMMENT_CREATED,
        "New comment",
        "Starts when somebody comments on an issue.",
        fields=(PROJECTS, JQL),
        output=COMMENT_OUT,
        sample=COMMENT_SAMPLE,
    ),
)


def project_scopes(filters: Mapping[str, Any]) -> tuple[str, ...]:
    return (READ,) if str(filters.get("polling_only")).lower() == "true" else (READ, ADMINISTER)


PROJECT_TRIGGERS = (
    Trigger(
        slug=happenings.PROJECT_CREATED,
        title="Project created",
        description="Starts when there is a new project, or one becomes visible to the user.",
        fields=(POLLING_ONLY,),
        output=PROJECT_OUT,
        sample=PROJECT_SAMPLE | {"event": happenings.PROJECT_CREATED, "changes": []},
        scopes=(READ, ADMINISTER),
        scopes_for=project_scopes,
    ),
    Trigger(
        slug=happenings.PROJECT_UPDATED,
        title="Project updated",
        description="Starts when a project's name, key, lead, category or description changes.",
        fields=(POLLING_ONLY,),
        output=PROJECT_OUT,
        sample=PROJECT_SAMPLE,
        scopes=(READ, ADMINISTER),
        scopes_for=project_scopes,
    ),
)
