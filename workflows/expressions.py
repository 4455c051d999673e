"""{{ }}: data look-ups, never code.

`{{ name(.key | ["any key"] | [n])* | filter(argument, …) }}` over JSON data, with a fixed list of filters. A text that
is one expression keeps its type; in a longer text the value becomes text. What a value holds is never read as an
expression again, and everything is bounded: length, depth, number of expressions and size of the result.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

MOST_TEXT = 100_000
MOST_EXPRESSIONS = 200
MOST_SEGMENTS = 32
MOST_FILTERS = 10
MOST_RESULT = 1_000_000
MOST_DEPTH = 60
MOST_NODES = 100_000


class ExpressionError(Exception):
    """What is wrong with a text between {{ and }}, in words; `path` is the look-up that failed, where one did."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class MissingError(ExpressionError):
    """A look-up found nothing. `| default(…)` catches this, and only this."""


@dataclass(frozen=True)
class Cut:
    """Stands for an output that was too large to keep."""

    size: int


@dataclass(frozen=True)
class Path:
    root: str
    keys: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return self.root + "".join(_key_text(key) for key in self.keys)

    def look_up(self, scope: Mapping[str, Any]) -> Any:
        if self.root not in scope:
            raise MissingError(f"There is no “{self.root}” here.", self.root)
        value = scope[self.root]
        for depth, key in enumerate(self.keys):
            value = _step(value, key, Path(self.root, self.keys[:depth]), self)
        if isinstance(value, Cut):
            raise _cut(value, str(self))
        return value


def _step(value: Any, key: str | int, so_far: Path, whole: Path) -> Any:
    if isinstance(value, Cut):
        raise _cut(value, str(so_far))
    if isinstance(value, dict) and isinstance(key, str):
        if key in value:
            return value[key]
        raise MissingError(f"{so_far} has no “{key}”.", str(whole))
    if isinstance(value, list) and isinstance(key, int):
        if key < len(value):
            return value[key]
        raise MissingError(f"{so_far} has {len(value)} items, so there is no [{key}].", str(whole))
    if value is None:
        raise MissingError(f"{so_far} is null, so it has no {_key_text(key).lstrip('.')}.", str(whole))
    raise MissingError(f"{so_far} is {kind_of(value)}, so it has no {_key_text(key).lstrip('.')}.", str(whole))


def _cut(value: Cut, path: str) -> ExpressionError:
    words = f"{path} was {value.size:,} bytes, too large to keep. Let its step return less: fewer fields or items."
    return ExpressionError(words, path)


def _key_text(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if NAME.fullmatch(key) else f"[{json.dumps(key, ensure_ascii=False)}]"


@dataclass(frozen=True)
class Literal:
    value: Any

    def look_up(self, scope: Mapping[str, Any]) -> Any:
        return self.value


@dataclass(frozen=True)
class Filter:
    name: str
    arguments: tuple[Path | Literal, ...]


@dataclass(frozen=True)
class Expression:
    source: Path | Literal
    filters: tuple[Filter, ...] = ()

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        value: Any
        missing: MissingError | None = None
        try:
            value = self.source.look_up(scope)
        except MissingError as error:
            value, missing = None, error
        for found in self.filters:
            if found.name == "default":
                if missing is not None or value is None or value == "":
                    value, missing = found.arguments[0].look_up(scope), None
                continue
            if missing is not None:
                raise missing
            value = _apply(found, value, scope)
        if missing is not None:
            raise missing
        return value

    def paths(self) -> Iterator[tuple[Path, bool]]:
        """Yield each path, and whether it may be missing."""
        has_default = any(found.name == "default" for found in self.filters)
        if isinstance(self.source, Path):
            yield self.source, has_default
        for found in self.filters:
            for argument in found.arguments:
                if isinstance(argument, Path):
                    yield argument, False


@dataclass(frozen=True)
class Template:
    """A compiled text: literal pieces and expressions, in turn."""

    parts: tuple[str | Expression, ...]

    @property
    def is_literal(self) -> bool:
        return all(isinstance(part, str) for part in self.parts)

    def render(self, scope: Mapping[str, Any]) -> Any:
        if len(self.parts) == 1:
            part = self.parts[0]
            return part if isinstance(part, str) else part.evaluate(scope)
        text = "".join(part if isinstance(part, str) else as_text(part.evaluate(scope)) for part in self.parts)
        _check_size(text)
        return text


# Rendering ----------------------------------------------------------------------------------------------------------


def render(value: Any, scope: Mapping[str, Any]) -> Any:
    """Return a JSON tree with its texts rendered; keys are taken as they are. Raises ExpressionError."""
    return _render(value, scope, 0, [0])


def _render(value: Any, scope: Mapping[str, Any], depth: int, count: list[int]) -> Any:
    count[0] += 1
    if depth > MOST_DEPTH or count[0] > MOST_NODES:
        raise ExpressionError("This value is nested too deeply or has too many parts.")
    if isinstance(value, str):
        return compile_text(value).render(scope) if "{{" in value else value
    if isinstance(value, dict):
        return {key: _render(item, scope, depth + 1, count) for key, item in value.items()}
    if isinstance(value, list):
        return [_render(item, scope, depth + 1, count) for item in value]
    return value


def render_quoted(text: str, scope: Mapping[str, Any], quote: Callable[[Any, str], str]) -> Any:
    """Return a query text in which every value is quoted by `quote(value, open quote sign or "")`.

    A text that is one expression is the whole query, and is taken as it is.
    """
    template = compile_text(text)
    if len(template.parts) == 1:
        return template.render(scope)
    made, open_quote = "", ""
    for part in template.parts:
        if isinstance(part, str):
            open_quote = _open_quote(part, open_quote)
            made += part
        else:
            made += quote(part.evaluate(scope), open_quote)
    _check_size(made)
    return made


def _open_quote(text: str, open_quote: str) -> str:
    """Return the quote sign that is open after a literal piece of a query."""
    is_escaped = False
    for character in text:
        if is_escaped:
            is_escaped = False
        elif character == "\\" and open_quote:
            is_escaped = True
        elif character in "\"'":
            open_quote = "" if open_quote == character else (open_quote or character)
    return open_quote


def references(value: Any) -> Iterator[tuple[Path, bool]]:
    """Yield every path that a JSON tree looks up, and whether it may be missing. Raises ExpressionError."""
    for text in texts(value):
        for part in compile_text(text).parts:
            if isinstance(part, Expression):
                yield from part.paths()


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON tree that looks something up."""
    if isinstance(value, str) and "{{" in value:
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def as_text(value: Any) -> str:
    """Return a value as it reads inside a longer text: null is empty, objects are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return _json(value)


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "a value")


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    _check_size(text)
    return text


def _check_size(text: str) -> None:
    if len(text) > MOST_RESULT:
        raise ExpressionError(f"The result is longer than {MOST_RESULT:,} characters.")


# Filters ------------------------------------------------------------------------------------------------------------


def _apply(found: Filter, value: Any, scope: Mapping[str, Any]) -> Any:
    function, _, _ = FILTERS[found.name]
    arguments = [argument.look_up(scope) for argument in found.arguments]
    try:
        result = function(value, *arguments)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        given = ", ".join(_json(argument)[:40] for argument in arguments)
        raise ExpressionError(f"“{found.name}({given})” cannot be used on {kind_of(value)}.") from None
    if isinstance(result, str):
        _check_size(result)
    return result


def _text_only(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list_only(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _truncate(value: Any, length: Any) -> str:
    text, most = _text_only(value), max(1, _whole(length))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _item(value: Any, position: int) -> Any:
    items = value if isinstance(value, str) else _list_only(value)
    if not items:
        raise ValueError
    return items[position]


def _split(value: Any, by: Any = ",") -> list[str]:
    if not _text_only(by):
        raise ValueError
    return [part.strip() for part in _text_only(value).split(by)] if value else []


def _replace(value: Any, old: Any, new: Any) -> str:
    text, sought, put = _text_only(value), _text_only(old), _text_only(new)
    if not sought:
        raise ValueError
    if len(text) + text.count(sought) * len(put) > 2 * MOST_RESULT:
        raise ExpressionError(f"The result is longer than {MOST_RESULT:,} characters.")
    return text.replace(sought, put)


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    text = _text_only(value).strip()
    if len(text) > 40:
        raise ValueError
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else number


def moment(value: Any) -> datetime:
    """Return a time of ISO 8601 text, or of seconds or milliseconds since 1970, in UTC where it says no zone."""
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    text = _text_only(value).strip()
    if re.search(r"[+-]\d{4}$", text):  # Some providers write their zones without a colon.
        text = f"{text[:-2]}:{text[-2:]}"
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


DATE_PARTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "MMM": "%b", "MMMM": "%B"}


def _date(value: Any, pattern: Any = "YYYY-MM-DD") -> str:
    at = moment(value).astimezone(UTC)
    tokens = re.compile("YYYY|MMMM|MMM|MM|DD|HH|mm|ss")
    return tokens.sub(lambda found: at.strftime(DATE_PARTS[found[0]]), _text_only(pattern))


# name: (function, fewest arguments, most arguments)
FILTERS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "default": (lambda value, other: value, 1, 1),
    "upper": (lambda value: _text_only(value).upper(), 0, 0),
    "lower": (lambda value: _text_only(value).lower(), 0, 0),
    "trim": (lambda value: _text_only(value).strip(), 0, 0),
    "truncate": (_truncate, 1, 1),
    "replace": (_replace, 2, 2),
    "split": (_split, 0, 1),
    "join": (lambda value, by=", ": _text_only(by).join(as_text(item) for item in _list_only(value)), 0, 1),
    "first": (lambda value: _item(value, 0), 0, 0),
    "last": (lambda value: _item(value, -1), 0, 0),
    "length": (lambda value: len(value) if isinstance(value, str | dict) else len(_list_only(value)), 0, 0),
    "number": (_number, 0, 0),
    "text": (as_text, 0, 0),
    "json": (_json, 0, 0),
    "date": (_date, 0, 1),
}


# Reading ------------------------------------------------------------------------------------------------------------

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
TOKEN = re.compile(
    r"\s*(?:(?P<end>\}\})|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<number>-?\d{1,18}(?:\.\d{1,18})?)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<sign>[.\[\]|(),]))",
    re.DOTALL,
)
WORDS = {"true": True, "false": False, "null": None}


@lru_cache(maxsize=4096)
def compile_text(text: str) -> Template:
    """Return the compiled form of a text. Raises ExpressionError naming the place."""
    if len(text) > MOST_TEXT:
        raise ExpressionError(f"A text with {{{{ }}}} can have {MOST_TEXT:,} characters at most.")
    parts: list[str | Expression] = []
    position = count = 0
    while (start := text.find("{{", position)) >= 0:
        if start > position:
            parts.append(text[position:start])
        expression, position = _Reader(text, start).read()
        parts.append(expression)
        count += 1
        if count > MOST_EXPRESSIONS:
            raise ExpressionError(f"A text can have {MOST_EXPRESSIONS} expressions at most.")
    if position < len(text) or not parts:
        parts.append(text[position:])
    return Template(tuple(parts))


class _Reader:
    """Reads one expression, from its {{ to its }}."""

    def __init__(self, text: str, start: int) -> None:
        self.text, self.start, self.position = text, start, start + 2
        self.kind, self.token = "", ""
        self._next()

    def read(self) -> tuple[Expression, int]:
        source = self._operand()
        filters: list[Filter] = []
        while self._takes("sign", "|"):
            filters.append(self._filter())
            if len(filters) > MOST_FILTERS:
                raise self._error(f"an expression can have {MOST_FILTERS} filters at most")
        if self.kind != "end":
            raise self._error(f"“{self.token}” is not expected here")
        return Expression(source, tuple(filters)), self.position

    def _next(self) -> None:
        found = TOKEN.match(self.text, self.position)
        if found is None:
            rest = self.text[self.position : self.position + 20].strip()
            raise self._error(f"“{rest}” cannot be read" if rest else "it is not closed by }}")
        self.kind, self.token = str(found.lastgroup), found[str(found.lastgroup)]
        self.position = found.end()

    def _takes(self, kind: str, token: str) -> bool:
        if (self.kind, self.token) != (kind, token):
            return False
        self._next()
        return True

    def _operand(self) -> Path | Literal:
        if self.kind == "name" and self.token not in WORDS:
            return self._path()
        if self.kind in ("name", "number", "string"):
            value = self._literal()
            self._next()
            return Literal(value)
        raise self._error("a name is expected, such as trigger.title" if self.kind != "end" else "it is empty")

    def _literal(self) -> Any:
        if self.kind == "name":
            return WORDS[self.token]
        if self.kind == "number":
            return float(self.token) if "." in self.token else int(self.token)
        if self.token[0] == '"':
            with suppress(ValueError):
                return json.loads(self.token, strict=False)
        return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), self.token[1:-1])

    def _path(self) -> Path:
        root, keys = self.token, list[str | int]()
        self._next()
        while True:
            if len(keys) > MOST_SEGMENTS:
                raise self._error(f"a look-up can go {MOST_SEGMENTS} levels deep at most")
            if self._takes("sign", "."):
                keys.append(self._expect("name"))
            elif self._takes("sign", "["):
                keys.append(self._key())
                if not self._takes("sign", "]"):
                    raise self._error("a ] is missing")
            else:
                return Path(root, tuple(keys))

    def _expect(self, kind: str) -> str:
        if self.kind != kind:
            raise self._error(f"a {kind} is missing")
        token = self.token
        self._next()
        return token

    def _key(self) -> str | int:
        value = self._literal() if self.kind in ("number", "string") else None
        if not isinstance(value, str | int) or (isinstance(value, int) and value < 0):
            raise self._error("between [ and ] stands a whole number from 0, or a key in quotes")
        self._next()
        return value

    def _filter(self) -> Filter:
        name = self._expect("name")
        if name not in FILTERS:
            raise self._error(f"there is no filter “{name}”; there are {', '.join(sorted(FILTERS))}")
        arguments: list[Path | Literal] = []
        if self._takes("sign", "("):
            while not self._takes("sign", ")"):
                if arguments and not self._takes("sign", ","):
                    raise self._error("a comma or ) is missing")
                arguments.append(self._operand())
                if len(arguments) > 3:
                    raise self._error(f"“{name}” has too many arguments")
        _, fewest, most = FILTERS[name]
        if not fewest <= len(arguments) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise self._error(f"“{name}” takes {wanted} argument{'' if wanted == '1' else 's'}")
        return Filter(name, tuple(arguments))

    def _error(self, words: str) -> ExpressionError:
        shown = self.text[self.start : self.start + 40].split("\n")[0]
        return ExpressionError(f"In “{shown}”: {words}.")
