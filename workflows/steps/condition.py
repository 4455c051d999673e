"""Conditional: go on in one branch or the other. The operators are those of Paragon, by their names."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from integrations.models import Integration
from workflows import expressions
from workflows.expressions import MissingError
from workflows.steps.base import Context, StepFailed, StepType

MOST_CONDITIONS = 50
MOST_DEPTH = 4
MISSING = object()
Decide = Callable[[Any, Any], bool]


def _text(value: Any) -> str:
    return expressions.as_text(None if value is MISSING else value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or value is MISSING or value is None:
        raise ValueError
    return float(value)


def _items(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return [part.strip() for part in _text(value).split(",")]


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError
    return value


def _is_null(value: Any) -> bool:
    return value is MISSING or value is None


def _compare(read: Callable[[Any], Any], decide: Decide) -> Decide:
    return lambda left, right: decide(read(left), read(right))


def _strings(decide: Decide) -> Decide:
    return _compare(_text, decide)


def _numbers(decide: Decide) -> Decide:
    return _compare(_number, decide)


def _moments(decide: Decide) -> Decide:
    return _compare(expressions.moment, decide)


# name: (words, does it take an argument, function of (value, argument))
OPERATORS: dict[str, tuple[str, bool, Decide]] = {
    "$stringContains": ("contains", True, _strings(lambda a, b: b in a)),
    "$stringDoesNotContain": ("does not contain", True, _strings(lambda a, b: b not in a)),
    "$stringExactlyMatches": ("is exactly", True, _strings(lambda a, b: a == b)),
    "$stringDoesNotExactlyMatch": ("is not exactly", True, _strings(lambda a, b: a != b)),
    "$stringIsIn": ("is one of", True, lambda a, b: _text(a) in _items(b)),
    "$stringIsNotIn": ("is none of", True, lambda a, b: _text(a) not in _items(b)),
    "$stringStartsWith": ("starts with", True, _strings(lambda a, b: a.startswith(b))),
    "$stringDoesNotStartWith": ("does not start with", True, _strings(lambda a, b: not a.startswith(b))),
    "$stringEndsWith": ("ends with", True, _strings(lambda a, b: a.endswith(b))),
    "$stringDoesNotEndWith": ("does not end with", True, _strings(lambda a, b: not a.endswith(b))),
    "$stringGreaterThan": ("comes after (text)", True, _strings(lambda a, b: a > b)),
    "$stringLessThan": ("comes before (text)", True, _strings(lambda a, b: a < b)),
    "$numberEquals": ("equals (number)", True, _numbers(lambda a, b: a == b)),
    "$numberDoesNotEqual": ("does not equal (number)", True, _numbers(lambda a, b: a != b)),
    "$numberGreaterThan": ("is greater than", True, _numbers(lambda a, b: a > b)),
    "$numberGreaterThanOrEqualTo": ("is at least", True, _numbers(lambda a, b: a >= b)),
    "$numberLessThan": ("is less than", True, _numbers(lambda a, b: a < b)),
    "$numberLessThanOrEqualTo": ("is at most", True, _numbers(lambda a, b: a <= b)),
    "$dateTimeAfter": ("is after (time)", True, _moments(lambda a, b: a > b)),
    "$dateTimeBefore": ("is before (time)", True, _moments(lambda a, b: a < b)),
    "$dateTimeEquals": ("is the same time as", True, _moments(lambda a, b: a == b)),
    "$booleanTrue": ("is true", False, lambda a, b: a is True or a == "true"),
    "$booleanFalse": ("is false", False, lambda a, b: a is False or a == "false"),
    "$exists": ("is not null", False, lambda a, b: not _is_null(a)),
    "$doesNotExist": ("is null", False, lambda a, b: _is_null(a)),
    "$isNotUndefinedOrNull": ("is set", False, lambda a, b: not _is_null(a)),
    "$isUndefinedOrNull": ("is not set", False, lambda a, b: _is_null(a)),
    "$arrayIsIn": ("list contains", True, lambda a, b: _text(b) in [_text(item) for item in _array(a)]),
    "$arrayIsNotIn": ("list does not contain", True, lambda a, b: _text(b) not in [_text(item) for item in _array(a)]),
    "$arrayIsEmpty": ("list is empty", False, lambda a, b: not _array(a)),
    "$arrayIsNotEmpty": ("list is not empty", False, lambda a, b: bool(_array(a))),
}
# These ask whether there is a value at all; for the others a missing path is an error that names it.
ASK_FOR_VALUE = {"$exists", "$doesNotExist", "$isNotUndefinedOrNull", "$isUndefinedOrNull"}


class Condition(StepType):
    type, title, is_pure = "condition", "Condition", True

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        words = _problem((step.get("input") or {}).get("if"), 0, [0])
        if words:
            yield "if", words
        if not step.get("then") and not step.get("else"):
            yield "if", "Neither branch has a step."

    def texts(self, step: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for operator, variable, argument in _leaves((step.get("input") or {}).get("if")):
            yield "if", argument
            if operator not in ASK_FOR_VALUE:
                yield "if", variable

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        return {"result": True}

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        return _rendered((step.get("input") or {}).get("if"), context)

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        return {"result": holds(prepared)}


def _leaves(node: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(node, dict) and node.get("type") == "JOIN":
        for child in node.get("conditions") or []:
            yield from _leaves(child)
    elif isinstance(node, dict):
        leaf = node.get("condition") or {}
        yield str(leaf.get("operator")), leaf.get("variable"), leaf.get("argument")


def _problem(node: Any, depth: int, count: list[int]) -> str:
    count[0] += 1
    if not isinstance(node, dict) or depth > MOST_DEPTH or count[0] > MOST_CONDITIONS:
        many = "There are too many conditions, or they are nested too deeply."
        return "Say when to go on." if count[0] == 1 else many
    if node.get("type") == "JOIN":
        conditions = node.get("conditions")
        if not isinstance(conditions, list) or not conditions or node.get("join") not in ("AND", "OR"):
            return "A group needs conditions, joined by AND or OR."
        return next((words for child in conditions if (words := _problem(child, depth + 1, count))), "")
    return _leaf_problem(node.get("condition") or {})


def _leaf_problem(leaf: Mapping[str, Any]) -> str:
    if leaf.get("operator") not in OPERATORS:
        return "Choose how to compare."
    if leaf.get("variable") in (None, ""):
        return "Choose a value to look at."
    words, takes_argument, _ = OPERATORS[leaf["operator"]]
    if takes_argument and leaf.get("argument") in (None, ""):
        return f"“{words}” needs a value to compare with."
    return ""


def _rendered(node: Any, context: Context) -> Any:
    if node.get("type") == "JOIN":
        return node | {"conditions": [_rendered(child, context) for child in node["conditions"]]}
    leaf = node["condition"]
    try:
        value = context.render(leaf.get("variable"))
    except MissingError:
        if leaf["operator"] not in ASK_FOR_VALUE:
            raise
        return {"condition": {"operator": leaf["operator"], "is_missing": True}}
    condition = {"operator": leaf["operator"], "variable": value}
    if OPERATORS[leaf["operator"]][1]:
        condition["argument"] = context.render(leaf.get("argument"))
    return {"condition": condition}


def holds(node: Any) -> bool:
    """Does a rendered condition tree hold? Raises StepFailed for values that cannot be compared so."""
    if node.get("type") == "JOIN":
        results = (holds(child) for child in node["conditions"])
        return any(results) if node["join"] == "OR" else all(results)
    leaf = node["condition"]
    words, _, decide = OPERATORS[leaf["operator"]]
    value = MISSING if leaf.get("is_missing") else leaf.get("variable")
    try:
        return bool(decide(value, leaf.get("argument")))
    except (TypeError, ValueError, OverflowError):
        shown = f"{expressions.kind_of(value)} and {expressions.kind_of(leaf.get('argument'))}"
        raise StepFailed(
            f"“{words}” cannot compare {shown}.", fields={"if": f"“{words}” cannot compare {shown}."}
        ) from None
