"""Signing in, and letting someone in."""

import logging
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from integrations.models import Member, Project, User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves: owners add members, and `manage.py create_owner` makes the first one."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return f"[Patchbay] {' '.join(subject.split())}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of the reset e-mail. Its host is ours, whatever Host header asked for it."""
        path = urlsplit(super().get_reset_password_from_key_url(key)).path
        return f"{settings.PUBLIC_URL}{path}"


def add_member(project: Project, email: str, role: str) -> tuple[Member, bool]:
    """Return the new member, and whether an account was made for them that has no password yet.

    Raises IntegrityError when they are a member already.
    """
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email).first()
        is_new = user is None
        user = user or User.objects.create_user(email)
        return Member.objects.create(project=project, user=user, role=role), is_new


def may_hand_out_link(actor: Any, user: User) -> bool:
    """May this owner get a set-password link for someone? Only before the first sign-in, and only where every project
    that the account opens is the owner's own: with the link they could sign in as that person.
    """
    if user.has_usable_password() or user.is_staff or user.is_superuser:
        return False
    own = Project.objects.owned_by(actor).values("pk")
    return not Member.objects.filter(user=user).exclude(project__in=own).exists()


def set_password_link(user: User) -> str:
    """Return the address where someone sets their password. It works once, for a few days."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return f"{settings.PUBLIC_URL}{path}"


def mail_invitation(user: User, project: Project, link: str) -> bool:
    """Mail someone their set-password link where e-mail is configured. Return whether it left."""
    if "smtp" not in settings.EMAIL_BACKEND:
        return False
    text = render_to_string("dashboard/email/invitation.txt", {"project": project, "link": link})
    try:
        send_mail(f"You can now work on {project.name} in Patchbay", text, None, [user.email])
    except (SMTPException, OSError) as error:
        logger.warning("an invitation could not be mailed: %s", type(error).__name__)
        return False
    return True
