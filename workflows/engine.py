"""Carry one run to its next wait, or to its end.

A run is claimed with a lease and a new generation; every write names the generation and who claimed it, so a worker
that was stopped past its lease changes nothing any more, nor one whose claim the database forgot in a crash: another's
has the same number then. Its steps are checkpoints: what is done is never done again. Before an effect that
must not happen twice, the intent is committed; a step found begun by an earlier generation, or whose answer was lost,
is looked for at the provider by its op_key, and where it cannot be found the run stops as "uncertain" and asks.
"""

import json
import logging
import math
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connections, transaction
from django.db.models import Case, Value, When
from django.db.models.functions import Now

from integrations import clock
from integrations.database import writing
from integrations.errors import NeedsReconnect, ProviderError, RateLimited, TemporaryError
from integrations.failpoints import failpoint
from integrations.models import Connection
from integrations.owners import owner_name
from integrations.remember import Remembered
from integrations.together import Together
from workflows import definition as definitions
from workflows import masking, steps
from workflows.expressions import Cut, ExpressionError
from workflows.leases import Lease, keeper
from workflows.models import Run, StepRun, WorkflowVersion
from workflows.steps.base import Context, StepFailed, StepType
from workflows.steps.fan_out import MOST_AT_ONCE

logger = logging.getLogger(__name__)

T = TypeVar("T")
Status = StepRun.Status

RETRY_SECONDS = (10, 20, 30, 50, 80)
LOOK_SECONDS = (5, 30, 120)
MOST_FRUITLESS_CLAIMS = 5
YIELD_SECONDS = 20
YIELD_STEPS = 50
MOST_OUTPUT = 1_000_000
MOST_INPUT_SHOWN = 64_000
CUT_SHOWN = 20_000
STORE_FOR_SECONDS = 30
OPERATION = uuid.UUID("b0d0f6a0-6b1a-4c11-9a55-2f2b7c1d9e30")


class _Leave(Exception):
    """Ends the carrying of a run for now. Its subclasses say how."""


class _Wait(_Leave):
    """Nothing to do before `at`."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at


class _Yield(_Leave):
    """Others' turn: this run goes on in a moment."""


class _Park(_Leave):
    """Only the end user can help: the run waits for a reconnect."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class _Fenced(_Leave):
    """Another worker has the run. Nothing more may be written."""


class _Cancelled(_Leave):
    pass


class _Failed(_Leave):
    pass


class _Uncertain(_Leave):
    pass


class _Enough(_Leave):
    """The one step that a test wanted has ended."""


def advance(run_id: uuid.UUID) -> Run | None:
    """Claim the run and carry it on; None when it was not to be had. Returns it as it was claimed."""
    run = Run.objects.claim(run_id, owner_name())
    if run is not None:
        carry(run)
    return run


def carry_new(run: Run) -> None:
    """Carry a run that this worker has just stored. Its first write claims it, if nobody was faster."""
    run.is_claimed, run.status = False, Run.Status.RUNNING
    run.generation = run.claims_without_progress = 1
    carry(run)


def carry(run: Run) -> None:
    failpoint("run.claimed")
    _recall(run)
    with keeper.keep(run) as lease:
        _Carrier(run, lease).carry()


# Projects that were far from their limits a moment ago: asking for each run would cost more than it protects.
_roomy: Remembered[Counter[uuid.UUID | None]] = Remembered(seconds=0.5)


def has_room(run: Run) -> bool:
    """May this run begin at once, as far as the limits of its connection and project are concerned?"""
    busy = _roomy.get(run.project_id)
    if busy is not None and not run.crowds(busy):
        return True
    busy = Run.objects.busy(run.project_id)
    if not run.crowds(busy):
        _roomy.keep(run.project_id, busy)
    return run.fits(busy)


# Versions never change: a process asks for them once, not for each run.
_versions: Remembered[WorkflowVersion] = Remembered()


def version_of(version_id: uuid.UUID) -> WorkflowVersion:
    """Return a version with its workflow, integration and project."""
    version = _versions.get(version_id)
    if version is None:
        related = ("workflow__integration__project", "workflow__integration__oauth_app")
        version = _versions.keep(version_id, WorkflowVersion.objects.select_related(*related).get(pk=version_id))
    return version


def _recall(run: Run) -> None:
    """Give the run its version, workflow and connection."""
    version = version_of(run.version_id)
    run.version, run.workflow = version, version.workflow
    if run.connection_id is not None:
        known = Connection.objects.remembered([run.connection_id], anew=run.generation > 1)
        run.connection = known.get(run.connection_id)


def operation_key(run_id: uuid.UUID, path: str, iteration: str) -> uuid.UUID:
    """Return what marks the effect of a step: the same for every attempt in this run, another in a replay."""
    return uuid.uuid5(OPERATION, f"{run_id}/{path}/{iteration}")


def patiently(write: Callable[[], T]) -> T:
    """Repeat a write while the database is away. It names a generation, so that doing it twice does no harm."""
    give_up_at = time.monotonic() + STORE_FOR_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() > give_up_at or transaction.get_connection().in_atomic_block:
                raise
            close_old_connections()
            time.sleep(random.uniform(0.2, 0.6))


class _Carrier:
    def __init__(self, run: Run, lease: Lease) -> None:
        self.run, self.lease = run, lease
        self.began_at = time.monotonic()
        self.count = 0
        self.integration = run.workflow.integration
        self.definition: dict[str, Any] = run.version.definition
        self.done: dict[tuple[str, str], StepRun] = {}
        self.secret_names = masking.secret_names(run.version)
        self._secrets: dict[str, str] | None = None
        self._lock = threading.Lock()

    def carry(self) -> None:
        branch = _Branch(self, self._scope(), "")
        try:
            if self.run.claims_without_progress > MOST_FRUITLESS_CLAIMS:
                raise _Dead(f"It was begun {MOST_FRUITLESS_CLAIMS} times, and its worker ended each time.")
            self._load_steps()
            branch.walk(definitions.steps_of(self.definition))
            self._end(branch, Run.Status.DONE, "")
        except _Wait as wait:
            self._release(branch, Run.Status.WAITING, wait.at)
        except _Yield:
            self._release(branch, Run.Status.QUEUED, None)
        except _Park as park:
            self._put_aside(branch, str(park))
        except _Enough:
            self._end(branch, Run.Status.DONE, "")
        except _Failed as failed:
            self._end(branch, Run.Status.FAILED, str(failed))
        except _Uncertain as doubt:
            self._end(branch, Run.Status.UNCERTAIN, str(doubt))
        except _Dead as dead:
            self._end(branch, Run.Status.DEAD, str(dead))
        except _Cancelled:
            self._end(branch, Run.Status.CANCELLED, "")
        except _Fenced:
            logger.info("run %s is carried on by another worker", self.run.pk)

    # What expressions see

    def _scope(self) -> dict[str, Any]:
        run, connection = self.run, self.run.connection
        scope: dict[str, Any] = {"trigger": run.payload, "settings": run.settings}
        scope["user"] = {"id": run.sub, "meta": connection.user.meta if connection else {}}
        if connection:
            account = {
                "id": connection.grant.account_id,
                "name": connection.grant.account_name,
                "email": connection.grant.account_email,
            }
            site = {"id": connection.site_id, "name": connection.site_name, "url": connection.site_url}
            scope["connection"] = {"id": str(connection.pk), "account": account, "site": site}
        if run.only_step:
            scope |= {name: value for name, value in run.workflow.samples.items() if name not in definitions.RESERVED}
        return scope

    def secrets(self, names: frozenset[str]) -> dict[str, str]:
        """Return the project's secrets of these names."""
        if not names:
            return {}
        with self._lock:
            if self._secrets is None:
                self._secrets = masking.open_secrets(
                    self.run.project_id, frozenset().union(*self.secret_names.values())
                )
        return {name: self._secrets[name] for name in names if name in self._secrets}

    # Checkpoints

    def _load_steps(self) -> None:
        if self.run.generation > 1 or self.run.replay_of_id:
            rows = StepRun.objects.filter(run=self.run)
            self.done = {(row.path, row.iteration): row for row in rows}

    def write(self, rows: list[StepRun], **fields: Any) -> None:
        """Store checkpoints and the run's own fields, if the run is still ours. Raises _Fenced."""
        patiently(lambda: _write(_Write(self.run, rows, PROGRESS | fields)))
        if rows:
            failpoint("run.stored")

    def check(self) -> None:
        """Before an effect: is the run still ours, and still wanted?"""
        if not self.lease.is_safe():
            raise _Fenced
        if time.monotonic() - self.began_at > YIELD_SECONDS or self.count >= YIELD_STEPS:
            raise _Yield

    def write_intent(self, rows: list[StepRun]) -> None:
        """Store that an effect is about to happen. Raises _Cancelled when nobody wants it any more."""

        def write() -> None:
            asked_at = time.monotonic()
            _write(_Write(self.run, rows, _lease_anew(settings.RUN_LEASE_SECONDS), is_intent=True))
            # The whole lease lies before the effect, so that it is over before anybody else looks for it.
            self.lease.was_renewed(asked_at)
            if len(rows) > 1:
                failpoint("run.stored")

        patiently(write)

    # Ends

    def _end(self, branch: "_Branch", status: str, reason: str) -> None:
        with suppress(_Fenced):
            branch.flush(**_ended(status, reason[:500]))
            failpoint("run.ended")
            self.run.status = status
            after_end(self.run, status, reason)

    def _release(self, branch: "_Branch", status: str, at: datetime | None) -> None:
        with suppress(_Fenced):
            branch.flush(status=status, wake_at=at or Now(), lease_until=None)
            after_release(self.run, is_due=at is None)

    def _put_aside(self, branch: "_Branch", reason: str) -> None:
        with suppress(_Fenced):
            branch.flush(status=Run.Status.NEEDS_RECONNECT, reason=reason[:500], wake_at=None, lease_until=None)
            after_release(self.run, is_due=False)


class _Dead(_Leave):
    pass


PROGRESS = {"claims_without_progress": 0}


@lru_cache(maxsize=64)
def _lease_anew(seconds: float) -> dict[str, Any]:
    return PROGRESS | {"lease_until": Now() + timedelta(seconds=seconds)}


@lru_cache(maxsize=64)
def _ended(status: str, reason: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"status": status, "reason": reason, "lease_until": None, "wake_at": None}
    if status == Run.Status.DONE:
        # Someone may have wanted it to end before it was done.
        cancelled = When(cancel_requested_at__isnull=False, then=Value(Run.Status.CANCELLED))
        fields["status"] = Case(cancelled, default=Value(status))
    return fields | {"ended_at": Now()}


@dataclass
class _Write:
    """Checkpoints of a run and its own new values: stored if nobody has claimed it since, and an intent only if it is
    still wanted.
    """

    run: Run
    rows: list[StepRun]
    fields: dict[str, Any]
    is_intent: bool = False

    def is_like(self, other: "_Write") -> bool:
        """Could one UPDATE carry out both?"""
        mine, others = self.run, other.run
        same = (mine.generation, mine.is_claimed, self.is_intent) == (
            others.generation,
            others.is_claimed,
            other.is_intent,
        )
        return same and self.fields == other.fields


def _write(wanted: _Write) -> None:
    """Store it, together with what other threads store now. Raises _Fenced or _Cancelled."""
    run = wanted.run
    if _write_together(wanted):
        run.is_claimed = True
        return
    ours = Run.objects.filter(pk=run.pk, generation=run.generation, lease_owner=run.lease_owner)
    if not ours.exists():
        raise _Fenced
    if run.is_claimed:
        raise _Cancelled
    # An earlier attempt claimed it after all: the connection broke before we heard of it.
    run.is_claimed = True
    _write(wanted)


def _write_all(wanted: list[_Write]) -> list[bool]:
    """Return of each whether it was stored. Raises _Mixed where that is true of some only: then none is."""
    with writing():
        for alike in _alike(wanted):
            if not _update(alike):
                if len(wanted) > 1:
                    raise _Mixed
                return [False]
        _store([row for write in wanted for row in write.rows])
    return [True] * len(wanted)


class _Mixed(Exception):
    pass


_write_together = Together(_write_all)


def _alike(wanted: list[_Write]) -> list[list[_Write]]:
    """Return the writes in groups that one UPDATE can carry out. A run that writes twice at once may be in two."""
    groups: list[list[_Write]] = []
    for write in wanted:
        for group in groups:
            if write.is_like(group[0]):
                group.append(write)
                break
        else:
            groups.append([write])
    return groups


def _update(alike: list[_Write]) -> bool:
    """Give the runs of these writes their new values. False when some of them are not to be had any more."""
    run, fields = alike[0].run, alike[0].fields
    ids = {write.run.pk for write in alike}
    found = Run.objects.filter(pk__in=ids)
    if run.is_claimed:
        # Each claim has an owner's name of its own, so that this is the owner of each.
        owners = {write.run.lease_owner for write in alike}
        found = found.filter(generation=run.generation, lease_owner__in=owners)
    else:
        # The first write claims it: until then nothing has happened that anybody could notice.
        found = found.filter(generation=run.generation - 1, status=Run.Status.QUEUED, lease_until=None)
        claim = {"status": Run.Status.RUNNING, "generation": run.generation}
        fields = _lease_anew(settings.RUN_LEASE_SECONDS) | claim | fields
    if alike[0].is_intent:
        found = found.filter(cancel_requested_at=None)
    return found.update(**fields) == len(ids)


def _store(rows: list[StepRun]) -> None:
    """Insert checkpoints that are new, update those that are not. A row may stand in the list more than once."""
    once = list({id(row): row for row in rows}.values())
    for row in once:
        row.pk = None  # so that new and old go in one statement, which gives it back
    if once:
        StepRun.objects.bulk_create(
            once, update_conflicts=True, unique_fields=["run", "path", "iteration"], update_fields=STEP_FIELDS
        )


STEP_FIELDS = [
    "type",
    "status",
    "generation",
    "attempts",
    "looks",
    "input",
    "output",
    "output_cut_bytes",
    "error",
    "error_fields",
    "wake_at",
    "started_at",
    "ended_at",
    "milliseconds",
]


class _Branch:
    """One line of steps, with what its expressions see. Results wait here until something must be committed."""

    def __init__(self, carrier: _Carrier, scope: dict[str, Any], iteration: str) -> None:
        self.carrier, self.run, self.scope, self.iteration = carrier, carrier.run, scope, iteration
        self.pending: list[StepRun] = []

    def flush(self, **fields: Any) -> None:
        rows, self.pending = self.pending, []
        if rows or fields:
            self.carrier.write(rows, **fields)

    def walk(self, todo: list[dict[str, Any]]) -> None:
        for step in todo:
            self._do(step)

    def _do(self, step: dict[str, Any]) -> None:
        name = str(step["id"])
        only = self.run.only_step
        row = self.carrier.done.get((name, self.iteration))
        if only and only != name and not definitions.holds(step, only):
            return
        if row is not None and row.is_over:
            self._take(step, row)
        else:
            row = self._carry_out(step, row)
        if only == name:
            raise _Enough
        if step["type"] == "condition" and row.status == Status.DONE:
            branch = "then" if only or (row.output or {}).get("result") else "else"
            if only:
                self.walk([*(step.get("then") or []), *(step.get("else") or [])])
            else:
                self.walk(step.get(branch) or [])

    def _take(self, step: Mapping[str, Any], row: StepRun) -> None:
        """Put the output of a finished step where expressions find it."""
        name = str(step["id"])
        if row.status == Status.FAILED:
            if not step.get("continue_on_error"):
                raise _Failed(f"{self._title(step)}: {row.error}")
            self.scope[name] = {"error": {"message": row.error}} | (row.output if isinstance(row.output, dict) else {})
        else:
            self.scope[name] = Cut(row.output_cut_bytes) if row.output_cut_bytes else row.output

    def _title(self, step: Mapping[str, Any]) -> str:
        return definitions.title_of(step, self.carrier.integration)

    # One step

    def _carry_out(self, step: dict[str, Any], row: StepRun | None) -> StepRun:
        kind = steps.TYPES.get(str(step["type"]))
        if kind is None:
            raise _Failed(f"There is no step “{step['type']}”.")
        if row is None:
            row = self._new_row(step)
        if row.wake_at and row.wake_at > clock.now():
            raise _Wait(row.wake_at)
        if row.status == Status.UNCERTAIN:
            raise _Uncertain(row.error)
        self.carrier.check()
        self.carrier.count += 1
        context = self._context(step, row)
        try:
            prepared = self._prepared(step, kind, context, row)
        except (ExpressionError, StepFailed) as error:
            return self._fail(step, row, str(error), getattr(error, "fields", {}))
        if step["type"] == "fan_out":
            return self._fan_out(step, row, prepared)
        if step["type"] == "delay":
            return self._delay(step, row, prepared)
        return self._perform(step, kind, row, prepared, context)

    def _new_row(self, step: Mapping[str, Any]) -> StepRun:
        name = str(step["id"])
        return StepRun(
            run=self.run,
            path=name,
            iteration=self.iteration,
            type=str(step["type"]),
            status=Status.STARTED,
            op_key=operation_key(self.run.pk, name, self.iteration),
            generation=self.run.generation,
            started_at=clock.now(),
        )

    def _context(self, step: Mapping[str, Any], row: StepRun) -> Context:
        names = self.carrier.secret_names.get(str(step["id"]), frozenset())
        scope = self.scope | {"secrets": self.carrier.secrets(names)} if names else self.scope
        run, integration = self.run, self.carrier.integration
        return Context(run, run.connection, integration, scope, row.op_key, self._deadline())

    def _masked(self, step: Mapping[str, Any], value: Any) -> Any:
        names = self.carrier.secret_names.get(str(step["id"]), frozenset())
        return masking.masked(value, self.carrier.secrets(names)) if names else value

    def _prepared(self, step: dict[str, Any], kind: StepType, context: Context, row: StepRun) -> Any:
        # A delay is measured once, when it begins.
        if step["type"] == "delay" and row.input:
            return row.input
        prepared = kind.prepare(step, context)
        row.input = _shown(self._masked(step, prepared))
        return prepared

    def _perform(self, step: dict[str, Any], kind: StepType, row: StepRun, prepared: Any, context: Context) -> StepRun:
        effect = kind.effect(step, self.carrier.integration)
        was_begun = row.pk is not None and row.status == Status.STARTED and row.generation < self.run.generation
        if effect == "once" and (was_begun or row.status == Status.IN_DOUBT):
            output = self._look(step, kind, row, prepared, context)
            if output is not None:
                return self._finish(step, row, output)
        if effect == "idempotent" and (was_begun or row.attempts) and kind.can_find(step, self.carrier.integration):
            output = self._glance(step, kind, prepared, context)
            if output is not None:
                return self._finish(step, row, output)
        row.generation, row.status, row.wake_at = self.run.generation, Status.STARTED, None
        row.attempts += 1
        if kind.is_pure:
            try:
                return self._finish(step, row, kind.run(step, prepared, context))
            except StepFailed as error:
                return self._fail(step, row, str(error), error.fields)
        return self._call(step, kind, row, prepared, context)

    def _call(self, step: dict[str, Any], kind: StepType, row: StepRun, prepared: Any, context: Context) -> StepRun:
        """Talk to the outside world: the intent is committed before, the result as soon as it is there."""
        effect = kind.effect(step, self.carrier.integration)
        if effect == "none":
            self.flush()
            if not self.run.is_claimed:
                self.carrier.write_intent([])
        else:
            self._intend(row)
            failpoint("run.intended")
            if not self.carrier.lease.is_safe():
                raise _Fenced
        context.deadline_at = self._deadline()  # the intent renewed the lease
        began = time.monotonic()
        self.carrier.lease.busy_since = began
        try:
            output = kind.run(step, prepared, context)
        except StepFailed as error:
            row.milliseconds = _since(began)
            return self._fail(step, row, str(error), error.fields, error.output)
        except ProviderError as error:
            row.milliseconds = _since(began)
            return self._trouble(step, kind, row, error, effect)
        finally:
            self.carrier.lease.busy_since = None
        row.milliseconds = _since(began)
        failpoint("run.effected")
        # Written with the next intent, or at the end: until then nothing happens that takes time.
        return self._finish(step, row, output)

    def _deadline(self) -> float:
        """Return when a step's calls must be over (time.monotonic()): in their time, and before the lease is."""
        now, lease = time.monotonic(), self.carrier.lease
        return min(now + settings.HTTP_DEADLINE_SECONDS, max(lease.safe_until - 0.1 * settings.RUN_LEASE_SECONDS, now))

    def _intend(self, row: StepRun) -> None:
        """Commit that an effect is about to happen, with the results that wait."""
        waiting, self.pending = self.pending, []
        try:
            self.carrier.write_intent([*waiting, row])
        except _Cancelled:
            self.pending = waiting  # what was done is recorded all the same
            raise

    def _trouble(
        self, step: dict[str, Any], kind: StepType, row: StepRun, error: ProviderError, effect: str
    ) -> StepRun:
        """Sort what went wrong by what to do next."""
        row.error = str(self._masked(step, str(error)))[:1000]
        if isinstance(error, NeedsReconnect):
            if self.run.is_asked_for:
                return self._fail(step, row, str(error), {})
            self._wait_for(row, None)
            raise _Park(str(error))
        if isinstance(error, RateLimited):
            # Nothing was done, and no attempt counts: waiting is what was asked for.
            row.attempts -= 1
            self._wait_for(row, _in(error.retry_after or 10))
            raise _Wait(row.wake_at or clock.now())
        if error.was_sent is None and effect == "once":
            row.status = Status.IN_DOUBT
            if not kind.can_find(step, self.carrier.integration):
                return self._doubt(step, row)
            self._wait_for(row, _in(LOOK_SECONDS[0] * settings.RUN_WAIT_SCALE))
            raise _Wait(row.wake_at or clock.now())
        may_help = isinstance(error, TemporaryError)
        if may_help and step.get("retry", True) and row.attempts <= len(RETRY_SECONDS):
            seconds = max(
                RETRY_SECONDS[row.attempts - 1] * settings.RUN_WAIT_SCALE, getattr(error, "retry_after", None) or 0
            )
            self._wait_for(row, _in(seconds))
            raise _Wait(row.wake_at or clock.now())
        return self._fail(step, row, str(error), error.fields)

    def _wait_for(self, row: StepRun, at: datetime | None) -> None:
        if row.status != Status.IN_DOUBT:
            row.status = Status.WAITING
        row.wake_at = at
        self._keep(row)

    @staticmethod
    def _glance(step: dict[str, Any], kind: StepType, prepared: Any, context: Context) -> Any:
        """Return the output of an earlier attempt whose outcome is not known; None where doing it again tells."""
        with suppress(ProviderError):
            return kind.find(step, prepared, context)
        return None

    def _look(self, step: dict[str, Any], kind: StepType, row: StepRun, prepared: Any, context: Context) -> Any:
        """Return the output of an effect that may have happened, None when it surely has not: then it is done again.

        It is never repeated by guess: what an index that lags does not show stays uncertain.
        """
        if not kind.can_find(step, self.carrier.integration):
            self._doubt(step, row)
        row.status, row.generation, row.error = Status.IN_DOUBT, self.run.generation, ""
        try:
            found = kind.find(step, prepared, context)
        except NeedsReconnect as error:
            if self.run.is_asked_for:
                return self._doubt(step, row)
            self._wait_for(row, None)
            raise _Park(str(error)) from None
        except ProviderError as error:
            row.error = str(error)[:1000]
            found = None
        if found is not None:
            return found
        row.looks += 1
        if row.looks >= len(LOOK_SECONDS):
            if not row.error and kind.is_find_sure(step, self.carrier.integration):
                row.looks = 0
                return None
            self._doubt(step, row)
        self._wait_for(row, _in(LOOK_SECONDS[row.looks] * settings.RUN_WAIT_SCALE))
        raise _Wait(row.wake_at or clock.now())

    def _doubt(self, step: dict[str, Any], row: StepRun) -> StepRun:
        row.status, row.ended_at, row.wake_at = Status.UNCERTAIN, clock.now(), None
        row.error = (
            f"{self._title(step)} may or may not have happened: its answer was lost, and it was not found afterwards."
            " Look for it, then say whether it is done or is to be repeated."
        )
        self._keep(row)
        raise _Uncertain(row.error)

    def _delay(self, step: dict[str, Any], row: StepRun, prepared: Any) -> StepRun:
        until = datetime.fromisoformat(prepared["until"])
        has_waited = row.status == Status.WAITING
        # A test shows what would be waited for, and does not make anybody wait.
        if until > clock.now() and not has_waited and not self.run.is_test:
            self._wait_for(row, until)
            raise _Wait(until)
        return self._finish(step, row, prepared)

    # Results

    def _finish(self, step: Mapping[str, Any], row: StepRun, output: Any) -> StepRun:
        row.status, row.ended_at, row.wake_at = Status.DONE, clock.now(), None
        row.error, row.error_fields = "", {}
        output = storable(self._masked(step, output))
        size = len(text) if len(text := _json(output)) > MOST_OUTPUT else 0
        row.output, row.output_cut_bytes = (text[:CUT_SHOWN], size) if size else (output, 0)
        if row.milliseconds is None:
            row.milliseconds = max(0, int((row.ended_at - row.started_at).total_seconds() * 1000))
        self._keep(row)
        self._take(step, row)
        if row.type == "response" and not self.run.response:
            self.run.response = output
            self.flush(response=output)
        return row

    def _fail(
        self, step: Mapping[str, Any], row: StepRun, words: str, fields: Mapping[str, str], output: Any = None
    ) -> StepRun:
        row.status, row.ended_at, row.wake_at = Status.FAILED, clock.now(), None
        row.error = str(self._masked(step, words))[:1000]
        row.error_fields = self._masked(step, {key: text[:500] for key, text in fields.items()})
        row.output = _shown(self._masked(step, output)) if output is not None else None
        self._keep(row)
        if step.get("continue_on_error"):
            self._take(step, row)
            return row
        where = f" (item {self.iteration})" if self.iteration else ""
        raise _Failed(f"{self._title(step)}{where}: {row.error}")

    def _keep(self, row: StepRun) -> None:
        self.pending.append(row)
        self.carrier.done[row.path, row.iteration] = row

    # Fan out

    def _fan_out(self, step: dict[str, Any], row: StepRun, prepared: dict[str, Any]) -> StepRun:
        items = prepared["items"]
        if row.pk is None:
            self.pending.append(row)
        self.flush()
        at_once = max(1, min(int((step.get("input") or {}).get("at_once", 1)), MOST_AT_ONCE, len(items) or 1))
        branches = [self._branch_for(number, item) for number, item in enumerate(items)]
        todo = step.get("steps") or []
        if at_once == 1:
            left = [_walk_in_turn(branch, todo) for branch in branches]
        else:
            with ThreadPoolExecutor(at_once, thread_name_prefix="fan-out") as pool:
                left = list(pool.map(lambda branch: _walk_apart(branch, todo), branches))
        self._join(left)
        made = [_made(branch, todo) for branch in branches]
        return self._finish(step, row, {"count": len(items), "items": made})

    def _branch_for(self, number: int, item: Any) -> "_Branch":
        iteration = f"{self.iteration}.{number}" if self.iteration else str(number)
        return _Branch(self.carrier, self.scope | {"item": item, "index": number}, iteration)

    @staticmethod
    def _join(left: list[_Leave | None]) -> None:
        """Leave as the most pressing of the items does; the others' checkpoints are kept."""
        for kind in (_Fenced, _Cancelled, _Uncertain, _Failed, _Enough, _Park, _Yield):
            for leave in left:
                if isinstance(leave, kind):
                    raise leave
        waits = [leave for leave in left if isinstance(leave, _Wait)]
        if waits:
            raise min(waits, key=lambda wait: wait.at)


def _walk_in_turn(branch: _Branch, todo: list[dict[str, Any]]) -> _Leave | None:
    """Do the steps for one item. An item that waits does not keep the next from going on."""
    leave: _Leave | None = None
    try:
        branch.walk(todo)
    except _Leave as found:
        leave = found
    try:
        branch.flush()
    except _Leave as found:
        return found
    if isinstance(leave, _Fenced | _Cancelled | _Yield | _Enough):
        branch.carrier.count += YIELD_STEPS  # The items after it end at once, by the same check.
    return leave


def _walk_apart(branch: _Branch, todo: list[dict[str, Any]]) -> _Leave | None:
    try:
        return _walk_in_turn(branch, todo)
    finally:
        connections.close_all()


def _made(branch: _Branch, todo: list[dict[str, Any]]) -> dict[str, Any]:
    names = [str(step["id"]) for step in definitions.walk(todo)]
    return {
        name: branch.scope[name] for name in names if name in branch.scope and not isinstance(branch.scope[name], Cut)
    }


def _shown(value: Any) -> Any:
    """Return an input as it is kept for people to read; a large one says that it was cut."""
    value = storable(value)
    text = _json(value)
    return value if len(text) <= MOST_INPUT_SHOWN else {"cut": f"{len(text):,} characters", "begins": text[:CUT_SHOWN]}


def storable(value: Any) -> Any:
    """Return JSON data without what Python takes and no database keeps: NUL, half a surrogate pair, NaN."""
    if isinstance(value, str):
        if "\x00" in value:
            value = value.replace("\x00", "")
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _in(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)


# What others do when a run ends or is put aside; set by workflows/runs.py, which imports this module.
after_end: Callable[[Run, str, str], None] = lambda run, status, reason: None  # noqa: E731
after_release: Callable[..., None] = lambda run, *, is_due: None  # noqa: E731
