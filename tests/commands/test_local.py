"""What `make run` starts: the right processes with the right environment, and sentences where it cannot."""

import configparser
import json
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command

from integrations import local
from integrations.providers import SLUGS
from tests.support.processes import MANAGE, end, free_port, wait_for_line
from tests.support.production import environment as production


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_how_to_choose_another(taken: int, settings: Any) -> None:
    settings.PORT = taken

    with pytest.raises(CommandError, match=f"Port {taken}, wanted for the dashboard, is taken.*make run PORT="):
        call_command("local")


def test_a_public_deployment_is_not_started_this_way(settings: Any) -> None:
    settings.IS_LOCAL = False

    with pytest.raises(CommandError, match="for this machine only"):
        call_command("local")


def test_every_process_of_the_deployment_is_kept_up(tmp_path: Path) -> None:
    wanted = local.programs(local.Ports(9000), tmp_path / "broker.sock", has_broker=True)

    providers = [f"{slug}_{kind}" for slug in SLUGS for kind in ("sandbox", "demo")]
    assert {program.name for program in wanted} == {"broker", "web", "worker", "sweeper", *providers}


def test_without_a_broker_the_sweeper_does_the_work() -> None:
    wanted = local.programs(local.Ports(9000), None, has_broker=False)

    assert {"broker", "worker"}.isdisjoint(program.name for program in wanted)


def test_the_configuration_survives_spaces_and_per_cent_signs() -> None:
    program = local.Program("odd", ["/a path/100%", "it's"])

    parser = configparser.RawConfigParser()
    parser.read_string(local.supervisor_config([program]))

    command = parser["program:odd"]["command"]
    assert shlex.split(command.replace("%%", "%")) == program.command


def test_the_environment_names_every_address() -> None:
    values = local.environment(local.Ports(9000), Path("/run/broker.sock"), given={})

    assert values["PUBLIC_URL"] == "http://localhost:9000"
    assert values["CELERY_BROKER_URL"] == "redis+socket:///run/broker.sock"
    assert values["SANDBOX_URL"] == "http://localhost:9001"
    assert values["OUTBOUND_LOCAL_HOSTS"] == "127.0.0.1:9002 localhost:9001"
    assert values["DEMO_URL"] == "http://127.0.0.1:9002"


def test_what_the_operator_set_wins_and_real_keys_replace_the_sandbox() -> None:
    given = {"JIRA_DEV_CLIENT_ID": "mine", "CELERY_BROKER_URL": "amqp://mine"}

    values = local.environment(local.Ports(9000), None, given)

    assert not any(name.startswith("JIRA_") for name in values)
    assert "SANDBOX_URL" not in values
    assert "CELERY_BROKER_URL" not in values


def test_the_environment_is_written_down_for_its_owner_only(tmp_path: Path) -> None:
    local.remember({"PORT": "9000"})

    file = tmp_path / "local.env"
    assert file.read_text() == "PORT=9000\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_long_path_gives_the_broker_a_socket_elsewhere(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / ("deep" * 30)

    socket = local.BrokerSocket()

    assert len(os.fsencode(socket.path)) <= local.LONGEST_SOCKET_PATH
    folder = socket.path.parent
    socket.remove()
    assert not folder.exists()


@pytest.fixture
def started(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    port = next(port for port in iter(free_port, 0) if not any(map(local.is_taken, range(port, port + 3))))
    env = production(str(tmp_path), PUBLIC_URL="", DATABASE_URL="", CELERY_BROKER_URL="", PORT=str(port))
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen([*MANAGE, "local"], env=env, stdout=said, stderr=subprocess.STDOUT)
        yield process
        end(process)


def test_everything_starts_answers_and_stops(started: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    said = wait_for_line(tmp_path / "said", "Logs", seconds=60)
    other_terminal = production(str(tmp_path), PUBLIC_URL="", DATABASE_URL="", CELERY_BROKER_URL="")
    found = subprocess.run(
        [*MANAGE, "demo_credentials", "--json"], env=other_terminal, capture_output=True, text=True, check=True
    )
    address = json.loads(found.stdout)["base_url"]
    with urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.status == 200

    started.send_signal(signal.SIGINT)

    assert started.wait(60) == 0
    assert address in said
    assert "its data is kept" in (tmp_path / "said").read_text()
    assert not local.is_taken(int(address.rpartition(":")[2]))
