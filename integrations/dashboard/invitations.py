"""Letting someone in: an owner invites an address, and whoever reads its mail accepts.

The link goes by mail and to nobody else. Where no mail leaves, the owner gets it, once, and hands it over.
What a link or the identity provider has let a visitor see is kept in the session, as invitation id -> hash of its link.
"""

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from integrations import audit
from integrations.dashboard.accounts import can_mail
from integrations.models import Invitation, Member, Project, User

logger = logging.getLogger(__name__)

SEEN = "invitations"
MOST = 100
GONE = "This invitation was used or withdrawn meanwhile."


class InvitationRefused(Exception):
    """It cannot be done; the message says why."""


# The owner's side -----------------------------------------------------------------------------------------------------


def invite(project: Project, email: str, role: str, actor: Any) -> tuple[Invitation, str]:
    """Return the invitation and its link, "" where it was mailed. Raises InvitationRefused."""
    if project.members.filter(user__email__iexact=email).exists():
        raise InvitationRefused("This person is a member already.")
    if project.invitations.count() >= MOST:
        raise InvitationRefused(f"There are {MOST} invitations. Withdraw some of them first.")
    invitation = Invitation(project=project, email=email, role=role, invited_by=actor)
    token = invitation.new_token()
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError:
        raise InvitationRefused("This person is invited already. Send the invitation again below.") from None
    audit.record(project, actor, "member invited", f"{email} as {role}")
    return invitation, _hand_out(invitation, token)


def send_again(invitation: Invitation, actor: Any) -> str:
    """Make a new link, good for a week, and return it, "" where it was mailed; the one before no longer works."""
    token = invitation.new_token()
    invitation.save()
    audit.record(invitation.project, actor, "invitation sent again", invitation.email)
    return _hand_out(invitation, token)


def withdraw(invitation: Invitation, actor: Any) -> None:
    invitation.delete()
    audit.record(invitation.project, actor, "invitation withdrawn", invitation.email)


def _hand_out(invitation: Invitation, token: str) -> str:
    link = f"{settings.PUBLIC_URL}{reverse('open_invitation', args=[token])}"
    was_mailed = can_mail() and _mail(invitation, link)
    Invitation.objects.filter(pk=invitation.pk).update(was_mailed=was_mailed)
    return "" if was_mailed else link


def _mail(invitation: Invitation, link: str) -> bool:
    """Mail the link. Return whether it left."""
    text = render_to_string("dashboard/email/invitation.txt", {"invitation": invitation, "link": link})
    try:
        send_mail(f"[Patchbay] You are invited to {invitation.project.name}", text, None, [invitation.email])
    except (SMTPException, OSError) as error:
        logger.warning("an invitation could not be mailed: %s", type(error).__name__)
        return False
    return True


# The invited person's side --------------------------------------------------------------------------------------------


def show(request: HttpRequest, *invitations: Invitation) -> None:
    """Let this visitor see and accept invitations, until their links change."""
    seen = request.session.get(SEEN, {})
    request.session[SEEN] = seen | {str(each.pk): each.token_hash for each in invitations}


def seen_by(request: HttpRequest) -> list[Invitation]:
    """Return the open invitations that this visitor may accept or decline."""
    seen = request.session.get(SEEN, {})
    found = Invitation.objects.open().filter(pk__in=list(seen)).select_related("project", "invited_by")
    return [each for each in found if each.token_hash == seen[str(each.pk)]]


def account_for(invitation: Invitation) -> User | None:
    """Return the account that accepts an invitation by signing in; None where one is made by accepting."""
    user = User.objects.filter(email__iexact=invitation.email).first()
    return None if user is None or is_unclaimed(user) else user


def is_unclaimed(user: User) -> bool:
    """Has nobody ever signed in to this account, and does it open nothing? Then the invited person may have it."""
    opens = user.is_staff or user.is_superuser or user.memberships.exists()
    return not (opens or user.has_usable_password() or user.last_login or not user.is_active)


@transaction.atomic
def join(invitation: Invitation, name: str, password: str) -> User:
    """Make the invited person's account, and make it a member. Raises InvitationRefused as `accept` does."""
    still_open = Invitation.objects.open().select_for_update()
    if not still_open.filter(pk=invitation.pk, token_hash=invitation.token_hash).exists() or account_for(invitation):
        raise InvitationRefused(GONE)
    user = User.objects.filter(email__iexact=invitation.email).first() or User(email=invitation.email)
    user.first_name = name
    user.proven_email = user.email if invitation.was_mailed else ""
    user.set_password(password)
    user.save()
    accept(invitation, user)
    return user


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Member:
    """Make the invited person a member. Raises InvitationRefused for someone else, and when it was just withdrawn."""
    if user.email.lower() != invitation.email.lower():
        raise InvitationRefused(f"This invitation is for {invitation.email}.")
    if not Invitation.objects.open().filter(pk=invitation.pk, token_hash=invitation.token_hash).delete()[0]:
        raise InvitationRefused(GONE)
    member, is_new = Member.objects.get_or_create(
        project=invitation.project, user=user, defaults={"role": invitation.role}
    )
    if is_new:
        audit.record(invitation.project, user, "member added", f"{user.email} as {invitation.role}, by invitation")
    if invitation.was_mailed and not user.has_proven_email:
        user.prove_email()
    return member


def decline(invitation: Invitation) -> None:
    invitation.delete()
    audit.record(invitation.project, f"invited {invitation.email}", "invitation declined", invitation.email)
