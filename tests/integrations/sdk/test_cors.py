"""Which pages may call the API from a browser: exactly those that the project names."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations.models import Integration, Project
from tests.integrations.sdk.conftest import PAGE, Person

pytestmark = pytest.mark.django_db
OURS = "http://localhost:8000"
ASKED = "authorization,content-type,x-paragon-credential,x-paragon-configuration-id,x-paragon-sdk-version,x-of-the-app"
LOOKALIKES = [
    "null",
    "",
    "*",
    "https://evil.test",
    "http://app.acme.test",
    "https://app.acme.test:8443",
    "https://app.acme.test.evil.test",
    "https://app.acme.test@evil.test",
    "https://evil.test/https://app.acme.test",
    "https://xapp.acme.test",
    "https://acme.test",
    "https://sub.app.acme.test",
    "https://app.acme.test/",
    "https://app.acme.test evil",
    "https://аpp.acme.test",
    "http://localhost:3000",
    "http://localhost:8001",
]
LOOPBACK = [
    "http://localhost:3000",
    "http://localhost",
    "https://localhost:3000",
    "http://127.0.0.1:5173",
    "http://[::1]:3000",
]
LOOPBACK_LOOKALIKES = [
    "http://localhost.evil.test",
    "http://localhost:3000.evil.test",
    "http://localhost@evil.test",
    "http://127.0.0.1.evil.test",
    "http://127.0.0.2:3000",
    "http://0.0.0.0:3000",
    "http://192.168.0.1:3000",
    "http://notlocalhost:3000",
    "http://localhost:",
    "http://localhost:123456",
    "http://localhost:3000/",
    "ftp://localhost",
    "file://localhost",
]


def preflight(project: Project, origin: str, path: str = "sdk/me", method: str = "GET", headers: str = ASKED) -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return Client().options(f"/projects/{project.pk}/{path}", headers=asked)


# The question before the call -----------------------------------------------------------------------------------------


def test_the_projects_page_may_ask(project: Project) -> None:
    answer = preflight(project, PAGE)

    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == PAGE
    assert answer.content == b""


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_of_the_protocol_is_allowed(method: str, project: Project) -> None:
    answer = preflight(project, PAGE, "sdk/proxy/jira/rest/api/3/issue", method)

    assert method in answer["Access-Control-Allow-Methods"].split(", ")


@pytest.mark.parametrize("header", ASKED.split(","))
def test_every_header_asked_for_is_allowed_by_name(header: str, project: Project) -> None:
    answer = preflight(project, PAGE)

    assert header in answer["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")


def test_authorization_is_named_even_when_nothing_is_asked_for(project: Project) -> None:
    answer = Client().options(f"/projects/{project.pk}/sdk/me", headers={"Origin": PAGE})

    assert answer["Access-Control-Allow-Headers"] == "Authorization"


def test_the_answer_may_be_remembered_for_a_while(project: Project) -> None:
    assert int(preflight(project, PAGE)["Access-Control-Max-Age"]) >= 60


@pytest.mark.parametrize("path", ["sdk/me", "sdk/nothing", "raw/jira/rest/api/3/myself", "sdk/workflows/1", "triggers"])
def test_it_may_ask_about_any_address(path: str, project: Project) -> None:
    assert preflight(project, PAGE, path).status_code == 204


@pytest.mark.parametrize("origin", LOOKALIKES)
def test_another_page_may_not_ask(origin: str, project: Project) -> None:
    answer = preflight(project, origin)

    assert (answer.status_code, answer.json()["code"]) == (400, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Headers" not in answer.headers


def test_the_page_of_another_project_may_not_ask(project: Project) -> None:
    other = Project.objects.create(name="Other", allowed_origins=["https://other.test"])

    answer = preflight(other, PAGE)

    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("project_id", ["00000000-0000-4000-8000-000000000000", "not-an-id"])
def test_nobody_may_ask_about_a_project_that_does_not_exist(project_id: str, project: Project) -> None:
    answer = Client().options(f"/projects/{project_id}/sdk/me", headers={"Origin": PAGE})

    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_that_is_no_longer_allowed_may_not_ask(project: Project) -> None:
    assert preflight(project, PAGE).status_code == 204

    project.allowed_origins = []
    project.save()

    assert preflight(project, PAGE).status_code == 400


# Pages on the developer's own machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", LOOPBACK)
def test_local_pages_may_ask_where_the_project_says_so(origin: str, project: Project) -> None:
    project.allow_loopback_origins = True
    project.save()

    assert preflight(project, origin)["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", LOOPBACK)
def test_local_pages_may_not_ask_elsewhere(origin: str, project: Project) -> None:
    assert preflight(project, origin).status_code == 400


@pytest.mark.parametrize("origin", LOOPBACK_LOOKALIKES)
def test_what_only_looks_local_may_not_ask(origin: str, project: Project) -> None:
    project.allow_loopback_origins = True
    project.save()

    answer = preflight(project, origin)

    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_origin_with_a_line_break_is_not_one(alice: Person, jira: Integration) -> None:
    alice.project.allow_loopback_origins = True
    alice.project.save()

    answer = alice.call("POST", "sdk/connect", {"integration": "jira", "origin": "http://localhost:3000\n"})

    assert (answer.status_code, answer.json()["code"]) == (400, "origin_not_allowed")


# The call itself ------------------------------------------------------------------------------------------------------


def test_an_allowed_page_may_read_the_answer(alice: Person) -> None:
    answer = alice.get("sdk/me", Origin=PAGE)

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize("origin", [origin for origin in LOOKALIKES if origin])
def test_another_page_is_refused_even_with_a_good_token(origin: str, alice: Person) -> None:
    answer = alice.get("sdk/me", Origin=origin)

    assert (answer.status_code, answer.json()["code"]) == (400, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_refusal_says_where_to_allow_a_page(alice: Person) -> None:
    assert "Settings › SDK › Allowed origins" in alice.get("sdk/me", Origin="https://evil.test").json()["message"]


def test_a_refused_page_changes_nothing(alice: Person) -> None:
    alice.call("PATCH", "sdk/me", {"meta": {"plan": "free"}})

    alice.call("PATCH", "sdk/me", {"meta": {"plan": "stolen"}}, Origin="https://evil.test")

    assert alice.get("sdk/me").json()["meta"] == {"plan": "free"}


def test_a_back_end_sends_no_origin_and_is_served(alice: Person) -> None:
    answer = alice.get("sdk/me")

    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_our_own_portal_may_call(alice: Person) -> None:
    answer = alice.get("sdk/me", Origin=OURS)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, OURS)


@pytest.mark.parametrize("origin", [{}, {"Origin": PAGE}, {"Origin": "https://evil.test"}], ids=str)
def test_a_cache_is_told_that_answers_differ_by_origin(origin: dict[str, str], alice: Person) -> None:
    answer = alice.get("sdk/me", **origin)

    assert "Origin" in answer["Vary"].split(", ")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Retry-After", "ETag", "Content-Disposition", "X-Patchbay-Hint"])
def test_headers_that_an_app_needs_can_be_read(header: str, alice: Person) -> None:
    answer = alice.get("sdk/me", Origin=PAGE)

    assert header in answer["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.parametrize("origin", [PAGE, OURS])
def test_cookies_are_never_invited(origin: str, alice: Person) -> None:
    answers = [preflight(alice.project, origin), alice.get("sdk/me", Origin=origin)]

    assert [answer.headers.get("Access-Control-Allow-Credentials") for answer in answers] == [None, None]
    assert [answer.cookies for answer in answers] == [{}, {}]


# Errors must be readable too, or an app sees only "Failed to fetch" ---------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "sdk/credentials/00000000-0000-4000-8000-000000000000", b"", 404),
        ("GET", "sdk/nothing", b"", 404),
        ("POST", "sdk/me", b"", 405),
        ("PATCH", "sdk/me", b"{", 400),
        ("PATCH", "sdk/me", b" " * 1_000_001, 413),
        ("GET", "sdk/proxy/jira/rest/api/3/myself", b"", 400),
        ("POST", "sdk/connect/claim", b"{}", 409),
    ],
)
def test_an_allowed_page_can_read_an_error(method: str, path: str, body: bytes, status: int, alice: Person) -> None:
    answer = alice.send(method, path, body, Origin=PAGE)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, PAGE)
    assert set(answer.json()) >= {"code", "message"}


def test_an_allowed_page_can_read_that_its_token_is_bad(project: Project) -> None:
    answer = Client().get(f"/projects/{project.pk}/sdk/me", headers={"Origin": PAGE})

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (401, PAGE)
    assert answer.json()["code"] == "invalid_user_token"


def test_an_allowed_page_can_read_that_we_have_a_bug(
    project: Project, person: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.sdk.shapes.me", lambda *args: 1 / 0)
    alice = Person(project, person("alice").token, Client(raise_request_exception=False))

    answer = alice.get("sdk/me", Origin=PAGE)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (500, PAGE)


# What is for everyone -------------------------------------------------------------------------------------------------


def test_the_apis_description_may_be_read_from_anywhere(client: Client) -> None:
    answer = client.get("/api/openapi.json", headers={"Origin": "https://docs.example.com"})

    assert answer["Access-Control-Allow-Origin"] == "https://docs.example.com"


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/admin/", "/healthz", "/ui"])
def test_the_rest_of_the_server_is_for_no_other_page(path: str, project: Project, client: Client) -> None:
    answer = client.get(path, headers={"Origin": PAGE})

    assert "Access-Control-Allow-Origin" not in answer.headers
