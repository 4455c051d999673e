"""Many processes refresh many grants while one of them is killed every fifth of a second. No consent may be lost.

    python -m tests.faults.storm --sandbox http://localhost:8001 --seconds 60 --processes 8 --grants 400

The times are scaled down: tokens live seconds, the leeway for using one again is 20 seconds instead of ten minutes.
Prints one line of JSON; exits 1 when a grant was lost. The database is DATABASE_URL, which must be an empty one.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

SCALED = {
    "TOKEN_LEASE_SECONDS": "3",
    "TOKEN_DEADLINE_SECONDS": "2",
    "TOKEN_SEND_BY_SECONDS": "0.8",
    "TOKEN_MARGIN_SECONDS": "2",
    "SWEEP_SECONDS": "0.5",
    "CELERY_BROKER_URL": "",
}
SANDBOX = {"access_token_seconds": 8, "reuse_leeway_seconds": 20, "token_latency_ms": [5, 60]}
SWEEPERS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--grants", type=int, default=400)
    parser.add_argument("--kill-every", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(options.sandbox, folder)
        result = Storm(options).run()
    print(json.dumps(result))
    sys.exit(1 if result["lost"] else 0)


def prepare(sandbox: str, folder: str) -> None:
    os.environ.update(SCALED)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["VAR_DIR"] = folder
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/storm.sqlite3")
    os.environ["JIRA_AUTH_URL"] = os.environ["JIRA_API_URL"] = sandbox
    os.environ["OUTBOUND_LOCAL_HOSTS"] = sandbox.removeprefix("http://")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


class Storm:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.random = random.Random(options.seed)
        self.kills = 0

    def run(self) -> dict[str, Any]:
        ids = self.seed()
        children = {self.fork(refresh_for_ever, ids): refresh_for_ever for _ in range(self.options.processes)}
        sweepers = [self.fork(sweep_for_ever, ids) for _ in range(SWEEPERS)]
        ends_at = time.monotonic() + self.options.seconds
        while time.monotonic() < ends_at:
            time.sleep(self.options.kill_every)
            victim = self.random.choice(list(children))
            kill(victim)
            self.kills += 1
            del children[victim]
            children[self.fork(refresh_for_ever, ids)] = refresh_for_ever
        for child in children:
            kill(child)
        self.settle()
        for sweeper in sweepers:
            kill(sweeper)
        return self.count(ids)

    def seed(self) -> list[Any]:
        from django.db import connections

        from integrations.models import Grant, OAuthApp, Project

        sandbox = self.options.sandbox
        self.operate("settings", SANDBOX)
        keys = self.operate(
            "clients",
            {
                "name": "Storm",
                "callback_url": "http://localhost/callback",
                "scopes": ["read:jira-work", "read:jira-user", "offline_access"],
            },
        )
        project = Project.objects.create(name="Storm")
        app = OAuthApp(project=project, provider="jira", client_id=keys["client_id"])
        app.set_secret(keys["client_secret"])
        app.save()
        made = self.operate("grants/bulk", {"client_id": keys["client_id"], "count": self.options.grants})
        ids = []
        for entry in made:
            expires_at = datetime.now(UTC) + timedelta(seconds=self.random.uniform(0, 8))
            grant = Grant(project=project, app=app, account_id=entry["account_id"], expires_at=expires_at)
            grant.seal("access_token", entry["access_token"])
            grant.seal("refresh_token", entry["refresh_token"])
            grant.refreshed_at = datetime.now(UTC)
            grant.save()
            ids.append(grant.pk)
        connections.close_all()
        print(f"{len(ids)} grants at {sandbox}, seed {self.options.seed}", file=sys.stderr)
        return ids

    def operate(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.options.sandbox}/operator/api/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fork(self, work: Callable[[list[Any], int], None], ids: list[Any]) -> int:
        seed = self.random.randrange(1 << 30)
        pid = os.fork()
        if pid == 0:
            try:
                work(ids, seed)
            finally:
                os._exit(1)
        return pid

    def settle(self) -> None:
        """Let the sweepers finish what the last kills left half-done."""
        from integrations.models import Grant

        give_up_at = time.monotonic() + 15
        while Grant.objects.filter(refresh_started_at__isnull=False).exists() and time.monotonic() < give_up_at:
            time.sleep(0.5)

    def count(self, ids: list[Any]) -> dict[str, Any]:
        """Ask for every grant's token once more: what cannot be had any longer is lost."""
        from integrations import tokens
        from integrations.errors import ProviderError

        lost = 0
        for grant_id in ids:
            try:
                tokens.access_token(grant_id)
            except ProviderError as error:
                lost += 1
                print(f"lost {grant_id}: {error}", file=sys.stderr)
        state = requests.get(f"{self.options.sandbox}/operator/api/state", timeout=60).json()
        return {"lost": lost, "kills": self.kills, "grants": len(ids), "token_calls": state.get("token_calls")}


def refresh_for_ever(ids: list[Any], seed: int) -> None:
    from integrations import tokens
    from integrations.errors import ProviderError

    choose = random.Random(seed)
    while True:
        try:
            tokens.access_token(choose.choice(ids))
        except ProviderError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        time.sleep(0.002)


def sweep_for_ever(ids: list[Any], seed: int) -> None:
    from django.conf import settings

    from integrations.sweeper import Sweeper

    sweeper = Sweeper()
    while True:
        sweeper.sweep()
        time.sleep(settings.SWEEP_SECONDS)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
