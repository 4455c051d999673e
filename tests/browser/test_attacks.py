"""Somebody starts a connection in her own name and has Alice finish it: her consent must not become Mallory's."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from playwright.sync_api import expect

from integrations.models import Connection, ConnectSession, Grant, Integration, Project
from tests.browser.product import Consent, Site, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


class Mallory:
    """A user of the product with a token of her own, and a web site."""

    def __init__(self, server: str, project: Project, token: str, origin: str, site: Site) -> None:
        self.base, self.token, self.origin, self.site = f"{server}/projects/{project.pk}/sdk", token, origin, site

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, f"{self.base}/{path}", headers=headers, timeout=10, **more).json()

    def start_link(self) -> str:
        begun = self.ask("POST", "connect", json={"integration": "jira", "origin": self.origin})
        return str(begun["startUrl"])

    def nonce_link(self) -> str:
        return f"{self.base}/actions/oauth-nonce?action=jira&originForPostMessage={self.origin}&userToken={self.token}"

    def build_oauth(self) -> str:
        query = {"action": "jira", "originForPostMessage": self.origin, "oauthMetaKeyId": "mallorys-key"}
        return str(self.ask("GET", "actions/build-oauth", params=query)["redirectUrl"])

    def outcome(self) -> Any:
        return self.ask("GET", "actions/session-id/mallorys-key")

    def trap(self, link: str) -> str:
        """A page that opens the link and keeps whatever it is told."""
        script = f"""<button>Win a prize</button><script>
            globalThis.heard = [];
            addEventListener("message", (event) => heard.push(event.data));
            document.querySelector("button").addEventListener("click", () => open({link!r}));
        </script>"""
        return self.site.add("/trap", script)


@pytest.fixture
def mallory(
    server: str, site: Site, project: Project, jira: Integration, user_token: Callable[..., str]
) -> Iterator[Mallory]:
    project.allowed_origins, project.allow_loopback_origins = [site.url], False
    project.save()
    with serving() as elsewhere:
        yield Mallory(server, project, user_token("mallory"), site.url, elsewhere)


def nothing_is_connected() -> bool:
    has_tokens = ConnectSession.objects.exclude(tokens_sealed="").filter(status="failed").exists()
    return not (Connection.objects.exists() or Grant.objects.exists() or has_tokens)


def test_with_an_opener_on_another_origin(mallory: Mallory, page: "Page") -> None:
    page.goto(mallory.trap(mallory.start_link()))
    with page.expect_popup() as opened:
        page.get_by_role("button").click()

    Consent(opened.value).connect()
    page.wait_for_timeout(1000)

    assert page.evaluate("() => heard") == []
    assert nothing_is_connected()


def test_without_an_opener(mallory: Mallory, page: "Page") -> None:
    page.goto(mallory.start_link())

    Consent(page).connect()

    expect(page.get_by_role("alert")).to_contain_text("nothing was connected")
    assert nothing_is_connected()


def test_by_self_redirect(mallory: Mallory, page: "Page") -> None:
    page.goto(mallory.nonce_link())
    mallory.build_oauth()

    Consent(page).connect()

    expect(page.get_by_role("alert")).to_contain_text("nothing was connected")
    assert nothing_is_connected()
    assert mallory.outcome()["connectCredentialId"] == str(ConnectSession.objects.get(status="failed").pk)


def test_by_the_consent_page_alone(mallory: Mallory, page: "Page") -> None:
    page.goto(mallory.build_oauth())

    Consent(page).allow()

    expect(page.get_by_role("alert")).to_contain_text("another browser")
    assert nothing_is_connected()


def test_a_start_link_works_once(mallory: Mallory, page: "Page") -> None:
    link = mallory.start_link()
    page.goto(link)

    page.goto(link)

    expect(page.get_by_role("alert")).to_contain_text("no longer valid")
