"""Lists by key: a page begins after the last row of the one before, so page 1000 costs what page 1 does."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, with the query strings of the next page and of the first ("" where there is no such page)."""

    rows: list[Row]
    next: str
    first: str


def page_of(rows: QuerySet[Row], request: HttpRequest, key: str, *, size: int = SIZE, skip: int = 0) -> Page[Row]:
    """Return the page that `?after=` asks for, ordered by `key` ("-at": newest first) and then by primary key.

    The primary key runs the way it does in the model's own ordering, because that is how its index was made. `skip`
    leaves rows out at the page's beginning, for callers that count instead of following links.
    """
    name = key.lstrip("-")
    tie = "-pk" if str((rows.model._meta.ordering or ["pk"])[-1]).startswith("-") else "pk"
    after = _read(rows, name, request.GET.get("after", ""))
    if after is not None:
        value, pk = after
        beyond = "lt" if key.startswith("-") else "gt"
        beyond_pk = "pk__lt" if tie.startswith("-") else "pk__gt"
        # The first condition is implied by the second, but it is the one that an index can use.
        rows = rows.filter(**{f"{name}__{beyond}e": value})
        rows = rows.filter(Q(**{f"{name}__{beyond}": value}) | Q(**{name: value, beyond_pk: pk}))
    found = list(rows.order_by(key, tie)[skip : skip + size + 1])
    following = _query(request, _write(found[size - 1], name)) if len(found) > size else ""
    return Page(found[:size], following, _query(request, "") if after is not None else "")


def _write(row: Model, name: str) -> str:
    value = getattr(row, name)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return urlsafe_b64encode(json.dumps([text, str(row.pk)]).encode()).decode().rstrip("=")


def _read(rows: QuerySet[Any], name: str, text: str) -> tuple[Any, Any] | None:
    """Return value and primary key of a page's beginning; None for the first page, and for anything made up."""
    if not text:
        return None
    meta = rows.model._meta
    try:
        value, pk = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        field: Any = meta.get_field(name)
        key: Any = meta.pk
        found, found_pk = _in_utc(field.to_python(value)), key.to_python(pk)
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError):
        return None
    return None if found is None or found_pk is None else (found, found_pk)


def _in_utc(value: Any) -> Any:
    """Return a time as the database compares it. Raises ValueError or OverflowError for one that never was ours."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("no time zone")
    return value.astimezone(UTC)


def _query(request: HttpRequest, after: str) -> str:
    query = request.GET.copy()
    for name in ("after", "offset"):
        query.pop(name, None)
    if after:
        query["after"] = after
    return f"?{query.urlencode()}"
