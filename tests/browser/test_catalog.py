"""The catalog by keyboard: a search that answers while somebody types, and cards to walk along."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from integrations.models import Project

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def catalog(signed_in: "Page", project: Project, server: str) -> "Page":
    signed_in.goto(f"{server}/p/{project.pk}/catalog")
    return signed_in


def test_the_keyboard_finds_walks_and_opens(catalog: "Page") -> None:
    card = catalog.get_by_role("link", name="Jira", exact=True)

    catalog.keyboard.press("/")
    catalog.keyboard.type("add COMMENT")
    expect(catalog.get_by_role("list", name="Matches")).to_contain_text("Add comment")
    catalog.keyboard.press("ArrowDown")
    expect(card).to_be_focused()
    catalog.keyboard.press("ArrowUp")
    expect(catalog.get_by_label("Search the catalog")).to_be_focused()
    catalog.keyboard.press("ArrowDown")
    catalog.keyboard.press("Enter")

    expect(catalog.get_by_role("heading", level=1)).to_contain_text("Jira")


def test_what_is_not_there_is_said_while_typing(catalog: "Page") -> None:
    catalog.get_by_label("Search the catalog").fill("fax machine")

    expect(catalog.get_by_role("heading", name="Nothing matches “fax machine”")).to_be_visible()
    expect(catalog.get_by_role("heading", name="Featured")).to_be_hidden()
    catalog.get_by_label("Search the catalog").fill("")
    expect(catalog.get_by_role("heading", name="Featured")).to_be_visible()


def test_the_shortcut_stays_off_once_it_is_switched_off(catalog: "Page") -> None:
    catalog.get_by_role("checkbox").uncheck()
    catalog.reload()

    catalog.keyboard.press("/")

    expect(catalog.get_by_role("checkbox")).not_to_be_checked()
    expect(catalog.get_by_label("Search the catalog")).not_to_be_focused()
