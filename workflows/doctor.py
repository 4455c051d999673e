"""What must always be true, and what to do where it is not. `manage.py doctor` prints it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Case, Count, Exists, F, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Now, StrIndex, Substr
from django.db.models.lookups import LessThan
from kombu.exceptions import KombuError

from integrations import audit, vault
from integrations.models import (
    AuditEntry,
    ConnectedUser,
    Delivery,
    Event,
    Grant,
    Heartbeat,
    OAuthApp,
    RefusedDeliveries,
    Registration,
    SiteWebhook,
    Subscription,
)
from workflows import triggers
from workflows.models import AlertRule, Run, StepRun, Workflow

A_WHILE = timedelta(minutes=10)
# What is wanted is looked at every few minutes; where that leads to nothing for so long, somebody should know.
HEARD_WITHIN = timedelta(hours=1)
SEARCH, MANY_USERS = "users_by_words", 10_000
INTEGER = IntegerField()
# The audit log's words for what takes runs along.
DELETES_RUNS = ("workflow deleted", "integration removed", "user deleted")
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
    found: dict[tuple[Any, str], list[audit.Break]] = {}
    for each in audit.broken():
        found.setdefault((each.project_id, each.what), []).append(each)
    for (project_id, what), breaks in found.items():
        first, last = breaks[0].first_id, breaks[-1].last_id
        entries = f"{first + 1} to {last}" if last else f"after {first}"
        places = f", in {len(breaks):,} places" if len(breaks) > 1 else ""
        yield Finding(
            f"The audit log is not what was written: entries {entries} of project {project_id} {what}{places}.",
            "Somebody wrote to the database directly: compare with a backup, and find out who may. Or SECRET_KEY is"
            " another: name the former one in SECRET_KEY_FALLBACKS.",
        )


def alerts() -> Iterator[Finding]:
    for rule in AlertRule.objects.exclude(last_error="").select_related("project"):
        words = f"The last alert of {rule.project} did not arrive: {rule.last_error}"
        yield Finding(words, "Look at EMAIL_URL and at Settings › Alerts, which sends a test.")


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
    elif settings.HAS_BROKER and not Heartbeat.objects.is_recent("worker", 60):
        if trouble := _trouble_of_broker():
            words = f"The broker cannot be reached ({trouble})."
            yield Finding(words, "Start it, or correct CELERY_BROKER_URL; meanwhile the sweeper does the work.")
        else:
            yield Finding("No worker took a task for a minute.", "Start a Celery worker; the sweeper alone is slow.")


def _trouble_of_broker() -> str:
    """Return what happens when the broker is asked, "" when it answers."""
    try:
        with current_app.connection_for_write(connect_timeout=3) as broker:
            broker.ensure_connection(max_retries=1, timeout=3)
    except (OSError, KombuError) as error:
        return type(error).__name__
    return ""


def _indexes_of(model: type[Model]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, model._meta.db_table)


def deliveries() -> Iterator[Finding]:
    """Every delivery that was answered became an event; those of the deployment's own app may be for nobody."""
    old = Now() - A_WHILE
    waiting = Delivery.objects.waiting().filter(created_at__lt=old)
    yield from _counted(waiting, "deliveries have waited for ten minutes", "Look whether a worker or the sweeper runs.")
    lost = Delivery.objects.exclude(state=Delivery.State.WAITING).filter(events=None, app__project__isnull=False)
    # Older ones are pruned just after their events.
    lost = lost.filter(created_at__gt=Now() - timedelta(days=settings.RUN_LOG_DAYS))
    yield from _counted(lost, "deliveries led to no event", REPORT)
    for refused in RefusedDeliveries.objects.filter(last_at__gt=Now() - timedelta(days=1)).select_related("app"):
        words = f"{refused.count} deliveries to {refused.app} were refused, some today: {refused.last_reason}"
        yield Finding(words, "Compare the client secret in Settings with the provider's console.")
    by_hand = SiteWebhook.objects.filter(refused_at__gt=Now() - timedelta(days=1)).select_related("connection__grant")
    for webhook in by_hand:
        words = f"{webhook.refused_count} deliveries to the {webhook} made by hand were refused, some today."
        yield Finding(words, "Its secret may be mistyped: make a new one on the connection's page, and enter that.")


def events() -> Iterator[Finding]:
    """Every event ends as dispatched, ignored or failed, and says why; dispatched ones have their runs."""
    old = Now() - A_WHILE
    stuck = Event.objects.undelivered().filter(created_at__lt=old).filter(Q(due_at=None) | Q(due_at__lt=old))
    yield from _counted(stuck, "events have waited for ten minutes", "Look whether a worker or the sweeper runs.")
    silent = Event.objects.filter(state__in=Event.UNHEARD, reason="")
    yield from _counted(silent, "events ended without a reason", REPORT)
    mixed = Event.objects.filter(connection__isnull=False).exclude(connection__project=F("project"))
    yield from _counted(mixed, "events belong to another project than their connection", REPORT)
    yield from _counted(_lacking_runs(), "events lack runs that they tell of", REPORT)


def _lacking_runs() -> "QuerySet[Event]":
    """Return the events of the last day that say how many runs there are, and have fewer.

    One query sees one moment, so that what comes in meanwhile is no matter. Every project keeps its runs for a day at
    least; what was deleted by somebody is in the audit log, with all that came before it.
    """
    told = Case(
        When(reason__regex=r"^[0-9]+ runs?$", then=Cast(Substr("reason", 1, StrIndex("reason", Value(" "))), INTEGER))
    )
    runs_of_one = Run.objects.filter(event=OuterRef("pk")).order_by().values("event").values(count=Count("pk"))
    deleted = AuditEntry.objects.filter(
        project=OuterRef("project"), action__in=DELETES_RUNS, at__gte=OuterRef("created_at")
    )
    lacking = LessThan(Coalesce(Subquery(runs_of_one), 0), told)
    found = Event.objects.filter(state=Event.State.DISPATCHED, created_at__gt=Now() - timedelta(days=1))
    return found.filter(lacking).exclude(Exists(deleted))


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
    listened_to = Workflow.objects.deployed().filter(trigger_type=triggers.KIND, is_paused=False)
    for workflow in listened_to.select_related("integration"):
        feed = workflow.integration.provider.feed_of(workflow.trigger_name)
        on = triggers.switched_on().filter(workflow=workflow)
        own = Subscription.objects.filter(feed=feed.slug if feed else "")
        deaf = on.exclude(Exists(own.filter(connection=OuterRef("connection"))))
        yield from _counted(
            deaf, f"connections do not hear what {workflow} begins with", "The sweeper mends it in a minute."
        )
        yield from _unheard(workflow, own.filter(connection__in=on.values("connection")))


def _unheard(workflow: Workflow, wanted: "QuerySet[Subscription]") -> Iterator[Finding]:
    """Yield what is wanted for a workflow and cannot be heard, or was not for long, with the words of one of them."""
    silent = wanted.filter(way=Subscription.Way.NONE).exclude(error="")
    yield from _with_words(silent, f"connections hear nothing of what {workflow} begins with")
    patience = max(HEARD_WITHIN, timedelta(seconds=2 * settings.LISTEN_SECONDS))
    late = wanted.exclude(way=Subscription.Way.NONE).filter(heard_until__lt=Now() - patience)
    yield from _with_words(late, f"connections have heard nothing for an hour of what {workflow} begins with")


def _with_words(found: "QuerySet[Subscription]", what: str) -> Iterator[Finding]:
    count, one = found.count(), found.first()
    if one:
        words = one.error or "Look whether the sweeper and the workers keep up."
        yield Finding(f"{count} {what} (one is {one.connection_id}).", f"{words} The connection's page says more.")


CHECKS: dict[str, Check] = {
    "Deployment": deployment,
    "Deliveries": deliveries,
    "Events": events,
    "Runs": runs,
    "Grants": grants,
    "Triggers": listening,
    "Audit log": audit_log,
    "Alerts": alerts,
}


def examine() -> dict[str, list[Finding]]:
    """Return what is wrong, by part; every part is named."""
    return {name: list(check()) for name, check in CHECKS.items()}
