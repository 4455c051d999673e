"""The log of forwarded calls, written in batches beside the work so that a call does not wait for a commit.

A process that is killed loses at most the last half second of it. Query strings and bodies never come here.
"""

import atexit
import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, IntegrityError, close_old_connections, transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Call, Connection, Project
from integrations.user_tokens import EndUser

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5
BATCH = 500
MOST_WAITING = 20_000
PRUNE_BATCH = 5_000

_waiting: list[Call] = []
_lock = threading.Lock()
_wake = threading.Event()
_writer: threading.Thread | None = None


def note(
    user: EndUser, slug: str, connection: Connection | None, *, method: str, path: str, status: int, seconds: float
) -> None:
    """Log one call. Never fails and never waits."""
    call = Call(
        project_id=user.project_id,
        connection_id=connection.pk if connection else None,
        sub=user.sub,
        provider_slug=slug[:40],
        method=method[:8],
        path=("/" + path.lstrip("/")).replace("\x00", "")[:500],
        status=status,
        milliseconds=min(int(seconds * 1000), 2_000_000_000),
        at=datetime.now(UTC),
    )
    with _lock:
        if len(_waiting) < MOST_WAITING:
            _waiting.append(call)
    _start_writer()
    if len(_waiting) >= BATCH:
        _wake.set()


def flush() -> int:
    """Write what waits, now. Return how many rows."""
    with _lock:
        batch = _waiting[:]
        _waiting.clear()
    if not batch:
        return 0
    try:
        with transaction.atomic():
            Call.objects.bulk_create(batch, batch_size=BATCH)
    except IntegrityError:
        # A project was deleted meanwhile: its calls go with it, and nobody else's.
        living = set(Project.objects.filter(pk__in={call.project_id for call in batch}).values_list("pk", flat=True))
        batch = [call for call in batch if call.project_id in living]
        Call.objects.bulk_create(batch, batch_size=BATCH)
    return len(batch)


def _start_writer() -> None:
    global _writer  # noqa: PLW0603 (one writer a process, started on first use, after any fork)
    if _writer is None or not _writer.is_alive():
        with _lock:
            if _writer is None or not _writer.is_alive():
                _writer = threading.Thread(target=_write_for_ever, name="call-log", daemon=True)
                _writer.start()


def _write_for_ever() -> None:
    while True:
        _wake.wait(FLUSH_SECONDS)
        _wake.clear()
        _flush_or_say()


def _flush_or_say() -> None:
    try:
        flush()
    except DatabaseError as error:
        logger.error("part of the call log is lost: %s", type(error).__name__)
        close_old_connections()


atexit.register(_flush_or_say)


def prune() -> int:
    """Delete calls older than their project keeps them, a batch at a time. Return how many."""
    deleted = 0
    for project in Project.objects.only("id", "call_log_days"):
        old = Q(project=project, at__lt=Now() - timedelta(days=project.log_days()))
        while True:
            ids = list(Call.objects.filter(old).values_list("pk", flat=True)[:PRUNE_BATCH])
            if not ids:
                break
            deleted += Call.objects.filter(pk__in=ids).delete()[0]
            time.sleep(0.01)  # Let other writers in.
    return deleted
