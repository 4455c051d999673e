"""Delete what was kept long enough: runs that are over, and events."""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from integrations.database import delete_in_batches, delete_until
from integrations.models import Event, Integration, Project
from workflows.models import Run, Workflow


def prune() -> int:
    """Delete runs and events that their project keeps no longer, a batch at a time. Return how many.

    Events stay for as long as this server's deliveries are remembered, because they tell a repetition from what is new.
    """
    deleted = 0
    # By how long, not by project: then what is old is found by its age, and nobody's whole list is looked through.
    for own_days in Project.objects.order_by().values_list("run_log_days", flat=True).distinct():
        days = own_days or settings.RUN_LOG_DAYS
        old, long_ago = Now() - timedelta(days=days), Now() - timedelta(days=max(days, settings.RUN_LOG_DAYS))
        over = Run.objects.filter(project__run_log_days=own_days, created_at__lt=old)
        told = Event.objects.filter(project__run_log_days=own_days, created_at__lt=long_ago)
        deleted += delete_in_batches(over.exclude(status__in=Run.UNFINISHED))
        deleted += delete_in_batches(told.exclude(state=Event.State.RECEIVED))
    return deleted


def forget_integration(integration: Integration, deadline: float) -> bool:
    """Delete an integration's workflows with their runs, as far as there is time. False where some are left."""
    workflows = Workflow.objects.filter(integration=integration)
    # Nothing starts any more while they are deleted.
    workflows.update(deployed=None, trigger_type="", trigger_name="", next_fire_at=None)
    return delete_until(Run.objects.filter(workflow__in=workflows), deadline) and delete_until(workflows, deadline)
