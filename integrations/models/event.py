import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.base import TimeOrderedModel
from integrations.models.connection import Connection
from integrations.models.project import Project
from integrations.models.trigger import Delivery
from integrations.providers.base import Happening


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def matching(self, project: Project, wanted: Mapping[str, Any]) -> Self:
        """Return the project's events that a filter asks for. Each condition has an index that ends in the order."""
        names = {"state": "state", "source": "source", "name": "name", "user": "sub"}
        given = {column: wanted[name] for name, column in names.items() if wanted.get(name)}
        # The connection is one of the project's; named alone, its own index is taken.
        whose = {"connection": wanted["connection"]} if wanted.get("connection") else {"project": project}
        return self.filter(**whose, **given)

    def undelivered(self) -> Self:
        return self.filter(state=Event.State.RECEIVED)

    def due(self) -> Self:
        return self.undelivered().filter(Q(due_at=None) | Q(due_at__lte=Now()))

    def telling(self, connection_ids: Iterable[uuid.UUID | None], keys: Iterable[str]) -> Self:
        """Those that tell what has one of these keys, in no order.

        No key is empty. Saying so lets the index be used that holds the others; an order would speak for another one.
        """
        return self.filter(connection__in=connection_ids, key__in=keys).exclude(key="").order_by()

    def about(self, connection_id: uuid.UUID | None, subject: str) -> Self:
        """Those about one subject, which is not empty either."""
        return self.filter(connection=connection_id, subject=subject).exclude(subject="")

    def settle(self, ids: "list[uuid.UUID]", state: str, reason: str = "") -> None:
        """End events, each once: where another process was faster, its words stay."""
        self.undelivered().filter(pk__in=ids).update(state=state, reason=reason[:300])


class Event(TimeOrderedModel):
    """Something that happened: a row of the ledger. It ends as dispatched, ignored or failed, and says why."""

    class Source(models.TextChoices):
        APP = "app", "App event"
        CONNECTED = "connected", "Integration enabled"
        SCHEDULE = "schedule", "Schedule"
        WEBHOOK = "webhook", "Webhook"
        HAND = "hand", "Webhook made by hand"
        POLL = "poll", "Polling"
        CATCH_UP = "catch_up", "Catch-up"

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        DISPATCHED = "dispatched", "Dispatched"
        IGNORED = "ignored", "Ignored"
        FAILED = "failed", "Failed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="events")
    # Whose account it concerns; None where it concerns every connection (a schedule) or all of a user (`sub`).
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="events")
    sub = models.CharField("user ID", max_length=255, blank=True)
    source = models.CharField(max_length=12, choices=Source)
    name = models.CharField(max_length=120, blank=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVED)
    reason = models.CharField(max_length=300, blank=True)
    # What the provider told, or what was read from it: what counts as the same, what it is about, and when it happened.
    key = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=120, blank=True)
    happened_at = models.DateTimeField(null=True)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="events")
    replay_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="replays")
    # It was told before, by whichever way: replaying it would do again what was done.
    is_repetition = models.BooleanField(default=False, db_default=False, editable=False)
    # Until then it waits: the provider could not say yet whether it passes a filter.
    due_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], condition=~Q(key=""), name="one_event_a_key")
        ]
        indexes = [
            models.Index(
                fields=["connection", "subject", "-happened_at"], condition=~Q(subject=""), name="events_by_subject"
            ),
            models.Index(fields=["project", "state", "-id"], name="events_by_state"),
            models.Index(fields=["project", "source", "-id"], name="events_by_source"),
            models.Index(fields=["project", "name", "-id"], name="events_by_name"),
            models.Index(fields=["project", "sub", "-id"], name="events_of_a_user"),
            models.Index(fields=["connection", "-id"], name="events_of_a_connection"),
            models.Index(fields=["project", "-id"], name="events_by_age"),
            models.Index(fields=["id"], condition=Q(state="received"), name="events_undelivered"),
            models.Index(fields=["created_at"], name="events_to_prune"),
        ]

    # What led to nothing, so that it may be worth another try.
    UNHEARD = (State.FAILED, State.IGNORED)
    TOLD = (Source.WEBHOOK, Source.HAND)
    FROM_PROVIDER = (*TOLD, Source.POLL, Source.CATCH_UP)

    @property
    def title(self) -> str:
        """What the builder calls it, where the provider told; else its name, "" for none."""
        trigger = None
        if self.source in self.FROM_PROVIDER and self.connection:
            trigger = self.connection.integration.provider.trigger(self.name)
        return trigger.title if trigger else self.name

    @property
    def happening(self) -> Happening:
        """What happened at the provider; only for an event that came from there."""
        assert self.happened_at is not None
        return Happening(self.name, self.key, self.subject, self.happened_at, self.payload)

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.name}".strip()
