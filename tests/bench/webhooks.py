"""Measure deliveries: how many a second are verified, deduplicated and committed, and how soon the first call follows.

Run by `make bench`. As for runs, everything is on this machine; the bare server beside it only reads and answers.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt

from tests.bench.proxy import free_port, granian
from tests.bench.runs import Bench, action
from tests.support.reference import captured

SITE, SECRET, HOOK = "https://acme.atlassian.net", "a client secret that is long enough to sign with", 1000
PROCESSES, THREADS = 2, 8


def bare(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The server without anything of ours: read the body, answer."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=6000)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        bench = WebhookBench(Path(folder), options, stack)
        bench.measure_accepting(stack)
        bench.measure_delay()
        bench.stop()


def body_of(number: int, summary: str) -> bytes:
    """Return a change of an issue, as large as they come, each another one."""
    text = json.dumps(next((found for name, found in captured("jira-webhooks").items() if "custom-field" in name), {}))
    body = json.loads(text.replace("https://acme-test.atlassian.net", SITE)) or {"issue": {"fields": {}}}
    body |= {"matchedWebhookIds": [HOOK], "webhookEvent": "jira:issue_updated", "timestamp": int(time.time() * 1000)}
    issue = body["issue"]
    issue |= {"id": str(10_000 + number), "key": f"OPS-{number}", "self": f"{SITE}/rest/api/2/issue/{10_000 + number}"}
    issue["fields"]["summary"] = summary
    body["changelog"] = {"id": str(number), "items": [{"field": "summary", "fieldId": "summary", "toString": summary}]}
    return json.dumps(body).encode()


def _headers() -> dict[str, str]:
    now = int(time.time())
    token = jwt.encode({"iss": "bench", "iat": now, "exp": now + 3600}, SECRET)
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def send(port: int, path: str, count: int, a_second: float, status: int) -> list[float]:
    """Send deliveries from many threads, at full speed or so many a second; return how long each took, in ms."""
    headers, body = _headers(), body_of(1, "x" * 200)

    def work(mine: int) -> list[float]:
        connection, took = http.client.HTTPConnection("127.0.0.1", port), []
        began, pause = time.perf_counter(), THREADS / a_second if a_second else 0
        for number in range(mine):
            if pause:
                time.sleep(max(0, began + number * pause - time.perf_counter()))
            at = time.perf_counter()
            connection.request("POST", path, body, headers | {"X-Atlassian-Webhook-Identifier": str(uuid.uuid4())})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status, answer.status
            took.append((time.perf_counter() - at) * 1000)
        connection.close()
        return took

    with ThreadPoolExecutor(THREADS) as pool:
        return [each for found in pool.map(work, [count // THREADS] * THREADS) for each in found]


def storm(port: int, path: str, count: int, a_second: float = 0, status: int = 200) -> tuple[float, list[float]]:
    """Return the rate and the sorted times of a storm from several processes."""
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        began = time.perf_counter()
        jobs = [(port, path, count // PROCESSES, a_second / PROCESSES, status)] * PROCESSES
        found = [each for times in pool.starmap(send, jobs) for each in times]
        return len(found) / (time.perf_counter() - began), sorted(found)


def _said(times: list[float]) -> str:
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    return f"{p50:.1f} ms p50, {p99:.1f} ms p99"


class WebhookBench(Bench):
    def seed(self) -> list[Any]:
        from integrations.models import Connection, Grant, Registration, Subscription

        made = super().seed()
        self.app = self.integration.oauth_app
        self.app.set_secret(SECRET)
        self.app.save()
        listener = made[0]
        Connection.objects.filter(pk=listener.pk).update(site_url=SITE)
        Grant.objects.update(scopes=["read:jira-work", "write:jira-work", "manage:jira-webhook"])
        Registration.objects.create(
            connection=listener, app=self.app, site=SITE, feed="issues", provider_id=str(HOOK), events=[]
        )
        triggers = {"issue_updated": "2020-01-01T00:00:00+00:00"}
        Subscription.objects.create(
            project=self.project, connection=listener, feed="issues", triggers=triggers, way="webhook"
        )
        return made

    def measure_accepting(self, stack: ExitStack) -> None:
        """Workers and sweeper are held meanwhile: they would take the processor from what is measured."""
        self.web, plain = free_port(), free_port()
        stack.enter_context(granian("config.wsgi:application", self.web, {}, workers=2, threads=32))
        stack.enter_context(granian("tests.bench.webhooks:bare", plain, {}, workers=2, threads=32))
        self.path = f"/webhooks/jira/{self.app.webhook_token}"
        self.hold(signal.SIGSTOP)
        storm(self.web, self.path, 400)
        rate, times = storm(self.web, self.path, self.options.deliveries)
        _, calm = storm(self.web, self.path, self.options.deliveries // 2, rate / 2)
        flood_rate, flooded = self.flooded()
        bare_rate, bare_times = storm(plain, "/", self.options.deliveries)
        self.hold(signal.SIGCONT)
        print(
            f"\nDeliveries of {len(body_of(1, 'x')):,} bytes, verified, deduplicated, committed: {rate:.0f}/s,"
            f" {_said(times)}"
        )
        print(f"  at half that rate: {_said(calm)}")
        print(f"  100/s beside {flood_rate:.0f}/s to addresses that nobody has: {_said(flooded)}")
        print(f"  the bare server: {bare_rate:.0f}/s, {_said(bare_times)}")
        self.drain()

    def flooded(self) -> tuple[float, list[float]]:
        """Return the rate of a flood of unknown addresses, and how long real deliveries took beside it."""
        flood, real = (self.web, "/webhooks/jira/unknown", 5000, 500, 404), (self.web, self.path, 500, 50, 200)
        with multiprocessing.get_context("fork").Pool(2 * PROCESSES) as pool:
            began = time.perf_counter()
            flooding = pool.starmap_async(send, [flood] * PROCESSES)
            times = [each for found in pool.starmap(send, [real] * PROCESSES) for each in found]
            sent = sum(len(found) for found in flooding.get())
            return sent / (time.perf_counter() - began), sorted(times)

    def hold(self, how: signal.Signals) -> None:
        for process in [*self.workers, self.sweeper]:
            os.kill(process.pid, how)

    def drain(self) -> None:
        from integrations.models import Delivery

        began, count = time.monotonic(), Delivery.objects.waiting().count()
        while Delivery.objects.waiting().exists():
            if time.monotonic() - began > 600:
                sys.exit("The deliveries are not handled.")
            time.sleep(0.1)
        rate = count / (time.monotonic() - began)
        print(f"  and {count} of them handled by {self.options.workers} worker: {rate:.0f}/s")

    def measure_delay(self) -> None:
        from workflows import deploy, settings
        from workflows.models import Run, Workflow

        steps = [action("create", "create_issue", project="OPS", issue_type="Task", summary="t{{trigger.summary}}")]
        trigger = {"type": "integration", "name": "issue_updated", "input": {}, "options": {"skip_own": True}}
        draft = {"trigger": trigger, "steps": steps, "settings": []}
        flow = Workflow.objects.create(project=self.project, integration=self.integration, name="Told", draft=draft)
        deploy.deploy(flow, "bench")
        settings.switch(flow, self.connections[0], on=True)
        connection = http.client.HTTPConnection("127.0.0.1", self.web)
        time.sleep(2)
        self.stats()
        for number in range(300):
            headers = _headers() | {"X-Atlassian-Webhook-Identifier": str(uuid.uuid4())}
            body = body_of(1000 + number, str(time.time_ns()))
            connection.request("POST", self.path, body, headers)
            connection.getresponse().read()
            time.sleep(0.05)
        self.wait(flow, 300)
        delays = sorted(self.stats())
        p50, p95, p99 = (delays[int(len(delays) * part)] for part in (0.5, 0.95, 0.99))
        assert Run.objects.filter(workflow=flow).count() == 300
        print(
            f"From the delivery to the first call, at 20 a second: {p50:.1f} ms p50, {p95:.1f} ms p95, {p99:.1f} ms p99"
        )


if __name__ == "__main__":
    main()
