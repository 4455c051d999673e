"""Threads that carry runs side by side, in a worker: the runs of one message do not wait for each other's calls."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

from django.db import close_old_connections

from workflows import engine
from workflows.models import Run

logger = logging.getLogger(__name__)


class Carriers:
    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._free = threading.Semaphore(0)

    def start(self, count: int) -> None:
        """Have so many threads, beside those that take tasks. Without them every run is carried by who asks."""
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="carrier")
        self._free = threading.Semaphore(count)

    @contextmanager
    def reserved(self, wanted: int) -> "Iterator[Places]":
        """Lend as many places as there are, at least the caller's own and at most as many as are wanted."""
        places = Places(self._pool, 1)
        try:
            while places.count < wanted and self._free.acquire(blocking=False):
                places.count += 1
            yield places
        finally:
            if places.count > 1:
                self._free.release(places.count - 1)


class Places:
    def __init__(self, pool: ThreadPoolExecutor | None, count: int) -> None:
        self._pool, self.count = pool, count

    def carry(self, runs: list[Run]) -> None:
        """Carry runs that this worker has claimed, no more than there are places; return when all are put down."""
        mine, *others = runs
        under_way = [self._pool.submit(_carry, run) for run in others] if self._pool else []
        try:
            engine.carry(mine)
        finally:
            wait(under_way)


def _carry(run: Run) -> None:
    close_old_connections()
    try:
        engine.carry(run)
    except Exception:
        # Its lease runs out, and the sweeper has it carried on.
        logger.exception("run %s was put down", run.pk)


carriers = Carriers()
