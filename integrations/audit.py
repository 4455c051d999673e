"""Who did what, for those who ask later."""

from typing import Any

from integrations.models import AuditEntry, Project


def record(project: Project, actor: Any, action: str, detail: str = "") -> None:
    """Note an action; `actor` is a dashboard user, or an end user's id as text."""
    user = None if isinstance(actor, str) else actor
    AuditEntry.objects.create(
        project=project, actor=user, actor_name=str(actor)[:255], action=action[:60], detail=detail[:500]
    )
