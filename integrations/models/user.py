from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models

# Recovery codes alone are none: they only stand in for one of these.
SECOND_FACTORS = ("totp", "webauthn")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create someone who may sign in; without a password they set one through a link first."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        proven = {"proven_email": self.normalize_email(email).lower()}
        return self.create_user(email, password, is_staff=True, is_superuser=True, **(proven | fields))


class User(AbstractUser):
    """Someone who signs in to the dashboard. End users of a customer's product are ConnectedUsers.

    `proven_email` is the address that they were shown to read the mail of: by a link that was mailed, by the identity
    provider, or because who runs the server says so. It need not be the present one.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    proven_email = models.EmailField(blank=True, editable=False)
    # False while a session asks in which no second factor was given: see second_factor.note.
    gave_second_factor = True

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[misc,assignment]

    def __str__(self) -> str:
        # A name is chosen freely, another's too: it never stands alone.
        name = self.get_full_name()
        return f"{name} <{self.email}>" if name else self.email

    @property
    def has_proven_email(self) -> bool:
        return self.proven_email == self.email

    def has_second_factor(self) -> bool:
        from allauth.mfa.models import Authenticator

        return bool(Authenticator.objects.filter(user_id=self.pk, type__in=SECOND_FACTORS).exists())

    def has_given_second_factor(self) -> bool:
        """Has the account a second factor, and was one given in the session that asks, if one does?"""
        return self.gave_second_factor and self.has_second_factor()

    def prove_email(self) -> None:
        self.proven_email = self.email
        self.save(update_fields=["proven_email"])
