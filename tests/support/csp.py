"""What a Content-Security-Policy refused, on every page and frame of a browser."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

REPORT = "CSP-REPORT"
SCRIPT = f"""addEventListener("securitypolicyviolation", (event) => console.error("{REPORT}",
    event.effectiveDirective, event.blockedURI, event.documentURI.split("?")[0], event.sample))"""


def watch(context: "BrowserContext", reports: list[str]) -> "BrowserContext":
    """Note what is refused from now on: our own words for it, and the browser's, which also tell of refused frames."""
    context.add_init_script(SCRIPT)
    context.on("console", lambda message: reports.append(message.text) if _tells(message.text) else None)
    return context


def _tells(text: str) -> bool:
    return text.startswith(REPORT) or "Content Security Policy" in text


@contextmanager
def watching(browser: "Browser", monkeypatch: Any) -> "Iterator[list[str]]":
    """Watch every context that is made in the block."""
    reports: list[str] = []
    make = browser.new_context
    monkeypatch.setattr(browser, "new_context", lambda **options: watch(make(**options), reports))
    yield reports


def unexpected(reports: list[str], expected: list[str]) -> list[str]:
    return [report for report in reports if not any(name in report for name in expected)]
