"""Delete what was kept long enough: runs that are over, and events."""

import time
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from integrations.models import Event
from workflows.models import Run

BATCH = 1000


def prune() -> int:
    """Delete old runs and events, a batch at a time. Return how many."""
    old = Now() - timedelta(days=settings.RUN_LOG_DAYS)
    over = Run.objects.exclude(status__in=Run.UNFINISHED).filter(created_at__lt=old)
    return _delete(over) + _delete(Event.objects.filter(created_at__lt=old).exclude(state=Event.State.RECEIVED))


def _delete(rows: object) -> int:
    deleted = 0
    while True:
        ids = list(rows.values_list("pk", flat=True)[:BATCH])  # type: ignore[attr-defined]
        if not ids:
            return deleted
        rows.model.objects.filter(pk__in=ids).delete()  # type: ignore[attr-defined]
        deleted += len(ids)
        time.sleep(0.01)  # Let other writers in.
