"""The Connect Portal around our SDK."""

import re

import pytest
from playwright.sync_api import expect

from integrations.models import Connection, Grant, Project
from tests.browser.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(alice: Product) -> Product:
    alice.start("connect", "jira")
    expect(alice.portal.dialog).to_be_visible()
    return alice


def test_it_connects_and_shows_who_is_connected(opened: Product) -> None:
    opened.portal.connect().connect(site="Globex")

    row = opened.portal.frame.get_by_role("listitem")
    expect(row).to_contain_text("Ada Park")
    expect(row).to_contain_text("Globex")
    assert opened.outcome()["value"]["integrationType"] == "jira"


def test_a_failure_is_shown_in_it_and_can_be_tried_again(opened: Product) -> None:
    opened.portal.connect().deny()

    expect(opened.portal.frame.get_by_role("alert")).to_have_text(
        "You did not allow access to Jira. Nothing was connected."
    )
    expect(opened.portal.frame.get_by_role("button", name="Connect Jira")).to_be_enabled()


def test_escape_closes_it_and_connect_rejects(opened: Product) -> None:
    opened.page.keyboard.press("Escape")

    expect(opened.portal.element).to_be_hidden()
    assert opened.outcome()["error"]["code"] == "portal_closed"


def test_focus_stays_inside(opened: Product) -> None:
    for _ in range(5):
        opened.page.keyboard.press("Tab")

    focused = "() => document.activeElement.closest('dialog') !== null"
    assert opened.page.frame(url=re.compile("/ui"))
    assert opened.page.frames[-1].evaluate(focused)


def test_disconnecting_is_asked_about_and_says_where_to_revoke(opened: Product) -> None:
    opened.portal.connect().connect()
    opened.portal.press("Disconnect")
    expect(opened.portal.frame.get_by_role("link")).to_have_attribute("href", re.compile("atlassian"))

    opened.portal.press("Yes, disconnect")

    expect(opened.portal.frame.get_by_role("button", name="Connect Jira")).to_be_visible()
    assert not Connection.objects.exists()


def test_another_account_can_be_added(opened: Product) -> None:
    opened.portal.connect().connect(account="Ada Park")

    opened.portal.connect("Add another account").connect(account="Bo Lind")

    expect(opened.portal.frame.get_by_role("listitem")).to_have_count(2)


def test_a_lost_grant_is_told_with_its_reason_and_reconnects_in_place(alice: Product) -> None:
    credential_id = alice.connected()
    Grant.objects.update(status=Grant.Status.NEEDS_RECONNECT, reason="Access was revoked at Atlassian.")
    alice.call("setUserMetadata", {"seen": 1})
    alice.start("connect", "jira")
    expect(alice.portal.frame.get_by_text("Access was revoked at Atlassian.")).to_be_visible()

    alice.portal.connect("Reconnect").allow()

    expect(alice.portal.frame.get_by_text("Connected", exact=True)).to_be_visible()
    assert str(Connection.objects.get().pk) == credential_id


def test_a_page_on_another_origin_cannot_frame_it(alice: Product, project: Project, server: str) -> None:
    project.allow_loopback_origins, project.allowed_origins = False, ["https://app.acme.example"]
    project.save()
    alice.page.wait_for_timeout(3500)  # what a server remembers of a project is at most three seconds old

    alice.page.evaluate(
        "(url) => document.body.append(Object.assign(document.createElement('iframe'), { src: url }))",
        f"{server}/ui?projectId={project.pk}",
    )
    alice.page.wait_for_timeout(500)

    assert not [frame for frame in alice.page.frames if "projectId" in frame.url and frame.locator("dialog").count()]


def test_it_shows_nothing_of_what_a_foreign_frame_says(opened: Product, server: str) -> None:
    forged = {
        "messageType": "UI_UPDATE",
        "nextContext": {},
        "nextModalState": {"integration": {"name": "Forged", "type": "x"}},
    }
    script = """(message) => {
        const other = document.body.appendChild(document.createElement("iframe"));
        other.contentWindow.eval(`parent.frames[0].postMessage(${JSON.stringify(message)}, "*")`);
    }"""

    opened.page.evaluate(script, forged)

    expect(opened.portal.frame.get_by_role("heading")).to_have_text("Jira")
