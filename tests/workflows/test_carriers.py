"""The runs of one message: side by side where there is room, and never behind a slow one for long."""

import threading
import time
from collections.abc import Iterator

import pytest

from workflows import engine
from workflows.carriers import Carriers
from workflows.models import Run


class Road:
    """Where runs are carried: each until it is let through."""

    def __init__(self, carriers: Carriers) -> None:
        self.carriers = carriers
        self.let_through = threading.Event()
        self.carried: list[str] = []
        self.handed_out: list[str] = []

    def carry_new(self, run: Run) -> None:
        self.carried.append(run.reason)
        self.let_through.wait(10)

    def send(self, *names: str) -> threading.Thread:
        def go() -> None:
            with self.carriers.reserved(len(names)) as places:
                places.carry([Run(reason=name) for name in names], self.hand_out)

        thread = threading.Thread(target=go)
        thread.start()
        return thread

    def hand_out(self, runs: list[Run]) -> None:
        self.handed_out += [run.reason for run in runs]


def wait_until(condition: object) -> None:
    give_up_at = time.monotonic() + 5
    while not condition() and time.monotonic() < give_up_at:  # type: ignore[operator]
        time.sleep(0.005)
    assert condition()  # type: ignore[operator]


@pytest.fixture
def road(monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    road = Road(Carriers())
    road.carriers.start(2)
    monkeypatch.setattr(engine, "has_room", lambda run: run.reason != "crowded")
    monkeypatch.setattr(engine, "carry_new", road.carry_new)
    yield road
    road.let_through.set()


def test_as_many_as_there_is_room_for_go_side_by_side(road: Road) -> None:
    sender = road.send("a", "b", "c")
    wait_until(lambda: sorted(road.carried) == ["a", "b", "c"])
    road.let_through.set()
    sender.join()

    assert road.handed_out == []


def test_behind_slow_ones_nobody_waits_for_long(road: Road) -> None:
    road.send("a", "b", "c", "d", "e")

    wait_until(lambda: road.handed_out == ["d", "e"])

    assert sorted(road.carried) == ["a", "b", "c"]


def test_quick_ones_go_one_after_the_other(road: Road) -> None:
    road.let_through.set()

    road.send(*"abcdefgh").join()

    assert (sorted(road.carried), road.handed_out) == (list("abcdefgh"), [])


def test_two_messages_share_the_places(road: Road) -> None:
    road.send("a", "b", "c")
    wait_until(lambda: len(road.carried) == 3)
    road.send("d", "e")

    wait_until(lambda: road.handed_out == ["e"])
    assert road.carried[3:] == ["d"]


def test_what_has_no_room_is_left_to_whoever_has_it_later(road: Road) -> None:
    road.let_through.set()

    road.send("a", "crowded", "b").join()

    assert (sorted(road.carried), road.handed_out) == (["a", "b"], ["crowded"])


def test_a_failure_takes_no_other_run_with_it(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    def carry(run: Run) -> None:
        if run.reason == "bad":
            raise RuntimeError
        road.carried.append(run.reason)

    monkeypatch.setattr(engine, "carry_new", carry)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)

    road.send("bad", "a", "bad", "b").join()

    assert sorted(road.carried + road.handed_out) == ["a", "b"]
    assert road.carriers._free.acquire(blocking=False)
