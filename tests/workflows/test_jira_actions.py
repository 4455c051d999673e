"""Jira's actions against the sandbox: what they ask of Jira is what Atlassian's own documents allow."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator

from integrations import http
from integrations.errors import PermanentError
from integrations.models import Connection
from integrations.providers import get
from integrations.providers.jira import adf, jql
from tests.integrations.jira.openapi import check_request
from tests.support import reference
from tests.workflows.conftest import Worker, action
from workflows.models import Run

Effects = Callable[..., list[dict[str, Any]]]
ACTIONS = get("jira").actions


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """Every call to Jira is checked against Atlassian's OpenAPI document, and its rich text against the ADF schema."""
    found: list[tuple[str, str, Any]] = []
    send: Callable[..., Any] = http.send

    def noting(method: str, url: str, **more: Any) -> Any:
        parts = urlsplit(url)
        if parts.path.startswith("/ex/jira/") and more.get("body") is not None:
            more_body = json.loads(more["body"])
        else:
            more_body = None
        if parts.path.startswith("/ex/jira/"):
            path = "/" + parts.path.split("/", 4)[4]
            found.append((method, path, more_body))
            if (reference.FOLDER / "jira-openapi.json.gz").exists():
                check_request(method, path, list(parse_qs(parts.query)), more_body)
        return send(method, url, **more)

    monkeypatch.setattr(http, "send", noting)
    return found


@pytest.fixture
def act(connection: Connection, worker: Worker) -> Callable[..., Run]:
    """act("get_issue", issue="OPS-1") runs a workflow of one action."""

    def run(slug: str, **given: Any) -> Run:
        return worker.run(action(slug, "it", **given), connection=connection)

    return run


def output(run: Run) -> Any:
    assert run.status == Run.Status.DONE, run.reason
    return run.steps.get(path="it").output


# What each does -----------------------------------------------------------------------------------------------------


def test_create_issue(act: Callable[..., Run], asked: list[Any]) -> None:
    made = output(
        act(
            "create_issue",
            project="OPS",
            issue_type="Bug",
            summary="Disk is full",
            description="It is **really** full:\n\n* sda\n* sdb",
            priority="High",
            assignee="ada.park@example.com",
            labels="urgent, build server",
            due_date="2026-12-01T00:00:00Z",
        )
    )

    assert made["url"].endswith(f"/browse/{made['key']}")
    body = next(sent for method, path, sent in asked if (method, path) == ("POST", "/rest/api/3/issue"))
    assert body["fields"]["labels"] == ["urgent", "build_server"]
    assert body["fields"]["duedate"] == "2026-12-01"
    assert body["fields"]["description"]["content"][1]["type"] == "bulletList"
    assert body["properties"][0]["key"] == "patchbay.op"


def test_fields_that_a_type_asks_for(act: Callable[..., Run], asked: list[Any]) -> None:
    given = {"Team": "Support", "customfield_10051": "5", "Acceptance criteria": "- [ ] it works"}

    output(act("create_issue", project="WEB", issue_type="Story", summary="Compare plans", fields=given))

    sent = next(body for method, path, body in asked if (method, path) == ("POST", "/rest/api/3/issue"))["fields"]
    assert sent["customfield_10050"] == {"id": "10021"}
    assert sent["customfield_10051"] == 5
    assert sent["customfield_10052"]["type"] == "doc"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"project": "NOPE"}, "project", "valid project is required"),
        ({"issue_type": "Wish"}, "issue_type", "Specify a valid 'issuetype'"),
        ({"issue_type": "Story"}, "fields.customfield_10050", "Team is required."),
        ({"assignee": "nobody@example.com"}, "assignee", "Nobody who can be assigned has the e-mail"),
        ({"due_date": '{{"soon"}}'}, "due_date", "“soon” is not a date."),
        ({"description": "{}", "format": "adf"}, "description", "This is not an Atlassian document"),
        ({"fields": {"Team": "Nobody"}, "issue_type": "Story"}, "fields.customfield_10050", "is not one of Platform"),
        ({"summary": "x" * 300}, "summary", "Summary can't exceed 255 characters."),
        ({"format": '{{"html"}}'}, "format", "takes one of: markdown, text, adf"),
    ],
)
def test_what_jira_refuses_is_said_at_its_field(act: Callable[..., Run], given: Any, field: str, words: str) -> None:
    run = act("create_issue", **{"project": "OPS", "issue_type": "Task", "summary": "S"} | given)

    assert run.status == Run.Status.FAILED
    assert words in run.steps.get(path="it").error_fields[field]


def test_update_issue(act: Callable[..., Run], asked: list[Any]) -> None:
    made = output(
        act("update_issue", issue="OPS-1", summary="New", status="Done", labels_add="x", labels_remove="infra")
    )

    assert made["key"] == "OPS-1"
    after = output(act("get_issue", issue="ops-1"))["fields"]
    assert (after["summary"], after["status"]["name"]) == ("New", "Done")
    assert sorted(after["labels"]) == ["urgent", "x"]


def test_a_status_that_cannot_be_reached(act: Callable[..., Run]) -> None:
    run = act("update_issue", issue="OPS-1", status="Blocked")

    assert "It can go to: To Do, In Progress, Done." in run.steps.get(path="it").error_fields["status"]


def test_a_status_that_the_issue_has_already(act: Callable[..., Run], asked: list[Any]) -> None:
    output(act("update_issue", issue="OPS-1", status="In Progress"))

    assert not [path for _, path, _ in asked if path.endswith("/transitions")]


def test_get_issue_that_is_not_to_be_seen(act: Callable[..., Run]) -> None:
    run = act("get_issue", issue="HR-1")

    assert "Jira also answers 404 when this user may not see the issue." in run.reason


def test_search_issues(act: Callable[..., Run]) -> None:
    conditions = [
        {"field": "project", "operator": "is", "value": "OPS"},
        {"field": "status", "operator": "in", "value": ["To Do", "In Progress"]},
        {"field": "labels", "operator": "is_not_empty"},
        {"field": "created", "operator": "after", "value": "-60d"},
    ]

    found = output(act("search_issues", filter={"join": "AND", "conditions": conditions}, limit=1))

    assert (found["count"], found["isLast"]) == (1, False)
    assert found["jql"] == (
        'project = "OPS" AND status in ("To Do", "In Progress") AND labels is not EMPTY AND created > "-60d"'
        " ORDER BY created DESC"
    )
    assert found["issues"][0]["fields"]["summary"]


def test_search_by_jql_over_many_pages(act: Callable[..., Run], asked: list[Any], sandbox: Any) -> None:
    for number in range(130):
        sandbox.operate("issues", {"project": "OPS", "summary": f"No. {number}"})

    found = output(act("search_jql", jql="project = OPS ORDER BY key", limit=120, return_fields="summary"))

    assert (found["count"], len({issue["key"] for issue in found["issues"]})) == (120, 120)
    assert [body["maxResults"] for _, path, body in asked if path.endswith("/search/jql")] == [100, 20]
    further = output(act("search_jql", jql="project = OPS ORDER BY key", page_token=found["nextPageToken"]))
    assert further["isLast"]


def test_a_value_in_jql_stays_one_value(connection: Connection, worker: Worker, asked: list[Any]) -> None:
    step = action(
        "search_jql", "it", jql='project = {{trigger.p}} AND summary ~ "{{trigger.s}}" AND labels in {{trigger.l}}'
    )
    payload = {"p": 'OPS" OR project = "WEB', "s": 'x" OR text ~ "y\\', "l": ["a", 'b"c']}

    worker.run(step, connection=connection, payload=payload)

    sent = next(body for _, path, body in asked if path.endswith("/search/jql"))["jql"]
    assert sent == (
        'project = "OPS\\" OR project = \\"WEB" AND summary ~ "x\\" OR text ~ \\"y\\\\" AND labels in ("a", "b\\"c")'
    )


def test_get_projects_and_their_types(act: Callable[..., Run]) -> None:
    assert [item["key"] for item in output(act("get_projects"))["projects"]] == ["OPS", "WEB"]
    assert output(act("get_projects", query="nothing like it"))["projects"] == []
    assert "Story" in [item["name"] for item in output(act("get_issue_types", project="WEB"))["issueTypes"]]


def test_comment_and_delete(act: Callable[..., Run], effects: Effects) -> None:
    said = output(act("add_comment", issue="OPS-2", body="Hello", format="text"))
    gone = output(act("delete_issue", issue="OPS-2"))

    assert said["author"]["displayName"] == "Ada Park"
    assert gone == {"deleted": True, "issue": "OPS-2"}
    assert [len(effects(kind)) for kind in ("comment_created", "issue_deleted")] == [1, 1]


def test_a_comment_whose_answer_was_lost_is_found(
    act: Callable[..., Run], worker: Worker, sandbox: Any, effects: Effects
) -> None:
    sandbox.operate("settings", {"lose_next": 1})

    run = act("add_comment", issue="OPS-2", body="Once")
    worker.later()
    worker.work()

    run.refresh_from_db()
    assert (run.status, len(effects("comment_created"))) == (Run.Status.DONE, 1)


# Declarations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", ACTIONS, ids=lambda found: found.slug)
def test_every_action_declares_what_goes_in_and_comes_out(found: Any) -> None:
    Draft202012Validator.check_schema(found.input())
    Draft202012Validator.check_schema(dict(found.output))

    Draft202012Validator(dict(found.output)).validate(found.sample)
    assert found.title
    assert found.description.endswith(".")
    assert set(found.scopes) <= {scope.name for scope in get("jira").scopes}
    assert found.effect != "once" or found.find is not None


@pytest.mark.parametrize("found", ACTIONS, ids=lambda found: found.slug)
def test_every_source_of_an_input_exists(found: Any) -> None:
    assert {item.source for item in found.fields if item.source} <= set(get("jira").sources)


# Properties ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adf_schema() -> Draft4Validator:
    return Draft4Validator(reference.load("adf-schema-full.json"))


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.text(max_size=200))
def test_any_text_becomes_a_valid_document(adf_schema: Draft4Validator, text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    for form in ("text", "markdown"):
        errors = list(adf_schema.iter_errors(adf.document(text, form, "description")))
        assert errors == [], form


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "# A\n\n> # quoted heading\n> * list",
        "| a | b |\n|-|-|\n| 1 | 2 |",
        "- [ ] task\n- [x] done",
        "<b>x</b>",
        "![i](http://x/y.png)",
        "a\n\n\nb\n c",
        "**bold `code`**",
        "1. a\n   > q\n2. b",
        "\x00\x07bell",
    ],
)
def test_markdown_that_is_hard_becomes_a_valid_document(adf_schema: Draft4Validator, text: str) -> None:
    assert list(adf_schema.iter_errors(adf.document(text, "markdown", "description"))) == []


def unquoted(text: str) -> str:
    """Read a JQL string as Jira does."""
    assert text[0] == text[-1] == '"'
    inner, value, escaped = text[1:-1], "", False
    for character in inner:
        assert escaped or character != '"', "the string ends too early"
        if character == "\\" and not escaped:
            escaped = True
            continue
        value, escaped = value + character, False
    assert not escaped
    return value


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"])))
def test_a_quoted_value_reads_back_as_it_was(value: str) -> None:
    assert unquoted(jql.quoted(value)) == value


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"conditions": []}, "Add at least one condition"),
        ({"conditions": [{"field": "salary", "operator": "is", "value": 1}]}, "“salary” is not a field"),
        (
            {"conditions": [{"field": "summary", "operator": "after", "value": 1}]},
            "Summary cannot be compared by “after”.",
        ),
        ({"conditions": [{"field": "project", "operator": "is", "value": ""}]}, "Project has no value"),
        ({"conditions": [{"field": "created", "operator": "after", "value": "soon"}]}, "Created takes a date"),
        ({"conditions": "all"}, "The filter must have a list of conditions."),
        ("all", "The filter must have a list of conditions."),
    ],
)
def test_a_filter_that_says_nothing_or_says_it_wrong(found: Any, words: str) -> None:
    with pytest.raises(PermanentError) as error:
        jql.from_filter(found, "", "filter")

    assert words in error.value.fields["filter"]
