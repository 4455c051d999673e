import re
import secrets
import uuid
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from integrations.models.base import UuidModel

LOOPBACK = re.compile(r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$")


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: Any) -> Self:
        """Return the projects that this dashboard user may work in; a superuser sees all."""
        if user.is_superuser:
            return self
        return self.filter(members__user=user)

    def owned_by(self, user: Any) -> Self:
        if user.is_superuser:
            return self
        return self.filter(members__user=user, members__role=Member.Role.OWNER)


class Project(UuidModel):
    """One product (or one stage of it) that embeds integrations. Its id is the projectId of the SDK."""

    class Kind(models.TextChoices):
        DEVELOPMENT = "development", "Development"
        PRODUCTION = "production", "Production"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.DEVELOPMENT)
    allowed_origins = models.JSONField(default=list, blank=True)
    allow_loopback_origins = models.BooleanField(default=False)
    return_urls = models.JSONField(default=list, blank=True)
    accept_tokens_without_audience = models.BooleanField(default=False)
    connect_without_claim = models.BooleanField(default=False)
    call_log_days = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_production(self) -> bool:
        return self.kind == self.Kind.PRODUCTION

    def allows_origin(self, origin: str) -> bool:
        """Is this exactly one of the project's own origins? No wildcard, no prefix: lookalikes must fail."""
        if origin in self.allowed_origins:
            return True
        return self.allow_loopback_origins and bool(LOOPBACK.fullmatch(origin))

    def frame_ancestors(self) -> list[str]:
        """Return the CSP sources that may frame the portal."""
        loopback = ["http://localhost:*", "http://127.0.0.1:*", "http://localhost", "http://127.0.0.1"]
        return [*self.allowed_origins, *(loopback if self.allow_loopback_origins else [])] or ["'none'"]

    def log_days(self) -> int:
        return self.call_log_days or settings.CALL_LOG_DAYS


def clean_origin(text: str) -> str:
    """Return an origin as browsers send it. Raises ValidationError saying what is wrong with it."""
    parts = urlsplit(text.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValidationError(f"“{text}” is not an origin. Write scheme and host only, such as https://app.example.com")
    if "@" in parts.netloc or "*" in parts.netloc:
        raise ValidationError(f"“{text}” is not an exact origin: no wildcard and no user name is accepted.")
    try:
        port = parts.port
    except ValueError:
        raise ValidationError(f"“{text}” has a port that is not a number up to 65535.") from None
    standard = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != standard else "")


class MemberQuerySet(models.QuerySet["Member"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)


class Member(models.Model):
    """Someone's part in a project: an admin does everything but decide who else is a member."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.ADMIN)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_a_project")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"


def new_key_id() -> str:
    return f"pbk_{secrets.token_hex(8)}"


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def active(self) -> Self:
        return self.filter(revoked_at=None)


class SigningKey(models.Model):
    """The public half of an RS256 pair; the customer's back end signs user tokens with the private half."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="signing_keys")
    name = models.CharField(max_length=80, default="Signing key")
    kid = models.CharField("key id", max_length=40, unique=True, default=new_key_id, editable=False)
    public_pem = models.TextField("public key", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.kid})"
