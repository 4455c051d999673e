"""What every kind of step is made of."""

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.models import Connection, Integration
from integrations.provider_api import ProviderApi
from workflows import expressions
from workflows.models import Run


@dataclass
class Context:
    """What a step may use while it runs. `scope` is what its expressions look up, secrets included."""

    run: Run
    connection: Connection | None
    integration: Integration
    scope: Mapping[str, Any]
    op_key: uuid.UUID
    # time.monotonic(): by then a step's calls are over, whatever becomes of them. Nobody else may have the run before.
    deadline_at: float

    def api(self) -> ProviderApi:
        if self.connection is None:
            raise StepFailed("The connection of this run was removed.")
        return ProviderApi(self.connection, self.deadline_at)

    def seconds_left(self) -> float:
        return max(self.deadline_at - time.monotonic(), 0.001)

    def render(self, value: Any) -> Any:
        return expressions.render(value, self.scope)


class StepFailed(Exception):
    """A step that ends here: the message says why, `fields` which inputs are to blame, and where it is `uncertain`
    nobody knows whether it took effect.
    """

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None, output: Any = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})
        self.output = output


class StepType:
    """A kind of step. `effect(step)`: "none", "idempotent" or "once", as for an Action."""

    type = ""
    title = ""
    # Does it talk to the outside world? If not, its result is written together with that of the next one.
    is_pure = False

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        """Yield what keeps this step from being deployed: (field, words)."""
        return iter(())

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield what may hold expressions: (field, value)."""
        yield "input", step.get("input")

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        """Return what its output looks like before it was ever tested; None when nothing is known."""
        return None

    def effect(self, step: Mapping[str, Any], integration: Integration) -> str:
        return "none"

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        """Return the rendered input. Raises ExpressionError."""
        return context.render(step.get("input") or {})

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        """Do it and return the output, JSON data. Raises ProviderError or StepFailed."""
        raise NotImplementedError

    def can_find(self, step: Mapping[str, Any], integration: Integration) -> bool:
        """Can an effect whose answer was lost be looked for?"""
        return False

    def is_find_sure(self, step: Mapping[str, Any], integration: Integration) -> bool:
        """Has an effect that was looked for in vain surely not happened?"""
        return False

    def find(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        """Return the output of an effect that did happen, None when it is not to be seen."""
        return None
