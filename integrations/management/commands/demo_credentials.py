import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations import demo


class Command(BaseCommand):
    help = "Print how to reach the demo of a local deployment: project, user token, sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for scripts")
        parser.add_argument("--user", default=demo.DEFAULT_USER, metavar="NAME", help="the end user's id")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        try:
            found = credentials(user)
        except (demo.NotLocal, demo.NotPrepared) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        flat = found | {f"dashboard {name}": value for name, value in found["dashboard"].items()}
        for name, value in flat.items():
            if name != "dashboard":
                self.stdout.write(f"{name:20} {value}")


def credentials(user_id: str) -> dict[str, Any]:
    return {
        "base_url": settings.PUBLIC_URL,
        "project_id": str(demo.project_id()),
        "user_token": demo.user_token(user_id),
        "user_id": user_id,
        "dashboard": {"email": demo.EMAIL, "password": demo.password()},
        "sandbox_url": settings.SANDBOX_URL,
    }
