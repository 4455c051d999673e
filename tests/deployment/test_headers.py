"""What every kind of answer carries in production, whatever it is and whoever asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support import production
from tests.support.processes import free_port, granian

HOST = "patchbay.example.com"
NOBODY = "00000000-0000-4000-8000-000000000000"
KINDS = {
    "a page": "/accounts/login/",
    "the manual": "/docs/",
    "a page that is not there": "/nothing",
    "the admin": "/admin/login/",
    "the API": f"/projects/{NOBODY}/sdk/me",
    "an address of the API that is not there": f"/projects/{NOBODY}/nothing",
    "the API's description": "/api/openapi.json",
    "the door for deliveries": "/webhooks/jira/unknown",
    "the portal": f"/ui?projectId={NOBODY}",
    "health": "/healthz",
}


@dataclass
class Server:
    port: int

    def ask(self, path: str, method: str = "GET", **headers: str) -> requests.Response:
        """Ask as the proxy in front does, which speaks https to the world."""
        given = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"} | headers
        url = f"http://127.0.0.1:{self.port}{path}"
        return requests.request(method, url, headers=given, allow_redirects=False, timeout=20)


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    own = {name: production.ENVIRONMENT[name] for name in ("SECRET_KEY", "VAULT_KEYS", "BEHIND_PROXY")}
    own |= {"PUBLIC_URL": f"https://{HOST}", "VAR_DIR": str(tmp_path / "var"), "CELERY_BROKER_URL": ""}
    with granian(port, env=own):
        yield Server(port)


def headers_of(server: Server, name: str) -> dict[str, str]:
    return {kind: server.ask(path).headers.get(name, "") for kind, path in KINDS.items()}


def test_https_is_remembered_for_a_year_with_all_names_below(server: Server) -> None:
    assert set(headers_of(server, "Strict-Transport-Security").values()) == {
        "max-age=31536000; includeSubDomains; preload"
    }


def test_nothing_is_taken_for_something_else(server: Server) -> None:
    assert set(headers_of(server, "X-Content-Type-Options").values()) == {"nosniff"}


def test_no_address_is_told_to_other_sites(server: Server) -> None:
    assert set(headers_of(server, "Referrer-Policy").values()) <= {"same-origin", "no-referrer"}


def test_a_policy_forbids_all_that_is_not_named(server: Server) -> None:
    policies = headers_of(server, "Content-Security-Policy")

    assert {kind for kind, policy in policies.items() if "default-src 'none'" not in policy} == set()
    assert {kind for kind, policy in policies.items() if "unsafe" in policy} == set()


def test_nothing_is_framed_but_the_portal(server: Server) -> None:
    """Without a project the portal is an empty shell; with one its own pages may frame it."""
    policies = headers_of(server, "Content-Security-Policy")

    assert {kind for kind, policy in policies.items() if "frame-ancestors 'none'" not in policy} == {"the portal"}


def test_pages_name_no_other_base(server: Server) -> None:
    policy = server.ask("/accounts/login/").headers["Content-Security-Policy"]

    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy


def test_cookies_belong_to_this_host_alone(server: Server) -> None:
    cookies = server.ask("/accounts/login/").headers["Set-Cookie"].split(", __Host")

    assert all("patchbay" in cookie for cookie in cookies)
    assert all("Secure" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie for cookie in cookies)
    assert not any("Domain" in cookie for cookie in cookies)


def test_a_request_is_not_shown_to_who_sent_it(server: Server) -> None:
    answer = server.ask("/accounts/login/", "TRACE", Cookie="secret=1")

    assert answer.status_code in (400, 403, 405)
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/static/", "/static/sdk/", "/docs/security/", "/docs/examples/", "/.git/HEAD"])
def test_no_folder_is_listed_and_no_source_served(server: Server, path: str) -> None:
    assert server.ask(path).status_code == 404


def test_an_api_in_clear_is_not_redirected(server: Server) -> None:
    answer = server.ask(f"/projects/{NOBODY}/sdk/me", **{"X-Forwarded-Proto": "http"})

    assert answer.status_code == 401


def test_a_body_has_one_length(server: Server) -> None:
    both = {"Transfer-Encoding": "chunked", "Content-Length": "4"}

    answer: Any = server.ask(f"/projects/{NOBODY}/sdk/me", "PATCH", **both)

    assert answer.status_code in (400, 401)
