"""A run is carried to its end: steps in order, each done once, whatever happens on the way."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connections as databases

from integrations import extension
from integrations.models import Connection, Event, Grant, Project
from integrations.owners import owner_name
from tests.support.sandbox import Sandbox
from tests.workflows.conftest import Worker, action, values
from workflows import deploy, dispatch, engine, leases, runs
from workflows.models import Run, StepRun
from workflows.steps.action import Action

Effects = Callable[..., list[dict[str, Any]]]
CREATE = action("create_issue", project="OPS", issue_type="Task", summary="{{trigger.title}}")


def test_an_event_makes_an_issue_and_a_comment(connection: Connection, worker: Worker, effects: Effects) -> None:
    comment = action("add_comment", issue="{{create_issue.key}}", body="From **{{user.id}}**")

    run = worker.run(CREATE, comment, connection=connection, payload={"title": "Disk is full"})

    assert run.status == Run.Status.DONE, run.reason
    assert [row["key"] for row in effects("issue_created")] == [worker.step(run, "create_issue").output["key"]]
    assert len(effects("comment_created")) == 1


def test_every_event_of_the_ledger_says_what_became_of_it(connection: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="1")), connection)

    heard, unheard = worker.send(connection), worker.send(connection, name="nobody.listens")

    assert (heard.state, heard.reason) == (Event.State.DISPATCHED, "1 run")
    assert (unheard.state, unheard.reason) == (Event.State.IGNORED, "No deployed workflow listens to “nobody.listens”.")


def test_an_event_that_is_dispatched_twice_runs_once(lent: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)
    event = worker.send(lent)

    Event.objects.filter(pk=event.pk).update(state=Event.State.RECEIVED)
    dispatch.dispatch(event.pk)

    assert Run.objects.count() == 1


def test_two_workers_and_one_run(lent: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)
    worker.send(lent)
    run = Run.objects.get()

    first, second = Run.objects.claim(run.pk, "one"), Run.objects.claim(run.pk, "two")

    assert first is not None
    assert second is None


def test_a_late_hint_for_a_finished_run_does_nothing(lent: Connection, worker: Worker) -> None:
    run = worker.run(values(a="1"), connection=lent)

    assert engine.advance(run.pk) is None


def test_what_was_done_is_not_done_again_after_a_crash(
    connection: Connection, worker: Worker, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = action("add_comment", issue="{{create_issue.key}}", body="Hello")
    worker.switch_on(worker.workflow(CREATE, comment), connection)
    worker.send(connection, {"title": "Once"})
    _die_at(monkeypatch, "run.stored")
    _crash(worker)

    monkeypatch.undo()
    for _ in range(5):
        worker.later()
        worker.work()

    assert Run.objects.get().status == Run.Status.DONE
    assert (len(effects("issue_created")), len(effects("comment_created"))) == (1, 1)


def test_an_issue_whose_answer_was_lost_with_its_worker_is_found_by_its_mark(
    connection: Connection, worker: Worker, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.switch_on(worker.workflow(CREATE), connection)
    worker.send(connection, {"title": "Once"})
    _die_at(monkeypatch, "run.effected")
    _crash(worker)

    monkeypatch.undo()
    worker.later()
    worker.work()

    run = Run.objects.get()
    assert run.status == Run.Status.DONE
    assert worker.step(run, "create_issue").output["key"] == effects("issue_created")[0]["key"]
    assert len(effects("issue_created")) == 1


def test_an_effect_that_cannot_be_found_is_never_repeated_by_guess(
    connection: Connection, worker: Worker, effects: Effects, sandbox: Sandbox
) -> None:
    sandbox.operate("settings", {"lose_next": 1, "search_lag_seconds": 600})

    run = worker.run(CREATE, connection=connection, payload={"title": "Where is it?"})
    for _ in range(4):
        worker.later()
        worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.UNCERTAIN
    assert "may or may not have happened" in run.reason
    assert len(effects("issue_created")) == 1


def test_a_lost_answer_is_found_once_the_search_knows_the_issue(
    connection: Connection, worker: Worker, effects: Effects, sandbox: Sandbox
) -> None:
    sandbox.operate("settings", {"lose_next": 1, "search_lag_seconds": 600})
    run = worker.run(CREATE, connection=connection, payload={"title": "Late"})
    assert worker.step(run, "create_issue").status == StepRun.Status.IN_DOUBT

    sandbox.operate("settings", {"search_lag_seconds": 0})
    worker.later()
    worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.DONE
    assert len(effects("issue_created")) == 1


@pytest.mark.parametrize(
    ("answer", "status", "created"), [("done", "done", 1), ("repeat", "done", 2), ("failed", "failed", 1)]
)
def test_a_person_settles_what_nobody_knows(
    connection: Connection, worker: Worker, effects: Effects, sandbox: Sandbox, answer: str, status: str, created: int
) -> None:
    sandbox.operate("settings", {"lose_next": 1, "search_lag_seconds": 600})
    run = worker.run(CREATE, connection=connection, payload={"title": "Ask"})
    for _ in range(3):
        worker.later()
        worker.work()
    run.refresh_from_db()

    runs.resolve(run, worker.step(run, "create_issue"), answer, {"key": "OPS-9"})
    worker.work()

    run.refresh_from_db()
    assert run.status == status
    assert len(effects("issue_created")) == created


def test_trouble_that_passes_is_waited_for(connection: Connection, worker: Worker, sandbox: Sandbox) -> None:
    sandbox.operate("settings", {"fail_next": 2})
    update = action("update_issue", issue="OPS-1", summary="New")

    run = worker.run(update, connection=connection)
    assert (run.status, worker.step(run, "update_issue").attempts) == (Run.Status.WAITING, 1)
    for _ in range(2):
        worker.later()
        worker.work()

    run.refresh_from_db()
    assert (run.status, worker.step(run, "update_issue").attempts) == (Run.Status.DONE, 3)


def test_trouble_that_does_not_pass_fails_with_the_providers_words(
    connection: Connection, worker: Worker, sandbox: Sandbox
) -> None:
    sandbox.operate("settings", {"fail_next": 50})

    run = worker.run(action("update_issue", issue="OPS-1", summary="New"), connection=connection)
    for _ in range(8):
        worker.later()
        worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.FAILED
    assert "Jira answers 500: Internal server error" in run.reason
    assert worker.step(run, "update_issue").attempts == 6


def test_a_step_that_shall_not_be_retried_is_not(connection: Connection, worker: Worker, sandbox: Sandbox) -> None:
    sandbox.operate("settings", {"fail_next": 50})

    run = worker.run(action("update_issue", issue="OPS-1", summary="New", retry=False), connection=connection)

    assert (run.status, worker.step(run, "update_issue").attempts) == (Run.Status.FAILED, 1)


def test_patience_is_shared_by_all_runs_of_a_connection(
    connection: Connection, worker: Worker, sandbox: Sandbox, effects: Effects
) -> None:
    sandbox.operate("settings", {"rate_limit_next": 1, "rate_limit_retry_after": 30})
    worker.switch_on(worker.workflow(CREATE), connection)
    worker.send(connection, {"title": "One"})
    worker.send(connection, {"title": "Two"})
    before = sandbox.operate("state", method="GET")["api_calls"]

    worker.work()

    assert sandbox.operate("state", method="GET")["api_calls"] - before == 1
    assert {run.status for run in Run.objects.all()} == {Run.Status.WAITING}
    worker.later()
    worker.work()
    assert {run.status for run in Run.objects.all()} == {Run.Status.DONE}
    assert len(effects("issue_created")) == 2


def test_a_lost_consent_parks_the_run_until_the_user_reconnects(
    connection: Connection, worker: Worker, effects: Effects, alice: Any
) -> None:
    Grant.objects.filter(pk=connection.grant_id).update(status=Grant.Status.NEEDS_RECONNECT, reason="Revoked.")

    run = worker.run(CREATE, connection=connection, payload={"title": "Later"})
    assert (run.status, run.reason) == (Run.Status.NEEDS_RECONNECT, "Revoked.")
    alice.connect()
    worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.DONE
    assert len(effects("issue_created")) == 1


def test_a_worker_that_slept_past_its_lease_changes_nothing(
    lent: Connection, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.switch_on(worker.workflow(values("one", a="1"), values("two", b="2")), lent)
    worker.send(lent)
    run = Run.objects.get()
    sleeper = Run.objects.claim(run.pk, "sleeper")
    assert sleeper is not None

    worker.later()
    worker.work()
    with engine.keeper.keep(sleeper) as lease:
        engine._Carrier(sleeper, lease).carry()

    run.refresh_from_db()
    assert (run.status, run.generation) == (Run.Status.DONE, 2)
    assert {row.generation for row in run.steps.all()} == {2}


def test_a_run_that_ends_its_worker_each_time_is_given_up(lent: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)
    worker.send(lent)
    run = Run.objects.get()

    for _ in range(5):
        assert Run.objects.claim(run.pk, "crashes") is not None
        worker.later()
    worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.DEAD
    assert run.reason == "It was begun 5 times, and its worker ended each time."


def test_a_run_that_is_cancelled_before_it_begins_does_nothing(
    connection: Connection, worker: Worker, effects: Effects
) -> None:
    worker.switch_on(worker.workflow(CREATE), connection)
    worker.send(connection, {"title": "Never"})

    runs.cancel(Run.objects.get())
    worker.work()

    assert Run.objects.get().status == Run.Status.CANCELLED
    assert effects("issue_created") == []


def test_a_run_that_is_cancelled_on_its_way_records_what_was_done_and_does_no_more(
    connection: Connection, worker: Worker, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = action("add_comment", issue="{{create_issue.key}}", body="Never")
    worker.switch_on(worker.workflow(CREATE, comment), connection)
    worker.send(connection, {"title": "Done"})
    run = Run.objects.get()

    def cancel_there(name: str) -> None:
        if name == "run.effected":
            runs.cancel(run)

    monkeypatch.setattr(engine, "failpoint", cancel_there)
    worker.work()

    run.refresh_from_db()
    assert run.status == Run.Status.CANCELLED
    assert worker.step(run, "create_issue").status == StepRun.Status.DONE
    assert (len(effects("issue_created")), effects("comment_created")) == (1, [])


def test_a_replay_is_a_new_run_with_new_effects(connection: Connection, worker: Worker, effects: Effects) -> None:
    run = worker.run(CREATE, connection=connection, payload={"title": "Twice"})

    again = runs.replay(run)
    worker.work()

    again.refresh_from_db()
    assert (again.status, again.replay_of) == (Run.Status.DONE, run)
    assert len(effects("issue_created")) == 2


def test_a_replay_from_a_step_takes_over_what_was_done_before_it(
    connection: Connection, worker: Worker, effects: Effects
) -> None:
    comment = action("add_comment", issue="{{create_issue.key}}", body="Again")
    run = worker.run(CREATE, comment, connection=connection, payload={"title": "Once"})

    again = runs.replay(run, from_step="add_comment")
    worker.work()

    again.refresh_from_db()
    assert again.status == Run.Status.DONE
    assert (len(effects("issue_created")), len(effects("comment_created"))) == (1, 2)
    assert worker.step(again, "create_issue").output == worker.step(run, "create_issue").output


def test_a_run_finishes_on_the_version_it_began_with(lent: Connection, worker: Worker) -> None:
    workflow = worker.workflow(values("made", a="old"))
    worker.switch_on(workflow, lent)
    worker.send(lent)

    workflow.draft = workflow.draft | {"steps": [values("made", a="new")]}
    workflow.save()
    deploy.deploy(workflow, "test")
    worker.work()

    assert worker.step(Run.objects.get(), "made").output == {"a": "old"}


def test_runs_in_order_wait_for_the_one_before_them(lent: Connection, worker: Worker) -> None:
    order = {"mode": "in_order", "key": "{{trigger.issue}}"}
    slow = {"id": "wait", "type": "delay", "input": {"amount": 10, "unit": "minutes"}}
    worker.switch_on(worker.workflow(slow, concurrency=order), lent)
    for issue in ("A", "A", "B"):
        worker.send(lent, {"issue": issue})

    worker.work()
    first, second, other = Run.objects.order_by("pk")
    assert (first.status, second.status, other.status) == ("waiting", "queued", "waiting")

    worker.later()
    worker.work()
    worker.later()
    worker.work()
    assert {run.status for run in Run.objects.all()} == {Run.Status.DONE}


def test_only_so_many_runs_of_a_connection_go_at_once(lent: Connection, worker: Worker, settings: Any) -> None:
    settings.RUNS_PER_CONNECTION = 2
    worker.switch_on(worker.workflow(values(a="1")), lent)
    for _ in range(3):
        worker.send(lent)
    one, two, three = Run.objects.order_by("pk")

    assert Run.objects.claim(one.pk, "w") is not None
    assert Run.objects.claim(two.pk, "w") is not None
    assert Run.objects.claim(three.pk, "w") is None
    assert Run.objects.get(pk=three.pk).is_held


def test_an_output_that_is_too_large_is_cut_and_says_so(lent: Connection, worker: Worker) -> None:
    big = values("big", one="{{trigger.text}}", two="{{trigger.text}}")

    run = worker.run(big, values("next", a="{{big.one}}"), connection=lent, payload={"text": "x" * 600_000})

    assert run.status == Run.Status.FAILED
    assert "big was 1,200,022 bytes, too large to keep" in run.reason
    assert worker.step(run, "big").output_cut_bytes == 1_200_022


def _die_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the worker die there: nothing in the engine catches this, and nothing is written after it."""

    def failpoint(at: str) -> None:
        if at == name:
            raise KeyboardInterrupt

    monkeypatch.setattr(engine, "failpoint", failpoint)


def _crash(worker: Worker) -> None:
    with pytest.raises(KeyboardInterrupt):
        worker.work()


def test_a_step_that_hangs_ends_its_worker(lent: Connection, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)
    worker.send(lent)
    run = Run.objects.claim(Run.objects.get().pk, "hangs")
    assert run is not None
    ended: list[int] = []
    monkeypatch.setattr("workflows.leases.os._exit", ended.append)
    monkeypatch.setattr(leases.keeper, "may_end_process", True)

    lease = leases.Lease(run)
    lease.busy_since = time.monotonic() - 301
    leases.keeper._look_after(lease)

    assert ended == [leases.HUNG]
    assert not lease.is_safe()


def test_an_event_that_two_workers_take_at_once_runs_once(lent: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)
    event = dispatch.record(lent.project_id, "app", "go", {}, sub="alice")
    dispatch.dispatch(event.pk)
    Event.objects.filter(pk=event.pk).update(state=Event.State.RECEIVED)

    dispatch.dispatch(event.pk, begin=True)
    worker.work()

    assert [run.status for run in Run.objects.all()] == [Run.Status.DONE]
    assert StepRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_hints_that_come_five_times_at_once_do_it_once(
    connection: Connection, worker: Worker, effects: Effects, attempt: int
) -> None:
    worker.switch_on(worker.workflow(action("add_comment", issue="OPS-1", body="Once")), connection)
    event = dispatch.record(connection.project_id, "app", "go", {}, sub="alice")
    all_ready = Barrier(5)

    def hinted() -> None:
        all_ready.wait()
        dispatch.dispatch(event.pk, begin=True)
        for pk in list(Run.objects.values_list("pk", flat=True)):
            engine.advance(pk)
        databases.close_all()

    with ThreadPoolExecutor(5) as pool:
        [done.result() for done in [pool.submit(hinted) for _ in range(5)]]
    worker.work()

    assert Run.objects.get().status == Run.Status.DONE
    assert len(effects("comment_created")) == 1


def in_line(worker: Worker, connection: Connection, *steps: dict[str, Any]) -> Run:
    """Return a run as a worker holds it that has just stored it, and has not come to it yet."""
    worker.switch_on(worker.workflow(*steps), connection)
    worker.send(connection, {"title": "Disk is full"})
    return Run.objects.get()


def test_a_run_that_another_worker_took_from_the_line_is_carried_once(
    connection: Connection, worker: Worker, effects: Effects
) -> None:
    run = in_line(worker, connection, CREATE)
    worker.work()

    engine.carry_new(run)

    assert Run.objects.get().status == Run.Status.DONE
    assert len(effects("issue_created")) == 1


def test_a_run_that_is_cancelled_in_the_line_does_nothing(
    connection: Connection, worker: Worker, effects: Effects
) -> None:
    run = in_line(worker, connection, CREATE)
    runs.cancel(Run.objects.get())

    engine.carry_new(run)

    assert Run.objects.get().status == Run.Status.CANCELLED
    assert not effects("issue_created")


def test_a_run_is_claimed_before_its_first_call_even_if_that_only_reads(
    connection: Connection, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = in_line(worker, connection, action("get_issue", issue="OPS-1"))
    seen: list[Any] = []
    perform = Action.run
    monkeypatch.setattr(Action, "run", lambda *args: (seen.append(Run.objects.get()), perform(*args))[1])

    engine.carry_new(run)

    assert [(row.status, row.generation) for row in seen] == [(Run.Status.RUNNING, 1)]
    assert seen[0].lease_until


def test_a_claim_that_the_database_forgot_in_a_crash_counts_no_more_once_another_has_the_run(
    connection: Connection, worker: Worker, effects: Effects
) -> None:
    run = in_line(worker, connection, CREATE)
    before = Run.objects.filter(pk=run.pk).values("status", "generation", "lease_owner", "lease_until", "wake_at").get()
    forgotten = Run.objects.claim(run.pk, owner_name())
    Run.objects.filter(pk=run.pk).update(**before)
    other = Run.objects.claim(run.pk, owner_name())
    assert forgotten
    assert other

    engine.carry(forgotten)

    assert not effects("issue_created")
    assert leases.Lease(forgotten).generation == leases.Lease(other).generation
    lease = leases.Lease(forgotten)
    lease.renew()
    assert lease.is_lost

    engine.carry(other)

    assert Run.objects.get().status == Run.Status.DONE
    assert len(effects("issue_created")) == 1


def test_a_claim_that_was_stored_although_the_connection_broke_counts(
    connection: Connection, worker: Worker, effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.switch_on(worker.workflow(CREATE), connection)
    event = dispatch.record(connection.project_id, "app", "go", {"title": "Disk is full"}, sub="alice")
    write, broken = engine._write_together, [OperationalError("the answer to COMMIT was lost")]

    def store_and_break(wanted: Any) -> bool:
        stored = write(wanted)
        if broken:
            raise broken.pop()
        return stored

    monkeypatch.setattr(engine, "_write_together", store_and_break)
    monkeypatch.setattr(engine, "patiently", lambda attempt: [suppressed(attempt), attempt()][1])

    dispatch.dispatch(event.pk, begin=True)

    assert Run.objects.get().status == Run.Status.DONE
    assert len(effects("issue_created")) == 1


def suppressed(attempt: Callable[[], None]) -> None:
    with suppress(OperationalError):
        attempt()


def test_the_name_of_a_worker_fits_whatever_its_machine_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "worker-7f9c6d5b8-" * 15)

    assert len(owner_name()) <= 80
    assert owner_name() != owner_name()


def test_writes_of_which_one_came_too_late_are_stored_but_for_that_one(lent: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="1")), lent)
    worker.send(lent)
    worker.send(lent)
    good, late = (Run.objects.claim(run.pk, owner_name()) for run in Run.objects.order_by("pk"))
    assert good
    assert late
    Run.objects.filter(pk=late.pk).update(generation=2)
    wanted = [engine._Write(run, [], {"reason": "stored"}) for run in (good, late)]

    with pytest.raises(engine._Mixed):
        engine._write_all(wanted)

    assert [engine._write_all([one]) for one in wanted] == [[True], [False]]
    assert list(Run.objects.order_by("pk").values_list("reason", flat=True)) == ["stored", ""]


def test_the_events_of_a_message_are_dispatched_together(lent: Connection, worker: Worker) -> None:
    worker.switch_on(worker.workflow(values(a="{{trigger.n}}")), lent)
    sent = [("go", 1), ("go", 2), ("unheard", 3)]
    events = [dispatch.record(lent.project_id, "app", name, {"n": n}, sub="alice") for name, n in sent]

    count = dispatch.dispatch(*(event.pk for event in events), begin=True)

    assert count == 2
    assert [row.output for row in StepRun.objects.order_by("run_id")] == [{"a": 1}, {"a": 2}]
    assert [Event.objects.get(pk=event.pk).state for event in events] == ["dispatched", "dispatched", "ignored"]


def test_an_event_with_very_many_listeners_beside_one_with_few(
    lent: Connection, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "BATCH", 2)
    for name in ("go", "go", "go", "rare"):
        worker.switch_on(worker.workflow(values(a="1"), trigger={"type": "event", "name": name}), lent)
    events = [dispatch.record(lent.project_id, "app", name, {}, sub="alice") for name in ("go", "rare")]

    assert dispatch.dispatch(*(event.pk for event in events)) == 4
    assert [Event.objects.get(pk=event.pk).reason for event in events] == ["3 runs", "1 run"]


def test_projects_take_turns_in_the_sweep(lent: Connection, worker: Worker, settings: Any) -> None:
    settings.HAS_BROKER = False
    other = Project.objects.create(name="Globex")
    crowd = [dispatch.record(lent.project_id, "app", "go", {}, sub="alice") for _ in range(5)]
    lone = dispatch.record(other.pk, "app", "go", {}, sub="zoe")
    swept: list[tuple[str, list[str]]] = []

    extension.installed().sweep(lambda task, ids: swept.append((task.name, ids)))

    ids = dict(swept)["workflows.tasks.dispatch_event"]
    assert set(ids[:2]) == {str(crowd[0].pk), str(lone.pk)}
    assert ids[2:] == [str(event.pk) for event in crowd[1:]]
