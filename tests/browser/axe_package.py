"""axe-core, which finds what keeps people from using a page; fetched for the test session and never kept."""

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


def violations(page: "Page | Frame", axe: str) -> list[str]:
    """Return what is seriously wrong with the page, or the frame, as it is shown now: rule and elements."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in found["violations"]
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]
