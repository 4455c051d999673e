"""Project secrets on their way through a run: opened for the step that names them, and never stored with it."""

import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from workflows import definition as definitions
from workflows import expressions
from workflows.expressions import ExpressionError
from workflows.models import ProjectSecret, WorkflowVersion


def secret_names(version: WorkflowVersion) -> dict[str, frozenset[str]]:
    """Return the names of the secrets that each step of a version looks up."""
    return _secret_names(version.pk, _Definition(version.definition))


def names_in(value: Any) -> frozenset[str]:
    """Return the names of the secrets that a JSON tree looks up. A text that cannot be read looks up none."""
    found = set()
    for text in expressions.texts(value):
        with suppress(ExpressionError):
            found |= {path.keys[0] for path, _ in expressions.references(text) if path.root == "secrets" and path.keys}
    return frozenset(str(name) for name in found)


class _Definition:
    """A definition as a cache's argument: versions never change, so the id alone is the key."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Definition)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=1024)
def _secret_names(version_id: uuid.UUID, definition: _Definition) -> dict[str, frozenset[str]]:
    found = {}
    for step in definitions.walk(definitions.steps_of(definition.value)):
        names = names_in({key: value for key, value in step.items() if key not in ("then", "else", "steps")})
        if names:
            found[str(step.get("id"))] = names
    return found


def open_secrets(project_id: uuid.UUID, names: Iterable[str]) -> dict[str, str]:
    found = ProjectSecret.objects.filter(project_id=project_id, name__in=list(names))
    return {secret.name: secret.open("value") for secret in found}


def masked(value: Any, secrets: Mapping[str, str]) -> Any:
    """Return a JSON tree in which the secrets' values are replaced by their names."""
    if isinstance(value, str):
        for name, secret in sorted(secrets.items(), key=lambda item: -len(item[1])):
            if secret:
                value = value.replace(secret, f"[secret {name}]")
        return value
    if isinstance(value, dict):
        return {masked(key, secrets): masked(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    return value
