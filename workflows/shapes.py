"""Values that look like what a JSON Schema declares."""

from collections.abc import Mapping
from typing import Any


def shape(schema: Mapping[str, Any]) -> Any:
    """Return a value that has what a JSON Schema declares; None where it leaves things open."""
    kind = schema.get("type")
    if kind == "object":
        if schema.get("additionalProperties") is True or not schema.get("properties"):
            return None
        return {name: shape(item) for name, item in schema["properties"].items()}
    if kind == "array":
        return [shape(schema["items"])] if "items" in schema else None
    samples: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
    return samples.get(str(kind)) if isinstance(kind, str) else None
