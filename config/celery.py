"""Celery carries hints ("look at row N"); the database row is the truth, so nothing here needs to be durable."""

import os
from typing import Any

from celery import Celery, signals
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Threads of a worker that carry the runs of a message side by side; each holds a connection to the database.
CARRIERS = 8

app = Celery("patchbay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the database's connection around every task, which costs more than the task; we look whether it
# still works instead, as Django does around every request.
app.conf["CELERY_DB_REUSE_MAX"] = 2**40


@signals.task_prerun.connect
def check_connections(**kwargs: Any) -> None:
    close_old_connections()


@signals.worker_init.connect
def watch_steps(**kwargs: Any) -> None:
    """A worker whose step hangs ends itself: the supervisor starts another, and its runs go on there."""
    from workflows.leases import keeper

    keeper.may_end_process = True


@signals.worker_init.connect
def start_carriers(**kwargs: Any) -> None:
    from workflows.carriers import carriers

    carriers.start(CARRIERS)


@signals.worker_init.connect
def check_vault(**kwargs: Any) -> None:
    from integrations import vault

    try:
        vault.verify()
    except vault.VaultError as error:
        raise SystemExit(f"Patchbay cannot start: {error}") from None
