from typing import Any

from django.core.management.base import BaseCommand

from workflows import doctor


class Command(BaseCommand):
    help = "Check what must always be true, and say what to do where it is not. Ends with 1 where something is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        found = doctor.examine()
        for name, findings in found.items():
            self.stdout.write(f"{name}: {'in order' if not findings else f'{len(findings)} to look at'}")
            for finding in findings:
                self.stdout.write(f"  - {finding.what}\n    {finding.advice}")
        if any(found.values()):
            raise SystemExit(1)
