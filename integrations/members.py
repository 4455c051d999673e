"""Who may do what in a project: adding, changing and removing its members, wherever that is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from integrations import audit
from integrations.models import Member, Project, User

LAST_OWNER = "A project needs an owner. Make someone else an owner first."


class LastOwner(Exception):
    """The project would be left without an owner. The message says what to do."""

    def __init__(self) -> None:
        super().__init__(LAST_OWNER)


def is_last_owner(member: Member) -> bool:
    owners = Member.objects.filter(project=member.project_id, role=Member.Role.OWNER)
    return owners.filter(pk=member.pk).exists() and not owners.exclude(pk=member.pk).exists()


def add(project: Project, user: User, role: str, actor: Any) -> Member:
    member = Member.objects.create(project=project, user=user, role=role)
    audit.record(project, actor, "member added", f"{user.email} as {role}")
    return member


def change_role(member: Member, role: str, actor: Any) -> None:
    """Give a member another role. Raises LastOwner."""
    with _one_at_a_time(member):
        if role != Member.Role.OWNER and is_last_owner(member):
            raise LastOwner
        before = Member.objects.get(pk=member.pk).role
        Member.objects.filter(pk=member.pk).update(role=role)
        change = audit.Change({"Role": before}, {"Role": role})
        audit.record(member.project, actor, "member role changed", member.user.email, change)


def remove(member: Member, actor: Any) -> None:
    """Take a member out of the project. Raises LastOwner."""
    with _one_at_a_time(member):
        if is_last_owner(member):
            raise LastOwner
        Member.objects.filter(pk=member.pk).delete()
        audit.record(member.project, actor, "member removed", member.user.email)


@contextmanager
def _one_at_a_time(member: Member) -> Iterator[None]:
    """Do something in a transaction in which nobody else changes the project's members."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=member.project_id)
        yield
