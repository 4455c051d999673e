import re
import secrets
import uuid
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlsplit

import idna
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Now

from integrations import clock
from integrations.models.base import UuidModel

LOOPBACK = re.compile(r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$")

LOOPBACK_LINE = "every localhost and 127.0.0.1 address"


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: Any) -> Self:
        """Return the projects that this dashboard user may work in; a superuser sees all. Deleted ones are gone."""
        kept = self.filter(deleted_at=None)
        return kept if user.is_superuser else kept.filter(members__user=user)

    def with_role(self, user: Any) -> Self:
        """Add `role_name`: what the user is in each project, "" for nothing; a superuser owns all."""
        if user.is_superuser:
            return self.annotate(role_name=Value(Member.Role.OWNER.value))
        mine = Member.objects.filter(project=OuterRef("pk"), user=user)
        return self.annotate(role_name=Coalesce(Subquery(mine.values("role")[:1]), Value("")))

    def allowing(self, user: Any, needed: "Member.Role") -> Self:
        """Return the projects in which the user's role covers the one that is needed.

        Those that ask the user for a second factor are left out until one was given.
        """
        enough = [role for role in Member.Role if role.covers(needed)]
        found = self.visible_to(user)
        if not user.is_superuser:
            found = found.filter(members__user=user, members__role__in=enough)
        if user.has_given_second_factor():
            return found
        return found.exclude(require_second_factor=True, pk__in=self.model.objects.administered_by(user))

    def administered_by(self, user: Any) -> Self:
        """Return the projects of which the user is an owner or an admin, with or without a second factor."""
        if user.is_superuser:
            return self
        return self.filter(members__user=user, members__role__in=[Member.Role.OWNER, Member.Role.ADMIN])

    def with_first(self, project_id: uuid.UUID) -> Self:
        """Order by name, after this one."""
        return self.order_by(Case(When(pk=project_id, then=0), default=1), "name", "id")


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
    run_log_days = models.PositiveSmallIntegerField(null=True, blank=True)
    require_second_factor = models.BooleanField("owners and admins need a second factor", default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # From then on it exists for nobody; what it holds is deleted in the background: see removing.py.
    # By which the newest seal of the audit log is known, so that its end cannot be cut off unnoticed.
    audit_end = models.CharField(max_length=64, blank=True, default="", editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    # What whoever looks at it may do; filled in where a page finds its project.
    role_name = ""
    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def role(self) -> "Member.Role":
        return Member.Role(self.role_name or Member.Role.SUPPORT)

    @property
    def is_production(self) -> bool:
        return self.kind == self.Kind.PRODUCTION

    def allows_origin(self, origin: str) -> bool:
        """Is this exactly one of the project's own origins? No wildcard, no prefix: lookalikes must fail."""
        return bool(self.line_allowing(origin))

    def line_allowing(self, origin: str) -> str:
        """Return the line of the settings that allows this origin, "" for none."""
        if origin in self.allowed_origins:
            return origin
        return LOOPBACK_LINE if self.allow_loopback_origins and LOOPBACK.fullmatch(origin) else ""

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
    host = f"[{parts.hostname}]" if ":" in parts.hostname else _in_ascii(parts.hostname)
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != standard else "")


def _in_ascii(host: str) -> str:
    """Return a host name as browsers send it: bücher.example is xn--bcher-kva.example."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise ValidationError(f"“{host}” is not a host name.") from None


class MemberQuerySet(models.QuerySet["Member"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)


class Member(models.Model):
    """Someone's part in a project. Each role may do what those after it may, and more."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        ADMIN = "admin", "Admin"
        DEVELOPER = "developer", "Developer"
        SUPPORT = "support", "Support"

        def covers(self, needed: "Member.Role") -> bool:
            roles = list(Member.Role)
            return roles.index(self) <= roles.index(needed)

        @property
        def may(self) -> str:
            """Return what it is for, in words."""
            return ROLE_WORDS[self]

        @property
        def may_develop(self) -> bool:
            return self.covers(Member.Role.DEVELOPER)

        @property
        def may_administer(self) -> bool:
            return self.covers(Member.Role.ADMIN)

        @property
        def may_own(self) -> bool:
            return self is Member.Role.OWNER

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

    @property
    def may(self) -> str:
        return Member.Role(self.role).may

    @property
    def may_administer(self) -> bool:
        return Member.Role(self.role).may_administer


ROLE_WORDS = {
    Member.Role.OWNER: "Everything, and decides who is a member.",
    Member.Role.ADMIN: "Keys, secrets, alerts, settings of the project, and deleting users.",
    Member.Role.DEVELOPER: "Integrations and workflows, connecting and disconnecting; no keys of the project.",
    Member.Role.SUPPORT: "Sees users, calls, runs and events, and replays; no keys, settings or secrets.",
}


def new_key_id() -> str:
    return f"pbk_{secrets.token_hex(8)}"


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def active(self) -> Self:
        """Return the keys whose tokens are accepted at this moment."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)

    def over(self) -> Self:
        """Return the keys whose time has come and that are not revoked yet."""
        return self.filter(revoked_at=None, expires_at__lte=Now())


class SigningKey(models.Model):
    """The public half of an RS256 pair; the customer's back end signs user tokens with the private half."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="signing_keys")
    name = models.CharField(max_length=80, default="Signing key")
    kid = models.CharField("key id", max_length=40, unique=True, default=new_key_id, editable=False)
    public_pem = models.TextField("public key", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, editable=False)
    # While keys are changed both are accepted: the old one until then.
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, editable=False, related_name="+")
    # To the minute: see key_uses.py.
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.kid})"

    @property
    def is_ending(self) -> bool:
        return self.expires_at is not None

    @property
    def is_in_use(self) -> bool:
        """Was a token signed with it accepted within a day?"""
        return self.last_used_at is not None and clock.now() - self.last_used_at < timedelta(days=1)
