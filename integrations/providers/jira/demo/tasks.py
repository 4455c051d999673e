"""The tasks of Acme Tasks: what its people see, what Jira says of them, and waiting for either to change.

A real product has a database. This one has a file and a lock, and so one server process.
"""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SEED = [
    ("Checkout fails for saved cards", "Three customers since Monday; the card form shows a blank page.", "Urgent"),
    ("Export takes minutes for large teams", "Teams above 500 people wait more than two minutes.", "Soon"),
    ("Welcome e-mail names the wrong plan", "It says Starter for everyone.", "Soon"),
    ("Ask for dark mode, again", "Eleven requests this quarter.", "Someday"),
]
STATUSES = ("To Do", "In Progress", "Done")
MOST_ACTIVITY = 5
MOST_TEXT = 300


class Tasks:
    """Every user's list. `version` grows with every change of it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = threading.Condition()
        self._lists: dict[str, dict[str, Any]] = json.loads(file.read_text()) if file.exists() else {}

    def of(self, user: str) -> dict[str, Any]:
        with self._changed:
            return self._list(user)

    def wait(self, user: str, version: int, seconds: float) -> dict[str, Any]:
        """Return a user's list once it is another than this version, or as it is after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._list(user)["version"] != version, seconds)
            return self._list(user)

    def add(self, user: str, title: str, when: str) -> dict[str, Any]:
        with self._changed:
            made = self._new(user, title, when)
            self._store(user)
            return made

    def change(self, user: str, task_id: str, title: str, status: str) -> dict[str, Any] | None:
        """Return the task as it is now; None where there is no such task."""
        with self._changed:
            task = self._find(user, id=task_id)
            if task is not None:
                task["title"], task["status"] = title or task["title"], status or task["status"]
                self._store(user)
            return task

    def hear(self, user: str, told: Mapping[str, Any]) -> None:
        """Take what a workflow tells of Jira. Raises ValueError for what it does not understand."""
        kind = told.get("kind")
        with self._changed:
            if kind == "linked":
                self._link(user, told)
            elif kind == "issue":
                self._take_issue(user, told)
            elif kind == "comment":
                task = self._find(user, key=_text(told, "key")) or self._take_issue(user, told)
                task["comment"] = f"{_text(told, 'by')}: {_text(told, 'text')}"
            elif kind == "activity":
                activity = self._list(user)["activity"]
                activity.insert(0, _text(told, "text"))
                del activity[MOST_ACTIVITY:]
            else:
                raise ValueError("“kind” is linked, issue, comment or activity.")
            self._store(user)

    def _link(self, user: str, told: Mapping[str, Any]) -> None:
        task = self._find(user, id=_text(told, "task"))
        if task is None:
            raise ValueError("There is no such task.")
        key, url = _text(told, "key"), _text(told, "url")
        if not url.startswith(("https://", "http://")):
            raise ValueError("“url” must be the address of a page.")
        told_before = self._find(user, key=key)
        if told_before is not None and told_before is not task:
            # Jira told of the new issue before its maker came back with the key: both are this task.
            task |= {name: told_before[name] for name in ("title", "status", "comment")}
            self._list(user)["tasks"].remove(told_before)
        task |= {"key": key, "url": url}

    def _take_issue(self, user: str, told: Mapping[str, Any]) -> dict[str, Any]:
        task = self._find(user, key=_text(told, "key")) or self._new(user, _text(told, "title"), "Soon")
        task |= {name: _text(told, name) for name in ("key", "url", "title", "status")}
        return task

    def _new(self, user: str, title: str, when: str, detail: str = "") -> dict[str, Any]:
        found = self._list(user)
        number = max((int(task["id"]) for task in found["tasks"]), default=0) + 1
        made = {"id": str(number), "title": title[:MOST_TEXT], "detail": detail, "when": when, "status": "To Do"}
        made |= {"key": "", "url": "", "comment": ""}
        found["tasks"].insert(0, made)
        return made

    def _find(self, user: str, **wanted: str) -> dict[str, Any] | None:
        tasks = self._list(user)["tasks"]
        return next((task for task in tasks if all(task[name] == value for name, value in wanted.items())), None)

    def _list(self, user: str) -> dict[str, Any]:
        if user not in self._lists:
            self._lists[user] = {"version": 1, "tasks": [], "activity": []}
            for title, detail, when in SEED[::-1]:
                self._new(user, title, when, detail)
        return self._lists[user]

    def _store(self, user: str) -> None:
        self._list(user)["version"] += 1
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".fresh")
        fresh.write_text(json.dumps(self._lists))
        fresh.replace(self._file)
        self._changed.notify_all()


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"“{name}” must be a text.")
    return value[:MOST_TEXT]
