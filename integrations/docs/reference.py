"""The reference of the HTTP API, read from the very document that /api/openapi.json serves.

Whatever the document says is shown: new operations, schemas and ways to sign in appear without a word here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import slugify

from integrations.docs import examples
from integrations.sdk import openapi

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
DEEPEST = 4


class Row(NamedTuple):
    """A parameter, or one value of a body; its name is a path such as `config.sharedSettings`."""

    name: str
    kind: str
    is_required: bool
    words: str
    place: str = ""
    example: str = ""


@dataclass(frozen=True)
class Answer:
    status: str
    words: str
    rows: list[Row]

    @property
    def is_good(self) -> bool:
        return self.status.startswith("2")


@dataclass(frozen=True)
class Scheme:
    """A way to say who calls: the header it takes, and what is in it."""

    name: str
    words: str
    description: str
    header: str
    value: str

    @property
    def shown(self) -> str:
        """Return the header with {} where the secret goes."""
        return f"{self.header}: {self.value}"

    @property
    def with_variable(self) -> str:
        return self.value.format(f"${self.variable}")

    @property
    def variable(self) -> str:
        """Return the name of the variable that holds it in the examples."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).upper()


@dataclass(frozen=True)
class Operation:
    """What an address does; one entry where several methods do the same."""

    path: str
    methods: tuple[str, ...]
    described: Mapping[str, Any] = field(repr=False)
    group: str
    schemes: tuple[Scheme, ...]

    @property
    def summary(self) -> str:
        return str(self.described["summary"])

    @property
    def description(self) -> str:
        return str(self.described.get("description", ""))

    @property
    def anchor(self) -> str:
        method = self.methods[0].lower() if len(self.methods) == 1 else "any"
        return slugify(f"{method} {self.path.replace('/projects/{projectId}/', '').replace('/', ' ')}")

    @property
    def url(self) -> str:
        return f"{reverse('docs:reference_group', args=[slugify(self.group)])}#{self.anchor}"

    @cached_property
    def parameters(self) -> list[Row]:
        return [
            Row(
                each["name"],
                _kind(_resolved(each.get("schema", {}))),
                bool(each.get("required")),
                each.get("description", ""),
                each["in"],
                str(each.get("example") or examples.of_parameter(each["name"], is_required=bool(each.get("required")))),
            )
            for each in map(_resolved, self.described.get("parameters", []))
        ]

    @property
    def inputs(self) -> list[Row]:
        """Return what somebody who tries it gives, the address first; the project is chosen once for all."""
        places = ("path", "query", "header", "cookie")
        found = [row for row in self.parameters if row.name != "projectId"]
        return sorted(found, key=lambda row: places.index(row.place))

    @cached_property
    def _media(self) -> tuple[str, Mapping[str, Any]]:
        content = _resolved(self.described.get("requestBody", {})).get("content", {})
        return next(iter(content.items()), ("", {}))

    @property
    def has_body(self) -> bool:
        return bool(self._media[0])

    @property
    def body(self) -> list[Row]:
        return list(_rows(self._media[1].get("schema", {})))

    @cached_property
    def body_example(self) -> str:
        """Return a body as JSON, "" where there is none or where it may be anything."""
        kind, media = self._media
        if kind != "application/json":
            return ""
        found = media.get("example", _sample(media.get("schema", {})))
        return json.dumps(found, indent=2, ensure_ascii=False)

    @property
    def answers(self) -> list[Answer]:
        found = []
        for status, described in self.described["responses"].items():
            answer = _resolved(described)
            media: Mapping[str, Any] = next(iter(answer.get("content", {}).values()), {})
            found.append(Answer(status, answer.get("description", ""), list(_rows(media.get("schema", {})))))
        return found

    @property
    def good_answers(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.is_good]

    @property
    def other_answers(self) -> list[Answer]:
        return [answer for answer in self.answers if not answer.is_good]

    @property
    def snippets(self) -> list[examples.Example]:
        return examples.of_operation(self)


@dataclass(frozen=True)
class Group:
    title: str
    words: str
    operations: list[Operation]

    @property
    def slug(self) -> str:
        return slugify(self.title)

    @property
    def is_for_users(self) -> bool:
        """Does it take the tokens of end users? What is not, takes API keys."""
        return any(scheme.name == "userToken" for each in self.operations for scheme in each.schemes)

    @property
    def url(self) -> str:
        return reverse("docs:reference_group", args=[self.slug])


def groups() -> list[Group]:
    """Return the operations by what they are about, in the document's order."""
    found: dict[str, list[Operation]] = {}
    for operation in operations():
        found.setdefault(operation.group, []).append(operation)
    words = {tag["name"]: tag.get("description", "") for tag in document().get("tags", [])}
    return [Group(title, words.get(title, ""), members) for title, members in found.items()]


@cache
def document() -> dict[str, Any]:
    """Return the description as it is served; it does not change while a process lives."""
    found: dict[str, Any] = json.loads(openapi.document(HttpRequest()).content)
    return found


@cache
def operations() -> list[Operation]:
    return [operation for path, item in document()["paths"].items() for operation in _operations(path, item)]


def schemes() -> list[Scheme]:
    return [_scheme(name) for name in document()["components"].get("securitySchemes", {})]


def _operations(path: str, item: Mapping[str, Any]) -> Iterator[Operation]:
    by_words: dict[str, list[str]] = {}
    for method in METHODS:
        if method in item:
            by_words.setdefault(item[method]["summary"], []).append(method)
    for methods in by_words.values():
        # Of methods that do the same, the one with a body says the most.
        described = next((item[each] for each in methods if "requestBody" in item[each]), item[methods[0]])
        group = next(iter(described.get("tags", [])), _subject(path))
        required = described.get("security", document().get("security", []))
        names = dict.fromkeys(name for choice in required for name in choice)
        yield Operation(path, tuple(map(str.upper, methods)), described, group, tuple(map(_scheme, names)))


def _subject(path: str) -> str:
    """Return what an address without a tag is listed under: its first telling part."""
    parts = [part for part in path.split("/") if part not in ("", "projects", "sdk") and "{" not in part]
    return (parts or ["more"])[0].capitalize()


def _scheme(name: str) -> Scheme:
    """Return a way to sign in, in the words of OpenAPI: a bearer token, another scheme, or a header of its own."""
    described = document()["components"]["securitySchemes"][name]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize().replace("Api", "API")
    header, value = described.get("name", "Authorization"), "{}"
    if described["type"] == "http":
        value = f"{described['scheme'].capitalize()} {{}}"
    return Scheme(name, words, described.get("description", ""), header, value)


# Schemas --------------------------------------------------------------------------------------------------------------


def _resolved(value: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = value.get("$ref")
    if not reference:
        return value
    found: Any = document()
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return _resolved(found)


def _rows(schema: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[Row]:
    schema = _resolved(schema)
    if schema.get("type") == "array" and depth == 0:
        yield from _rows(schema.get("items", {}), "[].", depth + 1)
    for name, described in schema.get("properties", {}).items():
        inner = _resolved(described)
        yield Row(prefix + name, _kind(inner), name in schema.get("required", []), inner.get("description", ""))
        if depth < DEEPEST:
            items = _resolved(inner.get("items", {}))
            yield from _rows(inner if "properties" in inner else {}, f"{prefix}{name}.", depth + 1)
            yield from _rows(items if "properties" in items else {}, f"{prefix}{name}[].", depth + 1)


def _kind(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    kinds = schema.get("type", "anything")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if words == "array":
        return f"array of {_kind(_resolved(schema['items']))}" if schema.get("items") else "array"
    return f"{words} ({schema['format']})" if "format" in schema else words


def _sample(schema: Mapping[str, Any], name: str = "") -> Any:
    """Return a value that the schema allows, and that reads like a real one."""
    schema = _resolved(schema)
    said = [*schema.get("examples", []), *(schema[known] for known in ("default", "const") if known in schema)]
    said += schema.get("enum", [])
    if said:
        return said[0]
    if "properties" in schema:
        return {key: _sample(inner, key) for key, inner in schema["properties"].items() if _is_shown(key, schema)}
    plain: dict[str | None, Any] = {"object": {}, "array": [], "boolean": True, "integer": 1, "number": 1, None: {}}
    known, kind = examples.of_value(name), schema.get("type")
    return known if known != "…" or kind not in plain else plain[kind]


def _is_shown(key: str, schema: Mapping[str, Any]) -> bool:
    """Leave out what may be left out, unless nothing else is there or it is worth showing."""
    required, described = schema.get("required", []), schema["properties"][key]
    return not required or key in required or "examples" in described or examples.of_value(key) != "…"
