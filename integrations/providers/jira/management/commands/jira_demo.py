"""manage.py jira_demo: serve Acme Tasks, a small product that uses Patchbay, from an origin of its own."""

import os
import secrets
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations import demo

APPLICATION = "integrations.providers.jira.demo.wsgi:application"
INHERITED = ["PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV"]  # and none of Patchbay's secrets


class Command(BaseCommand):
    help = "Serve Acme Tasks, a small product that connects its users to Jira through this Patchbay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8002)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not settings.IS_LOCAL:
            raise CommandError("The demo exists only on this machine: PUBLIC_URL is not a loopback address.")
        environment = {
            **{name: os.environ[name] for name in INHERITED if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "integrations.providers.jira.demo.settings",
            "ACME_PATCHBAY_URL": settings.PUBLIC_URL,
            "ACME_PROJECT_ID": str(demo.project_id()),
            "ACME_KEY_FILE": str(Path(settings.VAR_DIR) / "keys" / "demo_signing_key.pem"),
            "ACME_TASKS_FILE": str(Path(settings.VAR_DIR) / "acme_tasks.json"),
            "ACME_HOOK_TOKEN": demo.hook_token(),
            "ACME_SECRET_KEY": secrets.token_urlsafe(50),
        }
        self.stderr.write(f"Acme Tasks: http://{host}:{port}/")
        # The same process, so that whoever started this command stops the server itself.
        os.chdir(settings.BASE_DIR)
        arguments = ["--interface", "wsgi", "--host", host, "--port", str(port), "--no-ws"]
        # Each open page holds one thread while it waits for news.
        arguments += ["--workers", "1", "--blocking-threads", "32", APPLICATION]
        os.execve(sys.executable, [sys.executable, "-m", "granian", *arguments], environment)
