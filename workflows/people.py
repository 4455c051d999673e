"""What workflows keep about one end user: to show, to hand over, and to delete."""

import uuid
from collections.abc import Iterable
from typing import Any

from integrations.database import delete_until
from integrations.extension import Deed
from integrations.models import ConnectedUser, Erasure, Integration
from workflows.models import Enablement, Run

Status = Run.Status
OUTCOMES = {
    Status.QUEUED: "running",
    Status.RUNNING: "running",
    Status.WAITING: "waiting",
    Status.NEEDS_RECONNECT: "waiting",
    Status.DONE: "done",
    Status.FAILED: "failed",
    Status.DEAD: "failed",
    Status.UNCERTAIN: "uncertain",
    Status.CANCELLED: "cancelled",
}


def deeds(integration: Integration, sub: str, *, before: str, limit: int) -> list[Deed]:
    """Return the runs of an integration in a user's name, newest first."""
    ran = Run.objects.filter(project=integration.project_id, sub=sub, workflow__integration=integration, is_test=False)
    last = _uuid(before)
    if last:
        ran = ran.filter(pk__lt=last)
    return [
        Deed(
            at=run.created_at,
            title=run.workflow.name,
            detail="",
            outcome=OUTCOMES[Status(run.status)],
            place=str(run.pk),
        )
        for run in ran.select_related("workflow").only("created_at", "status", "workflow__name")[:limit]
    ]


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def exported(user: ConnectedUser) -> dict[str, Iterable[dict[str, Any]]]:
    """Return {"workflows": what is switched on, "runs": what ran, with its input}."""
    chosen = Enablement.objects.filter(connection__user=user).select_related("workflow")
    ran = Run.objects.filter(project=user.project_id, sub=user.sub).select_related("workflow")
    return {
        "workflows": (
            {
                "workflow": item.workflow.name,
                "connection": str(item.connection_id),
                "enabled": item.is_enabled,
                "settings": item.settings,
            }
            for item in chosen.iterator()
        ),
        "runs": (
            {
                "id": str(run.pk),
                "workflow": run.workflow.name,
                "status": run.status,
                "reason": run.reason,
                "at": run.created_at.isoformat(),
                "input": run.payload,
            }
            for run in ran.iterator(chunk_size=500)
        ),
    }


def forget(erasure: Erasure, deadline: float) -> bool:
    """Delete the runs, with what each step took and gave; what is switched on goes with the connections. False where
    some are left at the deadline.
    """
    theirs = Run.objects.filter(project=erasure.project_id, sub=erasure.sub, created_at__lte=erasure.before)
    return delete_until(theirs, deadline)
