"""A provider's sandbox as tests see it: a process of its own, reset before each test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from tests.support.processes import MANAGE, free_port, running


@dataclass
class Sandbox:
    slug: str
    url: str
    environment: dict[str, str] = field(repr=False)

    @property
    def keys(self) -> dict[str, str]:
        """Return what PROVIDER_SETTINGS[slug] is for this sandbox."""
        prefix, ours = f"{self.slug.upper()}_", self.environment.items()
        return {name.removeprefix(prefix): value for name, value in ours if name.startswith(prefix)}

    def use_in(self, settings: Any) -> None:
        """Point this test's Patchbay at the sandbox, with its client as the development keys."""
        settings.PROVIDER_SETTINGS = settings.PROVIDER_SETTINGS | {self.slug: self.keys}
        settings.OUTBOUND_LOCAL_HOSTS = self.environment["OUTBOUND_LOCAL_HOSTS"].split()
        settings.SANDBOX_URL = self.url

    def reset(self) -> None:
        self.operate("reset")

    def allow(self, consent_url: str, account: str = "Ada Park", **consented: Any) -> str:
        """Consent where this address leads; return the callback's address, with its code and state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(consent_url).query).items()}
        body = {name: query[name] for name in ("client_id", "redirect_uri", "state")}
        body |= {"scopes": query["scope"].split(), "account": account} | consented
        return str(self.operate("consent", body)["redirect"])

    def operate(self, action: str, body: object = None, *, method: str = "POST") -> Any:
        """Call the operator's API, as its page does. `action` is the path below /operator/api/."""
        data = json.dumps({} if body is None else body).encode() if method != "GET" else None
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/operator/api/{action}", data=data, headers=headers, method=method)
        with urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def started(folder: Path, slug: str, port: int = 0) -> Iterator[Sandbox]:
    """Run a provider's sandbox with its state in `folder`, on any port or this one."""
    port, state = port or free_port(), folder / f"{slug}.sqlite3"
    values = import_module(f"integrations.providers.{slug}.sandbox").environment(port, state)
    sandbox = Sandbox(slug, values["SANDBOX_URL"], values)
    command = [*MANAGE, f"{slug}_sandbox", "--port", str(port), "--state", str(state)]
    with running(command, env={"DJANGO_SETTINGS_MODULE": "config.settings"}, answers=f"{sandbox.url}/"):
        yield sandbox
