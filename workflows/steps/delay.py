"""Wait for a while, or until a time. Nothing sleeps: the run is put aside until then."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from integrations import clock
from integrations.models import Integration
from workflows import expressions
from workflows.steps.base import Context, StepFailed, StepType

UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
LONGEST = timedelta(days=90)


class Delay(StepType):
    type, title, is_pure = "delay", "Delay", True

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        given = step.get("input") or {}
        if given.get("until"):
            return
        if given.get("unit", "minutes") not in UNITS:
            yield "unit", f"Choose one of {', '.join(UNITS)}."
        if given.get("amount") in (None, ""):
            yield "amount", "Say how long to wait."

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from (step.get("input") or {}).items()

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        return {"until": "2026-11-23T09:00:00+00:00"}

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        given = step.get("input") or {}
        if given.get("until"):
            return {"until": _moment(context.render(given["until"])).isoformat()}
        amount, unit = context.render(given.get("amount")), given.get("unit", "minutes")
        try:
            wait = timedelta(seconds=float(amount) * UNITS[unit])
        except (TypeError, ValueError, OverflowError, KeyError):
            raise _wrong("amount", f"“{expressions.as_text(amount)[:40]}” is not a number to wait.") from None
        if not timedelta(0) <= wait <= LONGEST:
            raise _wrong("amount", f"A delay lasts {LONGEST.days} days at most.")
        return {"until": (clock.now() + wait).isoformat()}

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        return prepared


def _moment(value: Any) -> datetime:
    try:
        found = expressions.moment(value)
    except (TypeError, ValueError, OverflowError, OSError):
        raise _wrong("until", "This is not a time. Write it as 2026-11-23T14:30:00Z.") from None
    if found - clock.now() > LONGEST:
        raise _wrong("until", f"A delay lasts {LONGEST.days} days at most.")
    return found


def _wrong(key: str, words: str) -> StepFailed:
    return StepFailed(words, fields={key: words})
