"""Where another application hooks in. `integrations` never imports it: it installs itself when it is loaded."""

import uuid
from collections.abc import Callable
from typing import Any, Protocol

from integrations.models import Connection, Event, Integration
from integrations.providers.base import Wish

# Have a task called with each of these ids: by a worker, or here and now where no broker takes it.
Publish = Callable[[Any, list[str]], None]


class Extension(Protocol):
    def describe(self, integration: Integration) -> dict[str, Any]:
        """Return what the SDK may know of an integration beyond us: "workflows", "workflowMeta" and "sharedInputs"."""

    def state(self, connection: Connection) -> dict[str, Any]:
        """Return a connection's own part: {"workflowSettings": {...}, "configuredWorkflows": {...}}."""

    def update(self, connection: Connection, patch: dict[str, Any]) -> list[dict[str, Any]]:
        """Take the settings that an end user changed; return what was wrong with some of them."""

    def checked_settings(
        self, connection: Connection, given: dict[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return a connection's shared settings as they may be stored, and what was wrong with some of them."""

    def connected(self, connection: Connection, *, is_new: bool) -> None:
        """Do what should happen when someone has connected, or reconnected."""

    def resume(self, grant_id: uuid.UUID) -> None:
        """Go on with what waited for this grant to be reconnected."""

    def wishes(self, connection: Connection) -> list[Wish]:
        """Return the triggers that somebody listens to for this connection."""

    def dispatch(self, events: list[Event]) -> None:
        """Have begun what these events, which were just stored, cause."""

    def warn(self, connection: Connection, words: str) -> None:
        """Tell a project's people that something about a connection needs their eyes."""

    def sweep(self, publish: Publish) -> None:
        """Have done what is due. Called every few seconds, by one process."""

    def housekeep(self) -> int:
        """Delete what was kept long enough; return how many rows."""


class NullExtension:
    """Nothing is installed: there are no workflows."""

    def describe(self, integration: Integration) -> dict[str, Any]:
        return {"workflows": [], "workflowMeta": {}, "sharedInputs": []}

    def state(self, connection: Connection) -> dict[str, Any]:
        return {"workflowSettings": {}, "configuredWorkflows": {}}

    def update(self, connection: Connection, patch: dict[str, Any]) -> list[dict[str, Any]]:
        return []

    def checked_settings(
        self, connection: Connection, given: dict[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        return given, []

    def connected(self, connection: Connection, *, is_new: bool) -> None:
        return

    def resume(self, grant_id: uuid.UUID) -> None:
        return

    def wishes(self, connection: Connection) -> list[Wish]:
        return []

    def dispatch(self, events: list[Event]) -> None:
        return

    def warn(self, connection: Connection, words: str) -> None:
        return

    def sweep(self, publish: Publish) -> None:
        return

    def housekeep(self) -> int:
        return 0


_installed: Extension = NullExtension()


def install(extension: Extension) -> None:
    global _installed  # noqa: PLW0603 (one application, one extension, set while it loads)
    _installed = extension


def installed() -> Extension:
    return _installed
