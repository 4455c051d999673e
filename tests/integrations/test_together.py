"""What several threads write at the same moment is written together, and none suffers from another's mistake."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import OperationalError

from integrations.together import Together


class Book:
    """Writes down lists, each only when it is let."""

    def __init__(self) -> None:
        self.lists: list[list[str]] = []
        self.may_write = threading.Event()
        self.was_asked = threading.Event()
        self.write = Together(self._write)
        self.pool = ThreadPoolExecutor(8)

    def _write(self, items: list[str]) -> list[str]:
        self.was_asked.set()
        self.may_write.wait(10)
        self.lists.append(items)
        if "bad" in items:
            raise ValueError("bad")
        if "away" in items:
            raise OperationalError("away")
        return [item.upper() for item in items]

    def while_busy(self, *items: str) -> dict[str, Future[str]]:
        """Have one write wait, and these others come meanwhile."""
        first = self.pool.submit(self.write, "first")
        self.was_asked.wait(10)
        others = {item: self.pool.submit(self.write, item) for item in items}
        while len(self.write._waiting) < len(items):
            pass
        self.may_write.set()
        return others | {"first": first}


@pytest.fixture
def book() -> Iterator[Book]:
    book = Book()
    yield book
    book.pool.shutdown()


def test_who_comes_alone_is_served_at_once(book: Book) -> None:
    book.may_write.set()

    assert (book.write("a"), book.write("b")) == ("A", "B")
    assert book.lists == [["a"], ["b"]]


def test_those_who_come_meanwhile_are_served_together(book: Book) -> None:
    results = book.while_busy("a", "b", "c")

    assert {item: done.result(10) for item, done in results.items()} == {"first": "FIRST", "a": "A", "b": "B", "c": "C"}
    assert [sorted(items) for items in book.lists] == [["first"], ["a", "b", "c"]]


def test_a_bad_one_fails_alone(book: Book) -> None:
    results = book.while_busy("a", "bad", "c")

    assert (results["a"].result(10), results["c"].result(10)) == ("A", "C")
    with pytest.raises(ValueError, match="bad"):
        results["bad"].result(10)


def test_a_database_that_is_away_is_told_to_all_and_not_asked_again(book: Book) -> None:
    results = book.while_busy("a", "away", "c")

    for item in ("a", "away", "c"):
        with pytest.raises(OperationalError):
            results[item].result(10)
    assert len(book.lists) == 2
