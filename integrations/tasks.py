"""Background work. A task takes ids; the row says what is to be done, so a message may be lost, late or doubled."""

import logging
import uuid
from typing import Any

from celery import shared_task
from django.conf import settings

from integrations import extension, listening, removing, tokens, users, webhooks
from integrations.models import Grant, Heartbeat

logger = logging.getLogger(__name__)


@shared_task
def refresh_grant(grant_id: str) -> None:
    """Finish a refresh that a crash left half-done, or keep an idle grant alive; nothing for any other grant."""
    is_due = Grant.objects.half_refreshed() | Grant.objects.idle()
    if is_due.filter(pk=uuid.UUID(grant_id)).exists():
        tokens.refresh_now(uuid.UUID(grant_id))


@shared_task
def handle_webhook(*delivery_ids: str) -> None:
    """Make the events of deliveries, and have what they cause begun."""
    events = webhooks.handle(*map(uuid.UUID, delivery_ids))
    extension.installed().dispatch(events)


@shared_task
def tend_subscription(subscription_id: str) -> None:
    """Keep what the provider sends equal to what is wanted, and read what it has not told, where that is due."""
    listening.tend(uuid.UUID(subscription_id))


@shared_task
def erase_integration(integration_id: str) -> None:
    """Go on with taking an integration out of its project."""
    removing.erase_integration(uuid.UUID(integration_id))


@shared_task
def erase_project(project_id: str) -> None:
    """Go on with deleting a project."""
    removing.erase_project(uuid.UUID(project_id))


@shared_task
def erase_user(erasure_id: str) -> None:
    """Go on with deleting what is kept about a user."""
    users.erase(uuid.UUID(erasure_id))


@shared_task
def beat(name: str) -> None:
    """Show that a worker takes tasks: one that has gone silent looks alive to everything else."""
    Heartbeat.objects.beat(name)


def hint(task: Any, *arguments: str, queue: str | None = None) -> bool:
    """Publish a task; False when no broker takes it, and then the caller or the next sweep does the work itself."""
    if not settings.HAS_BROKER:
        return False
    try:
        task.apply_async(args=arguments, queue=queue, retry=False)
    except Exception as error:  # noqa: BLE001 (kombu's transports raise errors of their own libraries)
        logger.warning("no broker takes tasks: %s", type(error).__name__)
        return False
    return True
