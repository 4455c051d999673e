"""Search by JQL, with page tokens."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from ..jql import match
from ..jql.parse import JqlError, parse
from ..records import Issue
from ..state import state
from . import represent
from .gateway import READ, Call, JiraError, route

MOST_IDS, MOST_WITH_FIELDS, DEFAULT = 5000, 100, 50
UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."


@route("GET", "search/jql", READ)
def search(call: Call) -> dict[str, Any]:
    query = call.request.GET
    fields = [name for text in query.getlist("fields") for name in text.split(",") if name]
    return _search(call, {**query.dict(), "fields": fields})


@route("POST", "search/jql", READ)
def search_by_body(call: Call) -> dict[str, Any]:
    body = call.json()
    unknown = set(body) - {
        "jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys", "reconcileIssues"
    }  # fmt: skip
    if unknown or not isinstance(body.get("fields", []), list) or not isinstance(body.get("expand", ""), str):
        raise JiraError(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    return _search(call, body)


def _search(call: Call, wanted: dict[str, Any]) -> dict[str, Any]:
    found = _matching(call, str(wanted.get("jql") or ""))
    fields = wanted.get("fields") or ["id"]
    most = MOST_IDS if set(fields) <= {"id", "key"} else MOST_WITH_FIELDS
    size = (
        min(int(wanted.get("maxResults") or DEFAULT), most)
        if str(wanted.get("maxResults") or DEFAULT).isdigit()
        else DEFAULT
    )
    start = _start(wanted.get("nextPageToken"), str(wanted.get("jql") or ""))
    page = found[start : start + size]
    expand = str(wanted.get("expand") or "")
    issues = [represent.issue(call, issue, fields, expand) for issue in page]
    asked = wanted.get("properties")
    if isinstance(asked, list) and asked:
        for body_of, issue in zip(issues, page, strict=True):
            body_of["properties"] = {name: issue.properties[name] for name in asked if name in issue.properties}
    # `key` is a field here, as it is not in "get issue": ask for ids alone and there are ids alone.
    if fields == ["id"]:
        issues = [{"id": issue["id"]} for issue in issues]
    body: dict[str, Any] = {"issues": issues, "isLast": start + size >= len(found)}
    if not body["isLast"]:
        body["nextPageToken"] = _token(start + size, str(wanted.get("jql") or ""))
    if "names" in expand:
        body["names"] = represent.FIELD_NAMES
    return body


def _matching(call: Call, jql: str) -> list[Issue]:
    try:
        query = parse(jql)
        if not match.is_bounded(query):
            raise JiraError(400, UNBOUNDED)
        projects = call.projects("edit", "browse")
        match.check_values(query, projects)
        readable = {project.key for project in projects}
        indexed_until = time.time() - state.settings.search_lag_seconds
        here = [
            issue
            for issue in state.issues.values()
            if issue.site == call.site.cloud_id and issue.project in readable and issue.created <= indexed_until
        ]
        return match.run(query, here, call.account.account_id)
    except JqlError as error:
        raise JiraError(400, str(error)) from None


def _token(start: int, jql: str) -> str:
    return urlsafe_b64encode(json.dumps([start, jql]).encode()).decode()


def _start(token: Any, jql: str) -> int:
    if not token:
        return 0
    try:
        start, of = json.loads(urlsafe_b64decode(str(token)))
    except ValueError:
        of, start = None, 0
    if of != jql:
        raise JiraError(400, "The provided next page token is invalid or expired.")
    return int(start)


@route("POST", "search/approximate-count", READ)
def count(call: Call) -> dict[str, int]:
    return {"count": len(_matching(call, str(call.json().get("jql") or "")))}


@route("POST", "jql/match", READ)
def matching(call: Call) -> dict[str, Any]:
    body = call.json()
    wanted = {str(issue_id) for issue_id in body.get("issueIds", [])}
    return {"matches": [_matches(call, jql, wanted) for jql in body.get("jqls", [])]}


def _matches(call: Call, jql: str, wanted: set[str]) -> dict[str, Any]:
    try:
        found = [int(issue.id) for issue in _matching(call, jql) if issue.id in wanted]
    except JiraError as error:
        return {"matchedIssues": [], "errors": error.body["errorMessages"]}
    return {"matchedIssues": found, "errors": []}


@route("POST", "jql/parse", READ)
def parsed(call: Call) -> dict[str, Any]:
    queries = []
    for text in call.json().get("queries", []):
        try:
            match.check(parse(text))
            queries.append({"query": text})
        except JqlError as error:
            queries.append({"query": text, "errors": [str(error)]})
    return {"queries": queries}
