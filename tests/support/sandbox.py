"""The Jira sandbox as tests see it: a process of its own, reset before each test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tests.support.processes import MANAGE, free_port, running

PREFIX = "JIRA_"


@dataclass
class Sandbox:
    url: str
    environment: dict[str, str] = field(repr=False)

    @property
    def keys(self) -> dict[str, str]:
        """Return what PROVIDER_SETTINGS["jira"] is for this sandbox."""
        ours = self.environment.items()
        return {name.removeprefix(PREFIX): value for name, value in ours if name.startswith(PREFIX)}

    def reset(self) -> None:
        self.operate("reset")

    def operate(self, action: str, body: object = None, *, method: str = "POST") -> Any:
        """Call the operator's API, as its page does. `action` is the path below /operator/api/."""
        data = json.dumps({} if body is None else body).encode() if method != "GET" else None
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/operator/api/{action}", data=data, headers=headers, method=method)
        with urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def started(folder: Path) -> Iterator[Sandbox]:
    """Run a sandbox of its own with its state in `folder`."""
    from integrations.providers.jira.sandbox import environment

    port, state = free_port(), folder / "sandbox.sqlite3"
    values = environment(port, state)
    sandbox = Sandbox(values["SANDBOX_URL"], values)
    command = [*MANAGE, "jira_sandbox", "--port", str(port), "--state", str(state)]
    with running(command, env={"DJANGO_SETTINGS_MODULE": "config.settings"}, answers=f"{sandbox.url}/"):
        assert urlsplit(sandbox.url).port == port
        yield sandbox
