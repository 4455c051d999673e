"""Is this process alive, and can it do its work?"""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.urls import path

from integrations import vault
from integrations.models import Heartbeat

app_name = "health"
SILENT_AFTER_SECONDS = 60


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part works, else 503; each part says what is wrong with it."""
    parts = {name: _try(check) for name, check in CHECKS.items()}
    ready = all(words == "ok" for words in parts.values())
    return JsonResponse({"status": "ok" if ready else "not ready", **parts}, status=200 if ready else 503)


def _try(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        return "the database does not answer"
    except vault.VaultError as error:
        return str(error)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} migrations wait; run manage.py migrate" if waiting else "ok"


def _vault() -> str:
    vault.verify()
    return "ok"


def _sweeper() -> str:
    recent = Heartbeat.objects.is_recent("sweeper", SILENT_AFTER_SECONDS)
    return "ok" if recent else "no sweeper was seen for a minute; run manage.py sweeper"


def _worker() -> str:
    if not settings.HAS_BROKER or Heartbeat.objects.is_recent("worker", SILENT_AFTER_SECONDS):
        return "ok"
    if not Heartbeat.objects.is_recent("sweeper", SILENT_AFTER_SECONDS):
        return "not known: it is the sweeper that asks"
    return "no worker took a task for a minute; the sweeper does the work meanwhile"


CHECKS = {"database": _database, "migrations": _migrations, "vault": _vault, "sweeper": _sweeper, "worker": _worker}

urlpatterns = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]
