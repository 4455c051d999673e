"""Transactions that many threads write in."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

_turn = threading.RLock()


@contextmanager
def writing() -> Iterator[None]:
    """Write in a transaction. On SQLite the threads of this process take turns.

    SQLite has one writer at a time, and makes the others sleep and try again; a queue in memory is many times faster.
    """
    if connection.vendor == "sqlite":
        with _turn, transaction.atomic():
            yield
    else:
        with transaction.atomic():
            yield
