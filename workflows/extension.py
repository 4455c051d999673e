"""What workflows add to integrations: installed when this application loads."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from integrations import clock, listening
from integrations.extension import Copied, Deed, Offer, Publish
from integrations.models import ConnectedUser, Connection, Erasure, Event, Integration, Project
from integrations.models.base import turn
from integrations.providers.base import Wish
from workflows import alerts, deploy, dispatch, housekeeping, people, portable, portal, runs, tasks, triggers
from workflows import settings as user_settings
from workflows.models import AlertRule, Enablement, Run, Workflow

# Without a broker the sweeper does the work; with one, its hints are for what was lost, and must not crowd the queue.
BATCH, FEW = 500, 100


ACTIONS = (
    "alerts changed",
    *("event replayed", "events replayed"),
    *("run cancelled", "run replayed", "runs replayed", "step resolved"),
    *("secret deleted", "secret set"),
    *("workflow changed", "workflow deleted", "workflow deployed", "workflow made", "workflow paused"),
    *("workflow resumed", "workflow rolled back", "workflow switched off", "workflow switched on"),
    "workflow undeployed",
)


class Workflows:
    def describe(self, integration: Integration) -> dict[str, Any]:
        found = list(Workflow.objects.deployed().filter(integration=integration).select_related("deployed"))
        shared = user_settings.shared_by(integration.pk)
        return {
            "workflows": [_described(workflow) for workflow in found],
            "workflowMeta": {str(item.pk): _meta(item, integration, number) for number, item in enumerate(found)},
            "sharedInputs": deploy.paragon_inputs(shared, integration, among=shared),
        }

    def offers(self, integration: Integration) -> list[Offer]:
        return portal.offers(integration)

    def arrange(self, integration: Integration, offers: list[Offer]) -> None:
        portal.arrange(integration, offers)

    def state(self, connection: Connection) -> dict[str, Any]:
        chosen = {item.workflow_id: item for item in connection.enablements.all()}
        found = Workflow.objects.deployed().filter(integration=connection.integration_id)
        settings = {}
        for workflow in found.select_related("deployed", "integration"):
            row = chosen.get(workflow.pk)
            entry = {"enabled": bool(row and row.is_enabled), "settings": row.settings if row else {}}
            notice = triggers.notice(workflow, connection) if workflow.trigger_type == triggers.KIND else None
            settings[str(workflow.pk)] = entry | ({"notice": notice} if notice else {})
        return {"workflowSettings": settings, "configuredWorkflows": settings}

    def update(self, connection: Connection, patch: dict[str, Any]) -> list[dict[str, Any]]:
        return user_settings.take(connection, patch)

    def checked_settings(
        self, connection: Connection, given: dict[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        return user_settings.checked_shared(connection, given)

    def connected(self, connection: Connection, *, is_new: bool) -> None:
        """Switch on what is on by default, and say that the integration was enabled."""
        runs.resume(connection.grant_id)
        if not is_new:
            listening.ask_all(connection)
            return
        default_on = Workflow.objects.deployed().filter(integration=connection.integration_id, is_default_on=True)
        wanted = [Enablement(workflow=workflow, connection=connection, is_enabled=True) for workflow in default_on]
        Enablement.objects.bulk_create(wanted, ignore_conflicts=True)
        for workflow in default_on:
            triggers.switched(workflow, connection)
        payload = {"account": connection.grant.account_name, "site": connection.site_name}
        dispatch.record(
            connection.project_id,
            Event.Source.CONNECTED,
            "",
            payload,
            sub=connection.user.sub,
            connection=connection,
        )

    def resume(self, grant_id: uuid.UUID) -> None:
        runs.resume(grant_id)

    def wishes(self, connection: Connection) -> list[Wish]:
        return triggers.wishes(connection)

    def dispatch(self, events: list[Event]) -> None:
        dispatch.dispatch_events(events, begin=True)

    def warn(self, connection: Connection, words: str) -> None:
        alerts.warn(connection, words)

    def deeds(self, integration: Integration, sub: str, *, before: str, limit: int) -> list[Deed]:
        return people.deeds(integration, sub, before=before, limit=limit)

    def copy_project(self, source: Project, target: Project, actor: Any) -> Copied:
        plan = portable.bring_in(target, portable.export(source), actor, is_dry=False)
        return Copied([*plan.changes, *alerts.copy(source, target)], plan.problems, alerts.left_behind(source, target))

    def stop_user(self, user: ConnectedUser) -> None:
        for run in Run.objects.unfinished().filter(project=user.project_id, connection__user=user):
            runs.cancel(run)

    def export_user(self, user: ConnectedUser) -> dict[str, Iterable[dict[str, Any]]]:
        return people.exported(user)

    def forget_user(self, erasure: Erasure, deadline: float) -> bool:
        return people.forget(erasure, deadline)

    def forget_integration(self, integration: Integration, deadline: float) -> bool:
        return housekeeping.forget_integration(integration, deadline)

    def sweep(self, publish: Publish) -> None:
        """Have done what is due: events, schedules, runs, alerts. Called every few seconds by one process."""
        dispatch.fire_due(clock.now())
        patience = settings.HINT_PATIENCE_SECONDS if settings.HAS_BROKER else 0
        most = FEW if settings.HAS_BROKER else BATCH
        lost_since = Now() - timedelta(seconds=patience)
        waited = Q(due_at=None, created_at__lte=lost_since) | Q(due_at__lte=Now())
        events = Event.objects.undelivered().filter(waited).order_by(turn("pk"), "pk")
        publish(tasks.dispatch_event, [str(pk) for pk in events.values_list("pk", flat=True)[:most]])
        runs.resume()
        # A queued run has had its hint; what waits for its moment, or was left by a dead worker, has had none.
        unhinted = Q(wake_at__lte=lost_since) | ~Q(status=Run.Status.QUEUED)
        # Those that were refused a moment ago last: most of them still have to wait.
        due = Run.objects.due().filter(unhinted).order_by("is_held", turn("wake_at"), "wake_at")
        publish(tasks.advance_run, [str(pk) for pk in due.values_list("pk", flat=True)[:most]])
        alerts_due = AlertRule.objects.due().values_list("project_id", flat=True)
        publish(tasks.send_alert, [str(pk) for pk in alerts_due[:BATCH]])

    def audited_actions(self) -> tuple[str, ...]:
        return ACTIONS

    def housekeep(self) -> int:
        triggers.heal()
        return housekeeping.prune()


def _described(workflow: Workflow) -> dict[str, Any]:
    return {
        "id": str(workflow.pk),
        "description": workflow.name,
        "integrationId": str(workflow.integration_id),
        "steps": [],
    }


def _meta(workflow: Workflow, integration: Integration, order: int) -> dict[str, Any]:
    items = user_settings.declared(workflow)
    own = [item for item in items if not item.get("shared")]
    return {
        "id": str(workflow.pk),
        "infoText": workflow.description,
        "defaultEnabled": workflow.is_default_on,
        "hidden": workflow.is_hidden,
        "order": order,
        "inputs": deploy.paragon_inputs(own, integration, among=items),
    }
