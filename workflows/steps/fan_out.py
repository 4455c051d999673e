"""Fan out: the same steps for each item of a list, a few at a time, joined afterwards. The engine walks it."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.models import Integration
from workflows import expressions
from workflows.steps.base import Context, StepFailed, StepType

MOST_ITEMS = 1000
MOST_AT_ONCE = 10


class FanOut(StepType):
    type, title, is_pure = "fan_out", "For each", True

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        given = step.get("input") or {}
        if given.get("over") in (None, "", []):
            yield "over", "Choose the list to go through, such as {{search.issues}}."
        at_once = given.get("at_once", 1)
        if isinstance(at_once, bool) or not isinstance(at_once, int) or not 1 <= at_once <= MOST_AT_ONCE:
            yield "at_once", f"From 1 to {MOST_AT_ONCE} items can go at once."
        if not step.get("steps"):
            yield "over", "Add a step to do for each item."

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield "over", (step.get("input") or {}).get("over")

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        return {"count": 0, "items": None}

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        found = context.render((step.get("input") or {}).get("over"))
        if not isinstance(found, list):
            words = f"A list is needed here, not {expressions.kind_of(found)}."
            raise StepFailed(words, fields={"over": words})
        if len(found) > MOST_ITEMS:
            words = f"The list has {len(found):,} items; {MOST_ITEMS:,} is the most."
            raise StepFailed(words, fields={"over": words})
        return {"items": found}
