"""Somebody who sees Patchbay for the first time: from signing in to the first answer, by clicks alone."""

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from integrations.models import Member, Project, User
from tests.browser.product import Consent
from tests.support.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
MOST_CLICKS = 12


class Mouse:
    """Counts what is clicked."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: "Locator") -> None:
        self.clicks += 1
        target.click()


@pytest.fixture
def newcomer(project: Project, settings: Any) -> User:
    # What the server, another process, can read.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    user = User.objects.create_user("nora@acme.test", PASSWORD)
    Member.objects.create(project=project, user=user, role=Member.Role.OWNER)
    return user


def sign_in(page: "Page", server: str, user: User) -> None:
    page.goto(server)
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_the_first_call_is_a_few_clicks_away(
    page: "Page", server: str, newcomer: User, sandbox: Sandbox, record_property: Any
) -> None:
    sign_in(page, server, newcomer)
    mouse, began = Mouse(), time.monotonic()

    mouse.click(page.get_by_role("link", name="Open the catalog"))
    page.get_by_label("Search the catalog").fill("jira")
    page.keyboard.press("Enter")
    mouse.click(page.get_by_role("link", name="Jira", exact=True))
    mouse.click(page.get_by_role("button", name="Add to project"))
    mouse.click(page.get_by_role("button", name="Activate", exact=True))
    mouse.click(page.get_by_role("button", name="Connect a test account"))
    consent = Consent(page)
    mouse.click(page.locator("[data-test=accept]"))
    mouse.click(consent.popup.get_by_role("radio", name="Acme"))
    mouse.click(page.locator("[data-test=connect-site]"))
    mouse.click(page.get_by_role("button", name="Send", exact=True))

    expect(page.locator("#answer")).to_contain_text("200")
    expect(page.locator("#answer")).to_contain_text("accountId")
    record_property("seconds", round(time.monotonic() - began, 1))
    record_property("clicks", mouse.clicks)
    assert mouse.clicks <= MOST_CLICKS


def test_the_checklist_leads_there_too(page: "Page", server: str, newcomer: User, sandbox: Sandbox) -> None:
    sign_in(page, server, newcomer)
    steps = page.get_by_role("list").filter(has=page.get_by_text("Add an integration"))

    expect(steps.locator("[aria-current=step]")).to_contain_text("Add an integration")
    page.get_by_role("link", name="Open the catalog").click()
    page.get_by_role("link", name="Jira", exact=True).click()
    page.get_by_role("button", name="Add to project").click()
    page.get_by_role("link", name="Overview", exact=True).first.click()

    expect(steps.locator("[aria-current=step]")).to_contain_text("Activate Jira")


def test_a_window_that_no_script_may_close_says_so(page: "Page", server: str, newcomer: User, sandbox: Sandbox) -> None:
    sign_in(page, server, newcomer)
    page.goto(f"{server}/oauth/callback/{uuid.uuid4()}?state=used-before&code=used-before")

    page.get_by_role("button", name="Close this window").click()

    expect(page.get_by_text("Your browser keeps this window open.")).to_be_visible()
