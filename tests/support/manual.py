"""The code blocks of the manual, for tests that run what it says."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks(page: Path, language: str = "") -> list[Block]:
    """Return the code blocks of a page, of one language where one is named."""
    found = [Block(*match) for match in FENCE.findall(page.read_text(encoding="utf-8"))]
    return [block for block in found if not language or block.language == language]


def block(page: str, language: str, containing: str) -> str:
    """Return the one block of docs/<page> that has this text in it."""
    [found] = [each.text for each in blocks(ROOT / "docs" / page, language) if containing in each.text]
    return found
