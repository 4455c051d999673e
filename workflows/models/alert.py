from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Project
from integrations.models.base import Sealing, UuidModel


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def due(self) -> Self:
        return self.filter(due_at__lte=Now())


class AlertRule(Sealing, UuidModel):
    """Who is told when runs fail. One message tells of all failures since the last, so a burst is one message."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="alert_rule")
    emails = models.JSONField(default=list, blank=True)
    webhook_url = models.CharField("webhook address", max_length=500, blank=True)
    webhook_secret_sealed = models.TextField(blank=True, editable=False)
    due_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="alerts_due")]

    def __str__(self) -> str:
        return f"alerts of {self.project}"

    @property
    def is_on(self) -> bool:
        return bool(self.emails or self.webhook_url)
