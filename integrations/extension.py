"""Where another application hooks in. `integrations` never imports it: it installs itself when it is loaded."""

import uuid
from typing import Any, Protocol

from integrations.models import Connection, Integration


class Extension(Protocol):
    def describe(self, integration: Integration) -> dict[str, Any]:
        """Return what the SDK may know of an integration beyond us: {"workflows": [...], "workflowMeta": {...}}."""

    def state(self, connection: Connection) -> dict[str, Any]:
        """Return a connection's own part: {"workflowSettings": {...}, "configuredWorkflows": {...}}."""

    def update(self, connection: Connection, patch: dict[str, Any]) -> None:
        """Take the settings that an end user changed."""

    def dispatch(self, event_id: uuid.UUID) -> None:
        """Do what should happen when something happened."""

    def resume(self, grant_id: uuid.UUID) -> None:
        """Go on with what waited for this grant to be reconnected."""


class NullExtension:
    """Nothing is installed: there are no workflows."""

    def describe(self, integration: Integration) -> dict[str, Any]:
        return {"workflows": [], "workflowMeta": {}}

    def state(self, connection: Connection) -> dict[str, Any]:
        return {"workflowSettings": {}, "configuredWorkflows": {}}

    def update(self, connection: Connection, patch: dict[str, Any]) -> None:
        return

    def dispatch(self, event_id: uuid.UUID) -> None:
        return

    def resume(self, grant_id: uuid.UUID) -> None:
        return


_installed: Extension = NullExtension()


def install(extension: Extension) -> None:
    global _installed  # noqa: PLW0603 (one application, one extension, set while it loads)
    _installed = extension


def installed() -> Extension:
    return _installed
