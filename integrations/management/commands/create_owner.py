import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from integrations.dashboard.accounts import set_password_link
from integrations.dashboard.names import NameField, clean_address
from integrations.models import Member, Project, User


class Command(BaseCommand):
    help = "Let the first person in: an account that owns every project and may use the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address to sign in with")
        parser.add_argument("--project", metavar="NAME", help="also make a project of this name")
        parser.add_argument("--link", action="store_true", help="print a one-time link to set the password with")

    def handle(self, *args: Any, email: str, project: str | None, link: bool, **options: Any) -> None:
        email, project = _clean(email), _clean_project(project)
        existing = User.objects.filter(email__iexact=email).first()
        if existing and not link:
            raise CommandError(f"{email} has an account already. Add --link to print a link that sets a new password.")
        if not link and not sys.stdin.isatty():
            raise CommandError("There is no terminal to ask for a password in. Add --link to set it in the browser.")
        password = None if link else _ask_password(email)
        with transaction.atomic():
            user = existing or User.objects.create_superuser(email, password)
            _make_owner(user, project)
        self.stdout.write(f"{email} owns every project of this deployment.")
        if link:
            self.stdout.write(f"Set the password here; the link works once:\n{set_password_link(user)}")


def _make_owner(user: User, project_name: str | None) -> None:
    if not (user.is_superuser and user.is_staff):
        user.is_superuser = user.is_staff = True
        user.save(update_fields=["is_superuser", "is_staff"])
    if project_name:
        project = Project.objects.create(name=project_name)
        Member.objects.create(project=project, user=user, role=Member.Role.OWNER)


def _clean(email: str) -> str:
    try:
        return clean_address(email).lower()
    except ValidationError as error:
        raise CommandError(f"{error.messages[0]} Write one such as ada@example.com.") from None


def _clean_project(name: str | None) -> str | None:
    try:
        return str(NameField(max_length=80).clean(name)) if name else None
    except ValidationError as error:
        raise CommandError(f"The name of the project: {error.messages[0]}") from None


def _ask_password(email: str) -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Password again: ") != password:
        raise CommandError("The two passwords differ. Run the command again.")
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    return password
