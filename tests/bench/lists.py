"""Measure every list and every filter of it at many rows: the first page, and one deep inside.

Run by `make bench`. A member of several projects asks, in this process; the database is SQLite, or BENCH_DATABASE_URL.
`--users 100000 --calls 5000000` is the size that the aim is for; a project of that name which is there is measured as
it is.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

AIM_MS, DATABASE_MS, MOST_QUERIES = 200, 20, 10


@dataclass
class Took:
    """What one page took, in milliseconds, each time that it was asked for."""

    whole: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    queries: int = 0

    def row(self) -> tuple[float, float, float, int]:
        return statistics.median(self.whole), p95(self.whole), p95(self.database), self.queries


def p95(times: list[float]) -> float:
    return sorted(times)[round(0.95 * (len(times) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--project", default="Lists")
    parser.add_argument("--times", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--only", default="", help="measure the pages whose name begins so")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        set_up(Path(folder))
        measure(options)


def set_up(folder: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/db.sqlite3"),
        "DJANGO_ALLOWED_HOSTS": "localhost",
        "CELERY_BROKER_URL": "",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def measure(options: argparse.Namespace) -> None:
    project = seeded(options)
    client = signed_in(project)
    database = os.environ["DATABASE_URL"].split(":")[0]
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {database}")
    print(f"Lists at {options.users:,} users and {options.calls:,} calls; ms of {options.times} times each")
    print(f"  {'':34}{'p50':>8}{'p95':>8}{'database':>10}{'queries':>9}")
    slow, count = [], 0
    for name, address in pages(project):
        if name.startswith(options.only):
            took = ask(client, address, options.times)
            median, most, database_ms, queries = took.row()
            is_slow = most > AIM_MS or queries > MOST_QUERIES
            remark = "  SLOW" if is_slow else ("  over the goal" if database_ms > DATABASE_MS else "")
            print(f"  {name:34}{median:8.1f}{most:8.1f}{database_ms:10.1f}{queries:9}{remark}", flush=True)
            count += 1
            slow += [name] if is_slow else []
    verdict = f"{len(slow)} of {count} are not: {', '.join(slow)}" if slow else f"all {count} are"
    print(
        f"Aim: p95 of {AIM_MS} ms, at most {MOST_QUERIES} queries: {verdict}. Goal: {DATABASE_MS} ms in the database."
    )


def seeded(options: argparse.Namespace) -> Any:
    from django.core.management import call_command

    from integrations.models import Project

    if not Project.objects.filter(name=options.project).exists():
        call_command("seed_demo", users=options.users, calls=options.calls, project=options.project)
    return Project.objects.get(name=options.project)


def signed_in(project: Any) -> Any:
    """Return a client of somebody who works in several projects."""
    from django.test import Client

    from integrations.models import Member, Project, User

    user = User.objects.filter(email="bench@localhost").first() or User.objects.create_user("bench@localhost", "bench")
    others = [Project.objects.get_or_create(name=f"Another {number}")[0] for number in range(20)]
    for each in [project, *others]:
        Member.objects.get_or_create(project=each, user=user, defaults={"role": Member.Role.OWNER})
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def ask(client: Any, address: str, times: int) -> Took:
    from django.db import connection

    took, spent = Took(), [0.0]

    def timed(execute: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent.append(time.perf_counter() - began)

    client.get(address)
    for _ in range(times):
        spent.clear()
        began = time.perf_counter()
        with connection.execute_wrapper(timed):
            answer = client.get(address)
        took.whole.append((time.perf_counter() - began) * 1000)
        took.database.append(sum(spent) * 1000)
        took.queries = len(spent)
        if answer.status_code != 200:
            sys.exit(f"{address} answers {answer.status_code}")
    return took


# The pages ------------------------------------------------------------------------------------------------------------


def pages(project: Any) -> Iterator[tuple[str, str]]:
    """Yield (name, address) of every list, each of its filters, and pairs of filters that seldom or never meet."""
    from workflows.models import Workflow

    home = f"/p/{project.pk}"
    yield "projects", "/projects"
    yield "overview", f"{home}/"
    yield "integrations", f"{home}/integrations"
    integration = project.integrations.select_related("oauth_app").first()
    slug, middle = integration.provider_slug, datetime.now(UTC) - timedelta(days=15)
    yield "integration", f"{home}/integrations/{slug}"
    yield "integration, deep", f"{home}/integrations/{slug}?{after(middle - timedelta(days=150), NO_UUID)}"
    yield "workflows", f"{home}/workflows"
    flow = Workflow.objects.written().filter(project=project).last()
    day = {"since": f"{middle:%Y-%m-%d}", "until": f"{middle + timedelta(days=1):%Y-%m-%d}"}
    moment = {"since": f"{middle:%Y-%m-%dT%H:%M}", "until": f"{middle + timedelta(days=1):%Y-%m-%dT%H:%M}"}
    rare = rarely(project)
    lists: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
        "users": (after(middle - timedelta(days=150), NO_UUID), users(slug, middle)),
        "calls": (after(middle, 2**40), calls(slug, project)),
        "events": (after(uuid_at(middle), uuid_at(middle)), events(project, rare)),
        "runs": (after(uuid_at(middle), uuid_at(middle)), runs(flow, integration, moment, rare)),
        "audit": (after(middle, 2**40), audit(day)),
    }
    for page, (deep, filters) in lists.items():
        for name, given in filters.items():
            yield f"{page}: {name}", f"{home}/{page}?{urlencode(given)}"
            yield f"{page}: {name}, deep", f"{home}/{page}?{urlencode(given)}&{deep}"
    for period in ("day", "week", "month"):
        yield f"calls health: {period}", f"{home}/calls/health?period={period}"
    yield f"calls health: {slug}", f"{home}/calls/health?period=month&provider={slug}"
    for name, user in (("busiest", project.connected_users.get(sub=rare["heavy"])), ("some", one_of(project))):
        yield f"user: {name}", f"{home}/users/{user.pk}"
        connection = user.connections.first()
        if connection:
            yield f"connection: of the {name} user", f"{home}/connections/{connection.pk}"


NO_UUID = "00000000-0000-0000-0000-000000000000"


def after(value: Any, pk: Any) -> str:
    """Return the query of a page that begins after a key, as paging.py writes it."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return "after=" + urlsafe_b64encode(json.dumps([text, str(pk)]).encode()).decode().rstrip("=")


def uuid_at(moment: datetime) -> str:
    from integrations.models.base import first_uuid_at

    return str(first_uuid_at(moment))


def one_of(project: Any) -> Any:
    return project.connected_users.exclude(connections=None).order_by("created_at")[
        int(project.connected_users.count() / 2)
    ]


def rarely(project: Any) -> dict[str, str]:
    """Return the user with the most calls, and one with few."""
    found = list(project.connections.order_by("created_at", "pk").values_list("user__sub", flat=True)[:2000])
    return {"heavy": found[0], "light": found[-1]}


def users(slug: str, middle: datetime) -> dict[str, dict[str, Any]]:
    return {
        "all": {},
        "user ID": {"q": "user-4711"},
        "name": {"q": "Zoë Nguyen"},
        "e-mail": {"q": "kowalski.47"},
        "common text": {"q": "user"},
        "no match": {"q": "nobody is like this"},
        "two letters": {"q": "zq"},
        "needs reconnect": {"health": "reconnect"},
        "connected": {"health": "connected"},
        "no connection": {"health": "none"},
        "disabled": {"health": "disabled"},
        "integration": {"provider": slug},
        "since": {"since": f"{middle:%Y-%m-%d}"},
        "name and needs reconnect": {"q": "Zoë", "health": "reconnect"},
        "disabled since yesterday": {"health": "disabled", "since": f"{datetime.now(UTC):%Y-%m-%d}"},
        "integration and none": {"provider": slug, "health": "none"},
        "all at once": {"q": "ada", "health": "reconnect", "provider": slug, "since": f"{middle:%Y-%m-%d}"},
    }


def calls(slug: str, project: Any) -> dict[str, dict[str, Any]]:
    from integrations.models import CallHour

    routes = list(CallHour.objects.filter(project=project).order_by("route").values_list("route", flat=True).distinct())
    never = (
        CallHour.objects.filter(project=project).exclude(route__in=_failing(project)).values_list("route", flat=True)
    )
    rare = rarely(project)
    return {
        "all": {},
        "2xx": {"status": 2},
        "3xx": {"status": 3},
        "4xx": {"status": 4},
        "5xx": {"status": 5},
        "busiest user": {"user": rare["heavy"]},
        "user": {"user": rare["light"]},
        "unknown user": {"user": "nobody"},
        "provider": {"provider": slug},
        "last hour": {"since": 1},
        "last 7 days": {"since": 168},
        "route": {"route": routes[0]},
        "unknown route": {"route": "/nothing"},
        "busiest user and 5xx": {"user": rare["heavy"], "status": 5},
        "user and 5xx": {"user": rare["light"], "status": 5},
        "route that never fails and 4xx": {"route": never[0] if never else "/", "status": 4},
        "route that never fails and 5xx": {"route": never[0] if never else "/", "status": 5},
        "busiest user and route": {"user": rare["heavy"], "route": routes[-1]},
        "provider and 3xx": {"provider": slug, "status": 3},
        "all at once": {"user": rare["heavy"], "route": routes[0], "status": 5, "provider": slug, "since": 24},
    }


def _failing(project: Any) -> list[str]:
    from django.db.models import Q

    from integrations.models import CallHour

    found = CallHour.objects.filter(project=project).filter(Q(refused__gt=0) | Q(failed__gt=0))
    return list(found.order_by().values_list("route", flat=True).distinct())


def events(project: Any, rare: dict[str, str]) -> dict[str, dict[str, Any]]:
    connection = project.connections.filter(user__sub=rare["light"]).first()
    return {
        "all": {},
        "dispatched": {"state": "dispatched"},
        "failed": {"state": "failed"},
        "received": {"state": "received"},
        "came by": {"source": "poll"},
        "name": {"name": "task.created"},
        "unknown name": {"name": "nothing.like.it"},
        "busiest user": {"user": rare["heavy"]},
        "user": {"user": rare["light"]},
        "connection": {"connection": connection.pk if connection else ""},
        "busiest user and failed": {"user": rare["heavy"], "state": "failed"},
        "user and failed": {"user": rare["light"], "state": "failed"},
        "came by and unknown name": {"source": "poll", "name": "nothing.like.it"},
        "came by and received": {"source": "poll", "state": "received"},
        "all at once": {"user": rare["heavy"], "state": "failed", "source": "poll", "name": "invoice.paid"},
    }


def runs(flow: Any, integration: Any, moment: dict[str, str], rare: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {
        "all": {},
        "failed": {"status": "failed"},
        "failed or uncertain": {"status": "bad"},
        "under way": {"status": "active"},
        "given up": {"status": "dead"},
        "workflow": {"workflow": flow.pk},
        "integration": {"integration": integration.pk},
        "busiest user": {"user": rare["heavy"]},
        "user": {"user": rare["light"]},
        "a day": moment,
        "text in the error": {"error": "502"},
        "no such text": {"error": "nothing like it"},
        "tests too": {"tests": "on"},
        "workflow and given up": {"workflow": flow.pk, "status": "dead"},
        "busiest user and bad": {"user": rare["heavy"], "status": "bad"},
        "user and given up": {"user": rare["light"], "status": "dead"},
        "a day and text": {**moment, "error": "502"},
        "all at once": {"workflow": flow.pk, "user": rare["heavy"], "status": "bad", "error": "502", **moment},
    }


def audit(day: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {
        "all": {},
        "who": {"who": "ada@example.com"},
        "what": {"action": "connected"},
        "nobody": {"who": "nobody@example.com"},
        "a day": day,
        "who and nothing they did": {"who": "ada@example.com", "action": "nothing"},
        "who and what": {"who": "dubois@example.com", "action": "signing key generated"},
    }


if __name__ == "__main__":
    main()
