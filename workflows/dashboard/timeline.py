"""One run, step by step, as people read it."""

import json
from dataclasses import dataclass
from typing import Any

from workflows import definition as definitions
from workflows.models import Run, StepRun

MOST_ROWS = 500
SHOWN = 20_000


@dataclass(frozen=True)
class Entry:
    """A line of the timeline. `step` is the checkpoint, None for a step that was not reached."""

    step_id: str
    title: str
    kind: str
    depth: int
    step: StepRun | None
    input: str = ""
    output: str = ""


def timeline(run: Run) -> list[Entry]:
    """Return every step of the version in order, each with what it did; once an item inside a fan out."""
    by_path: dict[str, list[StepRun]] = {}
    for row in run.steps.all()[:MOST_ROWS]:
        by_path.setdefault(row.path, []).append(row)
    entries: list[Entry] = []
    _add(run, definitions.steps_of(run.version.definition), by_path, entries, 0)
    return entries


def _add(run: Run, steps: list[Any], by_path: dict[str, list[StepRun]], entries: list[Entry], depth: int) -> None:
    for step in steps:
        name = str(step.get("id"))
        title = definitions.title_of(step, run.workflow.integration)
        found = by_path.get(name) or [None]  # type: ignore[list-item]
        entries += [_entry(name, title, str(step.get("type")), depth, row) for row in found]
        for _, nested in definitions.branches(step):
            _add(run, nested, by_path, entries, depth + 1)


def _entry(name: str, title: str, kind: str, depth: int, row: StepRun | None) -> Entry:
    if row is None:
        return Entry(name, title, kind, min(depth, 4), None)
    output = str(row.output) if row.output_cut_bytes else _json(row.output)
    return Entry(name, title, kind, min(depth, 4), row, _json(row.input), output)


def _json(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}\n… ({len(text):,} characters; cut for reading)"
