"""Olivia changes a signing key while her back end goes on signing with the old one: nobody is signed out."""

import time
from typing import TYPE_CHECKING

import jwt
import pytest
import requests
from playwright.sync_api import expect

from integrations.models import Project, SigningKey

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


class BackEnd:
    """Signs with a key as it was shown in the browser, and asks Patchbay who the user is."""

    def __init__(self, server: str, project: Project, page: "Page") -> None:
        self.server, self.project = server, project
        self.kid = page.locator(".facts code").first.inner_text()
        self.pem = page.get_by_label("Private key").input_value()

    def token(self) -> str:
        now = int(time.time())
        claims = {"sub": "alice", "aud": str(self.project.pk), "iat": now, "exp": now + 600}
        return jwt.encode(claims, self.pem, algorithm="RS256", headers={"kid": self.kid})

    def status(self) -> int:
        address = f"{self.server}/projects/{self.project.pk}/sdk/me"
        return requests.get(address, headers={"Authorization": f"Bearer {self.token()}"}, timeout=10).status_code


def wait_until_seen(kid: str) -> None:
    for _ in range(50):
        if SigningKey.objects.filter(kid=kid).exclude(last_used_at=None).exists():
            return
        time.sleep(0.1)
    pytest.fail("The key's use was not noted.")


def test_keys_are_changed_without_a_pause(signed_in: "Page", server: str, project: Project) -> None:
    page = signed_in
    page.goto(f"{server}/p/{project.pk}/settings/sdk")
    page.get_by_role("button", name="Generate a key").click()
    old = BackEnd(server, project, page)
    assert old.status() == 200

    page.get_by_role("link", name="I have saved it").click()
    page.get_by_role("link", name="Rotate").click()
    page.get_by_role("radio", name="1 day").check()
    page.get_by_role("button", name="Rotate").click()
    new = BackEnd(server, project, page)

    assert (old.status(), new.status()) == (200, 200)
    wait_until_seen(old.kid)
    page.get_by_role("link", name="I have saved it").click()
    expect(page.get_by_text("both are accepted until")).to_be_visible()
    expect(page.get_by_text("The last token signed with the old key was seen")).to_be_visible()

    page.get_by_role("row").filter(has_text=old.kid).get_by_role("link", name="Revoke").click()
    expect(page.get_by_text("It is in use")).to_be_visible()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("is revoked")).to_be_visible()
    time.sleep(3.1)  # as long as a process may remember that a token was good
    assert (old.status(), new.status()) == (401, 200)


def test_a_token_is_checked_by_pasting_it(signed_in: "Page", server: str, project: Project) -> None:
    page = signed_in
    page.goto(f"{server}/p/{project.pk}/settings/sdk")
    page.get_by_role("button", name="Generate a key").click()
    token = BackEnd(server, project, page).token()

    page.get_by_role("link", name="Check a token").click()
    page.get_by_label("User token").fill(token)
    page.get_by_role("button", name="Check").click()

    expect(page.get_by_role("heading", name="Accepted")).to_be_visible()
    expect(page.get_by_label("User token")).to_have_value("")
    assert token not in page.content()
    assert token not in page.url
