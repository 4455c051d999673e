import hmac
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models

from integrations import providers
from integrations.models.base import CountUpTo, Sealing, UuidModel
from integrations.models.project import Project

if TYPE_CHECKING:
    from integrations.providers.base import Provider


def new_webhook_token() -> str:
    return secrets.token_urlsafe(32)


class OAuthAppQuerySet(models.QuerySet["OAuthApp"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def development(self, provider: str) -> "OAuthApp | None":
        """Return the operator's development keys for a provider, brought in line with the environment; None if unset.

        A changed client id makes a new row, because tokens are refreshed only by the app that issued them.
        """
        values = settings.PROVIDER_SETTINGS.get(provider, {})
        client_id, secret = values.get("DEV_CLIENT_ID", ""), values.get("DEV_CLIENT_SECRET", "")
        if not client_id or not secret:
            return None
        scopes = values.get("DEV_SCOPES", "").split()
        app, _ = self.get_or_create(
            project=None,
            provider=provider,
            client_id=client_id,
            defaults={"name": "Development keys", "scopes": scopes},
        )
        if app.secret_fingerprint != fingerprint(secret) or app.scopes != scopes:
            app.scopes = scopes
            app.set_secret(secret)
            app.save()
        return app


def fingerprint(secret: str) -> str:
    """Return what may be shown of a secret: equal for equal secrets, and of no use to guess one."""
    return hmac.new(settings.SECRET_KEY.encode(), secret.encode(), "sha256").hexdigest()[:12]


class OAuthApp(Sealing, UuidModel):
    """A client registered at the provider. It owns the addresses given to the provider: callback and webhook.

    Without a project it is the operator's development keys, shared by all development projects.
    """

    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.CASCADE, related_name="oauth_apps")
    provider = models.SlugField(max_length=40)
    name = models.CharField(max_length=80, blank=True)
    client_id = models.CharField("client ID", max_length=200, blank=True)
    client_secret_sealed = models.TextField(blank=True, editable=False)
    previous_secret_sealed = models.TextField(blank=True, editable=False)
    secret_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    secret_fingerprint = models.CharField(max_length=12, blank=True, editable=False)
    scopes = models.JSONField(default=list, blank=True)
    webhook_token = models.CharField(max_length=60, default=new_webhook_token, unique=True, editable=False)
    # The provider refused the client secret: nothing is sent until a new one is set, and no user is to blame.
    refused_at = models.DateTimeField(null=True, blank=True, editable=False)
    refused_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OAuthAppQuerySet.as_manager()

    class Meta:
        verbose_name = "OAuth app"
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "client_id"],
                condition=models.Q(project=None),
                name="one_development_app_a_client_id",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name or 'OAuth app'} {self.client_id[:12] or '(no client ID yet)'}"

    @property
    def is_development(self) -> bool:
        return self.project_id is None

    @property
    def callback_url(self) -> str:
        return f"{settings.PUBLIC_URL}/oauth/callback/{self.pk}"

    @property
    def webhook_url(self) -> str:
        return f"{settings.PUBLIC_URL}/webhooks/{self.provider}/{self.webhook_token}"

    @property
    def has_keys(self) -> bool:
        return bool(self.client_id and self.client_secret_sealed)

    def set_secret(self, secret: str) -> None:
        """Replace the client secret, keep the one before (webhooks under way are signed with it), and trust it anew."""
        if self.client_secret_sealed:
            self.seal("previous_secret", self.open("client_secret"))
        self.seal("client_secret", secret)
        self.secret_fingerprint = fingerprint(secret)
        self.secret_set_at = datetime.now(UTC)
        self.refused_at, self.refused_reason = None, ""

    def refuse(self, reason: str) -> None:
        """Note that the provider refused this app's secret. Its connections stay as they are."""
        self.refused_at, self.refused_reason = datetime.now(UTC), reason[:300]
        self.save(update_fields=["refused_at", "refused_reason"])


class IntegrationQuerySet(models.QuerySet["Integration"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def active(self) -> Self:
        return self.filter(is_active=True)

    def with_counts(self) -> Self:
        """Add `user_count`, the number of connected users as far as it is counted."""
        from integrations.models.connection import Connection

        users = Connection.objects.filter(integration=models.OuterRef("pk")).order_by("user")
        return self.annotate(user_count=CountUpTo(users.values("user").distinct()))


class Integration(UuidModel):
    """A provider set up in a project. Its own OAuthApp is made with it, so the Redirect URL can be copied first."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="integrations")
    provider_slug = models.SlugField("provider", max_length=40)
    oauth_app = models.ForeignKey(OAuthApp, on_delete=models.PROTECT, related_name="integrations")
    is_active = models.BooleanField("active", default=False)
    # It is being taken out of the project, which may take a while: see removing.py.
    removed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = IntegrationQuerySet.as_manager()

    class Meta:
        ordering = ["provider_slug", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "provider_slug"], name="one_integration_a_provider")]

    def __str__(self) -> str:
        return f"{self.provider.name} in {self.project}"

    @property
    def provider(self) -> "Provider":
        return providers.get(self.provider_slug)

    @property
    def uses_development_keys(self) -> bool:
        return not self.oauth_app.client_id

    def chosen_scopes(self) -> list[str]:
        """Return the scopes that were chosen in Settings; the provider's recommended ones until then."""
        return list(self.oauth_app.scopes or self.provider.recommended_scopes())

    def app_in_use(self) -> OAuthApp | None:
        """Return the app that new connections are made with: our own, else the development keys, else None."""
        if not self.uses_development_keys:
            return self.oauth_app
        return None if self.project.is_production else OAuthApp.objects.development(self.provider_slug)
