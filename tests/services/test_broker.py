"""A real broker: a hint reaches a real worker, which works on the same rows; a broker that is gone stops nothing."""

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from config.celery import app
from integrations import tasks
from integrations.models import Heartbeat
from tests.support.processes import database_url, running

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
NOBODY = "redis://127.0.0.1:1/0"


@contextmanager
def celery_uses(**wanted: Any) -> Iterator[None]:
    before = {name: app.conf[name] for name in wanted}
    app.conf.update(wanted)
    _reset_celery()
    try:
        yield
    finally:
        app.conf.update(before)
        _reset_celery()


def _reset_celery() -> None:
    """Let Celery open its connections anew, to the broker it is now told of."""
    app.close()
    app.amqp = app.subclass_with_self("celery.app.amqp:AMQP", "amqp")(app)


@pytest.fixture
def queue(settings: Any) -> Iterator[str]:
    """A queue of this test's own at the broker under test."""
    if not settings.TEST_BROKER_URL:
        pytest.skip("No broker to test with: run `make test-services`.")
    name = f"patchbay-tests-{uuid.uuid4().hex[:8]}"
    settings.HAS_BROKER = True
    with celery_uses(broker_url=settings.TEST_BROKER_URL, broker_transport_options={}, task_default_queue=name):
        yield name
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete(name)


@pytest.fixture
def worker(queue: str, settings: Any) -> Iterator[None]:
    options = "--pool=threads --concurrency=2 --without-gossip --without-mingle --without-heartbeat -l warning"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue, *options.split()]
    own = {"DATABASE_URL": database_url(), "CELERY_BROKER_URL": settings.TEST_BROKER_URL}
    with running(command, env=own | {"DJANGO_SETTINGS_MODULE": "config.settings"}):
        yield


def test_a_hint_reaches_a_worker_that_sees_the_same_rows(worker: None) -> None:
    assert tasks.hint(tasks.beat, "worker")

    assert _seen("worker", seconds=30)


def test_a_hint_waits_for_a_worker_that_starts_later(queue: str, request: pytest.FixtureRequest) -> None:
    assert tasks.hint(tasks.beat, "late")

    request.getfixturevalue("worker")
    assert _seen("late", seconds=30)


def test_a_broker_that_is_gone_costs_a_moment_and_no_error(queue: str) -> None:
    with celery_uses(broker_url=NOBODY):
        before = time.monotonic()
        published = tasks.hint(tasks.beat, "worker")

    assert not published
    assert time.monotonic() - before < 10


def _seen(name: str, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if Heartbeat.objects.filter(name=name).exists():
            return True
        time.sleep(0.2)
    return False
