"""Rotating tokens under load, kills and outages, with real processes and the sandbox's own rules."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.faults

ROOT = Path(__file__).resolve().parents[2]
# The whole minute is one command away: STORM_SECONDS=60 make test-faults
STORM_SECONDS = os.environ.get("STORM_SECONDS", "30")


def run(module: str, sandbox: Sandbox, *options: str) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "VAR_"))}
    command = [sys.executable, "-m", module, "--sandbox", sandbox.url, *options]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert ended.stdout.strip(), ended.stderr[-3000:]
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    print(result)
    return result


def test_no_consent_is_lost_while_refreshing_processes_are_killed(sandbox: Sandbox) -> None:
    result = run("tests.faults.storm", sandbox, "--seconds", STORM_SECONDS, "--seed", "7")

    assert result["kills"] > 0
    assert result["lost"] == 0


def test_two_hundred_calls_at_once_make_one_token_call(sandbox: Sandbox) -> None:
    result = run("tests.faults.stampede", sandbox)

    assert result["token_calls"] == 1
    assert result["failed"] == 0
