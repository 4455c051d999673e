"""Any call to the provider's API, in the user's name."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from integrations.models import Integration
from workflows.steps.base import Context, StepFailed, StepType

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REPEATABLE = {"GET": "none", "PUT": "idempotent", "DELETE": "idempotent"}


class CallStep(StepType):
    """A call by method, whose effect follows from that."""

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        if (step.get("input") or {}).get("method", "GET") not in METHODS:
            yield "method", f"Choose one of {', '.join(METHODS)}."

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from (step.get("input") or {}).items()

    def effect(self, step: Mapping[str, Any], integration: Integration) -> str:
        given = step.get("input") or {}
        if given.get("is_repeatable") is True:
            return "idempotent"
        return REPEATABLE.get(str(given.get("method", "GET")), "once")


class Request(CallStep):
    type, title = "request", "API request"

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        yield from super().problems(step, integration)
        given = step.get("input") or {}
        path = str(given.get("path") or "").strip()
        if not path:
            yield "path", f"Write the path, such as {integration.provider.example_path}."
        elif "://" in path:
            yield "path", "Write the path only: the address follows from the user's connection."
        yield from body_problems(given.get("body"))

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        given = step.get("input") or {}
        path = str(context.render(given.get("path") or "")).strip().lstrip("/")
        path, _, query = path.partition("?")
        return {
            "method": given.get("method", "GET"),
            "path": unquote(path),
            "query": query,
            "parameters": pairs(context.render(given.get("query")), "query"),
            "body": rendered_body(given.get("body"), context),
        }

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        from urllib.parse import quote, urlencode

        api = context.api()
        query = "&".join(
            part for part in (prepared["query"], urlencode(prepared["parameters"], doseq=True, quote_via=quote)) if part
        )
        body = api.call(prepared["method"], prepared["path"], query=query, body=prepared["body"], takes_text=True)
        return {"status": api.status, "body": body}


def body_problems(body: Any) -> Iterator[tuple[str, str]]:
    """A body is JSON written as text, in which an expression may stand for any value."""
    if isinstance(body, str) and body.strip() and "{{" not in body:
        try:
            json.loads(body)
        except ValueError as error:
            yield "body", f"This is not valid JSON: {error}."


def rendered_body(body: Any, context: Context) -> Any:
    """Return the body with its values put in: on the parsed tree, so that no value can change its shape."""
    if body is None or (isinstance(body, str) and not body.strip()):
        return None
    return context.render(parsed(body))


def parsed(body: Any) -> Any:
    """Return the JSON of a text in which `{{ … }}` may stand unquoted for a value."""
    if not isinstance(body, str):
        return body
    text = body.strip()
    if text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1:
        return text
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(_with_quoted_expressions(text))
    except ValueError as error:
        words = f"The body is not valid JSON: {error}."
        raise StepFailed(words, fields={"body": words}) from None


def _with_quoted_expressions(text: str) -> str:
    """Put quotes around the expressions that stand outside of a JSON string."""
    result, inside, position = "", False, 0
    while position < len(text):
        character = text[position]
        if text.startswith("{{", position) and not inside:
            end = text.find("}}", position)
            if end < 0:
                return text
            result += json.dumps(text[position : end + 2])
            position = end + 2
            continue
        if character == '"':
            inside = not inside
        if character == "\\" and inside:
            result += text[position : position + 2]
            position += 2
            continue
        result += character
        position += 1
    return result


def pairs(value: Any, key: str) -> dict[str, Any]:
    """Return query parameters or headers of an object, or of a list of {"key", "value"}."""
    if value is None or value == "":
        return {}
    if isinstance(value, list):
        value = {
            str(item.get("key")): item.get("value") for item in value if isinstance(item, dict) and item.get("key")
        }
    if not isinstance(value, dict):
        words = "Names and values are expected here."
        raise StepFailed(words, fields={key: words})
    return {str(name): item for name, item in value.items() if item is not None}
