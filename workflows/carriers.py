"""Threads that carry runs side by side, in a worker: the runs of one message do not wait for each other's calls."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

from django.db import close_old_connections, connections

from workflows import engine
from workflows.models import Run

logger = logging.getLogger(__name__)

# So long runs may wait here for their turn; then others may have them, who are perhaps idle.
MOMENT_SECONDS = 0.25


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

    def carry(self, runs: list[Run], hand_out: Callable[[list[Run]], None]) -> None:
        """Carry runs that were just stored, in turn; hand out those that it does not come to, or that have no room."""
        todo, crowded = deque(runs), list[Run]()

        def work() -> None:
            while run := _next(todo):
                if engine.has_room(run):
                    engine.carry_new(run)
                else:
                    crowded.append(run)

        def give_up() -> None:
            try:
                hand_out(list(iter(lambda: _next(todo), None)))
            finally:
                connections.close_all()

        patience = threading.Timer(MOMENT_SECONDS, give_up)
        if len(runs) > self.count:
            patience.start()
        others = min(self.count, len(runs)) - 1
        under_way = [self._pool.submit(_do, work) for _ in range(others)] if self._pool else []
        try:
            work()
        finally:
            patience.cancel()
            wait(under_way)
            hand_out([*crowded, *todo])


def _next(todo: deque[Run]) -> Run | None:
    try:
        return todo.popleft()
    except IndexError:
        return None


def _do(work: Callable[[], None]) -> None:
    close_old_connections()
    try:
        work()
    except Exception:
        # The lease of what it carried runs out, and the sweeper has it carried on.
        logger.exception("a run was put down")


carriers = Carriers()
