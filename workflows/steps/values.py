"""Set values: an object made of expressions. The safe answer to "let me run some code here"."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.models import Integration
from workflows.steps.base import Context, StepType
from workflows.steps.request import pairs


class Values(StepType):
    type, title, is_pure = "values", "Set values", True

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        names = [str(item.get("key") or "") for item in _items(step)]
        if not any(names):
            yield "values", "Add at least one value."
        if len(set(names)) < len(names):
            yield "values", "Two values have the same name."

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield "values", [item.get("value") for item in _items(step)]

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        return {str(item.get("key")): None for item in _items(step)}

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        return pairs(context.render(_items(step)), "values")

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        return prepared


def _items(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (step.get("input") or {}).get("values")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
