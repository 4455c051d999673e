"""What must happen even if every message is lost: one sweep looks for work that is due and has it done.

Two sweepers may run; one leads. While no broker takes tasks the leader does the work itself, a few rows at a time.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models.functions import Now

from integrations import audit, calls, connect, extension, listening, registrations, tasks, webhooks
from integrations.dashboard import keys
from integrations.models import Delivery, Erasure, Grant, Heartbeat, Integration, Project, Subscription
from integrations.models.base import turn
from integrations.models.connection import GrantQuerySet
from integrations.owners import owner_name

logger = logging.getLogger(__name__)

BATCH = 200
# Finishing half-done refreshes must keep up with the provider's leeway, so it never waits for one slow answer.
HANDS = 8
HOUSEKEEPING_SECONDS = 60
# A grant that died keeps its sealed tokens for a while, in case the provider was wrong.
DEAD_TOKENS_DAYS = 30
# Nobody swept for so long: the whole deployment may have been down, and deaf to what providers told.
OUTAGE_SECONDS = 120


class Sweeper:
    def __init__(self) -> None:
        self.owner = owner_name()
        self._housekept_at = -float(HOUSEKEEPING_SECONDS)
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="sweep")

    def sweep(self) -> bool:
        """Do one round. False when another sweeper leads."""
        was_away = not Heartbeat.objects.is_recent("sweeper", OUTAGE_SECONDS)
        if not Heartbeat.objects.lead("sweeper", self.owner, seconds=3 * settings.SWEEP_SECONDS):
            return False
        if was_away:
            listening.after_outage()
        self._refresh(Grant.objects.half_refreshed())
        self._refresh(Grant.objects.idle())
        self._listen()
        self._erase()
        extension.installed().sweep(self._publish)
        tasks.hint(tasks.beat, "worker")
        if time.monotonic() - self._housekept_at >= HOUSEKEEPING_SECONDS:
            self._housekept_at = time.monotonic()
            self._housekeep()
        return True

    def _refresh(self, grants: GrantQuerySet) -> None:
        ids = [str(pk) for pk in grants.order_by("refreshed_at").values_list("pk", flat=True)[:BATCH]]
        self._publish(tasks.refresh_grant, ids)

    def _listen(self) -> None:
        """Have looked at what is due to be heard of, and handled what came in and lost its hint."""
        due = Subscription.objects.due().order_by(turn("due_at"), "due_at")
        self._publish(tasks.tend_subscription, [str(pk) for pk in due.values_list("pk", flat=True)[:BATCH]])
        patience = settings.HINT_PATIENCE_SECONDS if settings.HAS_BROKER else 0
        waiting = Delivery.objects.waiting().filter(created_at__lte=Now() - timedelta(seconds=patience))
        ids = waiting.order_by(turn("pk", of="app"), "pk").values_list("pk", flat=True)[:BATCH]
        self._publish(tasks.handle_webhook, [str(pk) for pk in ids])

    def _erase(self) -> None:
        """Have gone on with what was removed: each does as much at a time as keeps nobody waiting."""
        projects = Project.objects.exclude(deleted_at=None).values_list("pk", flat=True)
        self._publish(tasks.erase_project, [str(pk) for pk in projects[:BATCH]])
        removed = Integration.objects.exclude(removed_at=None).filter(project__deleted_at=None)
        self._publish(tasks.erase_integration, [str(pk) for pk in removed.values_list("pk", flat=True)[:BATCH]])
        users = Erasure.objects.filter(project__deleted_at=None).values_list("pk", flat=True)
        self._publish(tasks.erase_user, [str(pk) for pk in users[:BATCH]])

    def _publish(self, task: Any, ids: list[str]) -> None:
        """Hand each id to a worker; where no broker takes it, do the work here."""
        left = [pk for pk in ids if not tasks.hint(task, pk)]
        list(self._hands.map(partial(_do_here, task), left))

    @staticmethod
    def _housekeep() -> None:
        audit.seal()
        keys.sweep()
        attempts, lines = connect.sweep(), calls.prune()
        forgotten = Grant.objects.long_dead(DEAD_TOKENS_DAYS).forget_tokens()
        kept_long = extension.installed().housekeep() + webhooks.prune() + registrations.prune()
        if attempts or lines or forgotten or kept_long:
            words = "swept %d attempts, %d calls, %d dead grants' tokens, %d runs and events"
            logger.info(words, attempts, lines, forgotten, kept_long)


def _do_here(task: Any, argument: str) -> None:
    try:
        task(argument)
    except Exception:
        # One row must not keep the others from being swept; it is due again at the next sweep.
        logger.exception("%s failed for %s", task.name, argument)
    finally:
        connections.close_all()  # Eight hands that seldom have work need not hold eight of the database's.
