import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now

from integrations.database import writing
from integrations.models import Connection, Event, Grant, Project
from integrations.models.base import TimeOrderedModel, first_uuid_at
from workflows.models.workflow import Workflow, WorkflowVersion


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def unfinished(self) -> Self:
        return self.filter(status__in=Run.UNFINISHED)

    def matching(self, project: Project, wanted: Mapping[str, Any]) -> Self:
        """Return the project's runs that a filter asks for. Each condition has an index that ends in the order."""
        found = self.filter(project=project)
        if not wanted.get("tests"):
            found = found.filter(is_test=False)
        status = wanted.get("status")
        if status == "bad":
            found = found.filter(status__in=Run.BAD)
        elif status == "active":
            found = found.filter(status__in=Run.UNFINISHED)
        elif status:
            found = found.filter(status=status)
        if wanted.get("workflow"):
            found = found.filter(workflow=wanted["workflow"])
        if wanted.get("integration"):
            found = found.filter(workflow__integration=wanted["integration"])
        if wanted.get("user"):
            found = found.filter(sub=wanted["user"])
        if wanted.get("since"):
            found = found.filter(pk__gte=first_uuid_at(wanted["since"]))
        if wanted.get("until"):
            found = found.filter(pk__lt=first_uuid_at(wanted["until"] + timedelta(milliseconds=1)))
        if wanted.get("error"):
            found = found.filter(reason__icontains=wanted["error"]).exclude(reason="")
        return found

    def free(self) -> Self:
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))

    def due(self) -> Self:
        """Return what a worker could go on with now."""
        return self.filter(status__in=Run.CLAIMABLE, wake_at__lte=Now()).free()

    def claim(self, run_id: uuid.UUID, owner: str) -> "Run | None":
        """Take the right to carry a run; None when another worker has it, it is not due, or it has to wait its turn.
        `owner` is new for each claim (`owner_name`).

        Every claim raises `generation`, and every later write names it: a worker that was stopped past its lease
        finds that its writes no longer count. The row is read first and taken only as it was read.
        """
        run = self.due().filter(pk=run_id).first()
        if run is None:
            return None
        busy = self.model.objects.busy(run.project_id)
        run.crowds(busy)
        if run.is_behind_another() or not run.fits(busy):
            self.due().filter(pk=run_id).update(is_held=True)
            return None
        taken = self.filter(pk=run_id, generation=run.generation, status=run.status)
        run.status, run.generation, run.lease_owner = Run.Status.RUNNING, run.generation + 1, owner
        run.claims_without_progress += 1
        with writing(can_be_redone=True):
            claimed = taken.update(
                status=Run.Status.RUNNING,
                lease_owner=owner,
                lease_until=Now() + timedelta(seconds=settings.RUN_LEASE_SECONDS),
                generation=run.generation,
                claims_without_progress=run.claims_without_progress,
                is_held=False,
                started_at=Coalesce("started_at", Now()),
            )
        return run if claimed else None

    def busy(self, project_id: uuid.UUID) -> "Counter[uuid.UUID | None]":
        """Return how many runs are under way, by connection; counted no further than a project may have."""
        leased = self.filter(project=project_id, lease_until__gte=Now()).order_by()
        return Counter(leased.values_list("connection_id", flat=True)[: settings.RUNS_PER_PROJECT])

    def next_after(self, run: "Run") -> uuid.UUID | None:
        """Return a due run that was refused while this one was under way: behind it, or for lack of room."""
        held = self.filter(project=run.project_id, is_held=True, status__in=Run.CLAIMABLE, wake_at__lte=Now())
        found = list(held.order_by("pk").values_list("pk", "connection_id")[:50])
        own = [pk for pk, connection_id in found if connection_id == run.connection_id]
        return next(iter([*own, *(pk for pk, _ in found)]), None)


TRIGGER_LABELS = {
    "event": "App event",
    "request": "Request",
    "schedule": "Schedule",
    "connected": "Integration enabled",
    "integration": "Integration",
    "manual": "Run by hand",
    "action": "Action call",
}


class Run(TimeOrderedModel):
    """One execution of a version. Its steps are its checkpoints; its lease and generation say who may carry it on."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnect"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        CANCELLED = "cancelled", "Cancelled"
        DEAD = "dead", "Given up"

    CLAIMABLE = (Status.QUEUED, Status.RUNNING, Status.WAITING)
    UNFINISHED = (*CLAIMABLE, Status.NEEDS_RECONNECT)
    # What somebody should look at.
    BAD = (Status.FAILED, Status.UNCERTAIN, Status.DEAD)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(WorkflowVersion, on_delete=models.RESTRICT, related_name="runs")
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="runs")
    # Whose run it was, also after the connection is gone.
    sub = models.CharField("user ID", max_length=255, blank=True)
    event = models.ForeignKey(Event, null=True, on_delete=models.SET_NULL, related_name="runs")
    trigger = models.CharField(max_length=20)
    payload = models.JSONField(default=dict)
    # The end user's settings as they were when the run began.
    settings = models.JSONField(default=dict)
    is_test = models.BooleanField(default=False)
    # A test of one step takes the outputs before it from here and ends with that step.
    only_step = models.CharField(max_length=60, blank=True)
    order_key = models.CharField(max_length=200, blank=True)

    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    reason = models.CharField(max_length=500, blank=True)
    response = models.JSONField(null=True)
    wake_at = models.DateTimeField(default=None, null=True)
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    claims_without_progress = models.PositiveSmallIntegerField(default=0, editable=False)
    # Refused to a worker that wanted it, because others went first: the next of them to end gives a hint.
    is_held = models.BooleanField(default=False, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    replay_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replays")
    alerted_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    is_crowded = True
    # False while only its worker knows that it carries this run: its first write claims it.
    is_claimed = True
    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "workflow", "connection"],
                condition=Q(replay_of=None),
                name="one_run_an_event_and_connection",
            )
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="runs_by_age"),
            models.Index(fields=["project", "status", "-id"], name="runs_by_status"),
            models.Index(fields=["workflow", "-id"], name="runs_of_a_workflow"),
            models.Index(fields=["project", "sub", "-id"], name="runs_of_a_user"),
            models.Index(fields=["wake_at"], condition=Q(status__in=["queued", "running", "waiting"]), name="runs_due"),
            models.Index(
                fields=["connection", "wake_at"],
                condition=Q(status__in=["queued", "running", "waiting"]),
                name="runs_due_of_a_connection",
            ),
            models.Index(fields=["project", "lease_until"], condition=Q(lease_until__isnull=False), name="runs_leased"),
            models.Index(
                fields=["workflow", "order_key", "id"],
                condition=Q(status__in=["queued", "running", "waiting", "needs_reconnect"]) & ~Q(order_key=""),
                name="runs_in_order",
            ),
            models.Index(fields=["project", "connection", "id"], condition=Q(is_held=True), name="runs_held"),
            models.Index(fields=["project", "-id"], condition=~Q(reason=""), name="runs_with_a_reason"),
            models.Index(fields=["created_at"], name="runs_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} {self.created_at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_over(self) -> bool:
        return self.status not in self.UNFINISHED

    @property
    def is_asked_for(self) -> bool:
        """Somebody waits for this very run. What they are told failed must not happen later: they may ask again."""
        return self.trigger == "action" or self.is_test

    def begin(self, owner: str) -> None:
        """Note who is going to carry a run that is about to be stored, as the first in the line."""
        self.lease_owner = owner
        # The database's clock, as for every lease; Django's types know columns that hold values only.
        self.started_at = Now()  # type: ignore[assignment]

    def is_behind_another(self) -> bool:
        """Is there an earlier unfinished run with the same order key?"""
        if not self.order_key:
            return False
        same = {"workflow": self.workflow_id, "connection": self.connection_id, "order_key": self.order_key}
        return Run.objects.unfinished().filter(**same, pk__lt=self.pk).exists()

    def fits(self, busy: "Counter[uuid.UUID | None]") -> bool:
        """Are fewer runs of its connection, and of its project, under way than may be? Two claims at once may see the
        same: the limits are for fairness, and one more does no harm.
        """
        has_room = busy.total() < settings.RUNS_PER_PROJECT
        return has_room and busy[self.connection_id] < settings.RUNS_PER_CONNECTION

    def crowds(self, busy: "Counter[uuid.UUID | None]") -> bool:
        """Note whether others may be waiting for this run to end: where it is not crowded, nobody can be."""
        own = busy[self.connection_id]
        most, most_own = 0.75 * settings.RUNS_PER_PROJECT, 0.5 * settings.RUNS_PER_CONNECTION
        self.is_crowded = busy.total() >= most or own >= most_own
        return self.is_crowded

    def get_trigger_label(self) -> str:
        return TRIGGER_LABELS.get(self.trigger, self.trigger)

    @property
    def milliseconds(self) -> int | None:
        """Return how long it took from its first claim to its end, waiting included; None while it is not over."""
        if self.started_at is None or self.ended_at is None:
            return None
        return int((self.ended_at - self.started_at).total_seconds() * 1000)


class StepRun(models.Model):
    """What one step of a run did: a checkpoint. `iteration` is "" outside a fan out, else "3" or "3.0" inside one."""

    class Status(models.TextChoices):
        STARTED = "started", "Running"
        WAITING = "waiting", "Waiting"
        IN_DOUBT = "in_doubt", "Checking"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    path = models.CharField(max_length=60)
    iteration = models.CharField(max_length=40, blank=True)
    type = models.CharField(max_length=20)
    status = models.CharField(max_length=12, choices=Status)
    # The same for every attempt of this step in this run, and a new one in a replay: what an effect is marked with.
    op_key = models.UUIDField()
    generation = models.PositiveIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # How often an effect in doubt was looked for.
    looks = models.PositiveSmallIntegerField(default=0)
    input = models.JSONField(null=True)
    output = models.JSONField(null=True)
    # The size of an output that was too large to keep; `output` holds its beginning as text then.
    output_cut_bytes = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True)
    # {input key: what is wrong with it}
    error_fields = models.JSONField(default=dict)
    wake_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    milliseconds = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "path", "iteration"], name="one_checkpoint_a_step_and_iteration")
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.iteration}".strip()

    @property
    def is_over(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED)


def parked_with_healthy_grant() -> models.QuerySet[Run]:
    """Return the runs that wait for a reconnect which has happened."""
    return Run.objects.filter(
        status=Run.Status.NEEDS_RECONNECT,
        connection__status=Connection.Status.ACTIVE,
        connection__grant__status=Grant.Status.ACTIVE,
    )
