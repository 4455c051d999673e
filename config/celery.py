"""Celery carries hints ("look at row N"); the database row is the truth, so nothing here needs to be durable."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("patchbay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def check_vault(**kwargs: Any) -> None:
    from integrations import vault

    try:
        vault.verify()
    except vault.VaultError as error:
        raise SystemExit(f"Patchbay cannot start: {error}") from None
