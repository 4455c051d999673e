from typing import Any, Self

from django.db import models

from integrations.models.integration import Integration


class PortalQuerySet(models.QuerySet["Portal"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(integration__project__members__user=user)

    def of(self, integration: Integration) -> "Portal":
        """Return an integration's portal; one with nothing decided, and not stored, until somebody edits it."""
        return getattr(integration, "portal", None) or Portal(integration=integration)


class Portal(models.Model):
    """What a project decided about the portal of an integration.

    What is blank follows from the provider and the project, and is said in each user's own language.
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the user’s device is set"
        LIGHT = "light", "Always light"
        DARK = "dark", "Always dark"

    integration = models.OneToOneField(Integration, on_delete=models.CASCADE, related_name="portal")
    short_description = models.CharField(max_length=160, blank=True)
    # Markdown of people: rendered by markdown.from_people only.
    description = models.TextField(max_length=6000, blank=True)
    connect_label = models.CharField("connect button", max_length=40, blank=True)
    accent_color = models.CharField("accent colour", max_length=7, blank=True)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.SYSTEM)
    shows_activity = models.BooleanField(default=True)

    # What can be decided, in the order of the editor.
    LOOK = ("short_description", "description", "connect_label", "accent_color", "theme", "shows_activity")
    objects = PortalQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Portal of {self.integration}"

    @property
    def decided(self) -> dict[str, Any]:
        """What differs from a portal about which nothing was decided, by field."""
        blank = Portal()
        return {name: getattr(self, name) for name in self.LOOK if getattr(self, name) != getattr(blank, name)}

    @property
    def accent(self) -> str:
        return self.accent_color or self.integration.provider.brand_color
