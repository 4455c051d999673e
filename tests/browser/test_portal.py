"""The Connect Portal around our SDK."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from integrations.models import Connection, Grant, Integration, Portal, Project
from tests.browser import axe_package
from tests.browser.product import Product
from workflows import deploy
from workflows.models import Enablement, Workflow

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(alice: Product) -> Product:
    alice.start("connect", "jira")
    expect(alice.portal.dialog).to_be_visible()
    return alice


def accounts(product: Product) -> Locator:
    return product.portal.frame.get_by_role("list", name="Connected accounts").get_by_role("listitem")


def test_it_connects_and_shows_who_is_connected(opened: Product) -> None:
    opened.portal.connect().connect(site="Globex")

    row = accounts(opened)
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

    expect(accounts(opened)).to_have_count(2)


def test_a_lost_grant_is_told_with_its_reason_and_reconnects_in_place(alice: Product) -> None:
    credential_id = alice.connected()
    Grant.objects.update(status=Grant.Status.NEEDS_RECONNECT, reason="Access was revoked at Atlassian.")
    alice.call("setUserMetadata", {"seen": 1})
    alice.start("connect", "jira")
    expect(alice.portal.frame.get_by_text("Access was revoked at Atlassian.")).to_be_visible()

    alice.portal.connect("Reconnect").allow()

    expect(alice.portal.frame.get_by_text("Connected", exact=True)).to_be_visible()
    assert str(Connection.objects.get().pk) == credential_id


@pytest.mark.csp("frame-ancestors")
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

    expect(opened.portal.frame.get_by_role("heading", level=1)).to_have_text("Jira")


# Tabs ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def looking(alice: Product) -> Product:
    """Alice is connected, and has the portal open."""
    alice.connected()
    alice.start("connect", "jira")
    expect(alice.portal.dialog).to_be_visible()
    return alice


def tab(product: Product, name: str) -> Locator:
    return product.portal.frame.get_by_role("tab", name=name)


def test_before_connecting_it_says_what_it_is_about(opened: Product) -> None:
    expect(tab(opened, "Overview")).to_have_attribute("aria-selected", "true")

    expect(opened.portal.frame.get_by_text("acts in your name only")).to_be_visible()
    expect(tab(opened, "Activity")).to_be_hidden()


def test_the_overview_is_what_the_developer_wrote(alice: Product, jira: Integration) -> None:
    Portal.objects.create(integration=jira, description="# Hello\n\nSee [more](https://acme.example/help).")

    alice.start("connect", "jira")

    frame = alice.portal.frame
    expect(frame.get_by_role("heading", name="Hello")).to_be_visible()
    expect(frame.get_by_role("link", name="more")).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_tabs_are_gone_through_with_arrows_and_read_with_tab(looking: Product) -> None:
    keyboard = looking.page.keyboard
    tab(looking, "Configuration").focus()

    keyboard.press("ArrowRight")
    expect(tab(looking, "Activity")).to_be_focused()
    expect(looking.portal.frame.get_by_role("tabpanel", name="Activity")).to_be_visible()
    keyboard.press("ArrowRight")
    expect(tab(looking, "Overview")).to_be_focused()
    keyboard.press("End")
    expect(tab(looking, "Activity")).to_be_focused()
    keyboard.press("Tab")
    expect(looking.portal.frame.get_by_role("tabpanel", name="Activity")).to_be_focused()


def test_a_connection_is_looked_after_with_the_keyboard_alone(looking: Product) -> None:
    keyboard, frame = looking.page.keyboard, looking.portal.frame
    frame.get_by_role("button", name="Disconnect", exact=True).focus()

    keyboard.press("Enter")
    expect(frame.get_by_role("button", name="Keep it")).to_be_focused()
    keyboard.press("Escape")
    expect(frame.get_by_role("button", name="Disconnect", exact=True)).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")

    expect(frame.get_by_role("button", name="Connect Jira")).to_be_visible()
    assert not Connection.objects.exists()


def test_escape_closes_it_after_a_question_was_taken_back(looking: Product) -> None:
    looking.portal.press("Disconnect")
    looking.page.keyboard.press("Escape")
    expect(looking.portal.frame.get_by_role("button", name="Keep it")).to_be_hidden()

    looking.page.keyboard.press("Escape")

    expect(looking.portal.element).to_be_hidden()


# Accounts -----------------------------------------------------------------------------------------------------------


def test_an_account_says_whose_it_is_where_and_since_when(looking: Product) -> None:
    row = accounts(looking)

    expect(row).to_contain_text("Ada Park")
    expect(row).to_contain_text("Acme")
    expect(row).to_contain_text(re.compile(r"Connected since \w+ \d+, \d{4}"))


def test_the_account_is_switched_in_place_after_a_question(looking: Product) -> None:
    credential_id = str(Connection.objects.get().pk)

    consent = looking.portal.connect("Switch account")
    consent.allow("Bo Lind")
    expect(consent.popup.get_by_role("heading")).to_have_text("Use another account?")
    consent.choose("Acme")

    expect(accounts(looking)).to_contain_text("Bo Lind")
    assert str(Connection.objects.get().pk) == credential_id


def test_another_site_of_the_same_account_can_be_chosen(looking: Product) -> None:
    consent = looking.portal.connect("Switch account")
    consent.allow("Ada Park")
    expect(consent.popup.get_by_role("radio", name="Acme")).to_be_checked()

    consent.choose("Globex")

    expect(accounts(looking)).to_contain_text("Globex")
    assert Connection.objects.get().site_name == "Globex"


def test_disconnecting_says_what_stops(alice: Product, jira: Integration, user_token: Callable[..., str]) -> None:
    step = {"id": "made", "type": "values", "input": {"values": [{"key": "n", "value": "1"}]}}
    draft = {"trigger": {"type": "event", "name": "go"}, "steps": [step], "settings": []}
    workflow = Workflow.objects.create(project=jira.project, integration=jira, name="New tasks", draft=draft)
    deploy.deploy(workflow, "test")
    alice.connected()
    Enablement.objects.create(workflow=workflow, connection=Connection.objects.get(), is_enabled=True)
    alice.sign_in(user_token("alice")).start("connect", "jira")

    alice.portal.press("Disconnect")

    words = "These are switched off and their settings are deleted: New tasks."
    expect(alice.portal.frame.get_by_text(words)).to_be_visible()


# What was done ------------------------------------------------------------------------------------------------------


def test_it_tells_what_was_done_in_alices_name(alice: Product) -> None:
    alice.connected()
    alice.call("request", "jira", "/rest/api/3/myself")
    alice.failure("request", "jira", "/rest/api/3/issue/NONE-1")
    alice.page.wait_for_timeout(1200)  # calls are logged in batches, beside the work
    alice.start("connect", "jira")

    tab(alice, "Activity").click()

    rows = alice.portal.frame.get_by_role("tabpanel", name="Activity").get_by_role("listitem")
    expect(rows.nth(0)).to_contain_text("Read an issue")
    expect(rows.nth(0)).to_contain_text("Refused")
    expect(rows.nth(1)).to_contain_text("Looked up whose account this is")


def test_what_is_done_again_and_again_is_told_once(alice: Product) -> None:
    alice.connected()
    for _ in range(3):
        alice.call("request", "jira", "/rest/api/3/myself")
    alice.page.wait_for_timeout(1200)
    alice.start("connect", "jira")

    tab(alice, "Activity").click()

    row = alice.portal.frame.get_by_role("tabpanel", name="Activity").get_by_role("listitem").first
    expect(row).to_contain_text("3 times")


def test_nothing_is_told_where_the_developer_decided_so(alice: Product, jira: Integration) -> None:
    Portal.objects.create(integration=jira, shows_activity=False)
    alice.connected()

    alice.start("connect", "jira")

    expect(tab(alice, "Configuration")).to_be_visible()
    expect(tab(alice, "Activity")).to_be_hidden()


# How it looks -------------------------------------------------------------------------------------------------------


def colour(product: Product, name: str) -> str:
    script = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"
    return str(product.portal.document().evaluate(script, ["[data-act=connect]", name]))


def test_the_accent_colour_is_applied_under_the_strict_policy(alice: Product, jira: Integration) -> None:
    Portal.objects.create(integration=jira, accent_color="#ffcc00")
    refused: list[str] = []
    alice.page.on("console", lambda message: refused.append(message.text))

    alice.start("connect", "jira")
    expect(alice.portal.dialog).to_be_visible()

    assert (colour(alice, "backgroundColor"), colour(alice, "color")) == ("rgb(255, 204, 0)", "rgb(0, 0, 0)")
    assert colour(alice, "borderTopColor") == "rgb(133, 106, 0)"
    assert refused == []


@pytest.mark.parametrize(("theme", "device"), [("dark", "light"), ("light", "dark")])
def test_a_theme_that_was_decided_does_not_follow_the_device(
    alice: Product, jira: Integration, theme: str, device: Any
) -> None:
    Portal.objects.create(integration=jira, theme=theme)
    alice.page.emulate_media(color_scheme=device)

    alice.start("connect", "jira")
    expect(alice.portal.dialog).to_be_visible()

    panel = "() => getComputedStyle(document.querySelector('dialog')).backgroundColor"
    assert alice.portal.document().evaluate(panel) == {"dark": "rgb(25, 31, 34)", "light": "rgb(255, 255, 255)"}[theme]


def test_on_a_phone_it_fills_the_screen_and_nothing_sticks_out(looking: Product) -> None:
    looking.page.set_viewport_size({"width": 390, "height": 780})

    frame = looking.portal.document()
    box = frame.evaluate(
        "() => { const b = document.querySelector('dialog').getBoundingClientRect(); return b.toJSON(); }"
    )
    beyond = (
        "() => [...document.querySelectorAll('dialog, .content')].map((each) => each.scrollWidth - each.clientWidth)"
    )
    wide = frame.evaluate(beyond)
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 390, 780)
    assert wide == [0, 0]


@pytest.mark.parametrize("accent", ["", "#ffcc00", "#0b0b3b"])
def test_nothing_serious_keeps_anyone_out_of_any_tab(alice: Product, jira: Integration, axe: str, accent: str) -> None:
    Portal.objects.create(integration=jira, accent_color=accent, description="See [more](https://acme.example).")
    alice.start("connect", "jira")
    expect(alice.portal.frame.get_by_role("link", name="more")).to_be_visible()
    found = axe_package.in_light_and_dark(alice.portal.document(), axe)
    alice.portal.connect().connect()
    expect(accounts(alice)).to_contain_text("Ada Park")

    alice.portal.press("Disconnect")
    found += axe_package.in_light_and_dark(alice.portal.document(), axe)
    tab(alice, "Activity").click()
    expect(alice.portal.frame.get_by_role("heading", name="What was done in your name")).to_be_visible()
    found += axe_package.in_light_and_dark(alice.portal.document(), axe)

    assert found == []


# Language -----------------------------------------------------------------------------------------------------------


def test_the_way_through_is_spoken_in_the_pages_language(product: Product, user_token: Callable[..., str]) -> None:
    product.open().page.evaluate("() => (document.documentElement.lang = 'de')")
    product.sign_in(user_token("alice"))
    expect(product.button).to_have_text("Jira verbinden")

    product.start("connect", "jira")
    consent = product.portal.connect("Jira verbinden")
    consent.allow()
    expect(consent.popup.get_by_role("heading")).to_have_text("Site auswählen")
    consent.choose("Acme")

    expect(tab(product, "Einrichtung")).to_have_attribute("aria-selected", "true")
    expect(product.portal.frame.get_by_role("button", name="Konto wechseln")).to_be_visible()
    expect(product.button).to_have_text("Verbunden als Ada Park")


def test_a_refusal_is_told_in_the_language_that_was_configured(alice: Product) -> None:
    alice.call("configure", {"locale": "fr-CA"})
    alice.start("connect", "jira")

    alice.portal.connect("Connecter Jira").deny()

    words = "Vous n’avez pas autorisé l’accès à Jira. Rien n’a été connecté."
    expect(alice.portal.frame.get_by_role("alert")).to_have_text(words)
