"""Write together what several threads want to write at the same moment: one transaction instead of one each."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

T = TypeVar("T")
R = TypeVar("R")

MOST = 50


class _Entry(Generic[T, R]):
    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R | None = None
        self.error: BaseException | None = None
        self.is_done = False


class Together(Generic[T, R]):
    """Calls `do` with what has come in while it was busy. Who comes alone is served at once, in its own thread.

    `do` takes a list and returns a result for each item, in a transaction of its own: where it raises, nothing has
    happened. Then each item is tried alone, so that a bad one harms no other.
    """

    def __init__(self, do: Callable[[list[T]], list[R]]) -> None:
        self._do = do
        self._waiting: list[_Entry[T, R]] = []
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def __call__(self, item: T) -> R:
        """Return the item's result, or raise what went wrong with it."""
        entry: _Entry[T, R] = _Entry(item)
        with self._lock:
            self._waiting.append(entry)
        with self._turn:
            while not entry.is_done:
                with self._lock:
                    batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                self._try(batch)
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[return-value]

    def _try(self, batch: list[_Entry[T, R]]) -> None:
        try:
            for entry, result in zip(batch, self._do([entry.item for entry in batch]), strict=True):
                entry.result, entry.is_done = result, True
        except (OperationalError, InterfaceError) as error:
            # The database is away, for all of them; each decides for itself whether to try again.
            _give_up(batch, error)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is raised where it belongs)
            if len(batch) == 1:
                _give_up(batch, error)
            for entry in batch if len(batch) > 1 else []:
                self._try([entry])
        except BaseException as error:
            _give_up(batch, error)
            raise


def _give_up(batch: list[_Entry[T, R]], error: BaseException) -> None:
    for entry in batch:
        entry.error, entry.is_done = error, True
