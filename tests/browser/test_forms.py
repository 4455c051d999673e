"""Forms of the dashboard in a browser: an error is where one looks, and what was typed is not lost without a word."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Dialog, expect

from integrations.models import Integration, Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def asked(signed_in: "Page") -> list[str]:
    """Whether the browser asked before it left the page; each time the answer is to stay."""
    found: list[str] = []

    def stay(dialog: Dialog) -> None:
        found.append(dialog.type)
        dialog.dismiss()

    signed_in.on("dialog", stay)
    return found


def test_an_error_far_below_is_scrolled_to_and_has_the_cursor(signed_in: "Page", server: str, project: Project) -> None:
    signed_in.goto(f"{server}/p/{project.pk}/settings/sdk")
    signed_in.get_by_label("Allowed origins").fill("acme")
    signed_in.get_by_role("button", name="Save").click()

    expect(signed_in.get_by_text("is not an origin")).to_be_in_viewport()
    expect(signed_in.get_by_label("Allowed origins")).to_be_focused()


def test_a_secret_with_a_wrong_name_is_not_sent_and_its_value_stays(
    signed_in: "Page", server: str, jira: Integration
) -> None:
    signed_in.goto(f"{server}/p/{jira.project_id}/settings/secrets")
    signed_in.get_by_label("Name").fill("2 tokens")
    signed_in.get_by_label("Value").fill("typed with care")

    signed_in.get_by_role("button", name="Save").click()

    expect(signed_in.get_by_label("Value")).to_have_value("typed with care")
    assert signed_in.get_by_label("Name").evaluate("(each) => each.validity.patternMismatch")
    signed_in.get_by_label("Name").fill("TWO-tokens_2")
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_text("TWO-tokens_2 is set.")).to_be_visible()


def test_a_neighbouring_form_asks_before_it_takes_what_was_typed(
    signed_in: "Page", server: str, project: Project, asked: list[str]
) -> None:
    signed_in.goto(f"{server}/p/{project.pk}/settings/sdk")
    signed_in.get_by_label("Allowed origins").press_sequentially("https://app.acme.test")
    signed_in.get_by_label("Address of a page").fill("https://app.acme.test/tasks")
    signed_in.get_by_role("button", name="Check").click()
    signed_in.get_by_role("button", name="Generate a key").click()

    expect(signed_in.get_by_label("Allowed origins")).to_have_value("https://app.acme.test")
    assert asked == ["beforeunload", "beforeunload"]
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_text("The SDK settings are saved.")).to_be_visible()
    assert len(asked) == 2


def test_ticking_what_reads_keeps_the_rest_and_cancel_asks_nothing(
    signed_in: "Page", server: str, project: Project, asked: list[str]
) -> None:
    signed_in.goto(f"{server}/p/{project.pk}/settings/api-keys/new")
    signed_in.get_by_label("Name").press_sequentially("Support desk")
    signed_in.get_by_label("Expires").select_option("365")
    signed_in.get_by_role("link", name="Tick all that only read").click()

    expect(signed_in.get_by_role("checkbox", name="users:read")).to_be_checked()
    expect(signed_in.get_by_label("Name")).to_have_value("Support desk")
    expect(signed_in.get_by_label("Expires")).to_have_value("365")
    signed_in.get_by_role("link", name="Cancel").click()
    expect(signed_in.get_by_text("No key yet")).to_be_visible()
    assert asked == []


def test_leaving_the_portal_editor_by_a_tab_asks(
    signed_in: "Page", server: str, jira: Integration, asked: list[str]
) -> None:
    signed_in.goto(f"{server}/p/{jira.project_id}/integrations/jira/portal")
    signed_in.get_by_label("Short description").press_sequentially("Tasks")
    signed_in.get_by_role("link", name="Settings", exact=True).first.click()

    assert asked == ["beforeunload"]
    expect(signed_in.get_by_label("Short description")).to_have_value("Tasks")


def test_deactivating_asks_before_it_takes_typed_keys(
    signed_in: "Page", server: str, jira: Integration, asked: list[str]
) -> None:
    signed_in.goto(f"{server}/p/{jira.project_id}/integrations/jira/settings")
    signed_in.get_by_label("Client ID").press_sequentially("own-client")
    signed_in.get_by_role("button", name="Deactivate").click()

    assert asked == ["beforeunload"]
    expect(signed_in.get_by_label("Client ID")).to_have_value("own-client")
    jira.refresh_from_db()
    assert jira.is_active
