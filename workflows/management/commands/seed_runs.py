import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.models import F

from integrations.models import Integration, OAuthApp, Project
from integrations.providers import SLUGS
from workflows import runs
from workflows.models import Run, Workflow

BATCH = 2000
DAYS = 30
REASONS = [
    "Create: the provider answers 400: Specify a valid priority",
    "HTTP request: The address answers 502",
    "Get issue: 404",
]


class Command(BaseCommand):
    help = "Fill a local deployment with finished runs, to see and measure long lists."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=100_000)
        parser.add_argument("--project", default="", help="the project's ID; a new one where none is given")
        parser.add_argument("--users", type=int, default=500)

    def handle(self, *args: Any, count: int, project: str, users: int, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("Only a local deployment can be filled with made-up runs.")
        found = Project.objects.filter(pk=uuid.UUID(project)).first() if project else None
        if project and found is None:
            raise CommandError(f"There is no project {project}.")
        home = found or Project.objects.create(name=f"{count:,} runs")
        flows = [self._workflow(home, number) for number in range(5)]
        chance, now = random.Random(1), datetime.now(UTC)
        step = timedelta(days=DAYS) / max(count, 1)
        for first in range(0, count, BATCH):
            rows = [
                self._run(chance, flows, now - step * (count - number), users)
                for number in range(first, min(first + BATCH, count))
            ]
            Run.objects.bulk_create(rows)
            # `created_at` is the moment of storing, which is not what a filter by time should find.
            Run.objects.filter(pk__in=[row.pk for row in rows]).update(created_at=F("started_at"))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the database does by itself when there is time
        self.stdout.write(f"{count:,} runs are in the project {home} ({home.pk}).")

    def _workflow(self, project: Project, number: int) -> Workflow:
        integration = Integration.objects.filter(project=project).first()
        if integration is None:
            app = OAuthApp.objects.create(project=project, provider=SLUGS[0])
            integration = Integration.objects.create(project=project, provider_slug=SLUGS[0], oauth_app=app)
        workflow = Workflow.objects.create(project=project, integration=integration, name=f"Made-up workflow {number}")
        workflow.deployed = runs.pinned(workflow, {"trigger": {"type": "event", "name": "made up"}, "steps": []})
        return workflow

    def _run(self, chance: random.Random, flows: list[Workflow], at: datetime, users: int) -> Run:
        workflow = chance.choice(flows)
        is_failed = chance.random() < 0.02
        milliseconds = int(at.timestamp() * 1000)
        return Run(
            pk=uuid.UUID(
                int=milliseconds << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62)
            ),
            project_id=workflow.project_id,
            workflow=workflow,
            version=workflow.deployed,
            sub=f"user-{chance.randrange(users)}",
            trigger="event",
            payload={},
            status=Run.Status.FAILED if is_failed else Run.Status.DONE,
            reason=chance.choice(REASONS) if is_failed else "",
            started_at=at,
            ended_at=at + timedelta(milliseconds=chance.randrange(20, 3000)),
        )
