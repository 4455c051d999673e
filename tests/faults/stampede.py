"""Two hundred calls at once, from four processes, on one expired token: how many token calls does that make?

    python -m tests.faults.stampede --sandbox http://localhost:8001

Prints one line of JSON: {"token_calls", "failed"}. The database is DATABASE_URL, which must be an empty one.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from typing import Any

import requests

from tests.faults.storm import prepare

PROCESSES, THREADS = 4, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(options.sandbox, folder)
        user, site = seed(options.sandbox)
        before = refreshes(options.sandbox)
        failed = run(user)
        result = {"token_calls": refreshes(options.sandbox) - before, "failed": failed, "site": site}
    print(json.dumps(result))
    sys.exit(1 if result["token_calls"] != 1 or failed else 0)


def operate(sandbox: str, path: str, body: dict[str, Any]) -> Any:
    answer = requests.post(f"{sandbox}/operator/api/{path}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def refreshes(sandbox: str) -> int:
    """Return how many refresh calls the token endpoint has seen."""
    state = requests.get(f"{sandbox}/operator/api/state", timeout=60).json()
    calls = state["token_calls"].get("refresh_token", {})
    return sum(calls.values()) if isinstance(calls, dict) else int(calls)


def seed(sandbox: str) -> tuple[Any, str]:
    from django.db import connections

    from integrations.models import ConnectedUser, Connection, Grant, Integration, OAuthApp, Project
    from integrations.user_tokens import EndUser

    scopes = ["read:jira-work", "read:jira-user", "offline_access"]
    keys = operate(sandbox, "clients", {"name": "Stampede", "callback_url": "http://localhost/cb", "scopes": scopes})
    entry = operate(sandbox, "grants/bulk", {"client_id": keys["client_id"], "count": 1})[0]
    sites = requests.get(
        f"{sandbox}/oauth/token/accessible-resources",
        headers={"Authorization": f"Bearer {entry['access_token']}"},
        timeout=30,
    ).json()
    project = Project.objects.create(name="Stampede")
    app = OAuthApp(project=project, provider="jira", client_id=keys["client_id"])
    app.set_secret(keys["client_secret"])
    app.save()
    integration = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    grant = Grant(project=project, app=app, account_id=entry["account_id"], expires_at=datetime.now(UTC))
    grant.seal("access_token", entry["access_token"])
    grant.seal("refresh_token", entry["refresh_token"])
    grant.save()
    user = ConnectedUser.objects.create(project=project, sub="ada")
    site = sites[0]["id"]
    Connection.objects.create(project=project, integration=integration, user=user, grant=grant, site_id=site)
    connections.close_all()
    return EndUser(project.pk, "ada"), site


def run(user: Any) -> int:
    """Fork, wait for one moment, call; return how many calls failed."""
    start_at = time.time() + 1.5
    children = []
    for _ in range(PROCESSES):
        pid = os.fork()
        if pid == 0:
            os._exit(min(call_at(user, start_at), 250))
        children.append(pid)
    return sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)


def call_at(user: Any, start_at: float) -> int:
    failures: list[str] = []
    hands = [threading.Thread(target=call_once, args=(user, start_at, failures)) for _ in range(THREADS)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    for failure in failures[:5]:
        print(failure, file=sys.stderr)
    return len(failures)


def call_once(user: Any, start_at: float, failures: list[str]) -> None:
    from integrations import proxy

    time.sleep(max(0.0, start_at - time.time()))
    try:
        answer = proxy.forward(user, "jira", proxy.Call("GET", "rest/api/3/myself"))
        answer.response.body()
        if answer.status != 200:
            failures.append(f"status {answer.status}")
    except Exception as error:  # noqa: BLE001 (every failure counts)
        failures.append(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
