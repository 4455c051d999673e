"""Jira's REST API: who may do what, what a call takes, and what Jira says when it does not."""

from collections.abc import Callable

import pytest

from tests.integrations.jira.sandbox.conftest import GLOBEX, App, Jira

WORDS = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "The disk is full."}]}],
}
NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"


def new_issue(**fields: object) -> dict[str, object]:
    required = {"project": {"key": "OPS"}, "issuetype": {"id": "10001"}, "summary": "Disk is full"}
    return {"fields": required | fields}


# The gateway --------------------------------------------------------------------------------------------------------


def test_an_expired_token_is_refused(app: App, jira: Jira) -> None:
    app.sandbox.operate("tokens/expire", {"all": True})

    answer = jira("GET", "myself")

    assert (answer.status_code, answer.json()) == (401, {"code": 401, "message": "Unauthorized"})


def test_a_missing_scope_is_named_as_such(jira_of: Callable[..., Jira]) -> None:
    answer = jira_of(scopes=["read:jira-user"])("GET", "issue/OPS-1")

    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized; scope does not match")


def test_a_site_outside_the_grant_is_refused(jira_of: Callable[..., Jira]) -> None:
    answer = jira_of("Cleo Marsh", GLOBEX)("GET", "myself")

    assert answer.status_code == 403
    assert answer.json() == {"code": 403, "message": "The app is not installed on this instance"}


def test_an_unknown_call_is_not_found(jira: Jira) -> None:
    answer = jira("GET", "nonsense")

    assert answer.status_code == 404
    assert answer.json()["errorMessages"]


@pytest.mark.parametrize("version", [2, 3])
def test_the_old_search_is_gone(jira: Jira, version: int) -> None:
    answer = jira("GET", "search", version=version, params={"jql": "project = OPS"})

    assert answer.status_code == 410
    assert "migrate to the /rest/api/3/search/jql API" in answer.json()["errorMessages"][0]


def test_it_limits_the_rate_on_demand(app: App, jira: Jira) -> None:
    app.sandbox.operate("settings", {"rate_limit_next": 1, "rate_limit_retry_after": 7})

    limited, after = jira("GET", "myself"), jira("GET", "myself")

    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert limited.headers["RateLimit-Reason"] == "jira-burst-based"
    assert after.status_code == 200


def test_a_limit_may_come_without_a_time(app: App, jira: Jira) -> None:
    app.sandbox.operate("settings", {"rate_limit_next": 1, "rate_limit_retry_after": None})

    answer = jira("GET", "myself")

    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


# Issues -------------------------------------------------------------------------------------------------------------


def test_an_issue_is_created_and_read(jira: Jira) -> None:
    made = jira("POST", "issue", json=new_issue(description=WORDS, labels=["infra"]))

    assert made.status_code == 201
    read = jira("GET", f"issue/{made.json()['key'].lower()}").json()
    assert read["key"] == made.json()["key"]
    assert read["fields"]["description"] == WORDS
    assert read["fields"]["labels"] == ["infra"]


def test_a_created_issue_is_in_the_ledger(app: App, jira: Jira) -> None:
    key = jira("POST", "issue", json=new_issue()).json()["key"]

    ledger = app.sandbox.operate("state", method="GET")["ledger"]

    assert [row["key"] for row in ledger] == [key]


def test_a_plain_string_is_no_description(jira: Jira) -> None:
    answer = jira("POST", "issue", json=new_issue(description="The disk is full."))

    assert (answer.status_code, answer.json()["errors"]) == (400, {"description": NOT_A_DOCUMENT})


def test_an_empty_text_is_no_document(jira: Jira) -> None:
    empty = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": ""}]}]}

    assert jira("POST", "issue", json=new_issue(description=empty)).status_code == 400


def test_version_2_takes_and_gives_plain_strings(jira: Jira) -> None:
    key = jira("POST", "issue", version=2, json=new_issue(description="The disk is full.")).json()["key"]

    assert jira("GET", f"issue/{key}", version=2).json()["fields"]["description"] == "The disk is full."


def test_what_is_wrong_is_said_beside_the_field(jira: Jira) -> None:
    answer = jira("POST", "issue", json=new_issue(summary=""))

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["summary"]


def test_an_unknown_field_is_refused(jira: Jira) -> None:
    answer = jira("POST", "issue", json=new_issue(colour="red"))

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["colour"]


def test_a_hidden_issue_looks_missing(jira_of: Callable[..., Jira]) -> None:
    answer = jira_of("Cleo Marsh")("GET", "issue/OPS-1")

    assert answer.status_code == 404
    assert answer.json()["errorMessages"] == ["Issue does not exist or you do not have permission to see it."]


def test_someone_who_may_only_look_cannot_write(jira_of: Callable[..., Jira]) -> None:
    bo = jira_of("Bo Lind")

    assert bo("GET", "issue/OPS-1").status_code == 200
    assert bo("PUT", "issue/OPS-1", json={"fields": {"summary": "Mine"}}).status_code == 403
    assert bo("POST", "issue", json=new_issue()).status_code == 400


def test_labels_are_added_and_removed(jira: Jira) -> None:
    update = {"update": {"labels": [{"add": "noted"}, {"remove": "urgent"}]}}

    answer = jira("PUT", "issue/OPS-1", json=update)

    assert answer.status_code == 204
    assert jira("GET", "issue/OPS-1", params={"fields": "labels"}).json()["fields"] == {"labels": ["infra", "noted"]}


def test_an_issue_moves_by_a_transition(jira: Jira) -> None:
    offered = jira("GET", "issue/OPS-2/transitions").json()["transitions"]
    done = next(one["id"] for one in offered if one["to"]["name"] == "Done")

    answer = jira("POST", "issue/OPS-2/transitions", json={"transition": {"id": done}})

    assert answer.status_code == 204
    assert jira("GET", "issue/OPS-2").json()["fields"]["status"]["name"] == "Done"


def test_a_change_is_in_the_changelog(jira: Jira) -> None:
    jira("PUT", "issue/OPS-1", json={"fields": {"summary": "Disk is nearly full"}})

    item = jira("GET", "issue/OPS-1", params={"expand": "changelog"}).json()["changelog"]["histories"][0]["items"][0]

    assert item["field"] == "summary"
    assert item["toString"] == "Disk is nearly full"


def test_a_comment_is_added(jira: Jira) -> None:
    answer = jira("POST", "issue/OPS-1/comment", json={"body": WORDS})

    assert answer.status_code == 201
    assert jira("GET", "issue/OPS-1/comment").json()["comments"][0]["body"] == WORDS


def test_a_deleted_issue_is_gone(jira: Jira) -> None:
    assert jira("DELETE", "issue/OPS-1").status_code == 204
    assert jira("GET", "issue/OPS-1").status_code == 404


def test_a_property_is_kept(jira: Jira) -> None:
    jira("PUT", "issue/OPS-1/properties/patchbay", json={"run": 7})

    assert jira("GET", "issue/OPS-1/properties/patchbay").json() == {"key": "patchbay", "value": {"run": 7}}


def test_a_file_comes_back_byte_for_byte(jira: Jira) -> None:
    content = bytes(range(256)) * 400
    headers = {"X-Atlassian-Token": "no-check"}

    sent = jira("POST", "issue/OPS-1/attachments", files={"file": ("disk.bin", content)}, headers=headers)

    assert sent.json()[0]["size"] == len(content)
    assert jira("GET", f"attachment/content/{sent.json()[0]['id']}").content == content


def test_a_file_needs_the_header_against_forged_forms(jira: Jira) -> None:
    answer = jira("POST", "issue/OPS-1/attachments", files={"file": ("disk.bin", b"x")})

    assert answer.status_code == 403


# Projects -----------------------------------------------------------------------------------------------------------


def test_only_visible_projects_are_listed(jira_of: Callable[..., Jira]) -> None:
    page = jira_of("Cleo Marsh")("GET", "project/search").json()

    assert [project["key"] for project in page["values"]] == ["WEB"]


def test_projects_come_in_pages(jira: Jira) -> None:
    page = jira("GET", "project/search", params={"maxResults": 1, "startAt": 1}).json()

    assert (page["total"], page["isLast"], len(page["values"])) == (2, True, 1)


def test_only_projects_to_create_in_are_offered(jira_of: Callable[..., Jira]) -> None:
    page = jira_of("Bo Lind")("GET", "project/search", params={"action": "create"}).json()

    assert [project["key"] for project in page["values"]] == ["WEB"]


def test_the_fields_of_an_issue_type_say_what_is_required(jira: Jira) -> None:
    fields = jira("GET", "issue/createmeta/OPS/issuetypes/10001").json()["fields"]

    assert {"summary", "issuetype", "project"} <= {field["fieldId"] for field in fields if field["required"]}
