import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from integrations import seeding
from integrations.models import Project
from workflows import seeding as history


class Command(BaseCommand):
    help = "Fill a project of a local deployment with made-up users and what they did, to see and measure long lists."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--users", type=int, default=1_000)
        parser.add_argument("--calls", type=int, default=50_000)
        parser.add_argument(
            "--events", type=int, help="with about 7 runs for 10 events; a fifth of the calls if left out"
        )
        parser.add_argument("--days", type=int, default=30, help="how long ago the first of it happened")
        parser.add_argument("--project", default="Made up", help="its name; a new one where there is none")

    def handle(self, *args: Any, users: int, calls: int, events: int | None, days: int, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("Only a local deployment can be filled with made-up rows.")
        if min(users, calls, events or 0) < 0 or days < 1:
            raise CommandError("Numbers begin at 0, days at 1.")
        name, began = options["project"], time.monotonic()
        project = Project.objects.filter(name=name).first() or Project.objects.create(name=name)
        seeding.add_users(project, users)
        seeding.add_calls(project, calls, days)
        seeding.add_audit_entries(project, users, days)
        history.add_events(project, calls // 5 if events is None else events, days)
        with connection.cursor() as cursor:
            # As the database does by itself when there is time.
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
        took = time.monotonic() - began
        self.stdout.write(
            f"{users:,} users and {calls:,} calls are in the project {project} ({project.pk}): {took:.0f} s."
        )
