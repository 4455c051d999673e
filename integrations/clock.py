"""What time it is, by the database. Machines disagree, and a clock may jump; what waits and expires has one judge."""

import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

from integrations.remember import Remembered

# What the database said, and when (time.monotonic()) it was asked.
_said: Remembered[tuple[datetime, float]] = Remembered(seconds=30)


def now() -> datetime:
    """Return the time (aware, UTC) from what the database said not long ago and from what has passed since."""
    found = _said.get("now")
    if found is None:
        asked_at = time.monotonic()
        try:
            found = _said.keep("now", (_ask(), asked_at))
        except (DatabaseError, InterfaceError):
            return datetime.now(UTC)  # Nothing can be stored now either; the next caller asks again.
    said, asked_at = found
    return said + timedelta(seconds=time.monotonic() - asked_at)


def _ask() -> datetime:
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')" if is_sqlite else "SELECT clock_timestamp()")
        [found] = cursor.fetchone()
    found = datetime.fromisoformat(found) if isinstance(found, str) else found
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
