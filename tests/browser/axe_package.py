"""axe-core, which finds what keeps people from using a page; fetched for the test session and never kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser import npm_package

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

PACKAGE = "axe-core@4.10.3"
SCRIPT = "package/axe.min.js"
BAD = ("serious", "critical")


def fetch(folder: Path) -> str:
    return npm_package.fetch(PACKAGE, SCRIPT, folder, otherwise="the pages are not checked by it")


def violations(page: "Page | Frame", axe: str, *, only: Sequence[str] = ()) -> list[str]:
    """Return what is seriously wrong with the page, or the frame, as it is shown now: rule and elements.

    The size of targets is checked too, which axe does only when it is told to. `only` names the rules that are asked.
    """
    if not page.evaluate("() => Boolean(globalThis.axe)"):
        page.evaluate(f"() => {{ {axe} }}")
    rules = {"runOnly": list(only)} if only else {"rules": {"target-size": {"enabled": True}}}
    # Preloading would copy style sheets into the page, which its policy refuses.
    options = {"resultTypes": ["violations"], "preload": False, **rules}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in found["violations"]
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]


def in_light_and_dark(page: "Page | Frame", axe: str) -> list[str]:
    """Return what is seriously wrong in light, and what is too pale in dark: nothing else differs."""
    tab: Page = getattr(page, "page", page)  # type: ignore[assignment]
    tab.emulate_media(color_scheme="light")
    found = violations(page, axe) + in_dark(page, axe)
    tab.emulate_media(color_scheme="light")
    return found


def in_dark(page: "Page | Frame", axe: str) -> list[str]:
    """Return what is too pale in dark, and leave the page so."""
    tab: Page = getattr(page, "page", page)  # type: ignore[assignment]
    tab.emulate_media(color_scheme="dark")
    return violations(page, axe, only=["color-contrast"])
