"""One project sends thousands of events at once, another sends one: how many of the first's runs are over before it?

    python -m tests.faults.crowd --sandbox http://localhost:8001 --runs 10000

Prints one line of JSON; exits 1 when more than half of them were, or when something was lost.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.faults.run_storm import ROOT, WORKER, Storm

DRAFT = {
    "trigger": {"type": "event", "name": "crowd", "sample": {"number": 1}},
    "settings": [],
    "steps": [{"id": "read", "type": "action", "action": "get_issue", "input": {"issue": "OPS-1"}}],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--broker", default="", help="an address; else an embedded broker, or “none”")
    parser.set_defaults(seed=1, workers=2, upgrade=False)
    with tempfile.TemporaryDirectory() as folder:
        result = Crowd(parser.parse_args(), Path(folder), None).run()
    print(json.dumps(result))
    sys.exit(1 if result["before"] * 2 > result["crowd"] or not result["all_ended"] else 0)


class Crowd(Storm):
    def run(self) -> dict[str, Any]:
        from integrations.models import Event
        from workflows import dispatch
        from workflows.models import Run

        self.broker.start()
        crowd, subs = self.project("Crowd", DRAFT, users=4)
        lone, [sub] = self.project("Lone", DRAFT, users=1)
        for number in range(self.options.runs):
            dispatch.record(crowd.pk, Event.Source.APP, "crowd", {"number": number}, sub=subs[number % len(subs)])
        dispatch.record(lone.pk, Event.Source.APP, "crowd", {}, sub=sub)
        time.sleep(0.1)
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", *WORKER.split()]
        processes = [self.spawn([sys.executable, str(ROOT / "manage.py"), "sweeper"])]
        processes += [self.spawn(command) for _ in range(self.options.workers if self.broker.address else 0)]
        try:
            while not Run.objects.filter(project=lone, status=Run.Status.DONE).exists():
                time.sleep(0.02)
            before = Run.objects.filter(project=crowd, status=Run.Status.DONE).count()
            is_over = self.wait()
        finally:
            for process in processes:
                process.kill()
                process.wait()
            self.broker.kill()
        done = Run.objects.filter(status=Run.Status.DONE).count()
        return {"crowd": self.options.runs, "before": before, "all_ended": is_over and done == self.options.runs + 1}


if __name__ == "__main__":
    main()
