"""An action of the provider, in the user's name."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from integrations.models import Integration
from integrations.providers.base import Action as ProviderAction
from integrations.providers.base import Field
from workflows import expressions
from workflows.definition import NOT_JSON
from workflows.shapes import shape
from workflows.steps.base import Context, StepFailed, StepType


class Action(StepType):
    type, title = "action", "Action"

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        action = integration.provider.action(str(step.get("action")))
        given = step.get("input") or {}
        if action is None:
            yield "action", f"{integration.provider.name} has no such action."
            return
        for item in action.fields:
            if item.is_required and is_empty(given.get(item.key)):
                yield item.key, f"{item.label} is required."
            elif is_plain(given.get(item.key)) and (wrong := _wrong(item, given[item.key])):
                yield item.key, wrong
        for key in given:
            if action.field(key) is None:
                yield key, f"{action.title} has no input “{key}”."
        missing = [scope for scope in action.scopes if scope not in integration.chosen_scopes()]
        if missing:
            yield "action", f"{action.title} needs the scope {', '.join(missing)}. Add it in Settings."

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from (step.get("input") or {}).items()

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        action = integration.provider.action(str(step.get("action")))
        return shape(action.output) if action else None

    def effect(self, step: Mapping[str, Any], integration: Integration) -> str:
        return _action(step, integration).effect

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        action = _action(step, context.integration)
        values = {key: _render(action.field(key), value, context) for key, value in (step.get("input") or {}).items()}
        return checked(action, values)

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        return _action(step, context.integration).run(context.api(), prepared, str(context.op_key))

    def can_find(self, step: Mapping[str, Any], integration: Integration) -> bool:
        return _action(step, integration).find is not None

    def is_find_sure(self, step: Mapping[str, Any], integration: Integration) -> bool:
        return _action(step, integration).is_find_sure

    def find(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        find = _action(step, context.integration).find
        return find(context.api(), prepared, str(context.op_key)) if find else None


def _action(step: Mapping[str, Any], integration: Integration) -> ProviderAction:
    action = integration.provider.action(str(step.get("action")))
    if action is None:
        raise StepFailed(f"{integration.provider.name} has no action “{step.get('action')}”.")
    return action


def _render(item: Field | None, value: Any, context: Context) -> Any:
    if item is not None and item.quote is not None and isinstance(value, str) and "{{" in value:
        return expressions.render_quoted(value, context.scope, item.quote)
    return context.render(value)


def _wrong(item: Field, text: str) -> str:
    """Return what is wrong with a text that no run will change, "" when nothing is."""
    if item.kind == "object":
        return NOT_JSON
    try:
        _as_kind(item, text)
    except ValueError as error:
        return str(error)
    return ""


def is_plain(value: Any) -> bool:
    """Is it a text without an expression?"""
    return isinstance(value, str) and value != "" and "{{" not in value


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def checked(action: ProviderAction, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input with defaults and the right kinds. Raises StepFailed at each field that is wrong."""
    wrong = {key: f"{action.title} has no input “{key}”." for key in given if action.field(key) is None}
    values: dict[str, Any] = {}
    for item in action.fields:
        value = given.get(item.key)
        if is_empty(value) and item.default is not None:
            value = item.default
        if is_empty(value):
            if item.is_required:
                wrong[item.key] = f"{item.label} is required."
            continue
        try:
            values[item.key] = _as_kind(item, value)
        except ValueError as error:
            wrong[item.key] = str(error)
    if wrong:
        raise StepFailed(" ".join(wrong.values()), fields=wrong)
    return values


def _as_kind(item: Field, value: Any) -> Any:
    if item.kind == "switch":
        if not isinstance(value, bool) and str(value).lower() not in ("true", "false"):
            raise ValueError(f"{item.label} takes true or false.")
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if item.kind == "number":
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{item.label} takes a number.") from None
        return int(number) if number.is_integer() else number
    if item.kind == "list":
        items = value if isinstance(value, list) else [part.strip() for part in str(value).split(",")]
        return [expressions.as_text(entry) for entry in items if not is_empty(entry)]
    if item.kind in ("object", "conditions"):
        if not isinstance(value, dict):
            raise ValueError(f"{item.label} takes an object.")
        return value
    if item.options and value not in [option.value for option in item.options]:
        names = ", ".join(option.value for option in item.options[:12])
        raise ValueError(f"{item.label} takes one of: {names}.")
    if item.kind == "date" and not isinstance(value, list | dict):
        try:
            date.fromisoformat(str(value).strip()[:10])
        except ValueError:
            raise ValueError(f"“{str(value)[:40]}” is not a date. Write it as 2026-11-23.") from None
    if item.kind == "rich_text" and isinstance(value, dict):
        return value
    if isinstance(value, list | dict):
        raise ValueError(f"{item.label} takes a text, not {expressions.kind_of(value)}.")
    return expressions.as_text(value)
