import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections

from integrations import vault
from integrations.sweeper import Sweeper

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Find due work and have it done: half-done refreshes, idle grants, expired attempts, old calls."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="sweep once and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        try:
            vault.verify()
        except vault.VaultError as error:
            raise CommandError(str(error)) from error
        sweeper = Sweeper()
        if once:
            sweeper.sweep()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.wait(settings.SWEEP_SECONDS):
            self._sweep(sweeper)

    @staticmethod
    def _sweep(sweeper: Sweeper) -> None:
        try:
            sweeper.sweep()
        except DatabaseError as error:
            logger.warning("this sweep failed, the next is due in a moment: %s", type(error).__name__)
            close_old_connections()
