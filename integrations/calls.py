"""The log of forwarded calls, written in batches beside the work so that a call does not wait for a commit.

A process that is killed loses at most the last half second of it. Query strings and bodies never
come here, but for the one sentence in which a provider says what is wrong.
"""

import atexit
import logging
import re
import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, close_old_connections, connection
from django.db.models.functions import Now

from integrations.database import delete_in_batches, writing
from integrations.models import Call, CallHour, Connection, Project
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
    user: EndUser,
    slug: str,
    connection: Connection | None,
    *,
    method: str,
    path: str,
    status: int,
    seconds: float,
    code: str = "",
    said: str = "",
) -> None:
    """Log one call. Never fails and never waits. `said` is the provider's own sentence about what is wrong."""
    path = "/" + path.lstrip("/").replace("\x00", "")
    call = Call(
        project_id=user.project_id,
        connection_id=connection.pk if connection else None,
        sub=user.sub,
        provider_slug=slug[:40],
        method=method[:8],
        path=path[:500],
        route=route_of(path),
        status=status,
        code=code[:40],
        said=said,
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
        _store(batch)
    except IntegrityError:
        # A project was deleted meanwhile: its calls go with it, and nobody else's.
        living = set(Project.objects.filter(pk__in={call.project_id for call in batch}).values_list("pk", flat=True))
        batch = [call for call in batch if call.project_id in living]
        _store(batch)
    return len(batch)


def _store(batch: list[Call]) -> None:
    with writing():
        Call.objects.bulk_create(batch, batch_size=BATCH)
        _count(batch)


def _count(batch: list[Call]) -> None:
    """Add the calls to their hours. In one order, so that two processes cannot wait for each other's rows."""
    hours: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for call in batch:
        hour = call.at.replace(minute=0, second=0, microsecond=0)
        counts = hours[call.project_id, hour, call.provider_slug, call.method, call.route]
        counts["calls"] += 1
        counts["refused"] += 400 <= call.status < 500
        counts["failed"] += call.status >= 500
        counts["milliseconds"] += call.milliseconds
        counts[CallHour.COLUMNS[bisect_left(CallHour.BOUNDS, call.milliseconds)]] += 1
    rows = [
        [
            *(field.get_db_prep_save(value, connection) for field, value in zip(KEY, key, strict=True)),
            *(counts[name] for name in CallHour.COUNTS),
        ]
        for key, counts in sorted(hours.items())
    ]
    with connection.cursor() as cursor:
        cursor.executemany(ADD, rows)


def _add() -> str:
    table, columns = CallHour._meta.db_table, [str(field.column) for field in KEY]
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in CallHour.COUNTS)
    places = ", ".join(["%s"] * (len(KEY) + len(CallHour.COUNTS)))
    into = f"{table} ({', '.join([*columns, *CallHour.COUNTS])})"
    # Nothing here comes from outside: names of columns only.
    return f"INSERT INTO {into} VALUES ({places}) ON CONFLICT ({', '.join(columns)}) DO UPDATE SET {sums}"  # noqa: S608


KEY: list[Any] = [CallHour._meta.get_field(name) for name in ("project", "hour", "provider_slug", "method", "route")]
ADD = _add()


def route_of(path: str) -> str:
    """Return a path without what differs from call to call: /rest/api/3/issue/OPS-1 is /rest/api/3/issue/{}.

    A part with a digit in it is an id, unless it is a version near the beginning; so is one in capitals, as keys are.
    """
    parts = path[:500].split("/")
    kept = [
        part if not IS_ID.search(part) or (index < VERSION_WITHIN and VERSION.match(part)) else "{}"
        for index, part in enumerate(parts)
    ]
    return "/".join(kept)[:200]


IS_ID = re.compile(r"\d|^[A-Z][A-Z_]+$")
VERSION, VERSION_WITHIN = re.compile(r"^v?\d{1,2}(\.\d{1,2})?$"), 5


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
        old = Now() - timedelta(days=project.log_days())
        deleted += delete_in_batches(Call.objects.filter(project=project, at__lt=old), PRUNE_BATCH)
        CallHour.objects.filter(project=project, hour__lt=old).delete()
    return deleted
