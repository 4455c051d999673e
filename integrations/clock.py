"""What time it is, by the database. Machines disagree, and a clock may jump; what waits and expires has one judge."""

import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

ASK_AFTER_SECONDS = 30


class _Clock:
    def __init__(self) -> None:
        self._asked_at = float("-inf")
        self._said = datetime.now(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time (aware, UTC) from what the database said not long ago and from what has passed since."""
        with self._lock:
            said, asked_at = self._said, self._asked_at
        if time.monotonic() - asked_at > ASK_AFTER_SECONDS:
            asked_at = time.monotonic()
            try:
                said = _ask()
            except (DatabaseError, InterfaceError):
                return datetime.now(UTC)  # Nothing can be stored now either; the next caller asks again.
            with self._lock:
                self._said, self._asked_at = said, asked_at
        return said + timedelta(seconds=time.monotonic() - asked_at)

    def forget(self) -> None:
        self._asked_at = float("-inf")


def _ask() -> datetime:
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')" if is_sqlite else "SELECT clock_timestamp()")
        [found] = cursor.fetchone()
    found = datetime.fromisoformat(found) if isinstance(found, str) else found
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_clock = _Clock()
now, forget = _clock.now, _clock.forget
