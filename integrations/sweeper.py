"""What must happen even if every message is lost: one sweep looks for work that is due and has it done.

Two sweepers may run; one leads. While no broker takes tasks the leader does the work itself, a few rows at a time.
"""

import logging
import os
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connections

from integrations import calls, connect, tasks
from integrations.models import Grant, Heartbeat
from integrations.models.connection import GrantQuerySet

logger = logging.getLogger(__name__)

BATCH = 200
# Finishing half-done refreshes must keep up with the provider's leeway, so it never waits for one slow answer.
HANDS = 8
HOUSEKEEPING_SECONDS = 60
# A grant that died keeps its sealed tokens for a while, in case the provider was wrong.
DEAD_TOKENS_DAYS = 30


class Sweeper:
    def __init__(self) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._housekept_at = -float(HOUSEKEEPING_SECONDS)
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="sweep")

    def sweep(self) -> bool:
        """Do one round. False when another sweeper leads."""
        if not Heartbeat.objects.lead("sweeper", self.owner, seconds=3 * settings.SWEEP_SECONDS):
            return False
        self._refresh(Grant.objects.half_refreshed())
        self._refresh(Grant.objects.idle())
        tasks.hint(tasks.beat, "worker")
        if time.monotonic() - self._housekept_at >= HOUSEKEEPING_SECONDS:
            self._housekept_at = time.monotonic()
            self._housekeep()
        return True

    def _refresh(self, grants: GrantQuerySet) -> None:
        ids = [str(pk) for pk in grants.order_by("refreshed_at").values_list("pk", flat=True)[:BATCH]]
        left = [pk for pk in ids if not tasks.hint(tasks.refresh_grant, pk)]
        list(self._hands.map(_refresh_here, left))

    @staticmethod
    def _housekeep() -> None:
        attempts, lines = connect.sweep(), calls.prune()
        forgotten = Grant.objects.long_dead(DEAD_TOKENS_DAYS).forget_tokens()
        if attempts or lines or forgotten:
            logger.info("swept %d attempts, %d calls, %d dead grants' tokens", attempts, lines, forgotten)


def _refresh_here(grant_id: str) -> None:
    try:
        tasks.refresh_grant(grant_id)
    finally:
        connections.close_all()  # Eight hands that seldom have work need not hold eight of the database's.
