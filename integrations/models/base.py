import secrets
import time
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import IntegerField, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from integrations import vault


class UuidModel(models.Model):
    """A row whose id may be seen by strangers: it tells nothing and cannot be guessed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


def time_ordered_uuid() -> uuid.UUID:
    """Return a UUID of version 7 (RFC 9562): sorted by the moment it was made, to a fraction of a microsecond.

    For rows that are listed by age: the primary key alone is the order, and new rows lie together in its index.
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = rest * 4096 // 1_000_000
    value = milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def first_uuid_at(moment: datetime) -> uuid.UUID:
    """Return the lowest time-ordered UUID of a millisecond: rows by age can be found by a time through their key."""
    milliseconds = max(0, min(int(moment.timestamp() * 1000), 2**48 - 1))
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def turn(order: str, of: str = "project") -> Window:
    """Return which of its project's rows a row is: in this order projects take turns, however many one of them has."""
    return Window(RowNumber(), partition_by=of, order_by=order)


class CountUpTo(Subquery):
    """How many rows there are, counted no further than MOST and one: beyond, nobody needs to know and counting is slow.

    The filter `counted` of the templates writes it as "10,000+".
    """

    MOST = 10_000
    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any, Any], **extra: Any) -> None:
        super().__init__(rows[: self.MOST + 1], **extra)


class TimeOrderedModel(models.Model):
    """A row of a list by age. Its id tells when it was made, and nothing else."""

    id = models.UUIDField(primary_key=True, default=time_ordered_uuid, editable=False)

    class Meta:
        abstract = True


class Sealing(models.Model):
    """Secrets of a row: `row.seal("secret", text)` fills `secret_sealed`, `row.open("secret")` reads it.

    A sealed value opens only in the row, column and project that it was sealed for.
    """

    class Meta:
        abstract = True

    def vault_project_id(self) -> uuid.UUID | None:
        """Return the project whose data key seals this row; None for what belongs to the whole deployment."""
        return getattr(self, "project_id", None)

    def seal(self, name: str, text: str) -> str:
        """Set and return the sealed form of `text`, "" for nothing. The caller saves the row."""
        sealed = vault.seal(text, self._context(name)) if text else ""
        setattr(self, f"{name}_sealed", sealed)
        return sealed

    def open(self, name: str) -> str:
        """Return the secret, "" where none is kept. Raises vault.VaultError rather than ever returning ciphertext."""
        sealed: str = getattr(self, f"{name}_sealed")
        return vault.open_sealed(sealed, self._context(name)) if sealed else ""

    def _context(self, name: str) -> vault.Context:
        return vault.Context(
            deployment=settings.DEPLOYMENT_ID,
            table=self._meta.db_table,
            row=str(self.pk),
            column=f"{name}_sealed",
            project_id=self.vault_project_id(),
        )


def sealed_columns() -> list[tuple[type[Any], str]]:
    """Return every (model, column) that holds sealed values, for key rotation and the crawl that looks for leaks."""
    from django.apps import apps

    return [
        (model, field.name)
        for model in apps.get_models()
        if issubclass(model, Sealing)
        for field in model._meta.concrete_fields
        if field.name.endswith("_sealed")
    ]
