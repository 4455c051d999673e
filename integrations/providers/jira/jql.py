"""JQL that says what was meant: every value quoted and escaped, from a filter or into a text.

Source: https://support.atlassian.com/jira-software-cloud/docs/jql-operators/
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.errors import PermanentError
from integrations.providers.base import Option

FUNCTION = re.compile(r"(currentUser|now|(start|end)Of(Day|Week|Month|Year))\((\"?-?\d{1,4}[wdhmMy]?\"?)?\)")
RELATIVE = re.compile(r"-?\d{1,5}[wdhm]")
DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}).*)?")
CUSTOM = re.compile(r"cf\[\d{1,9}\]")
# Characters that mean something to the text search itself, inside the quoted value.
SEARCH_SIGNS = re.compile(r"([+\-&|!(){}\[\]^~*?\\:\"])")
MOST_CONDITIONS = 50
MOST_DEPTH = 4


@dataclass(frozen=True)
class Kind:
    operators: tuple[str, ...]


CHOICE = Kind(("is", "is_not", "in", "not_in", "is_empty", "is_not_empty"))
TEXT = Kind(("contains", "not_contains", "is_empty", "is_not_empty"))
TIME = Kind(("after", "on_or_after", "before", "on_or_before", "is_empty", "is_not_empty"))
ANY = Kind((*CHOICE.operators, *TEXT.operators[:2], *TIME.operators[:4]))
FIELDS: dict[str, tuple[str, Kind]] = {
    "project": ("Project", CHOICE),
    "issuetype": ("Issue type", CHOICE),
    "status": ("Status", CHOICE),
    "statusCategory": ("Status category", CHOICE),
    "priority": ("Priority", CHOICE),
    "assignee": ("Assignee", CHOICE),
    "reporter": ("Reporter", CHOICE),
    "labels": ("Label", CHOICE),
    "component": ("Component", CHOICE),
    "fixVersion": ("Fix version", CHOICE),
    "resolution": ("Resolution", CHOICE),
    "parent": ("Parent", CHOICE),
    "key": ("Issue key", CHOICE),
    "summary": ("Summary", TEXT),
    "description": ("Description", TEXT),
    "comment": ("Comment", TEXT),
    "text": ("Any text", TEXT),
    "created": ("Created", TIME),
    "updated": ("Updated", TIME),
    "duedate": ("Due date", TIME),
    "resolved": ("Resolved", TIME),
}
OPERATORS: dict[str, tuple[str, str]] = {
    "is": ("is", "="),
    "is_not": ("is not", "!="),
    "in": ("is one of", "in"),
    "not_in": ("is none of", "not in"),
    "contains": ("contains", "~"),
    "not_contains": ("does not contain", "!~"),
    "after": ("is after", ">"),
    "on_or_after": ("is on or after", ">="),
    "before": ("is before", "<"),
    "on_or_before": ("is on or before", "<="),
    "is_empty": ("is empty", "is EMPTY"),
    "is_not_empty": ("is not empty", "is not EMPTY"),
}
ORDERS = tuple(
    Option(f"{field} {direction}", f"{FIELDS[field][0]}, {words}")
    for field in ("created", "updated", "priority", "duedate", "key")
    for direction, words in (("DESC", "descending"), ("ASC", "ascending"))
)


def vocabulary() -> dict[str, Any]:
    """Return the fields and operators that a filter may use, for whoever draws its form."""
    return {
        "fields": [
            {"value": key, "label": label, "operators": list(kind.operators)} for key, (label, kind) in FIELDS.items()
        ],
        "operators": [{"value": key, "label": label} for key, (label, _) in OPERATORS.items()],
        "without_value": ["is_empty", "is_not_empty"],
    }


def quoted(value: object) -> str:
    """Return a value as a JQL string: it stays one value whatever it holds."""
    text = " ".join(str(value).split()) if "\n" in str(value) or "\r" in str(value) else str(value)
    text = "".join(character for character in text if character >= " ")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def into_text(value: Any, open_quote: str) -> str:
    """Return what an expression yields as it may stand in a JQL text: inside quotes escaped, outside them quoted."""
    if open_quote:
        if isinstance(value, list | dict):
            raise PermanentError("A list cannot stand between quotes. Leave the quotes out: labels in {{ … }}")
        inner = quoted("" if value is None else value)[1:-1]
        return inner if open_quote == '"' else inner.replace('\\"', '"').replace("'", "\\'")
    if value is None:
        return "EMPTY"
    if isinstance(value, bool | dict):
        raise PermanentError("Only a text, a number or a list of them can stand in JQL.")
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, list):
        if not value:
            raise PermanentError("The list is empty, and JQL has no way to say “in nothing”.")
        return "(" + ", ".join(into_text(item, "") for item in value) + ")"
    return quoted(value)


def from_filter(found: object, order: str, key: str) -> str:
    """Return a filter {"join", "conditions": [{"field", "operator", "value"} or a group]} as JQL.

    Raises PermanentError at the input `key` for one that says nothing, or says it wrong.
    """
    where = _group(found, key, 0, [0])
    if not where:
        raise _wrong(key, "Add at least one condition: Jira searches only within bounds.")
    if order and order not in {option.value for option in ORDERS}:
        raise PermanentError("Choose an order from the list.", fields={"order_by": "Choose an order from the list."})
    return f"{where} ORDER BY {order}" if order else where


def _group(found: object, key: str, depth: int, count: list[int]) -> str:
    if not isinstance(found, Mapping) or not isinstance(found.get("conditions"), list):
        raise _wrong(key, "The filter must have a list of conditions.")
    if depth > MOST_DEPTH:
        raise _wrong(key, f"Groups can be {MOST_DEPTH} deep at most.")
    parts = []
    for condition in found["conditions"]:
        count[0] += 1
        if count[0] > MOST_CONDITIONS:
            raise _wrong(key, f"A filter can have {MOST_CONDITIONS} conditions at most.")
        is_group = isinstance(condition, Mapping) and "conditions" in condition
        text = _group(condition, key, depth + 1, count) if is_group else _condition(condition, key)
        if text:
            parts.append(f"({text})" if is_group else text)
    return (" OR " if str(found.get("join", "AND")).upper() == "OR" else " AND ").join(parts)


def _condition(found: object, key: str) -> str:
    if not isinstance(found, Mapping):
        raise _wrong(key, "A condition has a field, an operator and a value.")
    field, operator, value = str(found.get("field", "")), str(found.get("operator", "")), found.get("value")
    label, kind = FIELDS.get(field, (field, ANY))
    if field not in FIELDS and not CUSTOM.fullmatch(field):
        raise _wrong(
            key, f"“{field[:60]}” is not a field that can be filtered by. Custom fields are written cf[10010]."
        )
    if operator not in kind.operators:
        raise _wrong(key, f"{label} cannot be compared by “{operator[:40]}”.")
    sign = OPERATORS[operator][1]
    if operator in ("is_empty", "is_not_empty"):
        return f"{field} {sign}"
    if value is None or value in ("", []):
        raise _wrong(key, f"{label} has no value to be compared with.")
    if operator in ("in", "not_in"):
        items = value if isinstance(value, list) else [part.strip() for part in str(value).split(",") if part.strip()]
        return f"{field} {sign} ({', '.join(_value(item, key, label) for item in items)})"
    if isinstance(value, list | dict):
        raise _wrong(key, f"{label} {OPERATORS[operator][0]} takes one value; for several choose “is one of”.")
    if operator in ("contains", "not_contains"):
        return f"{field} {sign} {quoted(SEARCH_SIGNS.sub(lambda sign: chr(92) + sign[1], str(value)))}"
    write: Callable[[Any, str, str], str] = _moment if kind is TIME else _value
    return f"{field} {sign} {write(value, key, label)}"


def _value(value: Any, key: str, label: str) -> str:
    if isinstance(value, list | dict | bool):
        raise _wrong(key, f"{label} can be compared with a text or a number only.")
    return str(value) if FUNCTION.fullmatch(str(value)) else quoted(value)


def _moment(value: Any, key: str, label: str) -> str:
    text = str(value).strip()
    if FUNCTION.fullmatch(text):
        return text
    if RELATIVE.fullmatch(text):
        return quoted(text)
    found = DATE.fullmatch(text)
    if not found:
        raise _wrong(key, f"{label} takes a date such as 2026-11-23, 2026-11-23 14:30, -7d or startOfDay().")
    year, month, day, hour, minute = found.groups()
    return quoted(f"{year}-{month}-{day}" + (f" {hour}:{minute}" if hour else ""))


def _wrong(key: str, words: str) -> PermanentError:
    return PermanentError(words, fields={key: words})
