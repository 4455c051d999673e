import json
from typing import Any, NoReturn, Self

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models

from integrations.models.project import Project

NEVER = "The audit log is only ever added to."


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def update(self, **fields: Any) -> NoReturn:
        raise PermissionDenied(NEVER)

    def delete(self) -> NoReturn:
        raise PermissionDenied(NEVER)


class AuditEntry(models.Model):
    """Something a person or an end user did that someone may ask about later. Never holds a secret.

    `actor_name` is a member's e-mail address, “user” and an end user's id, or “API key” and which; else what of ours
    it was, such as “Patchbay”. `before` and `after` say what a change was, by the names of what changed. Entries go
    with their project only.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit_entries")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    actor_name = models.CharField(max_length=300)
    action = models.CharField(max_length=60)
    detail = models.CharField(max_length=500, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    ip = models.CharField("address", max_length=45, blank=True)
    at = models.DateTimeField()
    mark = models.CharField(max_length=64, editable=False)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["project", "-at", "-id"], name="audit_by_age"),
            models.Index(fields=["project", "action", "-at", "-id"], name="audit_by_action"),
            models.Index(fields=["project", "actor_name", "-at", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise PermissionDenied(NEVER)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise PermissionDenied(NEVER)

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Return (what, before, after) for each thing that changed, in words."""
        before, after = self.before or {}, self.after or {}
        return [(name, in_words(before.get(name)), in_words(after.get(name))) for name in {**before, **after}]


def in_words(value: Any) -> str:
    """Return a value of a setting as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(in_words, value)) or "–"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "–" if value in (None, "") else str(value)


class AuditSeal(models.Model):
    """Ties a project's entries up to `last_id`, from the seal before on, together: see audit.py."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit_seals")
    last_id = models.BigIntegerField()
    count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-last_id"]
        constraints = [models.UniqueConstraint(fields=["project", "last_id"], name="one_seal_an_entry")]

    def __str__(self) -> str:
        return f"{self.count} entries up to {self.last_id}"
