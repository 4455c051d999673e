from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations import clock
from integrations.models.base import UuidModel
from integrations.models.project import Project

# A list of keys need not be right to the second, and a busy key must not write with every call.
USE_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def kept(self) -> Self:
        """Return those that nobody revoked, expired ones too."""
        return self.filter(revoked_at=None)


class ApiKey(UuidModel):
    """A key of a project's management API, for back ends and tools. See integrations/api/keys.py for how one looks.

    Of the key itself only a digest is kept. `prefix` is its beginning, which is no secret and tells keys apart.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()

    def revoke(self) -> bool:
        """End the key for good, at once and everywhere. False where it was revoked before."""
        return bool(ApiKey.objects.kept().filter(pk=self.pk).update(revoked_at=Now()))

    def note_use(self) -> None:
        if self.last_used_at and self.last_used_at > clock.now() - USE_NOTED_EVERY:
            return
        long_ago = Q(last_used_at=None) | Q(last_used_at__lte=Now() - USE_NOTED_EVERY)
        ApiKey.objects.filter(long_ago, pk=self.pk).update(last_used_at=Now())
