"""Copy how one project is set up to another: never keys, secrets, users or connections."""

from typing import Any

from django.db import transaction

from integrations import audit, extension
from integrations.extension import Copied
from integrations.models import Project

RETENTION = {"call_log_days": "Keep the call log", "run_log_days": "Keep runs and events"}


def copy(source: Project, target: Project, actor: Any, *, is_dry: bool) -> Copied:
    """Make the target what the source is, and leave alone what only the target has.

    All or nothing: where there are problems, and in a dry run, nothing is changed.
    """
    with transaction.atomic():
        found = extension.installed().copy_project(source, target, actor)
        found.changes += _retention(source, target)
        if is_dry or found.problems:
            transaction.set_rollback(True)
        else:
            audit.record(source, actor, "configuration copied", f"to {target}")
            audit.record(target, actor, "configuration copied", f"from {source}: {'; '.join(found.changes)}")
    return found


def _retention(source: Project, target: Project) -> list[str]:
    changed = [name for name in RETENTION if getattr(source, name) != getattr(target, name)]
    for name in changed:
        setattr(target, name, getattr(source, name))
    if changed:
        target.save(update_fields=changed)
    return [f"{RETENTION[name]}: {_days(getattr(source, name))}" for name in changed]


def _days(days: int | None) -> str:
    return "as long as this server does" if days is None else f"{days} days"
