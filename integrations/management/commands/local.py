import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from integrations import demo, local, vault

START_SECONDS = 60


class Command(BaseCommand):
    help = "Start everything on this machine and keep it up until Ctrl-C. `make run` calls this."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError(
                f"This starts a deployment for this machine only, and PUBLIC_URL is {settings.PUBLIC_URL}."
                " Unset PUBLIC_URL, or see docs/deployment.md for how to run Patchbay for others."
            )
        self.ports = local.Ports(settings.PORT)
        self._check_ports()
        self._prepare_data()
        socket = local.BrokerSocket()
        try:
            self._run(socket)
        finally:
            socket.remove()

    def _check_ports(self) -> None:
        taken = {port: use for port, use in self.ports.all().items() if local.is_taken(port)}
        if not taken:
            return
        port, use = next(iter(taken.items()))
        running = _running_pid()
        if running:
            raise CommandError(
                f"Patchbay runs already: port {port} is taken. Stop it with Ctrl-C in its terminal or `kill {running}`,"
                " or start a second one with its own data: make run PORT=9000 VAR_DIR=/tmp/patchbay"
            )
        raise CommandError(
            f"Port {port}, wanted for {use}, is taken by another program. Choose another: make run PORT="
            f"{self.ports.web + 1000 if self.ports.web < 60000 else 9000} (it and the next ports must be free)."
        )

    def _prepare_data(self) -> None:
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # Empty: local files are served from where they lie.
        call_command("migrate", verbosity=0, interactive=False)
        try:
            vault.verify()
        except vault.VaultError as error:
            raise CommandError(str(error)) from error
        demo.prepare()

    def _run(self, socket: local.BrokerSocket) -> None:
        given = {name: value for name, value in os.environ.items() if name not in settings.LOCAL_ENVIRONMENT}
        own_broker = None if given.get("CELERY_BROKER_URL") or not local.broker_binary() else socket.path
        values = local.environment(self.ports, own_broker, given)
        local.remember(values)
        (settings.VAR_DIR / "log").mkdir(exist_ok=True)
        has_broker = bool(own_broker or given.get("CELERY_BROKER_URL"))
        config = settings.VAR_DIR / "supervisord.conf"
        config.write_text(local.supervisor_config(local.programs(self.ports, own_broker, has_broker)))
        self._supervise(config, given | values, has_broker)

    def _supervise(self, config: Path, environment: Mapping[str, str], has_broker: bool) -> None:
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        # In a session of its own, so that Ctrl-C reaches it once and through us.
        supervisor = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR, start_new_session=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: supervisor.terminate())
        if self._wait_until_up(supervisor):
            self._greet(environment, has_broker)
        elif supervisor.poll() is None:
            self._complain()
        code = supervisor.wait()
        (settings.VAR_DIR / "supervisord.pid").unlink(missing_ok=True)
        if code not in (0, -signal.SIGTERM):
            raise CommandError(f"The supervisor ended with {code}. See {_shown(settings.VAR_DIR)}/log/supervisord.log.")
        self.stdout.write("Patchbay has stopped; its data is kept.")

    def _wait_until_up(self, supervisor: "subprocess.Popen[bytes]") -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and supervisor.poll() is None:
            if _answers(f"http://127.0.0.1:{self.ports.web}/healthz") and self._others_listen():
                return True
            time.sleep(0.2)
        return False

    def _others_listen(self) -> bool:
        return all(local.is_taken(port) for port in self.ports.all())

    def _greet(self, environment: Mapping[str, str], has_broker: bool) -> None:
        lines = [
            ("Dashboard", environment["PUBLIC_URL"]),
            ("  sign in", f"{demo.EMAIL}  password {demo.password()}"),
            ("Demo app", environment.get("DEMO_URL", "")),
            ("Sandbox", environment.get("SANDBOX_URL", "")),
            ("Logs", f"{_shown(settings.VAR_DIR)}/log/"),
        ]
        if not has_broker:
            lines.append(("No broker", "none is built for this system; the sweeper does the background work"))
        self.stdout.write("\nPatchbay is running. Ctrl-C stops it; the data stays.\n")
        for name, text in lines:
            if text:
                self.stdout.write(f"  {name:11} {text}")
        self.stdout.write("")
        self.stdout.flush()  # Also into a pipe or a file.

    def _complain(self) -> None:
        log = settings.VAR_DIR / "log" / "web.log"
        last = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        self.stderr.write(
            f"Not everything has answered within {START_SECONDS} seconds; it is still being tried. The end of"
            f" {_shown(log)}:\n" + "\n".join(last)
        )


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def _running_pid() -> int | None:
    """Return the process id of the supervisor that runs on the same data, if one does."""
    try:
        pid = int((settings.VAR_DIR / "supervisord.pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
