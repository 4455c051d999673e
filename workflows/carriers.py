"""Threads that carry runs side by side, in a worker: the runs of one message do not wait for each other's calls."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

from django.db import close_old_connections, connections

from workflows import engine
from workflows.models import Run

logger = logging.getLogger(__name__)

# Others, who are perhaps idle, may have the runs that wait here while none has its turn for a moment, or for so long.
MOMENT_SECONDS, MOST_SECONDS = 0.5, 2.0


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

        is_over = threading.Event()

        def watch() -> None:
            seen, give_up_at = len(todo), time.monotonic() + MOST_SECONDS
            while not is_over.wait(MOMENT_SECONDS):
                if len(todo) == seen or time.monotonic() > give_up_at:
                    break
                seen = len(todo)
            try:
                hand_out(list(iter(lambda: _next(todo), None)))
            finally:
                connections.close_all()

        if len(runs) > self.count:
            threading.Thread(target=watch, name="patience").start()
        others = min(self.count, len(runs)) - 1
        under_way = [self._pool.submit(_do, work) for _ in range(others)] if self._pool else []
        try:
            work()
        finally:
            wait(under_way)
            is_over.set()
            hand_out(crowded)


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
