"""Signing in, and where the links of e-mails lead."""

import logging
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from integrations.dashboard import sessions
from integrations.models import User
from integrations.models.user import SECOND_FACTORS

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves: owners invite members, and `manage.py create_owner` makes the first one."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "too_many_login_attempts": "Too many tries. Wait five minutes, or reset your password.",
        "rate_limited": "Too many tries. Wait a minute.",
    }

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Whether a message leaves is not told to whoever asked: it would say whether there is an account."""
        try:
            super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError) as error:
            logger.error("an e-mail (%s) did not leave: %s", template_prefix, type(error).__name__)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Check a password; where the identity provider is the only way in, no password is one."""
        if settings.OIDC_ONLY:
            raise ValidationError(f"Nobody signs in with a password here. Use {settings.OIDC_NAME}.")
        return super().authenticate(request, **credentials)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count failed sign-ins by address alone: allauth adds the Host header, whose port the visitor chooses."""
        return str(credentials.get("email", "")).lower()

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return how somebody confirms that it is them, the first one first. Who has a second factor uses that.

        Whoever learnt the password, and found a screen unlocked, would take the factor away otherwise.
        """
        # Pages ask twice, and allauth looks several times for each.
        if not hasattr(user, "_ways_to_confirm"):
            user._ways_to_confirm = self._ways_to_confirm(user)
        return list(user._ways_to_confirm)

    def _ways_to_confirm(self, user: Any) -> list[dict[str, Any]]:
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not user.is_authenticated:
            return ways
        kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        if not ways or not kinds & set(SECOND_FACTORS):
            return ways
        ways = [way for way in ways if way["id"] != "reauthenticate"]
        # The page for codes takes recovery codes too, which are for whoever has nothing else at hand.
        return ways if Authenticator.Type.TOTP in kinds else ways[::-1]

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Tell somebody what was done to their account, where mail leaves at all. What was done is done."""
        if can_mail():
            super().send_notification_mail(*args, **kwargs)

    def format_email_subject(self, subject: str) -> str:
        return f"[Patchbay] {' '.join(subject.split())}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of the reset e-mail. Its host is ours, whatever Host header asked for it."""
        path = urlsplit(super().get_reset_password_from_key_url(key)).path
        return f"{settings.PUBLIC_URL}{path}"


def can_mail() -> bool:
    return "smtp" in settings.EMAIL_BACKEND


def set_password_link(user: User) -> str:
    """Return the address where someone sets their password. It works once, for a few days."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return f"{settings.PUBLIC_URL}{path}"


def forget_ways_in(user: User) -> None:
    """Take from an account whatever somebody could sign in to it with: password, second factors, sessions."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    for authenticator in Authenticator.objects.filter(user=user):
        authenticator.delete()
    sessions.end_all(user)
