"""Answers of the database that a process may keep for a moment, because every call asks for them again.

What is remembered may be three seconds old: so long may a revoked key or a removed connection still work elsewhere.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")
SECONDS = 3.0
MOST = 4096
_all: "list[Remembered[object]]" = []


class Remembered(Generic[V]):
    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()
        _all.append(self)  # type: ignore[arg-type]

    def get(self, key: Hashable) -> V | None:
        found = self._kept.get(key)
        return found[1] if found and found[0] > time.monotonic() else None

    def keep(self, key: Hashable, value: V) -> V:
        self._kept[key] = (time.monotonic() + self._seconds, value)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return value

    def forget(self) -> None:
        self._kept.clear()


def forget_everything() -> None:
    """Drop what this process remembers, after a change that it made itself."""
    for remembered in _all:
        remembered.forget()
