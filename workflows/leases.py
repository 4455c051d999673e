"""Keep the leases of the runs that this process carries: one thread for all, which also watches for steps that hang."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.db.models.functions import Now

from workflows.models import Run

logger = logging.getLogger(__name__)

HUNG = 70


class Lease:
    """The right to carry one run, as of one generation. `is_lost` once another worker may have it."""

    def __init__(self, run: Run) -> None:
        self.run_id, self.generation, self.owner = run.pk, run.generation, run.lease_owner
        self.renew_at = time.monotonic() + settings.RUN_LEASE_SECONDS / 3
        self.safe_until = time.monotonic() + settings.RUN_LEASE_SECONDS
        self.busy_since: float | None = None
        self.is_lost = False

    def renew(self) -> None:
        asked_at = time.monotonic()
        own = Run.objects.filter(pk=self.run_id, generation=self.generation, lease_owner=self.owner)
        held = own.filter(lease_until__isnull=False)
        if held.update(lease_until=Now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)):
            self.was_renewed(asked_at)
        else:
            self.is_lost = True

    def was_renewed(self, asked_at: float) -> None:
        """Note that a write of the carrier renewed the lease; `asked_at` is time.monotonic() before it."""
        self.renew_at = asked_at + settings.RUN_LEASE_SECONDS / 3
        self.safe_until = asked_at + settings.RUN_LEASE_SECONDS

    def is_safe(self) -> bool:
        """May this process still begin something in the run's name? By its own clock, which ran on if it was held."""
        return not self.is_lost and time.monotonic() < self.safe_until


class _Keeper:
    def __init__(self) -> None:
        self._leases: set[Lease] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        # Set in workers: there a supervisor starts another process, elsewhere nothing may end the process.
        self.may_end_process = False

    @contextmanager
    def keep(self, run: Run) -> Iterator[Lease]:
        lease = Lease(run)
        with self._lock:
            self._leases.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._renew_for_ever, name="run-leases", daemon=True)
                self._thread.start()
        try:
            yield lease
        finally:
            with self._lock:
                self._leases.discard(lease)

    def _renew_for_ever(self) -> None:
        while True:
            time.sleep(min(1.0, settings.RUN_LEASE_SECONDS / 10))
            with self._lock:
                leases = list(self._leases)
            for lease in leases:
                self._look_after(lease)

    def _look_after(self, lease: Lease) -> None:
        now = time.monotonic()
        if lease.busy_since is not None and now - lease.busy_since > settings.STEP_LIMIT_SECONDS:
            self._end(lease)
        if now < lease.renew_at or lease.is_lost:
            return
        try:
            lease.renew()
        except DatabaseError as error:
            logger.warning("a lease could not be renewed: %s", type(error).__name__)
            close_old_connections()

    def _end(self, lease: Lease) -> None:
        """A thread that hangs cannot be stopped, so the process is: its other runs go on elsewhere."""
        lease.is_lost = True
        logger.error("a step of run %s took longer than %g s", lease.run_id, settings.STEP_LIMIT_SECONDS)
        if self.may_end_process:
            os._exit(HUNG)


keeper = _Keeper()
