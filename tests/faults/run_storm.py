"""Celery workers carry many runs while one of them is killed now and then, and the broker forgets everything.

    python -m tests.faults.run_storm --sandbox http://localhost:8001 --runs 2000 --seconds 300

Every run must end, no effect may happen twice, none may be lost. Leases and waits are scaled down. The database is
DATABASE_URL (an empty one), else SQLite, or with --postgres a server of the storm's own, which is restarted in the
middle of its work every few seconds. The broker is --broker, else an embedded one that the storm flushes and kills as
well. Prints one line of JSON; exits 1 when something was lost or done twice.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.support import postgres

if TYPE_CHECKING:
    from integrations.models import Project

ROOT = Path(__file__).resolve().parents[2]
SCALED = {
    "RUN_LEASE_SECONDS": "3",
    "SWEEP_SECONDS": "0.5",
    "RUN_WAIT_SCALE": "0.04",
    "HINT_PATIENCE_SECONDS": "2",
    "HTTP_DEADLINE_SECONDS": "2",
    "RUNS_PER_CONNECTION": "64",
}
GIVE_UP_SECONDS = 90
WORKER = "--pool=threads --concurrency=6 --without-gossip --without-mingle --without-heartbeat -l error"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20, help="for how long workers are killed")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--broker", default="", help="an address; else an embedded broker, or “none”")
    parser.add_argument("--postgres", action="store_true", help="start a PostgreSQL server, and restart it under load")
    parser.add_argument("--upgrade", action="store_true", help="ask workers to end instead, and migrate meanwhile")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database = stack.enter_context(postgres.serving()) if options.postgres else None
        result = Storm(options, Path(folder), database).run()
    print(json.dumps(result))
    sys.exit(1 if result["wrong"] else 0)


class Broker:
    """An embedded broker that can be flushed and killed; one of somebody else's is left alone."""

    def __init__(self, address: str, folder: Path) -> None:
        self.socket = folder / "broker.sock"
        self.is_ours = not address
        self.address = "" if address == "none" else address or f"redis+socket://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if not self.is_ours:
            return
        from integrations import local

        command = local.broker(self.socket).command
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if self.socket.exists():
                return
            time.sleep(0.05)

    def flush(self) -> bool:
        if not self.is_ours:
            return False
        from redis import Redis

        Redis(unix_socket_path=str(self.socket)).flushall()
        return True

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.socket.unlink(missing_ok=True)


class Storm:
    def __init__(self, options: argparse.Namespace, folder: Path, database: "postgres.Server | None") -> None:
        self.options, self.random, self.database = options, random.Random(options.seed), database
        self.restarts, self.restart_at = 0, 0.0
        if database:
            os.environ["DATABASE_URL"] = database.url
        self.broker = Broker(options.broker, folder)
        self.kills = self.flushes = self.broker_kills = self.upgrades = self.late_ends = 0
        # Who is asked to end gives back what it holds: no lease has to run out, however slow the machine is.
        patience = {"RUN_LEASE_SECONDS": "20"} if options.upgrade else {}
        os.environ.update(SCALED | patience | {"DJANGO_SETTINGS_MODULE": "config.settings", "VAR_DIR": str(folder)})
        os.environ["CELERY_BROKER_URL"] = self.broker.address
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/storm.sqlite3")
        os.environ["JIRA_AUTH_URL"] = os.environ["JIRA_API_URL"] = options.sandbox
        os.environ["OUTBOUND_LOCAL_HOSTS"] = options.sandbox.removeprefix("http://")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)

    def run(self) -> dict[str, Any]:
        self.broker.start()
        self.seed()
        began = time.monotonic()
        sweeper = self.spawn([sys.executable, str(ROOT / "manage.py"), "sweeper"])
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", *WORKER.split()]
        workers = [self.spawn(command) for _ in range(self.options.workers if self.broker.address else 0)]
        try:
            self.rage(workers, command, began)
            is_over = self.wait()
        finally:
            for process in [*workers, sweeper]:
                process.kill()
                process.wait()
            self.broker.kill()
        return self.count() | {"seconds": round(time.monotonic() - began, 1), "all_ended": is_over}

    def spawn(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def seed(self) -> None:
        from django.db import connections

        from workflows import dispatch

        project, subs = self.project("Storm", definition(), users=4)
        for number in range(self.options.runs):
            payload = {"number": number, "items": [1, 2]}
            dispatch.record(project.pk, "app", "storm", payload, sub=subs[number % len(subs)])
        connections.close_all()
        print(f"{self.options.runs} events, seed {self.options.seed}", file=sys.stderr)

    def project(self, name: str, draft: dict[str, Any], *, users: int) -> "tuple[Project, list[str]]":
        """Make a project with connected users, for whom this workflow is switched on; return it and their ids."""
        from integrations.models import Connection, Grant, Integration, OAuthApp, Project
        from workflows import deploy, settings
        from workflows.models import Workflow

        scopes = ["read:jira-work", "write:jira-work", "read:jira-user", "offline_access"]
        client = {"name": name, "callback_url": "http://localhost/callback", "scopes": scopes}
        keys = self.operate("clients", client)
        project = Project.objects.create(name=name)
        app = OAuthApp(project=project, provider="jira", client_id=keys["client_id"])
        app.set_secret(keys["client_secret"])
        app.save()
        integration = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
        made = self.operate("grants/bulk", {"client_id": keys["client_id"], "count": users})
        workflow = Workflow.objects.create(project=project, integration=integration, name=name, draft=draft)
        deploy.deploy(workflow, "storm")
        subs = []
        for number, entry in enumerate(made):
            user = project.connected_users.create(sub=f"user-{number}")
            grant = Grant(project=project, app=app, account_id=entry["account_id"])
            grant.expires_at = grant.refreshed_at = datetime.now(UTC) + timedelta(hours=1)
            grant.seal("access_token", entry["access_token"])
            grant.seal("refresh_token", entry["refresh_token"])
            grant.save()
            connection = Connection.objects.create(
                project=project,
                integration=integration,
                user=user,
                grant=grant,
                site_id=entry["site"],
                site_url="http://x",
            )
            settings.switch(workflow, connection, on=True)
            subs.append(user.sub)
        return project, subs

    def rage(self, workers: list[Any], command: list[str], began: float) -> None:
        """Kill a worker now and then; a third and two thirds through, let the broker forget, then lose it."""
        flush_at, kill_at = self.options.seconds / 3, self.options.seconds * 2 / 3
        while (elapsed := time.monotonic() - began) < self.options.seconds and not self.is_over():
            time.sleep(self.random.uniform(0.2, 2))
            if workers:
                number = self.random.randrange(len(workers))
                self.end(workers[number])
                self.kills += 1
                workers[number] = self.spawn(command)
            if self.options.upgrade and not self.upgrades and elapsed > flush_at:
                self.upgrade()
            if self.database and not self.options.upgrade and elapsed > self.restart_at:
                self.database.restart()
                self.restarts += 1
                self.restart_at = time.monotonic() - began + self.random.uniform(4, 9)
            if not self.options.upgrade and not self.flushes and elapsed > flush_at:
                self.flushes += self.broker.flush()
            if self.broker.is_ours and not self.options.upgrade and not self.broker_kills and elapsed > kill_at:
                self.broker.kill()
                self.broker_kills += 1
                time.sleep(2)
                self.broker.start()

    def end(self, worker: "subprocess.Popen[bytes]") -> None:
        """Kill a worker; in an upgrade ask it to end, as every platform does, and it must do so in time."""
        if not self.options.upgrade:
            worker.kill()
            worker.wait()
            return
        worker.terminate()
        try:
            worker.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.late_ends += 1
            worker.kill()
            worker.wait()

    def upgrade(self) -> None:
        """Take the newest migration back and apply it again, while runs are under way."""
        from django.core.management import call_command
        from django.db import connection
        from django.db.migrations.loader import MigrationLoader

        names = sorted(name for app, name in MigrationLoader(connection).graph.nodes if app == "integrations")
        for name in names[-2:]:
            call_command("migrate", "integrations", name, verbosity=0)
        self.upgrades += 1

    def is_over(self) -> bool:
        from django.db import InterfaceError, OperationalError, close_old_connections

        from integrations.models import Event
        from workflows.models import Run

        try:
            return not Event.objects.undelivered().exists() and not Run.objects.unfinished().exists()
        except (OperationalError, InterfaceError):
            close_old_connections()  # it is being restarted at this moment
            return False

    def wait(self) -> bool:
        give_up_at = time.monotonic() + GIVE_UP_SECONDS + self.options.runs / 10
        while time.monotonic() < give_up_at:
            if self.is_over():
                return True
            time.sleep(0.5)
        return False

    def operate(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.options.sandbox}/operator/api/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def count(self) -> dict[str, Any]:
        """Compare what the runs say with what really happened at the provider."""
        from django.db.models import Count

        from integrations.models import Event
        from workflows.models import Run, StepRun

        state = requests.get(f"{self.options.sandbox}/operator/api/state", timeout=60).json()
        marks = [row["properties"]["patchbay.op"]["op"] for row in state["ledger"] if row.get("properties")]
        per_mark = Counter(marks)
        statuses = Counter(Run.objects.values_list("status", flat=True))
        alone = Event.objects.annotate(n=Count("runs")).exclude(n=1).count()
        made = Run.objects.filter(status="done").count()
        wrong = []
        if alone:
            wrong.append(f"{alone} events have no run, or more than one")
        if twice := [mark for mark, times in per_mark.items() if times > 1]:
            wrong.append(f"{len(twice)} effects happened twice")
            names = ("run_id", "path", "iteration", "status", "attempts", "looks", "generation", "error")
            wrong += [str(row) for row in StepRun.objects.filter(op_key__in=twice).values(*names)]
        # A done run has one issue and three comments: one of its own, one for each of two items.
        if len(per_mark) < 4 * made:
            wrong.append(f"{4 * made - len(per_mark)} effects of done runs never happened")
        if odd := set(statuses) - {"done", "uncertain"}:
            wrong.append(f"runs ended as {', '.join(sorted(odd))}")
        return {
            "wrong": wrong,
            "runs": sum(statuses.values()),
            "statuses": dict(statuses),
            "effects": len(marks),
            "kills": self.kills,
            "restarts": self.restarts,
            "flushes": self.flushes,
            "broker_kills": self.broker_kills,
            "upgrades": self.upgrades,
            "late_ends": self.late_ends,
        }


def definition() -> dict[str, Any]:
    """A workflow with every kind of step that talks to the provider, a wait and a fan out."""

    def action(slug: str, step_id: str, **given: Any) -> dict[str, Any]:
        return {"id": step_id, "type": "action", "action": slug, "input": given}

    issue = "{{create.key}}"
    check = {"type": "OPERATOR", "condition": {"operator": "$exists", "variable": issue}}
    return {
        "trigger": {"type": "event", "name": "storm", "sample": {"number": 1, "items": [1]}},
        "settings": [],
        "steps": [
            {"id": "made", "type": "values", "input": {"values": [{"key": "n", "value": "{{trigger.number}}"}]}},
            action("create_issue", "create", project="OPS", issue_type="Task", summary="No. {{made.n}}"),
            {"id": "wait", "type": "delay", "input": {"amount": 1, "unit": "seconds"}},
            {
                "id": "check",
                "type": "condition",
                "input": {"if": check},
                "then": [action("add_comment", "say", issue=issue, body="Hello")],
                "else": [],
            },
            {
                "id": "each",
                "type": "fan_out",
                "input": {"over": "{{trigger.items}}", "at_once": 2},
                "steps": [action("add_comment", "again", issue=issue, body="Item {{item}}")],
            },
            {"id": "read", "type": "request", "input": {"path": "/rest/api/3/issue/{{create.key}}?fields=summary"}},
            action("update_issue", "finish", issue=issue, labels_add="done"),
        ],
    }


if __name__ == "__main__":
    main()
