import hashlib
import secrets
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models

from integrations import clock
from integrations.models.base import Sealing, UuidModel
from integrations.models.project import Member, Project

INVITATION_DAYS = 7


class AccountSecret(UuidModel, Sealing):
    """A secret of somebody's second factor. allauth, which knows no vault, keeps the id of this row in its place."""

    secret_sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"secret {self.pk} of a second factor"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: Any) -> Self:
        return self if user.is_superuser else self.filter(project__members__user=user)

    def open(self) -> Self:
        return self.filter(expires_at__gt=clock.now())

    def with_token(self, token: str) -> Self:
        return self.filter(token_hash=_hash(token))


class Invitation(models.Model):
    """An offer to become a member. Whoever holds its link may accept it, for a week; only the link's hash is kept.

    `was_mailed`: the link went to the address and to nobody else, so that using it proves whose the address is.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=10, choices=Member.Role, default=Member.Role.DEVELOPER)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    was_mailed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["project", "email"], name="one_invitation_an_address")]

    def __str__(self) -> str:
        return f"{self.email} to {self.project}"

    @property
    def is_open(self) -> bool:
        return self.expires_at > clock.now()

    @property
    def role_words(self) -> str:
        return Member.Role(self.role).may

    def new_token(self) -> str:
        """Set a new token, good for a week, and return it; the one before no longer works. The caller saves the row."""
        token = secrets.token_urlsafe(32)
        self.token_hash, self.expires_at = _hash(token), clock.now() + timedelta(days=INVITATION_DAYS)
        return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
