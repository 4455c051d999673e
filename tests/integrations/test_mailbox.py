"""Hints of events: few messages for many, at once for one, and no project before all others."""

import time
import uuid
from typing import Any

import pytest

from integrations import tasks
from integrations.mailbox import AT_ONCE, MOMENT_SECONDS, MOST, Mailbox

ACME, GLOBEX = uuid.uuid4(), uuid.uuid4()


class Broker:
    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str]]] = []

    def take(self, args: tuple[str, ...], queue: str, **options: Any) -> None:
        self.messages.append((queue, list(args)))

    def ids(self, queue: str) -> list[str]:
        return [event for name, ids in self.messages if name == queue for event in ids]

    def has(self, count: int) -> bool:
        """Wait until it has this many hints, or a second."""
        give_up_at = time.monotonic() + 1
        while time.monotonic() < give_up_at and sum(len(ids) for _, ids in self.messages) < count:
            time.sleep(0.001)
        return sum(len(ids) for _, ids in self.messages) == count


@pytest.fixture
def broker(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Broker:
    settings.HAS_BROKER = True
    broker = Broker()
    monkeypatch.setattr(tasks.refresh_grant, "apply_async", broker.take)
    return broker


def test_one_event_is_hinted_at_at_once(broker: Broker) -> None:
    mailbox, event = Mailbox(lambda: tasks.refresh_grant), uuid.uuid4()

    mailbox.post(ACME, event)

    assert broker.messages == [("celery", [str(event)])]


def test_the_events_of_a_moment_share_a_message(broker: Broker) -> None:
    mailbox, events = Mailbox(lambda: tasks.refresh_grant), [uuid.uuid4() for _ in range(1 + MOST)]

    for event in events:
        mailbox.post(ACME, event)

    assert broker.has(len(events))
    assert [event for _, ids in broker.messages for event in ids] == [str(event) for event in events]
    assert all(len(ids) <= MOST for _, ids in broker.messages)
    assert len(broker.messages) < len(events)


def test_the_last_of_a_moment_is_not_forgotten(broker: Broker) -> None:
    mailbox = Mailbox(lambda: tasks.refresh_grant)

    for _ in range(3):
        mailbox.post(ACME, uuid.uuid4())
        mailbox.post(ACME, uuid.uuid4())
        time.sleep(3 * MOMENT_SECONDS)

    assert broker.has(6)


def test_what_a_project_sends_in_large_numbers_waits_in_a_queue_of_its_own(broker: Broker) -> None:
    mailbox, other = Mailbox(lambda: tasks.refresh_grant), uuid.uuid4()

    for _ in range(5 * int(AT_ONCE)):
        mailbox.post(ACME, uuid.uuid4())
    mailbox.post(GLOBEX, other)

    assert broker.has(5 * int(AT_ONCE) + 1)
    assert str(other) in broker.ids("celery")
    assert len(broker.ids("celery")) < 2 * AT_ONCE < len(broker.ids("bulk"))


def test_a_project_that_goes_on_sending_stays_there_until_it_is_calm(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, now = Mailbox(lambda: tasks.refresh_grant), [1000.0]
    monkeypatch.setattr("integrations.mailbox.time.monotonic", lambda: now[0])

    def send(count: int, every: float) -> list[str]:
        queues = []
        for _ in range(count):
            now[0] += every
            queues.append(mailbox._queue(ACME))
        return queues

    first, much, later = send(100, 0), send(1000, 0.005), send(300, 0.1)

    assert set(first) == {"celery"}
    assert set(much[200:]) == {"bulk"}
    assert set(later[:20]) == {"bulk"}
    assert set(later[30:]) == {"celery"}


def test_without_a_broker_nothing_is_kept(settings: Any) -> None:
    settings.HAS_BROKER = False
    mailbox = Mailbox(lambda: tasks.refresh_grant)

    mailbox.post(ACME, uuid.uuid4())

    assert not mailbox._waiting
