"""What a browser showed when its test failed: the only witness, where a failure does not come again."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Frame

CONSOLE = pytest.StashKey[list[str]]()
ENOUGH = 1500  # characters of a frame's text
SEEN = "() => ({ text: document.body?.innerText ?? '', outcome: globalThis.outcome ?? null })"


def describe(context: "BrowserContext", console: list[str]) -> str:
    """Return what each frame shows, how the last call of an SDK ended, and what the console said.

    Addresses come without their query, which may carry a token.
    """
    frames = [_frame(frame) for page in context.pages for frame in page.frames]
    return "\n".join([*frames, *(f"console: {line}" for line in console)])


def _frame(frame: "Frame") -> str:
    from playwright.sync_api import Error

    address = urlsplit(frame.url)
    place = f"{'  in it: ' if frame.parent_frame else ''}{address.netloc}{address.path}"
    try:
        seen = frame.evaluate(SEEN)
    except Error as error:
        return f"{place}: {error.message}"
    outcome = f", outcome {seen['outcome']}" if seen["outcome"] else ""
    return f"{place}{outcome}\n{seen['text'][:ENOUGH]}"
