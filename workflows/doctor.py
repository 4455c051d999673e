"""What must always be true, and what to do where it is not. `manage.py doctor` prints it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from integrations import audit, vault
from integrations.models import (
    ConnectedUser,
    Delivery,
    Event,
    Grant,
    Heartbeat,
    OAuthApp,
    RefusedDeliveries,
    Registration,
    Subscription,
)
from workflows import triggers
from workflows.models import Run, StepRun, Workflow

A_WHILE = timedelta(minutes=10)
SEARCH, MANY_USERS = "users_by_words", 10_000
REPORT = "This should not happen. Please report it."


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be: what, and what to do about it."""

    what: str
    advice: str


Check = Callable[[], Iterator[Finding]]


def _counted(rows: "QuerySet[Any]", what: str, advice: str) -> Iterator[Finding]:
    count = rows.count()
    if count:
        example = rows.values_list("pk", flat=True).first()
        yield Finding(f"{count} {what} (one is {example}).", advice)


def audit_log() -> Iterator[Finding]:
    for each in audit.broken():
        entries = f"{each.first_id + 1} to {each.last_id}" if each.last_id else f"after {each.first_id}"
        yield Finding(
            f"The audit log is not what was written: entries {entries} of project {each.project_id} {each.what}.",
            "Somebody wrote to the database directly. Compare with a backup, and find out who may.",
        )


def deployment() -> Iterator[Finding]:
    try:
        vault.verify()
    except vault.VaultError as error:
        yield Finding(str(error), "Start with the VAULT_KEYS that the secrets were sealed with.")
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        yield Finding(f"{len(waiting)} migrations wait.", "Run manage.py migrate.")
    if connection.vendor == "postgresql" and ConnectedUser.objects.all()[MANY_USERS:].exists():
        if SEARCH not in _indexes_of(ConnectedUser):
            yield Finding(
                "Searching for connected users reads every one of a project: the database has no trigrams.",
                "docs/deployment.md says how to add them.",
            )
    if not Heartbeat.objects.is_recent("sweeper", 60):
        yield Finding("No sweeper was seen for a minute.", "Start manage.py sweeper: what waits needs it.")
    if settings.HAS_BROKER and not Heartbeat.objects.is_recent("worker", 60):
        yield Finding("No worker took a task for a minute.", "Start a Celery worker; the sweeper alone is slow.")


def _indexes_of(model: type[Model]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, model._meta.db_table)


def deliveries() -> Iterator[Finding]:
    """Every delivery that was answered became an event; those of the deployment's own app may be for nobody."""
    old = Now() - A_WHILE
    waiting = Delivery.objects.waiting().filter(created_at__lt=old)
    yield from _counted(waiting, "deliveries have waited for ten minutes", "Look whether a worker or the sweeper runs.")
    lost = Delivery.objects.exclude(state=Delivery.State.WAITING).filter(events=None, app__project__isnull=False)
    yield from _counted(
        lost,
        "deliveries led to no event",
        REPORT,
    )
    for refused in RefusedDeliveries.objects.filter(last_at__gt=Now() - timedelta(days=1)).select_related("app"):
        words = f"{refused.count} deliveries to {refused.app} were refused, some today: {refused.last_reason}"
        yield Finding(words, "Compare the client secret in Settings with the provider's console.")


def events() -> Iterator[Finding]:
    """Every event ends as dispatched, ignored or failed, and says why; dispatched ones have runs."""
    old = Now() - A_WHILE
    stuck = Event.objects.undelivered().filter(created_at__lt=old).filter(Q(due_at=None) | Q(due_at__lt=old))
    yield from _counted(stuck, "events have waited for ten minutes", "Look whether a worker or the sweeper runs.")
    silent = Event.objects.filter(state__in=Event.UNHEARD, reason="")
    yield from _counted(silent, "events ended without a reason", REPORT)
    mixed = Event.objects.filter(connection__isnull=False).exclude(connection__project=F("project"))
    yield from _counted(mixed, "events belong to another project than their connection", REPORT)
    total = Event.objects.count()
    by_state = {state: Event.objects.filter(state=state).count() for state in Event.State.values}
    if sum(by_state.values()) != total:
        yield Finding(f"The ledger does not add up: {by_state} are not {total}.", REPORT)


def runs() -> Iterator[Finding]:
    """No run is without progress and without a moment to go on; no lease outlives its owner by long."""
    old = Now() - A_WHILE
    active = Run.objects.filter(status__in=Run.CLAIMABLE)
    yield from _counted(active.filter(wake_at=None), "runs will never go on", "Cancel them, and report it.")
    overdue = active.filter(wake_at__lt=old).free().filter(is_held=False)
    yield from _counted(overdue, "runs are overdue by ten minutes", "More workers may help.")
    dead = Now() - timedelta(seconds=2 * settings.RUN_LEASE_SECONDS)
    yield from _counted(
        active.filter(lease_until__lt=dead), "runs were left by a dead worker", "The sweeper takes them up."
    )
    silent = Run.objects.filter(status__in=[Run.Status.FAILED, Run.Status.DEAD, Run.Status.UNCERTAIN], reason="")
    yield from _counted(silent, "runs ended badly without a reason", REPORT)
    uncertain = Run.objects.filter(status=Run.Status.UNCERTAIN)
    yield from _counted(uncertain, "runs are uncertain", "Open them and say what became of the marked step.")
    open_steps = StepRun.objects.filter(status=StepRun.Status.STARTED, run__status=Run.Status.DONE)
    yield from _counted(open_steps, "steps of finished runs never ended", REPORT)
    mixed = Run.objects.exclude(workflow__project=F("project"))
    yield from _counted(mixed, "runs belong to another project than their workflow", REPORT)


def grants() -> Iterator[Finding]:
    begun = Grant.objects.filter(refresh_started_at__lt=Now() - timedelta(minutes=2), status=Grant.Status.ACTIVE)
    yield from _counted(begun, "refreshes are unfinished for two minutes", "Start the sweeper: after ten it is late.")
    for app in OAuthApp.objects.exclude(refused_at=None):
        yield Finding(f"{app} is refused: {app.refused_reason}", "Enter the right client secret in Settings.")


def listening() -> Iterator[Finding]:
    """Who should listen does, and what was asked for is verified, renewed and heard."""
    overdue = Subscription.objects.due().filter(due_at__lt=Now() - A_WHILE)
    yield from _counted(overdue, "subscriptions are overdue", "Look whether the sweeper and the workers keep up.")
    failing = Subscription.objects.exclude(error="").filter(failures__gte=3)
    yield from _counted(failing, "subscriptions fail again and again", "Their connections' pages say why.")
    soon = Registration.objects.live().filter(expires_at__lt=Now() + timedelta(days=3))
    yield from _counted(soon, "registrations expire within three days", "Does the sweeper run?")
    for workflow in Workflow.objects.deployed().filter(trigger_type=triggers.KIND, is_paused=False):
        feed = workflow.integration.provider.feed_of(workflow.trigger_name)
        heard = Subscription.objects.filter(connection=OuterRef("connection"), feed=feed.slug if feed else "")
        deaf = triggers.switched_on().filter(workflow=workflow).exclude(Exists(heard))
        yield from _counted(
            deaf, f"connections do not hear what {workflow} begins with", "The sweeper mends it in a minute."
        )


CHECKS: dict[str, Check] = {
    "Deployment": deployment,
    "Deliveries": deliveries,
    "Events": events,
    "Runs": runs,
    "Grants": grants,
    "Triggers": listening,
    "Audit log": audit_log,
}


def examine() -> dict[str, list[Finding]]:
    """Return what is wrong, by part; every part is named."""
    return {name: list(check()) for name, check in CHECKS.items()}
