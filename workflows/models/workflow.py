from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from integrations import clock
from integrations.models import Connection, Integration, Project
from integrations.models.base import Sealing, UuidModel


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def written(self) -> Self:
        """Return those that someone wrote, without the one-step workflows that single actions run in."""
        return self.filter(action_slug="")

    def deployed(self) -> Self:
        return self.written().filter(deployed__isnull=False)

    def listening_to(self, trigger: str, name: str = "") -> Self:
        return self.deployed().filter(trigger_type=trigger, trigger_name=name, is_paused=False)

    def due(self) -> Self:
        """Return the scheduled workflows whose moment has come."""
        return self.deployed().filter(next_fire_at__lte=Now(), is_paused=False)


class Workflow(UuidModel):
    """What happens when something happens, for one integration of a project.

    `draft` is what the builder shows; `deployed` is the version that runs. `revision` grows with every save of the
    draft, so that of two tabs the later one is told instead of overwriting.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="workflows")
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="workflows")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    draft = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    deployed = models.ForeignKey("WorkflowVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="+")
    # What the deployed version listens to, so that an event finds its workflows by an index.
    trigger_type = models.CharField(max_length=20, blank=True, editable=False)
    trigger_name = models.CharField(max_length=120, blank=True, editable=False)
    next_fire_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_paused = models.BooleanField("paused", default=False)
    is_default_on = models.BooleanField("on by default", default=False)
    is_hidden = models.BooleanField("hidden in the portal", default=False)
    position = models.PositiveSmallIntegerField(default=0)
    # The samples of the last test, by root name ("trigger", a step's id): what the variable menu previews.
    samples = models.JSONField(default=dict, editable=False)
    # Set on a workflow of one step, which runs a single action for the HTTP API.
    action_slug = models.CharField(max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        ordering = ["position", "created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "action_slug"], condition=~Q(action_slug=""), name="one_workflow_an_action"
            )
        ]
        indexes = [
            models.Index(fields=["project", "trigger_type", "trigger_name"], name="workflows_by_trigger"),
            models.Index(
                fields=["next_fire_at"], condition=Q(next_fire_at__isnull=False), name="workflows_by_schedule"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_deployed(self) -> bool:
        return self.deployed_id is not None

    @property
    def starts_with(self) -> str:
        """Return what the draft begins with, in words."""
        from workflows.definition import start_words

        return start_words(self.draft, self.integration)

    @property
    def has_changes(self) -> bool:
        """Is the draft something else than what runs?"""
        return self.deployed is None or self.deployed.definition != self.draft


class WorkflowVersion(UuidModel):
    """A definition that never changes again. Deployed ones are numbered; tests pin one without a number."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(null=True)
    definition = models.JSONField()
    # Of the definition's JSON: two tests of one draft share a version.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, editable=False)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="one_version_a_number"),
            models.UniqueConstraint(
                fields=["workflow", "digest"], condition=Q(number=None), name="one_test_version_a_definition"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} v{self.number}" if self.number else f"{self.workflow} (test)"


class EnablementQuerySet(models.QuerySet["Enablement"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(workflow__project__members__user=user)

    def on(self) -> Self:
        return self.filter(is_enabled=True)


class Enablement(models.Model):
    """A workflow switched on (or off) for a connection, with the settings that its end user chose for it."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="enablements")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="enablements")
    is_enabled = models.BooleanField(default=False)
    settings = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EnablementQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["workflow", "connection"], name="one_enablement_a_connection")]

    def __str__(self) -> str:
        return f"{self.workflow} for {self.connection}"


class ProjectSecretQuerySet(models.QuerySet["ProjectSecret"]):
    def keep(self, project: Project, name: str, value: str) -> None:
        """Store a secret; one of this name that exists is replaced."""
        secret = self.filter(project=project, name=name).first() or ProjectSecret(project=project, name=name)
        secret.set_at = clock.now()
        secret.seal("value", value)
        secret.save()

    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)


class ProjectSecret(Sealing, UuidModel):
    """A value that workflows may use as {{secrets.NAME}} and nobody can read again."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=60)
    value_sealed = models.TextField(editable=False)
    set_at = models.DateTimeField()

    objects = ProjectSecretQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_secret_a_name")]

    def __str__(self) -> str:
        return self.name
