"""Search by JQL: the subset that the sandbox understands, and what it says about the rest."""

from collections.abc import Callable

import pytest

from tests.integrations.jira.sandbox.conftest import GLOBEX, Jira


@pytest.mark.parametrize(
    ("jql", "keys"),
    [
        ("project = OPS", {"OPS-1", "OPS-2", "OPS-3"}),
        ("project in (OPS, WEB) and issuetype = Bug", {"OPS-1", "WEB-3"}),
        ("project = WEB and not type = Bug", {"WEB-1", "WEB-2"}),
        ("key = ops-1", {"OPS-1"}),
        ('summary ~ "disk full"', {"OPS-1"}),
        ('summary ~ disk or summary ~ "pricing"', {"OPS-1", "WEB-1"}),
        ("assignee = currentUser()", {"OPS-1", "OPS-2"}),
        ("assignee is empty", {"OPS-3", "WEB-3"}),
        ("project = OPS and assignee is not empty", {"OPS-1", "OPS-2"}),
        ("labels in (urgent, mobile)", {"OPS-1", "WEB-3"}),
        ("status = 'In Progress'", {"OPS-1", "WEB-1"}),
        ("statusCategory != Done and project = OPS", {"OPS-1", "OPS-2"}),
        ("project = OPS AND (priority = Highest OR status = Done)", {"OPS-1", "OPS-3"}),
        ("created <= -35d", {"OPS-3"}),
        ("parent = WEB-1", {"WEB-2"}),
    ],
)
def test_it_finds(jira: Jira, jql: str, keys: set[str]) -> None:
    assert set(jira.search(jql)) == keys


def test_it_sorts_by_several_fields(jira: Jira) -> None:
    assert jira.search("project = OPS order by issuetype desc, created asc") in (
        ["OPS-3", "OPS-2", "OPS-1"],
        ["OPS-1", "OPS-3", "OPS-2"],
    )
    assert jira.search("project = OPS order by created desc") == ["OPS-2", "OPS-1", "OPS-3"]


def test_hidden_issues_are_not_found(jira_of: Callable[..., Jira]) -> None:
    assert jira_of("Cleo Marsh").search("summary ~ disk") == []
    assert jira_of("Bo Lind", GLOBEX).search("created >= -100d") == ["LAB-1"]


def test_ids_alone_are_the_default(jira: Jira) -> None:
    answer = jira("GET", "search/jql", params={"jql": "key = OPS-1"}).json()

    assert answer["isLast"] is True
    assert [list(issue) for issue in answer["issues"]] == [["id"]]


def test_pages_follow_the_token_until_the_last(jira: Jira) -> None:
    query = {"jql": "project = OPS order by key", "fields": ["key"], "maxResults": 2}

    first = jira("POST", "search/jql", json=query).json()
    second = jira("POST", "search/jql", json=query | {"nextPageToken": first["nextPageToken"]}).json()

    assert [issue["key"] for issue in first["issues"] + second["issues"]] == ["OPS-1", "OPS-2", "OPS-3"]
    assert second["isLast"] is True
    assert "nextPageToken" not in second


@pytest.mark.parametrize("jql", ["", "order by created"])
def test_an_unbounded_search_is_refused(jira: Jira, jql: str) -> None:
    answer = jira("POST", "search/jql", json={"jql": jql})

    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == [
        "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
    ]


@pytest.mark.parametrize(
    "jql",
    [
        "project = ",
        "project OPS",
        "colour = red",
        "(project = OPS",
        "project = NOPE",
        "status = Lost",
        "key > nonsense",
    ],
)
def test_a_wrong_query_is_refused_in_words(jira: Jira, jql: str) -> None:
    answer = jira("POST", "search/jql", json={"jql": jql})

    assert answer.status_code == 400
    assert len(answer.json()["errorMessages"][0]) > 10


def test_a_hidden_project_does_not_exist_for_a_query(jira_of: Callable[..., Jira]) -> None:
    answer = jira_of("Cleo Marsh")("POST", "search/jql", json={"jql": "project = OPS"})

    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == ["The value 'OPS' does not exist for the field 'project'."]


def test_it_counts(jira: Jira) -> None:
    answer = jira("POST", "search/approximate-count", json={"jql": "project = OPS"})

    assert answer.json() == {"count": 3}


def test_it_tells_which_queries_an_issue_matches(jira: Jira) -> None:
    issue_id = int(jira("GET", "issue/OPS-1").json()["id"])

    answer = jira("POST", "jql/match", json={"issueIds": [issue_id], "jqls": ["project = OPS", "project = WEB"]})

    assert [match["matchedIssues"] for match in answer.json()["matches"]] == [[issue_id], []]


def test_it_checks_queries_without_running_them(jira: Jira) -> None:
    answer = jira(
        "POST", "jql/parse", params={"validation": "strict"}, json={"queries": ["project = OPS", "project ="]}
    )

    right, wrong = answer.json()["queries"]
    assert not right.get("errors")
    assert wrong["errors"]
