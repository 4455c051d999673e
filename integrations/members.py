"""Who may do what in a project: adding, changing and removing its members, wherever that is asked for."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from integrations import audit
from integrations.models import Member, Project, User

LAST_OWNER = "A project needs an owner. Make someone else an owner first."
THEIRS_ALONE = "{} would be left without an owner. Make someone else an owner there first."


class LastOwner(Exception):
    """A project would be left without an owner. The message says what to do."""

    def __init__(self, words: str = LAST_OWNER) -> None:
        super().__init__(words)


def is_last_owner(member: Member) -> bool:
    """Is nobody else an owner of the project? Those whose accounts are switched off look after nothing."""
    owners = Member.objects.filter(project=member.project_id, role=Member.Role.OWNER)
    others = owners.filter(user__is_active=True).exclude(pk=member.pk)
    return owners.filter(pk=member.pk).exists() and not others.exists()


def add(project: Project, user: User, role: str, actor: Any) -> Member:
    member = Member.objects.create(project=project, user=user, role=role)
    audit.record(project, actor, "member added", f"{user.email} as {role}")
    return member


def change_role(member: Member, role: str, actor: Any) -> None:
    """Give a member another role. Raises LastOwner."""
    with _one_at_a_time(member.project_id):
        if role != Member.Role.OWNER and is_last_owner(member):
            raise LastOwner
        before = Member.objects.get(pk=member.pk).role
        Member.objects.filter(pk=member.pk).update(role=role)
        change = audit.Change({"Role": before}, {"Role": role})
        audit.record(member.project, actor, "member role changed", member.user.email, change)


def remove(member: Member, actor: Any) -> None:
    """Take a member out of the project. Raises LastOwner."""
    with _one_at_a_time(member.project_id):
        if is_last_owner(member):
            raise LastOwner
        Member.objects.filter(pk=member.pk).delete()
        audit.record(member.project, actor, "member removed", member.user.email)


@contextmanager
def _one_at_a_time(*project_ids: Any) -> Iterator[None]:
    """Do something in a transaction in which nobody else changes the members of these projects."""
    with transaction.atomic():
        list(Project.objects.select_for_update().filter(pk__in=project_ids).order_by("pk"))
        yield


# Whole accounts -------------------------------------------------------------------------------------------------------


def of_accounts(users: Collection[User]) -> QuerySet[Member]:
    return Member.objects.filter(user__in=users).select_related("user", "project").order_by("project__name", "pk")


def require_other_owners(users: Collection[User]) -> None:
    """Raise LastOwner, naming the projects, where there is no owner but these accounts.

    Within a transaction this stays true until it ends.
    """
    with _one_at_a_time(*of_accounts(users).values_list("project", flat=True)):
        owners = Member.objects.filter(project=OuterRef("pk"), role=Member.Role.OWNER)
        others = owners.filter(user__is_active=True).exclude(user__in=users)
        alone = Project.objects.filter(Exists(owners.filter(user__in=users)), ~Exists(others), deleted_at=None)
        if names := [project.name for project in alone]:
            raise LastOwner(THEIRS_ALONE.format(", ".join(names)))


def note_switch(user: User, actor: Any) -> None:
    """Note in every project of somebody that their account was switched on or off."""
    for member in of_accounts([user]):
        audit.record(
            member.project, actor, "account activated" if user.is_active else "account deactivated", user.email
        )


def delete_accounts(users: Collection[User], actor: Any) -> None:
    """Delete accounts, with their memberships. Raises LastOwner, naming the projects."""
    with transaction.atomic():
        require_other_owners(users)
        for member in of_accounts(users):
            detail = f"{member.user.email}, whose account was deleted"
            audit.record(member.project, actor, "member removed", detail)
        User.objects.filter(pk__in=[user.pk for user in users]).delete()
