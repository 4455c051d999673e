"""Response: what the caller of a request trigger is answered. The run goes on after it."""

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.models import Integration
from workflows.steps.base import Context, StepFailed, StepType
from workflows.steps.request import body_problems, rendered_body


class Response(StepType):
    type, title, is_pure = "response", "Response", True

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        given = step.get("input") or {}
        status = given.get("status", 200)
        if not str(status).startswith("{{") and not (str(status).isdigit() and 200 <= int(status) <= 599):
            yield "status", "The status is a number from 200 to 599."
        yield from body_problems(given.get("body"))

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from (step.get("input") or {}).items()

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        return {"status": 200, "body": None}

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        given = step.get("input") or {}
        status = context.render(given.get("status", 200))
        if not str(status).isdigit() or not 200 <= int(status) <= 599:
            words = "The status is a number from 200 to 599."
            raise StepFailed(words, fields={"status": words})
        return {"status": int(status), "body": rendered_body(given.get("body"), context)}

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        return prepared
