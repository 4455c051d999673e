"""Where another application hooks in. `integrations` never imports it: it installs itself when it is loaded."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from integrations.models import ConnectedUser, Connection, Erasure, Event, Integration, Project
from integrations.providers.base import Wish

# Have a task called with each of these ids: by a worker, or here and now where no broker takes it.
Publish = Callable[[Any, list[str]], None]


@dataclass
class Copied:
    """What changes in a project that another is copied to, in words, and what has to be mended before it can.

    `left` is what stays behind although somebody may count on it, and what to do about it.
    """

    changes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Deed:
    """Something that was done in an end user's name, told to that user.

    `outcome` is done, refused, failed, running, waiting, uncertain or cancelled. `place` is where it stands in its own
    list, for who asks for those before it.
    """

    at: datetime
    title: str
    detail: str
    outcome: str
    place: str


@dataclass(frozen=True)
class Offer:
    """Something that an end user may switch on. `note` says why it is not offered although it is not hidden."""

    id: str
    name: str
    description: str = ""
    is_hidden: bool = False
    note: str = ""


class Extension(Protocol):
    def describe(self, integration: Integration) -> dict[str, Any]:
        """Return what the SDK may know of an integration beyond us: "workflows", "workflowMeta" and "sharedInputs"."""

    def offers(self, integration: Integration) -> list[Offer]:
        """Return what end users could be offered of an integration, in its order."""

    def arrange(self, integration: Integration, offers: list[Offer]) -> None:
        """Offer these in this order, and hide those that are hidden. What is not among them stays as it is."""

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

    def deeds(self, integration: Integration, sub: str, *, before: str, limit: int) -> list[Deed]:
        """Return what was done in a user's name beyond calls, newest first; "" for `before` begins with the newest."""

    def copy_project(self, source: Project, target: Project, actor: Any) -> Copied:
        """Copy a project's integrations and what goes with them. Called in a transaction that may be taken back."""

    def stop_user(self, user: ConnectedUser) -> None:
        """End what is under way in the name of a user who was disabled."""

    def export_user(self, user: ConnectedUser) -> dict[str, Iterable[dict[str, Any]]]:
        """Return what is kept about a user beyond us, by name: rows as JSON, newest first, none with a secret."""

    def forget_user(self, erasure: Erasure, deadline: float) -> bool:
        """Delete what is kept about a deleted user beyond us, until time.monotonic() is there. False where some is
        left.
        """

    def forget_integration(self, integration: Integration, deadline: float) -> bool:
        """Delete what hangs on an integration beyond us, until time.monotonic() is there. False where some is left."""

    def sweep(self, publish: Publish) -> None:
        """Have done what is due. Called every few seconds, by one process."""

    def audited_actions(self) -> tuple[str, ...]:
        """Return what the audit log may say was done, beyond what we do."""

    def housekeep(self) -> int:
        """Delete what was kept long enough; return how many rows."""


class NullExtension:
    """Nothing is installed: there are no workflows."""

    def describe(self, integration: Integration) -> dict[str, Any]:
        return {"workflows": [], "workflowMeta": {}, "sharedInputs": []}

    def offers(self, integration: Integration) -> list[Offer]:
        return []

    def arrange(self, integration: Integration, offers: list[Offer]) -> None:
        return

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

    def deeds(self, integration: Integration, sub: str, *, before: str, limit: int) -> list[Deed]:
        return []

    def copy_project(self, source: Project, target: Project, actor: Any) -> Copied:
        return Copied()

    def stop_user(self, user: ConnectedUser) -> None:
        return

    def export_user(self, user: ConnectedUser) -> dict[str, Iterable[dict[str, Any]]]:
        return {}

    def forget_user(self, erasure: Erasure, deadline: float) -> bool:
        return True

    def forget_integration(self, integration: Integration, deadline: float) -> bool:
        return True

    def sweep(self, publish: Publish) -> None:
        return

    def audited_actions(self) -> tuple[str, ...]:
        return ()

    def housekeep(self) -> int:
        return 0


_installed: Extension = NullExtension()


def install(extension: Extension) -> None:
    global _installed  # noqa: PLW0603 (one application, one extension, set while it loads)
    _installed = extension


def installed() -> Extension:
    return _installed
