"""Measure runs: how many a second, and how soon after the event the first call leaves.

Run by `make bench`. Everything is on this machine: load, database, broker, workers and the provider, which answers at
once. Real Celery workers on an embedded broker, or on BENCH_BROKER_URL; SQLite, or BENCH_DATABASE_URL (an empty one).
"""

import argparse
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.bench.proxy import ROOT, cpu_seconds, free_port, granian
from tests.faults.run_storm import Broker

WORKER = "--pool=threads --concurrency=8 --without-gossip --without-mingle --without-heartbeat -l error"
GIVE_UP_SECONDS = 300


def action(step_id: str, slug: str, **given: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "action", "action": slug, "input": given}


CREATE = action("create", "create_issue", project="OPS", issue_type="Task", summary="t{{trigger.at}}")
FIVE = [
    CREATE,
    {"id": "made", "type": "values", "input": {"values": [{"key": "k", "value": "{{create.key}}"}]}},
    {
        "id": "check",
        "type": "condition",
        "input": {"if": {"type": "OPERATOR", "condition": {"operator": "$exists", "variable": "{{made.k}}"}}},
        "then": [action("read", "get_issue", issue="{{made.k}}")],
        "else": [],
    },
    action("say", "add_comment", issue="{{made.k}}", body="Hello"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1500)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = Bench(Path(folder), options, stack)
        for title, steps in (("one action", [CREATE]), ("five steps, three of them calls", FIVE)):
            bench.measure(title, steps)
        bench.stop()


class Bench:
    def __init__(self, folder: Path, options: argparse.Namespace, stack: ExitStack) -> None:
        self.options, self.upstream = options, free_port()
        self.broker = Broker(os.environ.get("BENCH_BROKER_URL", ""), folder)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "VAR_DIR": str(folder),
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/db.sqlite3"),
            "JIRA_API_URL": f"http://localhost:{self.upstream}",
            "OUTBOUND_LOCAL_HOSTS": f"localhost:{self.upstream}",
            "CELERY_BROKER_URL": self.broker.address,
            "RUNS_PER_CONNECTION": "64",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        stack.enter_context(granian("tests.bench.upstream:application", self.upstream, {}, workers=1, threads=8))
        self.broker.start()
        self.sweeper = self.spawn([sys.executable, "manage.py", "sweeper"])
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", *WORKER.split()]
        self.workers = [self.spawn(command) for _ in range(options.workers)]
        stack.callback(self.stop)
        self.connections = self.seed()
        database, broker = os.environ["DATABASE_URL"].split(":")[0], self.broker.address.split(":")[0]
        print(
            f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {database}, {broker},"
            f" {options.workers} workers of 8 threads"
        )
        time.sleep(4)

    def spawn(self, command: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        for process in [*self.workers, self.sweeper]:
            process.terminate()
        for process in [*self.workers, self.sweeper]:
            process.wait()
        self.workers = []
        self.broker.kill()

    def seed(self) -> list[Any]:
        from integrations.models import ConnectedUser, Connection, Grant, Integration, OAuthApp, Project

        self.project = Project.objects.create(name="Bench")
        app = OAuthApp.objects.create(project=self.project, provider="jira", client_id="bench")
        self.integration = Integration.objects.create(
            project=self.project, provider_slug="jira", oauth_app=app, is_active=True
        )
        made = []
        for number in range(20):
            grant = Grant(project=self.project, app=app, account_id=f"a{number}")
            grant.expires_at = datetime.now(UTC) + timedelta(days=1)
            grant.seal("access_token", secrets.token_urlsafe(600))
            grant.save()
            user = ConnectedUser.objects.create(project=self.project, sub=f"user-{number}")
            made.append(
                Connection.objects.create(
                    project=self.project, integration=self.integration, user=user, grant=grant, site_id="cloud"
                )
            )
        return made

    def measure(self, title: str, steps: list[dict[str, Any]]) -> None:
        from workflows import deploy, settings
        from workflows.models import Workflow

        name = title.replace(" ", ".")
        draft = {"trigger": {"type": "event", "name": name, "sample": {"at": 1}}, "steps": steps, "settings": []}
        flow = Workflow.objects.create(project=self.project, integration=self.integration, name=title, draft=draft)
        deploy.deploy(flow, "bench")
        for connection in self.connections:
            settings.switch(flow, connection, on=True)
        self.send(name, 100)
        self.wait(flow, 100)
        self.stats()
        before = self.cpu()
        began = time.monotonic()
        self.send(name, self.options.runs)
        self.wait(flow, 100 + self.options.runs)
        rate = self.options.runs / (time.monotonic() - began)
        cpu = (self.cpu() - before) * 1000 / self.options.runs
        self.stats()
        for _ in range(200):
            self.send(name, 1)
            time.sleep(0.05)
        self.wait(flow, 300 + self.options.runs)
        delays = sorted(self.stats())
        p50, p95, p99 = (delays[int(len(delays) * part)] for part in (0.5, 0.95, 0.99))
        print(f"\n{title}: {rate:.0f} runs/s, {cpu:.1f} CPU ms a run in the workers, {self.memory()} MB at most each")
        print(
            f"  from the event to the first call, at 20 a second: {p50:.1f} ms p50, {p95:.1f} ms p95, {p99:.1f} ms p99"
        )

    def send(self, name: str, count: int) -> None:
        from workflows import dispatch

        for number in range(count):
            sub = self.connections[number % len(self.connections)].user.sub
            dispatch.record(self.project.pk, "app", name, {"at": time.time_ns()}, sub=sub)

    def wait(self, flow: Any, count: int) -> None:
        from workflows.models import Run

        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while Run.objects.filter(workflow=flow, status=Run.Status.DONE).count() < count:
            if time.monotonic() > give_up_at:
                sys.exit("The runs do not end.")
            time.sleep(0.02)

    def stats(self) -> list[float]:
        with urlopen(f"http://localhost:{self.upstream}/stats", timeout=10) as answer:
            return list(json.load(answer))

    def cpu(self) -> float:
        return sum(cpu_seconds(worker.pid) for worker in self.workers)

    def memory(self) -> int:
        peaks = []
        for worker in self.workers:
            lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
            peaks.append(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")))
        return max(peaks)


if __name__ == "__main__":
    main()
