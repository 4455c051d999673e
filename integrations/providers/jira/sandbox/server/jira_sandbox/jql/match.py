"""Run a parsed query over issues."""

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ..api import adf
from ..records import Issue, Project
from ..seed import ISSUE_TYPES, PRIORITIES, STATUSES
from ..state import state
from .parse import Branch, JqlError, Node, Query, Term

RELATIVE = re.compile(r"^([+-]?)(\d+)([mhdw])$")
UNIT_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
EMPTY = {"empty", "null"}
ALIASES = {"issuekey": "key", "issue": "key", "type": "issuetype", "createddate": "created", "updateddate": "updated"}
TEXT_FIELDS = {"summary", "description", "text", "comment"}
TIME_FIELDS = {"created", "updated", "duedate"}
ORDERED = {"<", "<=", ">", ">="}


def _project_names(issue: Issue) -> list[str]:
    home = next(p for p in state.projects.values() if (p.site, p.key) == (issue.site, issue.project))
    return [home.key, home.id, home.name]


def _person_names(account_id: str | None) -> list[str]:
    account = state.accounts.get(account_id or "")
    return [account.account_id, account.name, account.email] if account else []


def _category(issue: Issue) -> list[str]:
    category = STATUSES[issue.fields["status"]]["category"]
    return [str(category["id"]), category["key"], category["name"]]


# What each field holds: every name that a value may be compared with; an empty list is EMPTY.
FIELDS: dict[str, Callable[[Issue], list[str]]] = {
    "project": _project_names,
    "key": lambda issue: [issue.key, issue.id],
    "id": lambda issue: [issue.id, issue.key],
    "status": lambda issue: [issue.fields["status"], STATUSES[issue.fields["status"]]["name"]],
    "statuscategory": _category,
    "issuetype": lambda issue: [issue.fields["issuetype"], ISSUE_TYPES[issue.fields["issuetype"]]["name"]],
    "priority": lambda issue: [issue.fields["priority"], PRIORITIES[issue.fields["priority"]]],
    "assignee": lambda issue: _person_names(issue.fields.get("assignee")),
    "reporter": lambda issue: _person_names(issue.fields.get("reporter")),
    "creator": lambda issue: _person_names(issue.creator),
    "labels": lambda issue: list(issue.fields.get("labels") or []),
    "parent": lambda issue: [issue.fields["parent"]] if issue.fields.get("parent") else [],
    "summary": lambda issue: [issue.fields["summary"]],
    "description": lambda issue: [text] if (text := adf.text_of(issue.fields.get("description"))) else [],
    "comment": lambda issue: [adf.text_of(comment["body"]) for comment in issue.comments],
    "text": lambda issue: [
        issue.fields["summary"],
        adf.text_of(issue.fields.get("description")),
        *(adf.text_of(comment["body"]) for comment in issue.comments),
    ],
    "duedate": lambda issue: [issue.fields["duedate"]] if issue.fields.get("duedate") else [],
    "created": lambda issue: [str(issue.created)],
    "updated": lambda issue: [str(issue.updated)],
}


def run(query: Query, issues: Iterable[Issue], account_id: str) -> list[Issue]:
    """Return the matching issues in order; newest first where the query says nothing. Raises JqlError."""
    check(query)
    found = [issue for issue in issues if query.where is None or matches(query.where, issue, account_id)]
    for name, descending in reversed(query.order or [("created", True)]):
        found.sort(key=lambda issue: _sort_key(name, issue), reverse=descending)
    return found


def check(query: Query) -> None:
    """Raise JqlError for unknown fields, which must be an error even where no issue is looked at."""
    for term in _terms(query.where):
        _known(term.field)
        if term.operator in ("~", "!~") and _known(term.field) not in TEXT_FIELDS:
            raise JqlError(f"The operator '{term.operator}' is not supported by the '{term.field}' field.")
    for name, _ in query.order:
        _known(name)


def check_values(query: Query, projects: Iterable[Project]) -> None:
    """Raise JqlError for a value that does not exist. To the caller, a project they may not see does not exist."""
    known = {
        "project": {name.lower() for project in projects for name in (project.id, project.key, project.name)},
        "status": {name.lower() for key, status in STATUSES.items() for name in (key, status["name"])},
        "issuetype": {name.lower() for key, kind in ISSUE_TYPES.items() for name in (key, kind["name"])},
        "priority": {name.lower() for pair in PRIORITIES.items() for name in pair},
    }
    for term in _terms(query.where):
        allowed = known.get(_known(term.field))
        if allowed is None:
            continue
        for value in term.values:
            if value.lower() not in allowed | EMPTY:
                raise JqlError(f"The value '{value}' does not exist for the field '{term.field}'.")


def is_bounded(query: Query) -> bool:
    return query.where is not None


def _terms(node: Node | None) -> list[Term]:
    if node is None:
        return []
    return [node] if isinstance(node, Term) else [term for child in node.nodes for term in _terms(child)]


def _known(name: str) -> str:
    found = ALIASES.get(name, name)
    if found not in FIELDS:
        raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
    return found


def matches(node: Node, issue: Issue, account_id: str) -> bool:
    if isinstance(node, Branch):
        results = (matches(child, issue, account_id) for child in node.nodes)
        if node.kind == "and":
            return all(results)
        return any(results) if node.kind == "or" else not next(results)
    return _term_matches(node, issue, account_id)


def _term_matches(term: Term, issue: Issue, account_id: str) -> bool:
    name = _known(term.field)
    held = FIELDS[name](issue)
    values = [account_id if value.lower() == "currentuser()" else value for value in term.values]
    if term.operator in ("is", "is not") or (len(values) == 1 and values[0].lower() in EMPTY):
        return (not held) == (term.operator in ("is", "="))
    if term.operator in ORDERED or (name in TIME_FIELDS and term.operator in ("=", "!=")):
        return _in_order(term.operator, name, held, values[0])
    if term.operator in ("~", "!~"):
        return _contains(held, values[0]) == (term.operator == "~")
    found = any(value.lower() in {text.lower() for text in held} for value in values)
    # As in Jira, != and NOT IN leave out issues where the field is empty.
    return found if term.operator in ("=", "in") else bool(held) and not found


def _contains(held: list[str], value: str) -> bool:
    words = [word.rstrip("*").lower() for word in value.split()]
    text = " ".join(held).lower()
    return all(word in text for word in words)


def _in_order(operator: str, name: str, held: list[str], value: str) -> bool:
    if not held:
        return False
    left, right = _measures(name, held[0], value)
    if left is None or right is None:
        return False
    compare: dict[str, bool] = {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "=": left == right,
        "!=": left != right,
    }
    return compare[operator]


def _measures(name: str, held: str, value: str) -> tuple[float | None, float | None]:
    if name == "key":
        (left, _, left_number), (right, _, right_number) = held.rpartition("-"), value.upper().rpartition("-")
        if not right_number.isdigit():
            raise JqlError(f"The issue key '{value}' for field 'key' is invalid.")
        return (float(left_number), float(right_number)) if left == right else (None, None)
    if name == "duedate":
        return _moment(held), _moment(value)
    if name not in TIME_FIELDS:
        raise JqlError(f"The operator is not supported by the '{name}' field.")
    return float(held), _moment(value)


def _moment(value: str) -> float:
    """Return seconds since the epoch for -30d, now(), 2026-11-23 and "2026-11-23 14:30"."""
    relative = RELATIVE.match(value)
    if relative:
        sign, number, unit = relative.groups()
        return time.time() + (-1 if sign == "-" else 1) * int(number) * UNIT_SECONDS[unit]
    now = datetime.now(UTC)
    starts = {"now()": now, "startofday()": now.replace(hour=0, minute=0, second=0, microsecond=0)}
    if value.lower() in starts:
        return starts[value.lower()].timestamp()
    try:
        return datetime.fromisoformat(value.replace("/", "-")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise JqlError(f"Date value '{value}' is invalid. Valid formats include: 'yyyy-MM-dd' and '-5d'.") from None


def _sort_key(name: str, issue: Issue) -> Any:
    name = _known(name)
    if name == "key":
        return (issue.project, issue.number)
    if name in ("created", "updated"):
        return issue.created if name == "created" else issue.updated
    if name == "priority":
        return -int(issue.fields["priority"])
    held = FIELDS[name](issue)
    return held[-1].lower() if held else ""
