from typing import Any, Self

from django.conf import settings
from django.db import models

from integrations.models.project import Project


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)


class AuditEntry(models.Model):
    """Something a person or an end user did that someone may ask about later. Never holds a secret."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit_entries")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=255)
    action = models.CharField(max_length=60)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["project", "-at", "-id"], name="audit_by_age")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action}"


class CallQuerySet(models.QuerySet["Call"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)


class Call(models.Model):
    """One call forwarded in a user's name: who, what and how it went; never a query string or a body."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="calls")
    # A plain id: a call outlives its connection.
    connection_id = models.UUIDField(null=True)
    sub = models.CharField("user ID", max_length=255)
    provider_slug = models.SlugField("provider", max_length=40)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField()
    milliseconds = models.PositiveIntegerField()
    at = models.DateTimeField()

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["project", "-at", "-id"], name="calls_by_age"),
            models.Index(fields=["project", "sub", "-at", "-id"], name="calls_of_a_user"),
            models.Index(fields=["at"], name="calls_to_prune"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}"
