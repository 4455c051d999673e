"""Every page in a real browser: axe in light and dark, wide and on a phone, by keyboard alone, without a complaint."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import axe_package
from tests.support.pages import Page, every_page
from tests.support.stories import Street
from tests.support.visitor import ERRORS, NARROWEST, PHONE, PORTALS, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

pytestmark = pytest.mark.browser
WALK = Path(__file__).with_name("walk.js").read_text()
# The rules whose answer depends on what is shown, and where.
OTHERWISE_ON_A_PHONE = ["color-contrast", "target-size", "link-name", "button-name", "scrollable-region-focusable"]
PAGES = [page for page in every_page() if not page.is_admin]
# The history of a row looks the same for every model.
ADMIN = [page for page in every_page() if page.is_admin and ("_history" not in str(page) or "_project_" in str(page))]


@pytest.fixture(scope="package")
def visitor(browser: Any, web: str, street: Street) -> Iterator[Visitor]:
    visitor = Visitor(browser, web, street)
    yield visitor
    visitor.close()


@pytest.mark.parametrize("page", [*PAGES, *ERRORS], ids=str)
def test_everyone_can_use_it(page: Page | str, visitor: Visitor, axe: str) -> None:
    tab = visitor.open_error(page) if isinstance(page, str) else visitor.open(page)
    tab.evaluate(WALK)

    wrong = {
        "in light": axe_package.violations(tab, axe),
        "headings": tab.evaluate("() => look.headings()"),
        "motion": tab.evaluate("() => look.motion()"),
        "by keyboard": by_keyboard(tab),
        "in dark": axe_package.in_dark(tab, axe),
        "on a phone": on_a_phone(tab, axe),
        "console": visitor.complaints(),
        "policy": visitor.reports,
    }

    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("page", ADMIN, ids=str)
def test_the_admin_is_for_everyone_too(page: Page, visitor: Visitor, axe: str) -> None:
    tab = visitor.open(page)

    wrong = {"in light": axe_package.violations(tab, axe), "console": visitor.complaints(), "policy": visitor.reports}

    assert {name: found for name, found in wrong.items() if found} == {}


def by_keyboard(tab: "Tab") -> list[str]:
    """Press Tab from the top of the page to its end."""
    for _ in range(tab.evaluate("() => look.follow()")):
        tab.keyboard.press("Tab")
    return list(tab.evaluate("() => look.followed()"))


def on_a_phone(tab: "Tab", axe: str) -> list[str]:
    tab.set_viewport_size(PHONE)
    found = axe_package.violations(tab, axe, only=OTHERWISE_ON_A_PHONE) + tab.evaluate("() => look.wider()")
    tab.set_viewport_size(NARROWEST)  # as wide as a window of 1280 px at 400 %
    return found + list(tab.evaluate("() => look.wider()"))


# What a page does only when it is used --------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PORTALS)
def test_everyone_can_use_the_portal(name: str, scheme: Any, visitor: Visitor, axe: str) -> None:
    tab = visitor.open_portal(name)
    tab.emulate_media(color_scheme=scheme)
    [frame] = [frame for frame in tab.frames if "/ui" in frame.url]

    assert axe_package.violations(frame, axe) == []
    tab.set_viewport_size(NARROWEST)
    frame.evaluate(WALK)
    assert frame.evaluate("() => look.wider()") == []
    assert visitor.reports == []


def test_the_skip_link_is_first_and_leads_past_the_menus(visitor: Visitor) -> None:
    tab = visitor.open(PAGES[2])

    tab.keyboard.press("Tab")
    assert tab.evaluate("() => document.activeElement.matches('.skip-link') && document.activeElement.offsetLeft === 0")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")

    assert tab.evaluate("() => document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("name", ["overview", "integrations", "audit"])
def test_on_a_phone_the_pages_are_one_row_that_shows_the_open_one(name: str, visitor: Visitor) -> None:
    page = next(page for page in PAGES if page.route.name == f"dashboard:{name}")
    tab = replace(visitor, options={"viewport": PHONE}).open(page)

    height, link = tab.evaluate("""() => {
        const link = document.querySelector(".sidebar [aria-current]").getBoundingClientRect();
        return [document.querySelector(".sidebar").offsetHeight, [link.left, link.right]];
    }""")

    assert height < 60
    assert link[0] >= 0
    assert link[1] <= PHONE["width"]


def test_on_a_phone_the_project_has_most_of_the_bar_on_top(visitor: Visitor) -> None:
    page = next(page for page in PAGES if page.route.name == "dashboard:overview")
    tab = replace(visitor, options={"viewport": PHONE}).open(page)

    name = tab.locator(".switcher summary .clip")

    assert name.evaluate("(each) => each.offsetWidth") > 130
    assert tab.get_by_text("Account: ").count() == 1


def test_what_can_be_copied_on_a_phone_shows_its_button(visitor: Visitor) -> None:
    page = next(page for page in PAGES if page.route.name == "docs:page")
    tab = replace(visitor, options={"viewport": PHONE}).open(page)

    assert tab.locator(".code-block .button").first.evaluate("(each) => getComputedStyle(each).opacity") == "1"


@pytest.mark.parametrize("menu", ["Switch project", "Account"])
def test_escape_closes_a_menu_and_gives_the_focus_back(menu: str, visitor: Visitor) -> None:
    tab = visitor.open(next(page for page in PAGES if page.route.name == "dashboard:overview"))
    summary = tab.locator("summary", has_text=menu)
    summary.focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.locator("details.menu[open]").count() == 1

    tab.keyboard.press("Escape")

    assert tab.locator("details.menu[open]").count() == 0
    assert summary.evaluate("(each) => document.activeElement === each")


def test_a_refused_script_would_have_been_noticed(visitor: Visitor) -> None:
    tab = visitor.open(PAGES[0])

    tab.evaluate(
        "() => document.body.append(Object.assign(document.createElement('script'), { text: 'globalThis.ran = 1' }))"
    )

    assert "script-src" in visitor.reports[0]
    assert tab.evaluate("() => globalThis.ran") is None
