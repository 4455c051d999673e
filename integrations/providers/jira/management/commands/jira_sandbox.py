import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.local import is_taken
from integrations.providers.jira import sandbox

SERVER = Path(sandbox.__file__).parent / "server"
THREADS = 16


class Command(BaseCommand):
    help = "Serve the Jira sandbox: a stand-in for Jira Cloud on this machine, for trying things out and for tests."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001)
        parser.add_argument("--state", type=Path, default=Path(settings.VAR_DIR) / "jira_sandbox.sqlite3")

    def handle(self, *args: Any, host: str, port: int, state: Path, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("The sandbox lets anyone in, so it runs only where PUBLIC_URL is this machine.")
        if is_taken(port):
            raise CommandError(f"Port {port} is taken. Choose another one with --port.")
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "jira_sandbox.settings",
            "PYTHONPATH": os.pathsep.join([str(SERVER), os.environ.get("PYTHONPATH", "")]),
            "SANDBOX_URL": f"http://localhost:{port}",
            "SANDBOX_STATE": str(state.absolute()),
        }
        self.stdout.write(f"Jira sandbox at http://localhost:{port}", ending="\n")
        self.stdout.flush()
        # One worker: the state is in memory, written through to a file.
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1"]
        command += ["--blocking-threads", str(THREADS), "--host", host, "--port", str(port)]
        command += ["--log-level", "error", "jira_sandbox.wsgi:application"]
        os.execve(sys.executable, command, environment)
