"""When each signing key was last seen, to the minute: written by a thread of its own, so that no call waits for it."""

import logging
import threading
import uuid

from django.db import DatabaseError, connections
from django.db.models.functions import Now

from integrations.models import SigningKey
from integrations.remember import Remembered

logger = logging.getLogger(__name__)

A_MINUTE = 60
_noted: Remembered[bool] = Remembered(seconds=A_MINUTE)
_waiting: set[uuid.UUID] = set()
_lock = threading.Lock()


def note(key_id: uuid.UUID) -> None:
    """Note that a token signed with this key was accepted. Never fails and never waits."""
    if _noted.get(key_id):
        return
    _noted.keep(key_id, True)
    with _lock:
        _waiting.add(key_id)
    _start()


def _start() -> None:
    threading.Thread(target=_flush_or_say, name="key-uses", daemon=True).start()


def flush() -> None:
    """Write what waits, now."""
    with _lock:
        seen = set(_waiting)
        _waiting.clear()
    if seen:
        SigningKey.objects.filter(pk__in=seen).update(last_used_at=Now())


def _flush_or_say() -> None:
    try:
        flush()
    except DatabaseError as error:
        logger.warning("that a key was used is not noted: %s", type(error).__name__)
    finally:
        connections.close_all()
