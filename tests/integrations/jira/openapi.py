"""Check requests and answers against Atlassian's own OpenAPI document of Jira Cloud.

The document is kept elsewhere (see tests/support/reference.py); where it is absent the checks are skipped.
"""

import re
from functools import cache
from typing import Any

from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.support import reference

JSON = "application/json"
URI = "urn:jira"


def check_request(method: str, path: str, query_names: list[str], body: Any = None) -> None:
    """Assert that a call exists and takes these query names and this body. `path` starts with /rest/api/3/."""
    operation = _operation(method, path)
    known = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
    assert set(query_names) <= known, f"{method} {path} takes {sorted(known)}, not {sorted(set(query_names) - known)}"
    schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    assert body is None or schema is not None, f"{method} {path} takes no JSON body"
    if body is not None:
        _check(schema, body, f"the body of {method} {path}")


def check_response(method: str, path: str, status: int, body: Any = None) -> None:
    """Assert that a call may answer this status with this body. A status without a schema may hold anything."""
    responses = _operation(method, path)["responses"]
    assert str(status) in responses, f"{method} {path} answers {sorted(responses)}, not {status}"
    schema = responses[str(status)].get("content", {}).get(JSON, {}).get("schema")
    if schema is not None:
        _check(schema, body, f"the {status} answer of {method} {path}")


def _check(schema: dict[str, Any], value: Any, what: str) -> None:
    validator = Draft4Validator(schema, registry=_registry())
    errors = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]
    assert not errors, f"In {what}:\n" + "\n".join(errors)


def _operation(method: str, path: str) -> dict[str, Any]:
    for pattern, item in _paths():
        if method.lower() in item and pattern.fullmatch(path):
            found: dict[str, Any] = item[method.lower()]
            return found
    raise AssertionError(f"Jira has no {method} {path}")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = _as_json_schema(reference.load("jira-openapi.json"))
    return document


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return every path as a pattern, the most literal first: /issue/createmeta comes before /issue/{id}."""
    paths = sorted(_document()["paths"].items(), key=lambda pair: pair[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item) for path, item in paths]


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resource(URI, Resource(contents=_document(), specification=DRAFT4))


def _as_json_schema(node: Any) -> Any:
    """Translate what OpenAPI 3.0 says differently: where references lead, and that `nullable` allows null."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _as_json_schema(value) for key, value in node.items()}
    if isinstance(made.get("$ref"), str) and made["$ref"].startswith("#/"):
        made["$ref"] = URI + made["$ref"]
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made
