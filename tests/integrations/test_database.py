"""What is waited for until the disk has it, what is not, because it can be redone, and who writes next."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from integrations import clock
from integrations.database import writing
from integrations.models import Heartbeat
from tests.support.processes import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit"
WAITED_FOR, NOT_WAITED_FOR = (2, 1) if connection.vendor == "sqlite" else ("on", "off")


@pytest.fixture(autouse=True)
def _as_in_production() -> Iterator[None]:
    """The tests' own database does not wait for the disk."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        yield
        cursor.execute("PRAGMA synchronous=OFF")


def setting() -> object:
    with connection.cursor() as cursor:
        cursor.execute(QUESTION)
        return cursor.fetchone()[0]


def test_what_is_written_is_waited_for() -> None:
    with writing():
        assert setting() == WAITED_FOR


def test_what_can_be_redone_is_not_waited_for_and_what_comes_after_it_is() -> None:
    with writing(can_be_redone=True):
        within = setting()

    assert within == NOT_WAITED_FOR
    assert setting() == WAITED_FOR


def test_after_a_failure_all_is_waited_for_again() -> None:
    with pytest.raises(ZeroDivisionError), writing(can_be_redone=True):
        _ = 1 / 0

    assert setting() == WAITED_FOR


def test_inside_a_transaction_that_is_waited_for_it_is_too() -> None:
    with transaction.atomic(), writing(can_be_redone=True):
        assert setting() == WAITED_FOR


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has many writers at a time")
def test_a_process_that_writes_without_pause_does_not_keep_another_waiting() -> None:
    Heartbeat.objects.create(name="crowd", owner="0", at=clock.now())
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    with subprocess.Popen([sys.executable, "-c", CROWD], cwd=ROOT, env=environment, stdout=subprocess.PIPE) as crowd:
        try:
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == b"begun\n"
            ahead = [_how_many_go_first() for _ in range(40)]
        finally:
            crowd.kill()

    # Each waits for one; without turns it is thousands now and then.
    assert max(ahead) < 100


def _how_many_go_first() -> int:
    written = Heartbeat.objects.filter(name="crowd").values_list("owner", flat=True)
    asked_at = int(written.get())
    with writing():
        return int(written.get()) - asked_at


# Eight threads that count.
CROWD = """
import threading, time, django
django.setup()
from integrations import clock
from integrations.database import writing
from integrations.models import Heartbeat

def count_for_ever():
    while True:
        with writing():
            mine = Heartbeat.objects.get(name="crowd")
            mine.owner = str(int(mine.owner) + 1)
            mine.save()
            time.sleep(0.002)

for _ in range(8):
    threading.Thread(target=count_for_ever).start()
time.sleep(0.1)
print("begun", flush=True)
"""
