"""What the sandbox answers is what Atlassian's own document of the API allows."""

from typing import Any

import pytest

from tests.integrations.jira.openapi import check_request, check_response
from tests.integrations.jira.sandbox.conftest import Jira

ADA = "5f2a81c04b7d9e0069a1d301"
WORDS = {"type": "doc", "version": 1, "content": [{"type": "paragraph"}]}
NEW = {"fields": {"project": {"key": "OPS"}, "issuetype": {"id": "10001"}, "summary": "Disk is full"}}

CALLS: list[tuple[str, str, dict[str, str], Any, int]] = [
    ("GET", "myself", {}, None, 200),
    ("GET", "serverInfo", {}, None, 200),
    ("GET", "user", {"accountId": ADA}, None, 200),
    ("GET", "user/assignable/search", {"project": "OPS", "query": "a"}, None, 200),
    ("GET", "mypermissions", {"permissions": "BROWSE_PROJECTS,CREATE_ISSUES"}, None, 200),
    ("GET", "field", {}, None, 200),
    ("GET", "project/search", {"expand": "description,lead,issueTypes"}, None, 200),
    ("GET", "project/OPS", {}, None, 200),
    ("GET", "project/OPS/statuses", {}, None, 200),
    ("GET", "issue/createmeta/OPS/issuetypes", {}, None, 200),
    ("GET", "issue/createmeta/OPS/issuetypes/10001", {}, None, 200),
    ("POST", "issue", {}, NEW, 201),
    ("POST", "issue", {}, {"fields": {}}, 400),
    ("GET", "issue/OPS-1", {"expand": "names,renderedFields,changelog,transitions"}, None, 200),
    ("PUT", "issue/OPS-1", {"returnIssue": "true"}, {"fields": {"summary": "Disk is fuller"}}, 200),
    ("GET", "issue/OPS-1/transitions", {"expand": "transitions.fields"}, None, 200),
    ("POST", "issue/OPS-1/transitions", {}, {"transition": {"id": "31"}}, 204),
    ("POST", "issue/OPS-1/comment", {}, {"body": WORDS}, 201),
    ("GET", "issue/OPS-1/comment", {}, None, 200),
    ("GET", "search/jql", {"jql": "project = OPS", "fields": "*all"}, None, 200),
    ("POST", "search/jql", {}, {"jql": "project = OPS", "fields": ["summary"], "maxResults": 1}, 200),
    ("POST", "search/approximate-count", {}, {"jql": "project = OPS"}, 200),
    ("POST", "jql/match", {}, {"issueIds": [10000], "jqls": ["project = OPS", "nonsense"]}, 200),
    ("POST", "jql/parse", {"validation": "strict"}, {"queries": ["project = OPS", "nonsense"]}, 200),
    ("DELETE", "issue/OPS-3", {}, None, 204),
]


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "status"), CALLS, ids=[f"{call[0]} {call[1]} {call[4]}" for call in CALLS]
)
def test_it_answers_as_documented(
    jira: Jira, method: str, path: str, query: dict[str, str], body: Any, status: int
) -> None:
    check_request(method, f"/rest/api/3/{path}", list(query), body)

    answer = jira(method, path, params=query, json=body)

    assert answer.status_code == status
    check_response(method, f"/rest/api/3/{path}", status, answer.json() if answer.content else None)
