"""Writing and deleting beside many others who write."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

BATCH = 1000


class _Turns:
    """Whose turn it is to write to a SQLite file: one thread's of each process after the other.

    Without it a process whose threads hand the file to each other shuts out the others for seconds: those sleep, longer
    each time, and find it taken whenever they look. Here a process that waits has the second byte of a file beside the
    database, so that it gets the first, and with it the turn, as soon as that is free; who had it queues up behind. The
    system takes both from a process that dies. Nothing depends on it but who goes first: SQLite has a lock of its own.
    """

    TURN, NEXT = 0, 1

    def __init__(self) -> None:
        self._thread = threading.Lock()
        self._file: tuple[int, str, int] | None = None

    @contextmanager
    def take(self, database: str) -> Iterator[None]:
        with self._thread:
            file = self._open(database)
            fcntl.lockf(file, fcntl.LOCK_EX, 1, self.NEXT)
            fcntl.lockf(file, fcntl.LOCK_EX, 1, self.TURN)
            fcntl.lockf(file, fcntl.LOCK_UN, 1, self.NEXT)
            try:
                yield
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, 1, self.TURN)

    def _open(self, database: str) -> int:
        wanted = os.getpid(), database
        if self._file is None or self._file[:2] != wanted:
            self._file = *wanted, os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file[2]


_turns = _Turns()


@contextmanager
def writing(*, can_be_redone: bool = False) -> Iterator[None]:
    """Write in a transaction. On SQLite, which has one writer at a time, all who write take turns.

    What can be redone, because what it follows from is stored, is not waited for until the disk has it: the next
    commit that is waited for, by whomever, brings it along. After a loss of power it is done once more.
    """
    if connection.in_atomic_block:
        # Who is inside a transaction has his turn, and waits for the disk at its end.
        with transaction.atomic():
            yield
        return
    if connection.vendor == "sqlite":
        turn = _turns.take(str(connection.settings_dict["NAME"]))
        with turn, _unsynced() if can_be_redone else nullcontext(), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            if can_be_redone:
                _execute("SET LOCAL synchronous_commit TO OFF")
            yield


@contextmanager
def _unsynced() -> Iterator[None]:
    before = _execute("PRAGMA synchronous")
    _execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        _execute(f"PRAGMA synchronous={before}")


def _execute(sentence: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sentence)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def delete_in_batches(rows: QuerySet[Any], size: int = BATCH) -> int:
    """Delete rows so that other writers are let in between. Return how many."""
    deleted = 0
    while count := _delete_some(rows, size):
        deleted += count
        time.sleep(0.01)
    return deleted


def delete_until(rows: QuerySet[Any], deadline: float) -> bool:
    """Delete as many rows as there is time for, until time.monotonic() is there. False where some are left."""
    while time.monotonic() < deadline:
        if not _delete_some(rows, BATCH):
            return True
        time.sleep(0.01)
    return False


def _delete_some(rows: QuerySet[Any], size: int) -> int:
    ids = list(rows.order_by().values_list("pk", flat=True)[:size])
    if ids:
        rows.model._default_manager.filter(pk__in=ids).delete()
    return len(ids)
