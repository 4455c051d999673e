"""Hints of what came in, on their way to the workers.

Those of one moment go in one message, because a message costs more than what it asks for; who comes alone waits for
nobody. A project that sends very many lets the others go first: what is above its allowance goes into a queue of its
own, from which the workers take in turn with the other.
"""

import atexit
import threading
import time
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from django.conf import settings

from integrations.tasks import hint

MOMENT_SECONDS = 0.02
MOST = 20
# What a project may send as everybody does, in this process.
AT_ONCE, A_SECOND = 100.0, 50.0
PROJECTS = 4096


class Mailbox:
    """Hints for one task. `task()` returns it: it may not be loaded yet when the mailbox is made."""

    def __init__(self, task: Callable[[], Any]) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._waiting: dict[str, list[str]] = defaultdict(list)
        self._sent_at = 0.0
        self._is_busy = threading.Event()
        self._thread: threading.Thread | None = None
        self._allowances: OrderedDict[uuid.UUID, tuple[float, float]] = OrderedDict()

    def post(self, tenant_id: uuid.UUID, row_id: uuid.UUID) -> None:
        """Have a worker look at a row, in a moment at most."""
        if not settings.HAS_BROKER:
            return
        with self._lock:
            queue = self._queue(tenant_id)
            self._waiting[queue].append(str(row_id))
            is_quiet = time.monotonic() - self._sent_at >= MOMENT_SECONDS
            if not is_quiet and len(self._waiting[queue]) < MOST:
                self._send_soon()
                return
        self.send()

    def send(self) -> None:
        """Send what waits."""
        with self._lock:
            parcels, self._waiting = self._waiting, defaultdict(list)
            self._sent_at = time.monotonic()
        for queue, ids in parcels.items():
            for start in range(0, len(ids), MOST):
                hint(self._task(), *ids[start : start + MOST], queue=queue)

    def _send_soon(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._send_for_ever, name="mailbox", daemon=True)
            self._thread.start()
            atexit.register(self.send)
        self._is_busy.set()

    def _send_for_ever(self) -> None:
        while True:
            self._is_busy.wait()
            time.sleep(MOMENT_SECONDS)
            self._is_busy.clear()
            self.send()

    def _queue(self, tenant_id: uuid.UUID) -> str:
        now = time.monotonic()
        left, at = self._allowances.pop(tenant_id, (AT_ONCE, now))
        # What is sent above the allowance is owed: who goes on like that does not trickle in between the others.
        left = max(-AT_ONCE, min(AT_ONCE, left + (now - at) * A_SECOND) - 1)
        self._allowances[tenant_id] = (left, now)
        if len(self._allowances) > PROJECTS:
            self._allowances.popitem(last=False)
        return settings.CELERY_TASK_DEFAULT_QUEUE if left >= 0 else settings.BULK_QUEUE
