import sys
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.models import Project
from workflows import portable
from workflows.dashboard.forms import SecretForm
from workflows.models import ProjectSecret


class Command(BaseCommand):
    help = "Write a project's integrations and workflows to a file, or bring such a file in."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="what", required=True)
        out = commands.add_parser("export", help="write the project to a file, or to the terminal")
        back = commands.add_parser("import", help="make the project what a file says")
        for each in (out, back):
            each.add_argument("project", help="the project's ID, or its name where only one has it")
        out.add_argument("file", nargs="?", default="-", help="where to write; - is the terminal")
        back.add_argument("file", help="what to read; - is the terminal's input")
        back.add_argument(
            "--secret",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="store a secret of the project first; NAME=@FILE reads it from a file",
        )
        back.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, what: str, project: str, file: str, **options: Any) -> None:
        found = _project(project)
        if what == "export":
            self._export(found, file)
        else:
            for pair in options["secret"] if not options["dry_run"] else []:
                _store_secret(found, pair)
            self._import(found, file, is_dry=options["dry_run"])

    def _export(self, project: Project, file: str) -> None:
        text = portable.as_text(portable.export(project))
        if file == "-":
            self.stdout.write(text, ending="")
        else:
            Path(file).write_text(text)
            self.stdout.write(f"{project} is in {file}.")

    def _import(self, project: Project, file: str, *, is_dry: bool) -> None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text()
            plan = portable.bring_in(project, portable.read(text), "manage.py", is_dry=is_dry)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        except portable.NotImportable as error:
            raise CommandError(str(error)) from error
        for line in plan.changes:
            self.stdout.write(f"  {line}")
        if plan.problems:
            lines = "\n".join(f"  {problem}" for problem in plan.problems)
            raise CommandError(f"Nothing was changed. To mend first:\n{lines}")
        if not plan.changes:
            self.stdout.write("Nothing to change.")
        elif is_dry:
            self.stdout.write("Nothing was changed: this was a dry run.")
        else:
            self.stdout.write(f"{project} is what {file} says.")


def _store_secret(project: Project, pair: str) -> None:
    name, _, value = pair.partition("=")
    try:
        value = Path(value[1:]).read_text().strip() if value.startswith("@") else value
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{value[1:]} cannot be read: {error}") from error
    form = SecretForm({"name": name, "value": value}, project=project)
    if not form.is_valid():
        words = " ".join(str(problem) for found in form.errors.values() for problem in found)
        raise CommandError(f"The secret {name}: {words}")
    ProjectSecret.objects.keep(project, name, value)


def _project(wanted: str) -> Project:
    try:
        found = list(Project.objects.filter(pk=uuid.UUID(wanted)))
    except ValueError:
        found = list(Project.objects.filter(name=wanted)[:2])
    if not found:
        raise CommandError(f"There is no project “{wanted}”.")
    if len(found) > 1:
        raise CommandError(f"Several projects are called “{wanted}”. Give the project's ID.")
    return found[0]
