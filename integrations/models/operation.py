from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models.base import UuidModel
from integrations.models.project import Project


class DataKey(UuidModel):
    """A project's data key, wrapped by a key of the ring in VAULT_KEYS. Deleting it shreds all it sealed."""

    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="data_keys")
    wrapped = models.TextField(editable=False)
    is_current = models.BooleanField(default=True)
    retired_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project"], condition=Q(is_current=True), name="one_current_data_key"),
            models.UniqueConstraint(
                fields=["is_current"],
                condition=Q(is_current=True, project=None),
                name="one_current_data_key_for_the_deployment",
            ),
        ]

    def __str__(self) -> str:
        return f"data key of {self.project or 'the deployment'}"


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beat(self, name: str) -> None:
        self.update_or_create(name=name, defaults={"at": Now()})

    def is_recent(self, name: str, seconds: float) -> bool:
        return self.filter(name=name, at__gt=Now() - timedelta(seconds=seconds)).exists()

    def lead(self, name: str, owner: str, seconds: float) -> bool:
        """Take or keep the lead of a role that only one process may have; it ends `seconds` after its last renewal."""
        self.get_or_create(name=name, defaults={"at": Now()})
        is_free = Q(owner=owner) | Q(until=None) | Q(until__lt=Now())
        return bool(
            self.filter(is_free, name=name).update(owner=owner, at=Now(), until=Now() + timedelta(seconds=seconds))
        )


class Heartbeat(models.Model):
    """When a part of the deployment was last seen alive, and who leads it."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    owner = models.CharField(max_length=80, blank=True)
    until = models.DateTimeField(null=True)

    objects = HeartbeatQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"
