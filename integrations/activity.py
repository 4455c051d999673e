"""What was done in one end user's name, for that user to read: calls and runs, newest first, never what was in them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from integrations import extension
from integrations.extension import Deed
from integrations.models import Call, Integration

SIZE = 20
CALLS, OTHERS = "calls", "others"


@dataclass(frozen=True)
class Activity:
    """Some deeds, with what asks for those before them: "" where there are none."""

    deeds: list[Deed]
    next: str


def activity_of(integration: Integration, sub: str, after: str = "", size: int = SIZE) -> Activity:
    """Return a page of what was done. Two lists are read side by side, so the cursor says where each of them stands."""
    seen = _read(after)
    calls = _calls(integration, sub, seen.get(CALLS, ""), size + 1)
    others = extension.installed().deeds(integration, sub, before=seen.get(OTHERS, ""), limit=size + 1)
    found = [(deed, CALLS) for deed in calls] + [(deed, OTHERS) for deed in others]
    found.sort(key=lambda each: each[0].at, reverse=True)
    shown = found[:size]
    for deed, where in shown:
        seen[where] = deed.place
    return Activity([deed for deed, _ in shown], _write(seen) if len(found) > size else "")


def _calls(integration: Integration, sub: str, before: str, limit: int) -> list[Deed]:
    calls = Call.objects.filter(project=integration.project_id, sub=sub, provider_slug=integration.provider_slug)
    text, _, pk = before.partition(" ")
    at = _moment(text)
    if at and pk.isdecimal():
        # The first condition is implied by the second, but it is the one that an index can use.
        calls = calls.filter(at__lte=at).filter(Q(at__lt=at) | Q(at=at, pk__lt=int(pk)))
    words = integration.provider.api.words
    return [
        Deed(
            at=call.at,
            title=words(call.method, call.path) or plain_words(call.method),
            detail=f"{call.method} {call.path}",
            outcome=_outcome(call.status),
            place=f"{call.at.isoformat()} {call.pk}",
        )
        for call in calls[:limit]
    ]


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _outcome(status: int) -> str:
    if status < 400:
        return "done"
    return "refused" if status < 500 else "failed"


def plain_words(method: str) -> str:
    if method in ("GET", "HEAD"):
        return gettext("Read data")
    return gettext("Deleted data") if method == "DELETE" else gettext("Sent data")


def _write(seen: dict[str, str]) -> str:
    return urlsafe_b64encode(json.dumps(seen).encode()).decode().rstrip("=")


def _read(text: str) -> dict[str, str]:
    """Return where each list stands; from the beginning for anything made up."""
    try:
        found: Any = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))) if text else {}
    except (ValueError, RecursionError):
        return {}
    given = found if isinstance(found, dict) else {}
    return {name: str(given[name])[:100] for name in (CALLS, OTHERS) if name in given}
