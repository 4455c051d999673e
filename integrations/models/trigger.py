import secrets
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from integrations.models.base import Sealing, TimeOrderedModel, UuidModel
from integrations.models.connection import Connection
from integrations.models.integration import OAuthApp, new_webhook_token
from integrations.models.project import Project

if TYPE_CHECKING:
    from integrations.providers.base import Feed

# A registration that we have replaced may still be on its way: the sender repeats what was not taken for an hour.
LATE_DAYS = 2


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def due(self) -> Self:
        return self.filter(due_at__lte=Now()).free()

    def free(self) -> Self:
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))

    def ask(self) -> int:
        """Have these looked at soon, also where someone is looking at them just now. Return how many."""
        return self.update(due_at=Now(), asked=F("asked") + 1)

    def claim(self, pk: uuid.UUID, owner: str, seconds: float) -> "Subscription | None":
        """Take the right to tend one that is due, for so long; None where another has it or nothing is due."""
        mine = self.due().filter(pk=pk)
        if not mine.update(lease_owner=owner, lease_until=Now() + timedelta(seconds=seconds)):
            return None
        return self.select_related("connection__integration__project", "connection__grant__app").get(pk=pk)


class Subscription(UuidModel):
    """A connection's wish to hear of the triggers of a feed: which of them, how they are heard, and until when.

    It stands as long as somebody listens; who listens is asked anew each time that it is looked at.
    """

    class Way(models.TextChoices):
        NONE = "", "Not heard"
        WEBHOOK = "webhook", "At once, by webhook"
        HAND = "hand", "At once, by a webhook made by hand"
        POLL = "poll", "By polling"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="subscriptions")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="subscriptions")
    feed = models.SlugField(max_length=40)
    # The triggers that are wanted, each with the moment since when: {slug: ISO time}.
    triggers = models.JSONField(default=dict)
    way = models.CharField(max_length=10, choices=Way, default=Way.NONE, blank=True)
    # Why it is this way, in words; and what went wrong the last time.
    words = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=500, blank=True)
    error_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    # Grows with every wish to have it looked at, so that none is lost while it is being looked at.
    asked = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    # Everything that happened until then was heard.
    heard_until = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    # Why it has to be read, while that takes more than one look; "" once it was read to its end.
    unread = models.CharField(max_length=200, blank=True, editable=False)
    every_seconds = models.FloatField(default=60)
    cursor = models.JSONField(default=dict, editable=False)
    # The newest event that was told by the provider, and that was found by reading.
    delivered_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(null=True, blank=True)
    # The last gap: nothing was told in it, and what was missing was fetched afterwards.
    gap_from = models.DateTimeField(null=True, blank=True)
    gap_until = models.DateTimeField(null=True, blank=True)
    gap_events = models.PositiveIntegerField(default=0)
    gap_reason = models.CharField(max_length=200, blank=True)
    alerted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["connection", "feed"], name="one_subscription_a_feed")]
        indexes = [models.Index(fields=["due_at"], name="subscriptions_due")]

    def __str__(self) -> str:
        return f"{self.feed} for {self.connection}"

    @property
    def told_by(self) -> "Feed | None":
        return self.connection.integration.provider.feed(self.feed)

    @property
    def is_late(self) -> bool:
        """Is it heard later than at once?"""
        return self.way == self.Way.POLL

    @property
    def is_new(self) -> bool:
        """Nobody has looked at it yet; somebody does in a moment."""
        return self.way == self.Way.NONE and self.heard_until is None and not self.error

    @property
    def minutes(self) -> int:
        """How late it may be heard while it is polled."""
        return max(1, round(self.every_seconds / 60))

    def release(self, due_at: datetime | None, **changes: Any) -> bool:
        """Store what was found out and let go; False where the lease was lost meanwhile. Who asked again is heard."""
        later = Case(
            When(asked=self.asked, then=Value(due_at, output_field=models.DateTimeField(null=True))), default=Now()
        )
        mine = Subscription.objects.filter(pk=self.pk, lease_owner=self.lease_owner, lease_until__isnull=False)
        return bool(mine.update(due_at=later, lease_until=None, **changes))


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(connection__project__members__user=user)

    def live(self) -> Self:
        return self.filter(ended_at=None)

    def long_ended(self) -> Self:
        return self.filter(ended_at__lt=Now() - timedelta(days=LATE_DAYS))


class Registration(UuidModel):
    """What we asked the provider to send for a connection. Without a `provider_id` it is being asked for just now."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="registrations")
    app = models.ForeignKey(OAuthApp, on_delete=models.CASCADE, related_name="registrations")
    # Its ids are unique at a site only.
    site = models.CharField(max_length=300)
    feed = models.SlugField(max_length=40)
    provider_id = models.CharField(max_length=100, blank=True)
    events = models.JSONField(default=list)
    filter = models.TextField(blank=True)
    # A narrower filter that the provider refused.
    instead_of = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["app", "site", "provider_id"],
                condition=~Q(provider_id=""),
                name="one_registration_an_id_at_a_site",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider_id or 'new'} at {self.site}"


class SiteWebhookQuerySet(models.QuerySet["SiteWebhook"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)


class SiteWebhook(Sealing, UuidModel):
    """A webhook that an administrator of the site makes by hand: an address of its own, for one connection."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="site_webhooks")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="site_webhooks")
    feed = models.SlugField(max_length=40)
    token = models.CharField(max_length=60, default=new_webhook_token, unique=True, editable=False)
    secret_sealed = models.TextField(editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True)
    # What came to its address with a wrong signature: the secret may be mistyped.
    refused_count = models.PositiveBigIntegerField(default=0, editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SiteWebhookQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["connection", "feed"], name="one_site_webhook_a_feed")]

    def __str__(self) -> str:
        return f"webhook of {self.connection}"

    @property
    def url(self) -> str:
        slug = self.connection.integration.provider_slug
        return f"{settings.PUBLIC_URL}/webhooks/{slug}/site/{self.token}"

    @property
    def is_refused(self) -> bool:
        """Was the last that came to its address turned away?"""
        return self.refused_at is not None and (self.delivered_at is None or self.delivered_at < self.refused_at)

    def new_secret(self) -> str:
        """Set and return a secret of 256 bits. The caller saves the row and shows it once."""
        secret = secrets.token_hex(32)
        self.seal("secret", secret)
        return secret


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> Self:
        return self.filter(state=Delivery.State.WAITING)


class Delivery(TimeOrderedModel):
    """A delivery as it came in, stored before it is answered. What it tells becomes an Event for each connection."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        HANDLED = "handled", "Handled"

    app = models.ForeignKey(OAuthApp, null=True, on_delete=models.CASCADE, related_name="deliveries")
    site_webhook = models.ForeignKey(SiteWebhook, null=True, on_delete=models.CASCADE, related_name="deliveries")
    provider_slug = models.SlugField(max_length=40)
    # Of where it came from, its site and its identifier: the same over repetitions.
    key = models.CharField(max_length=64, unique=True)
    site = models.CharField(max_length=300, blank=True)
    body = models.TextField()
    # How many times it was sent before.
    repetition = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["id"], condition=Q(state="waiting"), name="deliveries_waiting"),
            models.Index(fields=["created_at"], name="deliveries_to_prune"),
        ]

    def __str__(self) -> str:
        return f"from {self.site or 'an unknown site'} at {self.created_at:%Y-%m-%d %H:%M:%S}"


class RefusedDeliveries(models.Model):
    """How many deliveries to an app's address were turned away, and why the last one was."""

    app = models.OneToOneField(OAuthApp, primary_key=True, on_delete=models.CASCADE, related_name="refused_deliveries")
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()
    last_reason = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "refused deliveries"

    def __str__(self) -> str:
        return f"{self.count} refused"
