"""Jira's sending side: what may be registered, who is told of what, and how a delivery comes."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from tests.integrations.jira.openapi import check_request, check_response
from tests.integrations.jira.sandbox.conftest import ACME, GLOBEX, SCOPES, App, Jira
from tests.support.upstream import Request, Upstream, serving

HOOKS = [*SCOPES, "manage:jira-webhook"]
ADDRESS = "https://app.example.com/webhooks"
EVERYTHING = "project != null"
SECRET = "made by an administrator"


@pytest.fixture
def receiver() -> Iterator[Upstream]:
    with serving() as upstream:
        yield upstream


@pytest.fixture
def ada(jira_of: Callable[..., Jira]) -> Jira:
    """Ada's Jira, with the scope that webhooks need."""
    return jira_of(scopes=HOOKS)


def wanted(url: str = ADDRESS, *filters: str, events: list[str] | None = None, **more: Any) -> dict[str, Any]:
    hooks = [{"events": events or ["jira:issue_updated"], "jqlFilter": jql} | more for jql in filters or [EVERYTHING]]
    return {"url": url, "webhooks": hooks}


def register(jira: Jira, *arguments: str, **more: Any) -> list[int]:
    """Register webhooks that Jira accepts; return their ids."""
    answer = jira("POST", "webhook", json=wanted(*arguments, **more))
    assert answer.status_code == 200, answer.text
    return [each["createdWebhookId"] for each in answer.json()["webhookRegistrationResult"]]


def problem(jira: Jira, *arguments: str, **more: Any) -> str:
    [result] = jira("POST", "webhook", json=wanted(*arguments, **more)).json()["webhookRegistrationResult"]
    [words] = result["errors"]
    return str(words)


def listed(jira: Jira) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = jira("GET", "webhook").json()["values"]
    return values


def heard(receiver: Upstream, count: int = 1) -> list[Request]:
    """Return the deliveries, once there are so many."""
    deadline = time.monotonic() + 10
    while len(receiver.seen) < count:
        assert time.monotonic() < deadline, f"{len(receiver.seen)} of {count} deliveries came"
        time.sleep(0.01)
    return list(receiver.seen)


def bodies(requests: list[Request]) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in requests]


# Registering --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "webhook", wanted(ADDRESS, EVERYTHING, "watchCount = 1"), 200),
        ("POST", "webhook", wanted("http://example.com"), 400),
        ("GET", "webhook", None, 200),
        ("PUT", "webhook/refresh", {"webhookIds": [1000]}, 200),
        ("DELETE", "webhook", {"webhookIds": [1000]}, 202),
        ("GET", "webhook/failed", None, 403),
    ],
)
def test_it_answers_as_documented(ada: Jira, method: str, path: str, body: Any, status: int) -> None:
    register(ada)
    check_request(method, f"/rest/api/3/{path}", [], body)

    answer = ada(method, path, json=body)

    assert answer.status_code == status
    # The document's schema has a number for the date; its example, and Jira, have a text.
    text = re.sub(r'("expirationDate": ?)"[^"]+"', r"\g<1>1795600000000", answer.text)
    check_response(method, f"/rest/api/3/{path}", status, json.loads(text) if text else None)


def test_webhooks_need_their_own_scope(jira: Jira) -> None:
    answer = jira("GET", "webhook")

    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized; scope does not match")


@pytest.mark.parametrize("url", ["http://app.example.com/hook", "ftp://localhost/hook", "https://", "hook", ""])
def test_deliveries_go_by_https_or_stay_on_this_machine(ada: Jira, url: str) -> None:
    answer = ada("POST", "webhook", json=wanted(url))

    assert answer.status_code == 400
    assert "https" in answer.json()["errorMessages"][0]


@pytest.mark.parametrize("events", [["project_created"], ["jira:issue_updated", "worklog_created"], [], ["no such"]])
def test_an_app_hears_of_issues_but_not_of_projects(ada: Jira, events: list[str]) -> None:
    body = {"url": ADDRESS, "webhooks": [{"events": events, "jqlFilter": EVERYTHING}]}

    answer = ada("POST", "webhook", json=body)

    assert (answer.status_code, listed(ada)) == (400, [])


@pytest.mark.parametrize("hooks", [None, [], "all", ["jira:issue_updated"], [{"events": "comment_created"}]])
def test_what_is_no_list_of_webhooks_is_refused(ada: Jira, hooks: Any) -> None:
    assert ada("POST", "webhook", json={"url": ADDRESS, "webhooks": hooks}).status_code == 400


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("", "Empty JQL search not supported"),
        ("project is not EMPTY", "Operator is not is unsupported"),
        ("summary ~ disk", "Operator ~ is unsupported"),
        ("labels = urgent", "The clause labels is unsupported"),
        ("project = NOWHERE", "The value 'NOWHERE' does not exist for the field 'project'."),
    ],
)
def test_a_filter_says_less_than_a_search_may(ada: Jira, jql: str, words: str) -> None:
    assert problem(ada, ADDRESS, jql) == words
    assert listed(ada) == []


def test_each_webhook_of_a_request_stands_for_itself(ada: Jira) -> None:
    answer = ada("POST", "webhook", json=wanted(ADDRESS, "project = OPS", "labels = urgent", "status = Done"))

    results = answer.json()["webhookRegistrationResult"]
    assert [list(result) for result in results] == [["createdWebhookId"], ["errors"], ["createdWebhookId"]]
    assert [hook["jqlFilter"] for hook in listed(ada)] == ["project = OPS", "status = Done"]


def test_five_of_a_user_are_the_most_at_a_site(ada: Jira, jira_of: Callable[..., Jira]) -> None:
    for _ in range(5):
        register(ada)

    assert "limit of 5 webhooks" in problem(ada)
    assert register(jira_of("Bo Lind", scopes=HOOKS))


def test_an_app_has_one_address_for_all_its_users(ada: Jira, jira_of: Callable[..., Jira]) -> None:
    register(ada)
    bo = jira_of("Bo Lind", GLOBEX, scopes=HOOKS)

    words = problem(bo, "https://other.example.com/webhooks")

    assert words == "Only a single URL per app is allowed to be registered via REST API."
    assert register(bo)


def test_a_user_sees_and_removes_none_but_their_own(ada: Jira, jira_of: Callable[..., Jira]) -> None:
    [hers] = register(ada)
    bo = jira_of("Bo Lind", scopes=HOOKS)

    answer = bo("DELETE", "webhook", json={"webhookIds": [hers, 4711]})

    assert (answer.status_code, listed(bo)) == (202, [])
    assert [hook["id"] for hook in listed(ada)] == [hers]


def test_a_refresh_revives_what_expired_and_ignores_what_is_unknown(ada: Jira, app: App) -> None:
    [hook] = register(ada)
    app.sandbox.operate("webhooks/expire", {"all": True})
    [expired] = listed(ada)

    answer = ada("PUT", "webhook/refresh", json={"webhookIds": [hook, 4711]})

    [revived] = listed(ada)
    assert revived["expirationDate"] == answer.json()["expirationDate"] > expired["expirationDate"]


# Delivering ---------------------------------------------------------------------------------------------------------


def test_a_delivery_is_signed_with_the_secret_of_the_app(ada: Jira, app: App, receiver: Upstream) -> None:
    [hook] = register(ada, receiver.url)
    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    [request] = heard(receiver)

    scheme, token = request.header("Authorization").split()
    claims = jwt.decode(token, app.client_secret, algorithms=["HS256"])
    assert (scheme, claims["exp"] - claims["iat"]) == ("Bearer", 180)
    assert request.header("User-Agent") == "Atlassian Webhook HTTP Client"
    assert request.header("X-Atlassian-Webhook-Flow") == "Primary"
    assert {"x-atlassian-webhook-retry", "x-hub-signature"}.isdisjoint(request.names)
    [body] = bodies([request])
    assert (body["webhookEvent"], body["matchedWebhookIds"]) == ("jira:issue_updated", [hook])
    assert body["issue"]["fields"]["summary"] == "Disk is fuller"
    assert body["issue"]["self"].startswith(f"{app.sandbox.url}/sites/acme/")


def test_one_delivery_names_all_that_match(ada: Jira, app: App, receiver: Upstream) -> None:
    one, two, _ = register(ada, receiver.url, "project = OPS", EVERYTHING, "project != OPS")

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    [body] = bodies(heard(receiver))
    assert body["matchedWebhookIds"] == [one, two]


def test_fields_choose_among_the_changes(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url, fieldIdsFilter=["priority"])

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Not told"})
    app.sandbox.operate("issues/change", {"key": "OPS-1", "priority": "Low"})

    [body] = bodies(heard(receiver))
    assert [item["fieldId"] for item in body["changelog"]["items"]] == ["priority"]


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503])
def test_what_is_not_taken_comes_again(ada: Jira, app: App, receiver: Upstream, status: int) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_retry_seconds": [0, 0.05]})
    receiver.replies(status)

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    first, second = heard(receiver, 2)
    assert second.header("X-Atlassian-Webhook-Retry") == "1"
    assert second.header("X-Atlassian-Webhook-Identifier") == first.header("X-Atlassian-Webhook-Identifier")
    assert second.body == first.body


def test_after_five_repetitions_it_is_given_up(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_retry_seconds": [0, 0]})
    for _ in range(6):
        receiver.replies(503)

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Lost"})
    heard(receiver, 6)
    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Taken"})

    summaries = [body["issue"]["fields"]["summary"] for body in bodies(heard(receiver, 7))]
    assert summaries == ["Lost"] * 6 + ["Taken"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_final(ada: Jira, app: App, receiver: Upstream, status: int) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_retry_seconds": [0, 0]})
    receiver.replies(status)

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Refused"})
    heard(receiver)
    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Taken"})

    summaries = [body["issue"]["fields"]["summary"] for body in bodies(heard(receiver, 2))]
    assert summaries == ["Refused", "Taken"]


def test_a_comment_carries_a_short_issue(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url, events=["comment_created"])

    app.sandbox.operate("issues/comment", {"key": "OPS-1", "text": "On my way."})

    [body] = bodies(heard(receiver))
    assert body["comment"]["body"] == "On my way."
    assert set(body["issue"]["fields"]) == {"summary", "issuetype", "project", "assignee", "priority", "status"}
    assert "user" not in body


def test_an_expired_webhook_says_nothing(ada: Jira, app: App, receiver: Upstream) -> None:
    [_, second] = register(ada, receiver.url, EVERYTHING, "project = OPS")
    [first] = [hook["id"] for hook in listed(ada) if hook["id"] != second]
    app.sandbox.operate("webhooks/expire", {"ids": [first]})

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    [body] = bodies(heard(receiver))
    assert body["matchedWebhookIds"] == [second]


def test_a_private_app_hears_only_of_what_its_owner_sees(
    ada: Jira, jira_of: Callable[..., Jira], app: App, receiver: Upstream
) -> None:
    [hers] = register(ada, receiver.url)
    register(jira_of("Bo Lind", scopes=HOOKS), receiver.url)
    owner = ada("GET", "myself").json()["accountId"]
    app.sandbox.operate("settings", {"private_apps": True, "private_owner": owner})

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    [body] = bodies(heard(receiver))
    assert body["matchedWebhookIds"] == [hers]


def test_an_administrators_webhook_signs_the_body_and_is_told_of_projects(app: App, receiver: Upstream) -> None:
    hook = {"site": ACME, "url": receiver.url, "secret": SECRET, "events": ["project_updated"]}
    app.sandbox.operate("admin-webhooks", hook)

    app.sandbox.operate("projects/change", {"key": "OPS", "name": "Operations 2"})

    [request] = heard(receiver)
    signature = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.header("X-Hub-Signature") == f"sha256={signature}"
    assert "authorization" not in request.names
    [body] = bodies([request])
    assert (body["webhookEvent"], body["project"]["name"]) == ("project_updated", "Operations 2")
    assert "matchedWebhookIds" not in body


# Trouble, as the operator orders it ---------------------------------------------------------------------------------


def test_a_delivery_may_come_twice(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_duplicate_next": 1})

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    first, second = heard(receiver, 2)
    assert second.header("X-Atlassian-Webhook-Identifier") == first.header("X-Atlassian-Webhook-Identifier")


def test_a_delivery_may_never_come(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_lose_next": 1})

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Lost"})
    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Told"})

    [body] = bodies(heard(receiver))
    assert body["issue"]["fields"]["summary"] == "Told"


def test_deliveries_may_come_in_the_wrong_order(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_shuffle": True})

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "First"})
    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Second"})

    summaries = [body["issue"]["fields"]["summary"] for body in bodies(heard(receiver, 2))]
    assert summaries == ["Second", "First"]


def test_a_delivery_may_come_late_and_says_so(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("settings", {"webhook_secondary": True, "webhook_delay_ms": 100})

    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})

    [request] = heard(receiver)
    assert request.header("X-Atlassian-Webhook-Flow") == "Secondary"


def test_the_operator_can_repeat_one(ada: Jira, app: App, receiver: Upstream) -> None:
    register(ada, receiver.url)
    app.sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is fuller"})
    [first] = heard(receiver)
    identifier = first.header("X-Atlassian-Webhook-Identifier")

    assert app.sandbox.operate("deliveries/repeat", {"identifier": identifier}) == {"repeated": True}

    assert heard(receiver, 2)[1].body == first.body
