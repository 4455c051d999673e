"""A tool for telling the sandbox's stories: consent, then call, as an app would."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.sandbox import Sandbox

CALLBACK = "https://app.example.com/oauth/callback"
SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user", "offline_access"]
ACME = "7c1f0a52-3d8e-4b6a-9e21-5a0c4d1b2e01"
GLOBEX = "e4b95d70-6f12-4c3b-8d57-1f9a2b3c4d02"


@dataclass
class App:
    """An app registered at the sandbox's console."""

    sandbox: Sandbox
    client_id: str
    client_secret: str

    def code(
        self, account: str = "Ada Park", *, scopes: list[str] | None = None, sites: list[str] | None = None
    ) -> str:
        """Let a person consent; return the code."""
        asked = {"client_id": self.client_id, "account": account, "scopes": scopes or SCOPES, "redirect_uri": CALLBACK}
        redirect = self.sandbox.operate("consent", asked | {"state": "s", "sites": sites or []})["redirect"]
        return parse_qs(urlsplit(redirect).query)["code"][0]

    def token_call(self, **params: str) -> requests.Response:
        keys = {"client_id": self.client_id, "client_secret": self.client_secret}
        return requests.post(f"{self.sandbox.url}/oauth/token", json=keys | params, timeout=10)

    def exchange(self, code: str, redirect_uri: str = CALLBACK) -> requests.Response:
        return self.token_call(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)

    def refresh(self, refresh_token: str, **params: str) -> requests.Response:
        return self.token_call(grant_type="refresh_token", refresh_token=refresh_token, **params)

    def tokens(self, account: str = "Ada Park", **consent: Any) -> dict[str, Any]:
        body: dict[str, Any] = self.exchange(self.code(account, **consent)).json()
        return body


@dataclass
class Jira:
    """Jira's API on one site, as one person."""

    url: str
    access_token: str
    site: str = ACME

    def __call__(self, method: str, path: str, *, version: int = 3, **arguments: Any) -> requests.Response:
        """Call /rest/api/<version>/<path>."""
        address = f"{self.url}/ex/jira/{self.site}/rest/api/{version}/{path}"
        headers = {"Authorization": f"Bearer {self.access_token}"} | arguments.pop("headers", {})
        return requests.request(method, address, headers=headers, timeout=10, **arguments)

    def search(self, jql: str, **more: Any) -> list[str]:
        """Return the keys of the issues that match."""
        answer = self("POST", "search/jql", json={"jql": jql, "fields": ["key"]} | more)
        assert answer.status_code == 200, answer.text
        return [issue["key"] for issue in answer.json()["issues"]]


@pytest.fixture
def sandbox_server(_sandbox_process: Sandbox) -> Sandbox:
    """Start every story from the seed data."""
    _sandbox_process.reset()
    return _sandbox_process


@pytest.fixture
def app(sandbox_server: Sandbox) -> App:
    made = sandbox_server.operate("clients", {"name": "Acme Tasks", "callback_url": CALLBACK, "scopes": SCOPES})
    return App(sandbox_server, made["client_id"], made["client_secret"])


@pytest.fixture
def jira_of(app: App) -> Callable[..., Jira]:
    """jira_of("Bo Lind", site=GLOBEX) lets a person consent and returns their Jira."""

    def connect(account: str = "Ada Park", site: str = ACME, **consent: Any) -> Jira:
        return Jira(app.sandbox.url, app.tokens(account, **consent)["access_token"], site)

    return connect


@pytest.fixture
def jira(jira_of: Callable[..., Jira]) -> Jira:
    """Ada's Jira on the site Acme."""
    return jira_of()
