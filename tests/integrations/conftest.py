"""A product's page and its popup without a browser: the same requests, in the same order, by hand."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from integrations.models import Connection, ConnectSession, Integration, OAuthApp, Project
from tests.support.sandbox import Sandbox

PAGE = "http://localhost:3000"


@dataclass
class Window:
    """One person's browser: the product's page, where somebody is signed in, and the popup it opened."""

    project: Project
    token: str
    sandbox: Sandbox
    slug: str = "jira"
    client: Client = field(default_factory=Client)
    consented: dict[str, Any] = field(default_factory=dict)

    def api(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the SDK API as the page does."""
        given = {"Authorization": f"Bearer {self.token}", "Origin": PAGE} | headers
        address = f"/projects/{self.project.pk}/{path}"
        return self.client.generic(
            method, address, b"" if body is None else json.dumps(body).encode(), "application/json", headers=given
        )

    def begin(self, **options: Any) -> str:
        """Press the button; return the address that the popup opens."""
        answer = self.api("POST", "sdk/connect", {"integration": self.slug, "origin": PAGE} | options)
        assert answer.status_code == 200, answer.json()
        return str(answer.json()["startUrl"])

    def go_out(self, start_url: str) -> str:
        """Open the popup; return the consent page's address that it is sent to."""
        answer = self.client.get(urlsplit(start_url).path)
        assert answer.status_code == 302, answer.content.decode()
        return str(answer["Location"])

    def allow(self, consent_url: str, account: str = "Ada Park") -> str:
        """Consent; return the callback's address with its code and state."""
        return self.sandbox.allow(consent_url, account, **self.consented)

    def come_back(self, callback_url: str) -> Any:
        parts = urlsplit(callback_url)
        return self.client.get(f"{parts.path}?{parts.query}")

    def choose(self, site: str = "") -> Any:
        """Choose a site by its name, or the first one."""
        session = ConnectSession.objects.get(status=ConnectSession.Status.RETURNED)
        site_id = next(item["id"] for item in session.sites if not site or item["name"] == site)
        return self.client.post(f"/connect/{session.pk}/choose", {"site": site_id})

    def consent(self, site: str = "Acme", account: str = "Ada Park", **options: Any) -> str:
        """Go all the way to the popup's last page; return the one-time code it hands to its opener."""
        page = self.come_back(self.allow(self.go_out(self.begin(**options)), account))
        if 'data-mode="choose"' in page.content.decode():
            page = self.choose(site)
        return claim_code(page)

    def claim(self, code: str) -> Any:
        return self.api("POST", "sdk/connect/claim", {"code": code})

    def connect(self, site: str = "Acme", account: str = "Ada Park", **options: Any) -> Connection:
        answer = self.claim(self.consent(site, account, **options))
        assert answer.status_code == 200, answer.json()
        return Connection.objects.select_related("grant__app").get(pk=answer.json()["id"])


def claim_code(page: Any) -> str:
    found = re.search(r'data-claim="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found.group(1)


@pytest.fixture
def jira(project: Project) -> Integration:
    """Jira in the project, active, with the sandbox's development keys."""
    app = OAuthApp.objects.create(project=project, provider="jira")
    return Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)


@pytest.fixture
def window_of(jira: Integration, sandbox: Sandbox, user_token: Callable[..., str]) -> Callable[[str], Window]:
    """window_of("bob") is Bob's browser."""
    return lambda sub: Window(jira.project, user_token(sub), sandbox)


@pytest.fixture
def alice(window_of: Callable[[str], Window]) -> Window:
    return window_of("alice")


@pytest.fixture
def mallory(window_of: Callable[[str], Window]) -> Window:
    return window_of("mallory")
