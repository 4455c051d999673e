from typing import Any, Self

from django.db import models
from django.db.models import Q

from integrations.models.project import Project


class CallQuerySet(models.QuerySet["Call"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def answered(self, hundreds: int) -> Self:
        """Return those whose status is 2xx, 3xx, 4xx or 5xx, in the words of the indexes of failures."""
        found = self.filter(status__gte=hundreds * 100)
        return found.filter(status__lt=hundreds * 100 + 100) if hundreds < 5 else found


class Call(models.Model):
    """One call forwarded in a user's name: who, what and how it went; never a query string or a body.

    `code` names an answer of our own, such as "needs_reconnect", and is blank where the provider answered; `said` is
    the provider's sentence about what was wrong with the call, without what looks like a secret. `route` is
    the path with what differs from call to call left out, so that calls alike can be counted together.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="calls")
    # A plain id: a call outlives its connection.
    connection_id = models.UUIDField(null=True)
    sub = models.CharField("user ID", max_length=255)
    provider_slug = models.SlugField("provider", max_length=40)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=500)
    route = models.CharField(max_length=200, blank=True)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40, blank=True)
    said = models.CharField(max_length=300, blank=True, default="", db_default="")
    milliseconds = models.PositiveIntegerField()
    at = models.DateTimeField()

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        # Every filter of the list has an index that ends in its order; failures are few, so theirs are small.
        indexes = [
            models.Index(fields=["project", "-at", "-id"], name="calls_by_age"),
            models.Index(fields=["project", "sub", "-at", "-id"], name="calls_of_a_user"),
            models.Index(fields=["at"], name="calls_to_prune"),
            models.Index(fields=["project", "route", "-at", "-id"], name="calls_of_a_route"),
            models.Index(
                fields=["project", "-at", "-id"], name="redirected_calls", condition=Q(status__gte=300, status__lt=400)
            ),
            models.Index(
                fields=["project", "-at", "-id"], name="refused_calls", condition=Q(status__gte=400, status__lt=500)
            ),
            models.Index(fields=["project", "-at", "-id"], name="failed_calls", condition=Q(status__gte=500)),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status}"


class CallHour(models.Model):
    """What a project's calls of one route came to in one hour: the charts count these instead of the calls.

    `refused` are 4xx, `failed` 5xx; each call is in one of the `ms_…` columns, by how long it took at most.
    """

    BOUNDS = (50, 100, 200, 400, 800, 1600, 3200)
    COLUMNS = (*(f"ms_{bound}" for bound in BOUNDS), "ms_more")
    COUNTS = ("calls", "refused", "failed", "milliseconds", *COLUMNS)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="call_hours")
    provider_slug = models.SlugField(max_length=40)
    hour = models.DateTimeField()
    method = models.CharField(max_length=8)
    route = models.CharField(max_length=200)
    calls = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveBigIntegerField(default=0)
    ms_50 = models.PositiveIntegerField(default=0)
    ms_100 = models.PositiveIntegerField(default=0)
    ms_200 = models.PositiveIntegerField(default=0)
    ms_400 = models.PositiveIntegerField(default=0)
    ms_800 = models.PositiveIntegerField(default=0)
    ms_1600 = models.PositiveIntegerField(default=0)
    ms_3200 = models.PositiveIntegerField(default=0)
    ms_more = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-hour", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "hour", "provider_slug", "method", "route"], name="one_row_a_route_and_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.method} {self.route}: {self.calls}"
