"""Who did what, for those who ask later. Entries are only ever added, and what was changed behind our back shows.

Each entry carries a mark, a keyed digest of what it says, so that an edited one no longer fits. The sweeper ties the
entries of some minutes ago together in seals, each of which includes the one before, so that a removed one is missed.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.crypto import constant_time_compare, salted_hmac

from integrations import clock, extension
from integrations.models import AuditEntry, AuditSeal, Project, User

# From where the request under way came; "" outside of one.
came_from: ContextVar[str] = ContextVar("came_from", default="")
SALT = "patchbay.audit"
# By then every transaction that was writing has ended, so no entry can appear among sealed ones.
SEALED_AFTER = timedelta(minutes=2)
BATCH = 1000
# What an entry may say was done, beside what an extension adds. Old entries may say what is no longer among them.
ACTIONS = (
    *("account activated", "account deactivated"),
    *("API key made", "API key revoked"),
    *("claim refused", "connect refused", "connected", "connected without claim", "disconnected"),
    "configuration copied",
    *("integration activated", "integration added", "integration deactivated", "integration removed"),
    "integration settings changed",
    *("invitation declined", "invitation sent again", "invitation withdrawn"),
    *("member added", "member invited", "member removed", "member role changed"),
    "portal changed",
    *("project changed", "project created"),
    "SDK settings changed",
    *("second factor optional", "second factor required"),
    *("end of signing key changed", "signing key added", "signing key ended", "signing key generated"),
    *("signing key revoked", "signing key rotated"),
    "test token made",
    *("user deleted", "user disabled", "user enabled", "user exported", "user metadata changed"),
    *("webhook made by hand", "webhook made by hand removed"),
)


@dataclass(frozen=True)
class Change:
    """What something was and what it is now, by the names of what changed."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


def actions() -> list[str]:
    """Return what entries may say was done, in alphabetical order."""
    return sorted([*ACTIONS, *extension.installed().audited_actions()], key=str.lower)


def record(project: Project, actor: Any, action: str, detail: str = "", change: Change | None = None) -> None:
    """Note an action; `actor` is a dashboard user, an end user, or what else acted as text. Never pass a secret."""
    noted(project, actor, action, detail, change, at=clock.now()).save(force_insert=True)


def noted(
    project: Project, actor: Any, action: str, detail: str = "", change: Change | None = None, *, at: datetime
) -> AuditEntry:
    """Return a marked entry that is not stored yet."""
    entry = AuditEntry(
        project=project,
        actor=actor if isinstance(actor, User) else None,
        actor_name=_named(actor)[:300],
        action=action[:60],
        detail=detail[:500],
        before=_plain(change.before) if change else None,
        after=_plain(change.after) if change else None,
        ip=came_from.get()[:45],
        at=at,
    )
    entry.mark = _mark(entry, settings.SECRET_KEY)
    return entry


def _named(actor: Any) -> str:
    """Return who it is, by nothing that they choose. An e-mail address alone is a dashboard user and nobody else."""
    if isinstance(actor, User):
        return actor.email
    sub = getattr(actor, "sub", "")  # an end user, by their row or by their token
    return f"user {sub}" if sub else str(actor)


def change_in(form: Any, *, hidden: Collection[str] = ()) -> Change:
    """Return what somebody changed in a form; of the `hidden` fields only whether there was anything."""

    def told(name: str, value: Any) -> Any:
        return value if name not in hidden else ("set" if value else "")

    label = {name: str(form.fields[name].label or name.replace("_", " ").capitalize()) for name in form.changed_data}
    return Change(
        before={label[name]: told(name, form.initial.get(name)) for name in label},
        after={label[name]: told(name, form.cleaned_data.get(name)) for name in label},
    )


def _plain(values: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(dict(values), default=str))


# Marks and seals ------------------------------------------------------------------------------------------------------


def _mark(entry: AuditEntry, key: str) -> str:
    said = [entry.actor_name, entry.action, entry.detail, entry.before, entry.after, entry.ip, entry.at.isoformat()]
    text = json.dumps([str(entry.project_id), *said], sort_keys=True)
    return salted_hmac(SALT, text, secret=key, algorithm="sha256").hexdigest()


def _tied(before: str, marks: Iterable[str], key: str) -> str:
    return salted_hmac(SALT, "".join([before, *marks]), secret=key, algorithm="sha256").hexdigest()


def _end(digest: str, key: str) -> str:
    """Return what a project keeps of its newest seal: an older seal cannot be made into it without the key."""
    return salted_hmac(f"{SALT}.end", digest, secret=key, algorithm="sha256").hexdigest()


def seal() -> int:
    """Tie together what was noted a while ago, in every project. Return how many entries."""
    until, count = clock.now() - SEALED_AFTER, 0
    sealed = dict(AuditSeal.objects.values_list("project").annotate(Max("last_id")))
    newest = AuditEntry.objects.filter(at__lt=until).order_by().values_list("project").annotate(Max("id"))
    for project_id, last in newest:
        if last > sealed.get(project_id, 0):
            count += _seal(project_id, until)
    return count


@transaction.atomic
def _seal(project_id: Any, until: Any) -> int:
    before = AuditSeal.objects.select_for_update().filter(project=project_id).order_by("-last_id").first()
    fresh = AuditEntry.objects.filter(project=project_id, at__lt=until, id__gt=before.last_id if before else 0)
    rows = list(fresh.order_by("id").values_list("id", "mark")[:BATCH])
    if rows:
        digest = _tied(before.digest if before else "", [mark for _, mark in rows], settings.SECRET_KEY)
        AuditSeal.objects.create(project_id=project_id, last_id=rows[-1][0], count=len(rows), digest=digest)
        Project.objects.filter(pk=project_id).update(audit_end=_end(digest, settings.SECRET_KEY))
    return len(rows)


@dataclass(frozen=True)
class Break:
    """Where a project's log is not what was written: its entries after `first_id`, up to `last_id` (0: the end)."""

    project_id: Any
    first_id: int
    last_id: int
    what: str


def broken() -> Iterator[Break]:
    """Yield where entries were changed or removed in the database."""
    for project_id, end in Project.objects.values_list("pk", "audit_end"):
        before, first = "", 0
        for each in AuditSeal.objects.filter(project=project_id).order_by("last_id"):
            rows = list(
                AuditEntry.objects.filter(project=project_id, id__gt=first, id__lte=each.last_id).order_by("id")
            )
            marks = [row.mark for row in rows]
            if len(rows) != each.count or not any(
                constant_time_compare(_tied(before, marks, key), each.digest) for key in _keys()
            ):
                yield Break(project_id, first, each.last_id, "were removed or added")
            yield from _edited(rows)
            before, first = each.digest, each.last_id
        if (end or before) and not any(constant_time_compare(_end(before, key), end) for key in _keys()):
            yield Break(project_id, first, 0, "were removed")
        yield from _edited(AuditEntry.objects.filter(project=project_id, id__gt=first).order_by("id").iterator(BATCH))


def _edited(rows: Iterable[AuditEntry]) -> Iterator[Break]:
    for row in rows:
        if not any(constant_time_compare(_mark(row, key), row.mark) for key in _keys()):
            yield Break(row.project_id, row.pk - 1, row.pk, "were changed")


def _keys() -> list[str]:
    return [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
