"""Background work. A task takes ids; the row says what is to be done, so a message may be lost, late or doubled."""

import uuid

from celery import shared_task

from workflows import alerts, dispatch, engine


@shared_task
def advance_run(run_id: str) -> None:
    """Carry a run to its next wait or its end; nothing for one that is not due or is carried by another worker."""
    engine.advance(uuid.UUID(run_id))


@shared_task
def dispatch_event(*event_ids: str) -> None:
    """Make the runs of events, and begin with them."""
    dispatch.dispatch(*map(uuid.UUID, event_ids), begin=True)


@shared_task
def send_alert(project_id: str) -> None:
    """Tell a project's people of the runs that failed since the last alert."""
    alerts.send(uuid.UUID(project_id))
