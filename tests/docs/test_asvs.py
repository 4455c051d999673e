"""The security checklist: every item has a line, and every line a test that exists, or a reason."""

import ast
import re
from typing import NamedTuple

import pytest

from tests.support.processes import ROOT

PAGE = ROOT / "docs" / "security" / "asvs.md"
LINE = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.*?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
STATES = ["met", "partly", "not yet", "n/a"]
# The items that matter for a product that holds other people's tokens; ranges as the standard counts them.
WANTED = """
1.2.2 1.3.2 1.3.6 1.3.7 1.3.10 1.5.2 2.3.1 2.3.3 2.3.4 2.4.1 3.3.1-4 3.4.1-6 3.5.1-5 3.7.2 4.1.2 4.1.3 4.2.1
6.1.1 6.2.1-12 6.3.1 6.3.3 6.5.1 7.2.4 7.4.1-5 7.5.1-2 8.1.1 8.2.1-3 8.3.1 8.4.1 9.1.1-3 9.2.1-4 10.1.1-2 10.2.1-3
11.1.1-2 11.2.1-3 11.3.1-5 11.5.1 13.1.1-3 13.2.4-5 13.3.1-2 13.4.2-5 14.2.1 14.2.2 14.3.2 14.3.3
15.1.1-3 15.2.1-3 15.3.1-3 15.3.5 15.3.7 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3
"""


class Item(NamedTuple):
    id: str
    asks: str
    state: str
    shown_by: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        return TEST.findall(self.shown_by)

    @property
    def words(self) -> str:
        return TEST.sub("", self.shown_by).strip(" .")


ITEMS = [Item(*found) for found in LINE.findall(PAGE.read_text())]
TESTS = sorted({test for item in ITEMS for test in item.tests})


def expanded(text: str) -> list[str]:
    found = []
    for word in text.split():
        first, _, last = word.partition("-")
        section, _, number = first.rpartition(".")
        found += [f"{section}.{each}" for each in range(int(number), int(last or number) + 1)]
    return found


def test_every_item_has_one_line() -> None:
    assert [item.id for item in ITEMS] == expanded(WANTED)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_an_item_is_shown_or_explained(item: Item) -> None:
    assert item.state in STATES
    assert item.tests or len(item.words) > 15
    assert item.state in ("met", "n/a") or item.words


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert (ROOT / path).is_file()

    tree = ast.parse((ROOT / path).read_text())
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_the_sum_is_right() -> None:
    counted = {state: sum(item.state == state for item in ITEMS) for state in STATES}

    words = f"{len(ITEMS)} items: {counted['met']} met, {counted['partly']} partly, {counted['not yet']} not yet"
    assert f"{words}, {counted['n/a']} not applicable." in PAGE.read_text()
