"""The units of docs/deployment.md start what the Procfile starts."""

import configparser
import re

import pytest

from tests.support import manual
from tests.support.processes import ROOT

PROCESSES = ["web", "worker", "sweeper"]
ADDRESS = re.compile(r"--host \S+ --port \S+ --workers \S+ ")


def procfile(process: str) -> str:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    return lines[process]


def unit(process: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(manual.block("deployment.md", "ini", f"# patchbay-{process}.service"))
    return parser


@pytest.mark.parametrize("process", PROCESSES)
def test_a_unit_runs_the_procfiles_command(process: str) -> None:
    command = unit(process)["Service"]["ExecStart"].removeprefix("/opt/patchbay/.venv/bin/")

    assert ADDRESS.sub("", command) == ADDRESS.sub("", procfile(process))


@pytest.mark.parametrize("process", PROCESSES)
def test_a_unit_starts_again_what_ended(process: str) -> None:
    service = unit(process)["Service"]

    assert service["Restart"] == "always"
    assert service["User"] == "patchbay"
    assert int(service["TimeoutStopSec"]) > 30


def test_only_the_proxy_in_front_reaches_the_web_process() -> None:
    assert "--host 127.0.0.1 --port 8000" in unit("web")["Service"]["ExecStart"]
