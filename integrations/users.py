"""What operators do with an end user: disable, enable, hand over what is kept about them, delete it."""

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations import audit, clock, connect, extension, listening, remember
from integrations.database import delete_until
from integrations.models import Call, ConnectedUser, Delivery, Erasure, Event, Project

CHUNK = 500
# How long deleting may take of a request, and of a go in the background.
AT_ONCE, A_GO = 2.0, 5.0
LINGER = timedelta(minutes=1)
META_BYTES = 16_384


class BadMetadata(ValueError):
    """Why something cannot be a user's metadata, in words."""


def checked_metadata(meta: object) -> dict[str, Any]:
    """Return it as it may be stored. Raises BadMetadata."""
    if not isinstance(meta, dict):
        raise BadMetadata("meta must be a JSON object.")
    if len(json.dumps(meta)) > META_BYTES:
        raise BadMetadata(f"meta is larger than {META_BYTES:,} bytes.")
    return meta


def link(project: Project, rows: Sequence[Any]) -> None:
    """Give rows that name a user by `sub` the key of that user's page as `end_user_id`, None where nobody is known."""
    subs = {row.sub for row in rows if row.sub}
    known = dict(ConnectedUser.objects.filter(project=project, sub__in=subs).values_list("sub", "pk")) if subs else {}
    for row in rows:
        row.end_user_id = known.get(row.sub)


def set_metadata(user: ConnectedUser, meta: object, actor: Any) -> None:
    """Replace a user's metadata. Raises BadMetadata."""
    meta = checked_metadata(meta)
    if meta != user.meta:
        user.meta = meta
        user.save(update_fields=["meta"])
        audit.record(user.project, actor, "user metadata changed", user.sub)


def disable(user: ConnectedUser, actor: Any) -> None:
    """Have nothing done in the user's name any more, here at once and in other processes within seconds."""
    if ConnectedUser.objects.filter(pk=user.pk, disabled_at=None).update(disabled_at=Now()):
        audit.record(user.project, actor, "user disabled", user.sub)
    _look_again(user)
    extension.installed().stop_user(user)


def enable(user: ConnectedUser, actor: Any) -> None:
    """Let everything go on that was switched on before. What happened meanwhile is not made up for."""
    if ConnectedUser.objects.filter(pk=user.pk).exclude(disabled_at=None).update(disabled_at=None):
        audit.record(user.project, actor, "user enabled", user.sub)
    _look_again(user)


def _look_again(user: ConnectedUser) -> None:
    remember.forget_everything()
    for connection in user.connections.all():
        listening.ask_all(connection)


def delete(user: ConnectedUser, actor: Any) -> None:
    """Disconnect the user and delete all that is kept about them, but for what the audit log says was done.

    What is more than a moment's work goes in the background.
    """
    ConnectedUser.objects.filter(pk=user.pk).update(disabled_at=Now())
    extension.installed().stop_user(user)
    for connection in user.connections.select_related("grant", "integration", "project", "user"):
        connect.disconnect(connection, actor=actor)
    with transaction.atomic():
        erasure = Erasure.objects.create(project=user.project, sub=user.sub, before=clock.now())
        audit.record(user.project, actor, "user deleted", user.sub)
        user.delete()
    remember.forget_everything()
    erase(erasure.pk, seconds=AT_ONCE)


def erase(erasure_id: uuid.UUID, seconds: float = A_GO) -> bool:
    """Go on deleting what is kept about a user who was deleted. True when nothing is left of it."""
    found, deadline = Erasure.objects.filter(pk=erasure_id).first(), time.monotonic() + seconds
    if found is None:
        return True
    if not extension.installed().forget_user(found, deadline):
        return False
    if not delete_until(Call.objects.filter(project=found.project_id, sub=found.sub, at__lte=found.before), deadline):
        return False
    if not _erase_events(found, deadline):
        return False
    # Other processes may still have calls of that moment in memory.
    if found.before < clock.now() - LINGER:
        found.delete()
    return True


def _erase_events(erasure: Erasure, deadline: float) -> bool:
    """Delete events, and the deliveries that told nobody else anything."""
    mine = Event.objects.filter(project=erasure.project_id, sub=erasure.sub, created_at__lte=erasure.before)
    while rows := list(mine.order_by().values_list("pk", "delivery_id")[:CHUNK]):
        if time.monotonic() >= deadline:
            return False
        Event.objects.filter(pk__in=[pk for pk, _ in rows]).delete()
        told = {delivery for _, delivery in rows if delivery}
        Delivery.objects.filter(pk__in=told, events=None).exclude(state=Delivery.State.WAITING).delete()
    return True


# Hand over ------------------------------------------------------------------------------------------------------------


def export(user: ConnectedUser) -> Iterator[str]:
    """Yield all that is kept about a user as JSON, a row at a time; never a token."""
    about = {"userId": user.sub, "metadata": user.meta, "firstSeen": user.created_at.isoformat()}
    yield f'{{"exportedAt": {json.dumps(clock.now().isoformat())}, "user": {json.dumps(about)}'
    parts = {"connections": _connections(user), "calls": _calls(user), "events": _events(user)}
    for name, rows in (parts | extension.installed().export_user(user)).items():
        yield f', "{name}": ['
        yield from _joined(rows)
        yield "]"
    yield "}"


def _joined(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    texts = (json.dumps(row, ensure_ascii=False) for row in rows)
    first = next(texts, None)
    return iter(()) if first is None else chain([first], (f", {text}" for text in texts))


def _connections(user: ConnectedUser) -> Iterator[dict[str, Any]]:
    for connection in user.connections.select_related("grant", "integration"):
        yield {
            "id": str(connection.pk),
            "integration": connection.integration.provider_slug,
            "account": {"name": connection.grant.account_name, "email": connection.grant.account_email},
            "site": {"name": connection.site_name, "url": connection.site_url},
            "permissions": connection.grant.scopes,
            "settings": connection.settings,
            "since": connection.created_at.isoformat(),
        }


def _calls(user: ConnectedUser) -> Iterator[dict[str, Any]]:
    fields = ("at", "provider_slug", "method", "path", "status", "milliseconds")
    for row in Call.objects.filter(project=user.project_id, sub=user.sub).values(*fields).iterator(CHUNK):
        yield row | {"at": row["at"].isoformat()}


def _events(user: ConnectedUser) -> Iterator[dict[str, Any]]:
    for event in Event.objects.filter(project=user.project_id, sub=user.sub).iterator(CHUNK):
        yield {
            "id": str(event.pk),
            "name": event.name,
            "at": event.created_at.isoformat(),
            "outcome": event.state,
            "reason": event.reason,
            "payload": event.payload,
        }
