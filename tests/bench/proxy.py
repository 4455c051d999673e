"""Measure what the proxy adds to a call: the same upstream called directly and through Patchbay, in one run.

Run by `make bench`. Everything runs on this machine, load included, so only the ratio of the two columns counts.
"""

import argparse
import http.client
import json
import os
import platform
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Result:
    p50: float
    p95: float
    rate: float
    failed: int


@dataclass
class Target:
    port: int
    path: str
    headers: dict[str, str]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def granian(app: str, port: int, env: dict[str, str], *, workers: int, threads: int) -> Iterator[int]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--blocking-threads", str(threads), "--log-level", "error", app]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | env)
    try:
        wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"Nothing listens on port {port}.")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children so far."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def call_many(target: Target, count: int, times: list[float], failures: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", target.port)
    for _ in range(count):
        started = time.perf_counter()
        connection.request("GET", target.path, headers=target.headers)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - started)
        if answer.status != 200:
            failures.append(answer.status)


def load(target: Target, threads: int, count: int) -> tuple[list[float], int]:
    times: list[float] = []
    failures: list[int] = []
    hands = [
        threading.Thread(target=call_many, args=(target, count // threads, times, failures)) for _ in range(threads)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    return times, len(failures)


def measure(target: Target, at_once: int, count: int) -> Result:
    """Call `count` times, `at_once` at a time, from two processes when there are many."""
    processes = 1 if at_once == 1 else 2
    load(target, at_once, 50 * at_once)
    started = time.perf_counter()
    with get_context("fork").Pool(processes) as pool:
        jobs = [pool.apply_async(load, (target, at_once // processes, count // processes)) for _ in range(processes)]
        parts = [job.get() for job in jobs]
    elapsed = time.perf_counter() - started
    times = sorted(value for part, _ in parts for value in part)
    p95 = times[int(len(times) * 0.95)]
    return Result(statistics.median(times) * 1000, p95 * 1000, len(times) / elapsed, sum(failed for _, failed in parts))


def seed() -> None:
    """Fill the database: one user, connected with a token that is good for a day. Prints how to call, as JSON."""
    import django

    django.setup()
    from datetime import UTC, datetime, timedelta

    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.core.management import call_command

    from integrations.models import ConnectedUser, Connection, Grant, Integration, OAuthApp, Project, SigningKey

    call_command("migrate", verbosity=0)
    project = Project.objects.create(name="Bench")
    app = OAuthApp.objects.create(project=project, provider="jira", client_id="bench")
    integration = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    grant = Grant(project=project, app=app, account_id="a", expires_at=datetime.now(UTC) + timedelta(days=1))
    grant.seal("access_token", secrets.token_urlsafe(600))
    grant.seal("refresh_token", secrets.token_urlsafe(600))
    grant.save()
    user = ConnectedUser.objects.create(project=project, sub="ada")
    Connection.objects.create(project=project, integration=integration, user=user, grant=grant, site_id="cloud")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    row = SigningKey.objects.create(project=project, public_pem=public.decode())
    now = int(time.time())
    claims = {"sub": "ada", "iat": now, "exp": now + 3600, "aud": str(project.pk)}
    token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": row.kid})
    print(json.dumps({"project": str(project.pk), "token": token}))


def report(title: str, direct: Result, proxied: Result, cpu_ms: float) -> None:
    added = proxied.p50 - direct.p50
    print(f"\n{title}")
    print(f"  {'':10}{'p50 ms':>9}{'p95 ms':>9}{'calls/s':>10}{'failed':>8}")
    for name, result in (("direct", direct), ("Patchbay", proxied)):
        print(f"  {name:10}{result.p50:9.2f}{result.p95:9.2f}{result.rate:10.0f}{result.failed:8}")
    ratio = proxied.rate / direct.rate
    print(f"  added {added:.2f} ms p50; {ratio:.0%} of the direct rate; {cpu_ms:.2f} CPU ms a call in Patchbay")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seed:
        seed()
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), options.calls, options.workers)


def run(folder: Path, calls: int, workers: int) -> None:
    upstream, web = free_port(), free_port()
    env: dict[str, Any] = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "VAR_DIR": str(folder),
        "PORT": str(web),
        "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", f"sqlite:///{folder}/db.sqlite3"),
        "JIRA_API_URL": f"http://localhost:{upstream}",
        "OUTBOUND_LOCAL_HOSTS": f"localhost:{upstream}",
        "CELERY_BROKER_URL": "",
    }
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.bench.proxy", "--seed"],
        cwd=ROOT,
        env=os.environ | env,
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(seeded.stdout.splitlines()[-1])
    database = env["DATABASE_URL"].split(":")[0]
    print(
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores,"
        f" {database}, {workers} workers"
    )
    path = "/rest/api/3/issue/OPS-1"
    headers = {"Authorization": f"Bearer {found['token']}"}
    direct = Target(upstream, f"/ex/jira/cloud{path}", headers)
    wrapped = Target(web, f"/projects/{found['project']}/sdk/proxy/jira{path}", headers)
    with (
        granian("tests.bench.upstream:application", upstream, {}, workers=1, threads=4),
        granian("config.wsgi:application", web, env, workers=workers, threads=32) as pid,
    ):
        for at_once in (1, 20):
            count = calls if at_once > 1 else calls // 4
            plain = measure(direct, at_once, count)
            before = cpu_seconds(pid)
            through = measure(wrapped, at_once, count)
            cpu_ms = (cpu_seconds(pid) - before) * 1000 / (count + 50 * at_once)
            report(f"{at_once} at once, {count} calls", plain, through, cpu_ms)


if __name__ == "__main__":
    main()
