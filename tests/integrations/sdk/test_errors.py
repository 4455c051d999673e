"""Whatever goes wrong, the answer is JSON that a program and a person can read: never a page, never a stack trace."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from integrations.models import Connection, Integration, Project
from integrations.sdk.urls import ROUTES
from tests.integrations.sdk.conftest import PAGE, Person

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-4000-8000-000000000000"
ONE_ROUTE_EACH = {view: below for below, view, name in ROUTES}.values()
LONE_HALF = "\ud800"  # half of a pair that UTF-16 needs; JSON can write it, UTF-8 cannot
NUL = "\x00"


@pytest.fixture
def unlucky(project: Project, person: Callable[..., Person]) -> Person:
    """Alice, who sees our bugs as a browser does."""
    return Person(project, person("alice").token, Client(raise_request_exception=False))


def problem(answer: Any) -> tuple[int, str]:
    """Return status and code of an answer that is an error as every error is."""
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


# Addresses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        f"/projects/{NOBODY}/sdk/nothing",
        f"/projects/{NOBODY}/nothing",
        f"/projects/{NOBODY}/",
        f"/v2/projects/{NOBODY}/sdk/nothing",
        f"/projects/{NOBODY}/sdk/me/",
        "/projects/not-an-id/sdk/me",
        "/projects/%2e%2e/sdk/me",
        "/api/nothing",
        "/api/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_said_in_json(method: str, path: str, client: Client) -> None:
    assert problem(client.generic(method, path)) == (404, "http_404")


def test_a_page_that_does_not_exist_is_still_a_page(client: Client) -> None:
    answer = client.get("/nothing")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_an_unknown_integration_is_said(alice: Person) -> None:
    assert problem(alice.get("sdk/proxy/nothing/path")) == (404, "no_integration")


@pytest.mark.parametrize("path", [f"sdk/credentials/{NOBODY}", f"sdk/connect/{NOBODY}"])
def test_an_unknown_row_is_said(path: str, alice: Person) -> None:
    assert problem(alice.get(path))[0] == 404


def test_the_id_of_a_project_may_be_written_in_capitals(alice: Person) -> None:
    address = f"/projects/{str(alice.project.pk).upper()}/sdk/me"

    assert alice.client.get(address, headers={"Authorization": f"Bearer {alice.token}"}).status_code == 200


# Methods --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "sdk/me", "GET, PATCH"),
        ("DELETE", "sdk/me", "GET, PATCH"),
        ("POST", "sdk/integrations", "GET"),
        ("GET", f"sdk/integrations/{NOBODY}", "DELETE"),
        ("DELETE", "sdk/credentials", "GET, POST"),
        ("PUT", f"sdk/credentials/{NOBODY}", "GET, PATCH, DELETE"),
        ("GET", "sdk/connect", "POST"),
        ("GET", "sdk/connect/claim", "POST"),
        ("GET", "sdk/events/trigger", "POST"),
        ("GET", f"sdk/workflows/{NOBODY}", "POST, DELETE"),
        ("TRACE", "sdk/me", "GET, PATCH"),
        ("NONSENSE", "sdk/me", "GET, PATCH"),
    ],
)
def test_a_wrong_method_names_the_right_ones(method: str, path: str, allowed: str, alice: Person) -> None:
    answer = alice.call(method, path)

    assert problem(answer) == (405, "method_not_allowed")
    assert answer["Allow"] == allowed
    assert allowed in answer.json()["message"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "NONSENSE"])
def test_a_method_that_cannot_be_forwarded_is_refused(
    method: str, alice: Person, connect: Callable[..., Connection]
) -> None:
    connect("alice")

    assert problem(alice.call(method, "raw/jira/rest/api/3/myself")) == (405, "method_not_allowed")


# Bodies ---------------------------------------------------------------------------------------------------------------

BAD_JSON = {
    "cut off": b'{"meta": {',
    "not JSON": b"meta=1",
    "two values": b"{}{}",
    "no UTF-8": b'{"meta": "\xff"}',
    "too deep": b"[" * 100_000,
    "too deep inside": b'{"meta":' * 50_000,
    "too long a number": b'{"meta": {"n": ' + b"9" * 5_000 + b"}}",
    "not a number": b'{"meta": {"n": NaN}}',
    "endless": b'{"meta": {"n": Infinity}}',
    "endless below zero": b'{"meta": {"n": -Infinity}}',
    "endless in disguise": b'{"meta": {"n": 1e999}}',
}
NO_OBJECTS = [b"[]", b'[{"meta": {}}]', b'"meta"', b"1", b"null", b"true"]


@pytest.mark.parametrize("kind", BAD_JSON)
def test_a_body_that_is_no_json_is_refused(kind: str, unlucky: Person) -> None:
    assert problem(unlucky.send("PATCH", "sdk/me", BAD_JSON[kind])) == (400, "bad_json")


@pytest.mark.parametrize("data", NO_OBJECTS)
def test_a_body_must_be_an_object(data: bytes, alice: Person) -> None:
    answer = alice.send("PATCH", "sdk/me", data)

    assert problem(answer) == (400, "bad_json")
    assert answer.json()["message"] == "The body must be a JSON object."


def test_a_body_without_metadata_changes_none(alice: Person) -> None:
    alice.call("PATCH", "sdk/me", {"meta": {"Name": "Alice"}})

    alice.call("PATCH", "sdk/me", {})

    assert alice.get("sdk/me").json()["meta"] == {"Name": "Alice"}


@pytest.mark.parametrize("path", ["sdk/connect", "sdk/connect/claim", "sdk/credentials", "sdk/events/trigger"])
@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff", b""])
def test_every_body_is_read_with_the_same_care(path: str, data: bytes, unlucky: Person) -> None:
    assert problem(unlucky.send("POST", path, data))[0] in (400, 404, 409)


def test_a_body_that_is_too_large_is_refused(alice: Person) -> None:
    answer = alice.send("PATCH", "sdk/me", b'{"meta": {"n": "' + b"x" * 1_000_000 + b'"}}')

    assert problem(answer) == (413, "too_large")
    assert "1,000,000 bytes" in answer.json()["message"]


def test_a_body_whose_length_is_nonsense_is_refused(unlucky: Person) -> None:
    headers = {"Authorization": f"Bearer {unlucky.token}"}

    answer = unlucky.client.generic(
        "PATCH", unlucky.address("sdk/me"), b"{}", "application/json", headers=headers, CONTENT_LENGTH="many"
    )

    assert answer.status_code < 500


@pytest.mark.parametrize("config", [None, [], "settings", 1])
def test_settings_must_be_an_object(config: Any, alice: Person, connect: Callable[..., Connection]) -> None:
    connection = connect("alice")

    answer = alice.call("PATCH", f"sdk/credentials/{connection.pk}", {"config": config})

    assert problem(answer) == (400, "bad_config")


# Text that a database cannot keep -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [LONE_HALF, NUL], ids=["half a letter", "NUL"])
@pytest.mark.parametrize(
    "body",
    [
        {"integration": "{}", "origin": PAGE},
        {"integration": "jira", "origin": "{}"},
        {"integration": "jira", "origin": PAGE, "externalId": "{}"},
        {"integration": "jira", "origin": PAGE, "selectedCredentialId": "{}"},
        {"integration": "jira", "origin": PAGE, "returnUrl": "{}"},
    ],
    ids=str,
)
def test_odd_text_in_a_wish_to_connect_breaks_nothing(
    body: dict[str, str], text: str, unlucky: Person, jira: Integration, settings: Any
) -> None:
    settings.PROVIDER_SETTINGS = {"jira": {"DEV_CLIENT_ID": "dev", "DEV_CLIENT_SECRET": "secret"}}

    answer = unlucky.call("POST", "sdk/connect", {name: value.replace("{}", text) for name, value in body.items()})

    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("text", [LONE_HALF, NUL], ids=["half a letter", "NUL"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "sdk/me", {"meta": {"note": "{}"}}),
        ("PATCH", "sdk/me", {"meta": {"{}": 1}}),
        ("POST", "sdk/connect/claim", {"code": "{}"}),
        ("POST", "sdk/credentials", {"payload": {"claim": "{}"}}),
        ("POST", "sdk/events/trigger", {"name": "{}"}),
    ],
    ids=str,
)
def test_odd_text_in_a_body_breaks_nothing(
    method: str, path: str, body: dict[str, Any], text: str, unlucky: Person
) -> None:
    data = json.dumps(body).replace("{}", json.dumps(text).strip('"'))

    answer = unlucky.send(method, path, data.encode())

    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("text", [LONE_HALF, NUL], ids=["half a letter", "NUL"])
def test_odd_text_in_settings_breaks_nothing(text: str, unlucky: Person, connect: Callable[..., Connection]) -> None:
    connection = connect("alice")

    answer = unlucky.call("PATCH", f"sdk/credentials/{connection.pk}", {"config": {"sharedSettings": {"note": text}}})

    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("odd", ["%00", "%ED%A0%80", "%FF", "%0A", "a" * 3_000])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "sdk/actions/session-id/{}"),
        ("DELETE", "sdk/actions/session-id/{}"),
        ("POST", "sdk/workflows/{}"),
        ("POST", "sdk/triggers/{}"),
        ("GET", "sdk/credentials?integration={}"),
        ("GET", "sdk/actions/build-oauth?action={}&oauthMetaKeyId=k1&originForPostMessage=" + PAGE),
        ("GET", "sdk/actions/build-oauth?action=jira&oauthMetaKeyId={}&originForPostMessage=" + PAGE),
        ("GET", "sdk/actions/build-oauth?action=jira&oauthMetaKeyId=k1&originForPostMessage={}"),
        ("GET", "sdk/actions/build-oauth?action=jira&oauthMetaKeyId=k1&installOptions={}&originForPostMessage=" + PAGE),
        ("GET", "sdk/proxy/jira/{}"),
        ("GET", "raw/jira/{}"),
    ],
)
def test_odd_text_in_an_address_breaks_nothing(
    method: str, path: str, odd: str, unlucky: Person, jira: Integration
) -> None:
    answer = unlucky.call(method, path.replace("{}", odd))

    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("odd", ["%00", "%ED%A0%80", "%0A", "a" * 3_000])
@pytest.mark.parametrize("query", ["action={}&originForPostMessage=" + PAGE, "action=jira&originForPostMessage={}"])
def test_odd_text_in_the_popups_address_breaks_nothing(
    query: str, odd: str, unlucky: Person, jira: Integration
) -> None:
    answer = unlucky.get(f"sdk/actions/oauth-nonce?userToken={unlucky.token}&{query.replace('{}', odd)}")

    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("odd", ["\x7f", "ä", "x" * 5_000, "ext:", "%00", "' OR 1=1 --"])
@pytest.mark.parametrize("path", ["sdk/credentials?integration=jira", "raw/jira/rest/api/3/myself"])
def test_an_odd_name_of_a_connection_breaks_nothing(path: str, odd: str, unlucky: Person, jira: Integration) -> None:
    answer = unlucky.get(path, **{"X-Paragon-Credential": odd})

    assert problem(answer)[0] in (400, 404)


# Our own bugs ---------------------------------------------------------------------------------------------------------


def break_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("integrations.sdk.shapes.me", broken)


@pytest.mark.parametrize("is_debugging", [False, True])
def test_a_bug_is_a_plain_500(
    is_debugging: bool, unlucky: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = is_debugging
    break_it(monkeypatch, RuntimeError("what only we should know"))

    answer = unlucky.get("sdk/me")

    assert problem(answer) == (500, "http_500")
    assert "Traceback" not in answer.content.decode()
    assert "what only we should know" not in answer.content.decode()


def test_a_bug_is_written_to_the_log_with_its_trace(
    unlucky: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_it(monkeypatch, RuntimeError("what only we should know"))

    unlucky.get("sdk/me")

    assert "what only we should know" in caplog.text
    assert "Traceback" in caplog.text


def test_a_database_that_fails_is_a_plain_500(unlucky: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it(monkeypatch, DatabaseError("relation integrations_project does not exist"))

    answer = unlucky.get("sdk/me")

    assert problem(answer) == (500, "http_500")
    assert "integrations_project" not in answer.content.decode()


def test_a_bug_in_the_proxy_is_a_plain_500(
    unlucky: Person, connect: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect("alice")
    monkeypatch.setattr("integrations.proxy.target", lambda *args: 1 / 0)

    answer = unlucky.get("sdk/proxy/jira/rest/api/3/myself")

    assert problem(answer) == (500, "http_500")
    assert "ZeroDivision" not in answer.content.decode()


def test_an_address_that_we_give_out_never_follows_the_host_header(alice: Person, jira: Integration) -> None:
    [found] = alice.get("sdk/metadata", Host="evil.test").json()

    assert found["icon"].startswith("http://localhost:8000/")


# What is true of every answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ONE_ROUTE_EACH)
def test_no_answer_is_kept_by_a_cache_or_guessed_at(below: str, client: Client, project: Project) -> None:
    filled = below.replace("<slug:slug>", "jira").replace("<path:path>", "p").replace("<str:", "<anyuuid:")
    path = "/".join(NOBODY if part.startswith("<anyuuid:") else part for part in filled.split("/"))

    answer = client.get(f"/projects/{project.pk}/{path}")

    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Content-Type"] == "application/json"
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_words_for_people_are_sentences(alice: Person) -> None:
    message = alice.get(f"sdk/credentials/{NOBODY}").json()["message"]

    assert message == "There is no such connection."


def test_not_being_connected_keeps_paragons_words(alice: Person, jira: Integration) -> None:
    answer = alice.get("sdk/proxy/jira/rest/api/3/myself")

    assert problem(answer) == (400, "not_connected")
    assert answer.json()["message"] == "Integration not enabled for user."
