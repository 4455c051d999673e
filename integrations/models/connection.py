import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Concat, Lower, Now
from django.utils.translation import gettext_noop

from integrations import clock
from integrations.models.base import Sealing, UuidModel
from integrations.models.integration import Integration, OAuthApp
from integrations.models.project import Project
from integrations.remember import Remembered


class ConnectedUserQuerySet(models.QuerySet["ConnectedUser"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def named(self, text: str) -> Self:
        """Return those with the text in their user ID, name or e-mail."""
        return self.filter(words__contains=Lower(Value(text)))

    def with_health(self, health: str) -> Self:
        """Return those "connected", in need of a "reconnect", with "none", or "disabled"; all for anything else."""
        any_connection = Exists(Connection.objects.filter(user=OuterRef("pk")))
        lost = Exists(Connection.objects.needing_reconnect().filter(user=OuterRef("pk")))
        wanted = {
            "connected": Q(any_connection) & ~Q(lost),
            "reconnect": Q(lost),
            "none": ~Q(any_connection),
            "disabled": Q(disabled_at__isnull=False),
        }
        return self.filter(wanted.get(health, Q()))

    def connected_to(self, provider_slug: str) -> Self:
        return self.filter(Exists(Connection.objects.to(provider_slug).filter(user=OuterRef("pk"))))


class ConnectedUser(UuidModel):
    """An end user of the customer's product: the `sub` of a user token, compared byte for byte."""

    DISABLED = gettext_noop(
        "This user was disabled in Patchbay. Whoever looks after this product can enable them again."
    )

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="connected_users")
    sub = models.CharField("user ID", max_length=255)
    meta = models.JSONField("metadata", default=dict, blank=True)
    # Nothing is done in a disabled user's name; what they connected is kept.
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # What a search looks in. PostgreSQL has an index of its trigrams, which only a migration can tell of.
    words = models.GeneratedField(
        expression=Lower(
            Concat(
                *("sub", Value(" "), KT("meta__Name"), Value(" "), KT("meta__Email")),
                *(Value(" "), KT("meta__name"), Value(" "), KT("meta__email")),
                output_field=models.TextField(),
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects = ConnectedUserQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "sub"], name="one_row_a_connected_user")]
        indexes = [models.Index(fields=["project", "-created_at", "id"], name="users_by_age")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """Return the name or the e-mail address of the metadata, which Paragon writes with capitals; else the ID."""
        keys = ("Name", "name", "Email", "email")
        return str(next((self.meta[key] for key in keys if self.meta.get(key)), self.sub))


class Erasure(UuidModel):
    """What is kept about a user who was deleted, up to a moment, and goes in the background. Whoever comes with the
    same user ID afterwards is somebody new.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="erasures")
    sub = models.CharField("user ID", max_length=255)
    before = models.DateTimeField()

    def __str__(self) -> str:
        return f"all of {self.sub} before {self.before:%Y-%m-%d %H:%M:%S}"


class GrantQuerySet(models.QuerySet["Grant"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def free(self) -> Self:
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))

    def half_refreshed(self) -> Self:
        """Return the grants whose refresh began and never ended: their process died or lost the database."""
        return self.filter(status=Grant.Status.ACTIVE, refresh_started_at__isnull=False).free()

    def idle(self) -> Self:
        """Return the grants that nobody used for so long that the provider would soon let them expire."""
        limit = Now() - timedelta(days=settings.TOKEN_KEEPALIVE_DAYS)
        return self.filter(status=Grant.Status.ACTIVE, refreshed_at__lt=limit).exclude(refresh_token_sealed="")

    def long_dead(self, days: int) -> Self:
        return self.filter(status=Grant.Status.NEEDS_RECONNECT, refreshed_at__lt=Now() - timedelta(days=days))

    def forget_tokens(self) -> int:
        """Delete the sealed tokens; the rows stay, for their connections. Return how many had some."""
        return self.exclude(refresh_token_sealed="").update(
            access_token_sealed="", refresh_token_sealed="", sibling_token_sealed=""
        )

    def claim_refresh(self, grant: "Grant", owner: str) -> bool:
        """Take the right to refresh `grant` as it was read; False when another process has it or was faster."""
        claimed = (
            self.free()
            .filter(pk=grant.pk, version=grant.version, status=Grant.Status.ACTIVE)
            .filter(Q(not_before=None) | Q(not_before__lte=Now()))
            .update(
                version=F("version") + 1,
                lease_owner=owner,
                lease_until=Now() + timedelta(seconds=settings.TOKEN_LEASE_SECONDS),
                refresh_started_at=Now(),
            )
        )
        return bool(claimed)


class Grant(Sealing, UuidModel):
    """The tokens that one provider account gave one OAuthApp in one project, shared by its connections.

    `version` grows with every refresh and consent; whoever writes tokens says which version they are for.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnect"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="grants")
    app = models.ForeignKey(OAuthApp, on_delete=models.PROTECT, related_name="grants")
    account_id = models.CharField(max_length=200)
    account_name = models.CharField(max_length=200, blank=True)
    account_email = models.CharField(max_length=254, blank=True)
    scopes = models.JSONField(default=list)
    access_token_sealed = models.TextField(blank=True, editable=False)
    refresh_token_sealed = models.TextField(blank=True, editable=False)
    # A pair that lost the race to be stored: tried once before a grant is called dead.
    sibling_token_sealed = models.TextField(blank=True, editable=False)
    expires_at = models.DateTimeField(null=True)
    version = models.PositiveBigIntegerField(default=1)
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    refresh_started_at = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    reason = models.CharField(max_length=300, blank=True)
    refreshed_at = models.DateTimeField(null=True)
    consented_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["app", "project", "account_id"], name="one_grant_an_account")]
        indexes = [
            models.Index(
                fields=["lease_until"], condition=Q(refresh_started_at__isnull=False), name="half_refreshed_grants"
            ),
            models.Index(fields=["status", "refreshed_at"], name="idle_grants"),
        ]

    def __str__(self) -> str:
        return self.account_name or self.account_id

    def is_fresh(self, margin_seconds: float = 0) -> bool:
        """Is the stored access token good for longer than the margin?"""
        return self.expires_at is not None and self.expires_at > clock.now() + timedelta(seconds=margin_seconds)

    @property
    def renewed_from(self) -> datetime | None:
        """Return when the next call will renew the access token before it uses it."""
        return self.expires_at - timedelta(seconds=settings.TOKEN_MARGIN_SECONDS) if self.expires_at else None

    @property
    def kept_alive_at(self) -> datetime | None:
        """Return when it is renewed although nobody calls, so that the provider does not let it expire."""
        if not self.refreshed_at or not self.refresh_token_sealed:
            return None
        return self.refreshed_at + timedelta(days=settings.TOKEN_KEEPALIVE_DAYS)

    def is_leased(self) -> bool:
        return self.lease_until is not None and self.lease_until > clock.now()


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def of(self, user: ConnectedUser) -> Self:
        return self.filter(user=user)

    def to(self, provider_slug: str) -> Self:
        return self.filter(integration__provider_slug=provider_slug)

    def needing_reconnect(self) -> Self:
        lost = Q(status=Connection.Status.NEEDS_RECONNECT) | Q(grant__status=Grant.Status.NEEDS_RECONNECT)
        return self.filter(lost)

    def healthy(self) -> Self:
        return self.filter(status=Connection.Status.ACTIVE, grant__status=Grant.Status.ACTIVE)

    def remembered(self, ids: Collection[uuid.UUID], *, anew: bool = False) -> "dict[uuid.UUID, Connection]":
        """Return those of these ids that exist, with their grant, user and integration, as this process knew them at
        most three seconds ago. `anew`, and where one needed a reconnect, as they are now.
        """
        known = {pk: found for pk in ids if not anew and (found := _remembered.get(pk)) and found.is_healthy}
        missing = [pk for pk in ids if pk not in known]
        related = ("grant", "user", "integration__project", "integration__oauth_app")
        fresh = self.filter(pk__in=missing).select_related(*related) if missing else ()
        return known | {connection.pk: _remembered.keep(connection.pk, connection) for connection in fresh}


_remembered: "Remembered[Connection]" = Remembered()


class Connection(UuidModel):
    """A ConnectedUser × a Grant × a site: what the SDK calls a credential. Reconnecting keeps its id and settings."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Connected"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnect"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="connections")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="connections")
    user = models.ForeignKey(ConnectedUser, on_delete=models.CASCADE, related_name="connections")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="connections")
    site_id = models.CharField(max_length=200, blank=True)
    site_name = models.CharField(max_length=200, blank=True)
    site_url = models.CharField(max_length=300, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    reason = models.CharField(max_length=300, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    # Until then the provider asked for patience: no work of ours calls it in this connection's name.
    not_before = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "integration", "grant", "site_id"], name="one_connection_an_account_and_site"
            )
        ]
        indexes = [
            models.Index(fields=["integration", "-created_at", "id"], name="connections_by_age"),
            models.Index(fields=["project", "-created_at", "id"], name="connections_of_a_project"),
            models.Index(fields=["integration", "user"], name="users_of_an_integration"),
        ]

    def __str__(self) -> str:
        return f"{self.grant.account_name or self.grant.account_id} at {self.site_name or self.site_id}"

    @property
    def site_link(self) -> str:
        """Return the site's address where it is one to follow: a provider's word for it is not taken."""
        return self.site_url if self.site_url.startswith(("https://", "http://")) else ""

    @property
    def is_healthy(self) -> bool:
        return self.status == self.Status.ACTIVE and self.grant.status == Grant.Status.ACTIVE

    @property
    def health_reason(self) -> str:
        return self.reason or self.grant.reason

    def be_patient(self, seconds: float) -> None:
        """Let all work for this connection wait, in every process: the provider asked for it."""
        Connection.objects.filter(pk=self.pk).update(not_before=Now() + timedelta(seconds=seconds))
        self.not_before = clock.now() + timedelta(seconds=seconds)


class ConnectSessionQuerySet(models.QuerySet["ConnectSession"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def alive(self) -> Self:
        return self.filter(expires_at__gt=Now())

    def open(self) -> Self:
        return self.alive().exclude(status__in=[ConnectSession.Status.CLAIMED, ConnectSession.Status.FAILED])

    def expired(self) -> Self:
        return self.filter(expires_at__lte=Now())


class ConnectSession(Sealing, UuidModel):
    """One attempt to connect, from the button to the claim. It holds the tokens until the claim, and never after.

    Every secret that travels through a browser (nonce cookie, state, start code, claim code) is kept as a hash.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Started"
        RETURNED = "returned", "Consented, to be claimed"
        CLAIMED = "claimed", "Connected"
        FAILED = "failed", "Failed"

    class Protocol(models.TextChoices):
        PARAGON = "paragon", "Paragon SDK"
        PATCHBAY = "patchbay", "Patchbay SDK"
        DASHBOARD = "dashboard", "Dashboard"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="connect_sessions")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="connect_sessions")
    user = models.ForeignKey(ConnectedUser, on_delete=models.CASCADE, related_name="connect_sessions")
    app = models.ForeignKey(OAuthApp, null=True, on_delete=models.CASCADE, related_name="connect_sessions")
    protocol = models.CharField(max_length=10, choices=Protocol)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    # The SDK's own name for the attempt; of poor quality as a secret, so always looked up together with the user.
    key = models.CharField(max_length=64, blank=True)
    opener_origin = models.CharField(max_length=300, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    # The popup asked for its address itself: to its opener it looks closed, but somebody sits in front of it.
    is_cut_off = models.BooleanField(default=False)
    start_hash = models.CharField(max_length=64, blank=True)
    nonce_hash = models.CharField(max_length=64, blank=True)
    state_hash = models.CharField(max_length=64, blank=True, db_index=True)
    claim_hash = models.CharField(max_length=64, blank=True)
    reconnects = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="+")
    allow_multiple = models.BooleanField(default=False)
    external_id = models.CharField(max_length=200, blank=True)
    # What the consent brought, until it is claimed: {"access", "refresh", "expires_at", "scopes"}.
    tokens_sealed = models.TextField(blank=True, editable=False)
    account = models.JSONField(default=dict)
    sites = models.JSONField(default=list)
    site_id = models.CharField(max_length=200, blank=True)
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="sessions")
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    polled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = ConnectSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["user", "integration", "-created_at"], name="newest_sessions"),
            models.Index(fields=["expires_at"], name="sessions_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}: {self.user} to {self.integration}"
