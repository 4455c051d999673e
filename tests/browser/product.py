"""A customer's product as the browser tests see it: pages on an origin of their own, and what a person does there."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Frame, FrameLocator, Locator, Page

BUTTON = '<button data-patchbay-connect="jira">Connect Jira</button>'
CUT_OFF = {"Cross-Origin-Opener-Policy": "same-origin"}  # what takes a page's popups away from it


@dataclass
class Site:
    """A web server on 127.0.0.1: another origin than Patchbay's, which answers at localhost."""

    url: str = ""
    token: str = ""
    pages: dict[str, tuple[str, str, dict[str, str]]] = field(default_factory=dict)

    def add(self, path: str, body: str, *, kind: str = "text/html", headers: dict[str, str] | None = None) -> str:
        self.pages[path] = (kind, body, headers or {})
        return self.url + path


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, site: Site, *args: Any) -> None:
        self.site = site
        super().__init__(*args)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        found = ("application/json", json.dumps({"token": self.site.token}), {}) if path == "/token" else None
        kind, body, headers = found or self.site.pages.get(path) or ("text/html", "<!doctype html>", {})
        self.send_response(200)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, site))
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


# What a person does -------------------------------------------------------------------------------------------------


class Consent:
    """The popup: the provider's consent page, then Patchbay's choice of a site."""

    def __init__(self, popup: Page) -> None:
        self.popup = popup

    def allow(self, account: str = "Ada Park") -> None:
        self._be(account)
        self.popup.locator("[data-test=accept]").click()

    def deny(self) -> None:
        self.popup.locator("[data-test=deny]").click()

    def _be(self, account: str) -> None:
        self.popup.get_by_label("Signed in as").select_option(label=account)
        self.popup.get_by_role("button", name="Switch").click()

    def choose(self, site: str) -> None:
        self.popup.get_by_role("radio", name=site).check()
        self.popup.locator("[data-test=connect-site]").click()

    def close(self) -> None:
        self.popup.locator("[data-test=accept]").wait_for()
        self.popup.wait_for_timeout(400)  # as long as it takes a person to see what it is
        self.popup.close()

    def connect(self, account: str = "Ada Park", site: str = "Acme") -> None:
        """Go all the way."""
        self.allow(account)
        self.choose(site)


class Portal:
    """The Connect Portal in its frame."""

    def __init__(self, page: Page, frame: str) -> None:
        self.page = page
        self.frame: FrameLocator = page.frame_locator(frame)
        self.element = page.locator(frame)
        self.dialog: Locator = self.frame.get_by_role("dialog")

    def document(self) -> Frame:
        """Return the frame itself, to evaluate scripts in."""
        handle = self.element.element_handle()
        frame = handle.content_frame()
        assert frame
        return frame

    def press(self, name: str) -> None:
        self.frame.get_by_role("button", name=name, exact=True).click()

    def connect(self, name: str = "Connect Jira") -> Consent:
        with self.page.expect_popup() as opened:
            self.press(name)
        return Consent(opened.value)


class Product:
    """The customer's page with an SDK on it. `sdk` is the name of the SDK's global."""

    def __init__(self, page: Page, site: Site, server: str, project_id: str, sdk: str = "patchbay") -> None:
        self.page, self.site, self.server, self.project_id, self.sdk = page, site, server, project_id, sdk
        self.button = page.locator("[data-patchbay-connect]")
        self.status = page.locator("[data-patchbay-status]")
        self.portal = Portal(page, "#patchbay-portal" if sdk == "patchbay" else "#paragon-connect-frame")

    def open(self, head: str = "", *, headers: dict[str, str] | None = None) -> "Product":
        """Go to a page with this in its head; our SDK's script tag by default."""
        script = head or f'<script src="{self.server}/static/sdk/patchbay.js"></script>'
        self.page.goto(self.site.add("/", f"<!doctype html>{script}{BUTTON}", headers=headers))
        self.page.wait_for_function(f"() => globalThis.{self.sdk}")
        return self

    def sign_in(self, token: str, **options: Any) -> "Product":
        self.call("authenticate", self.project_id, token, *([options] if options else []))
        return self

    def call(self, method: str, *arguments: Any) -> Any:
        """Call the SDK and return what it resolves with. A rejection raises, with its words."""
        return self.page.evaluate(f"(all) => {self.sdk}.{method}(...all)", list(arguments))

    def failure(self, method: str, *arguments: Any) -> Any:
        """Call the SDK and return what it rejects with."""
        self.start(method, *arguments)
        return self.outcome()["error"]

    def start(self, method: str, *arguments: Any) -> None:
        """Call the SDK, and leave its answer to outcome()."""
        settle = """(all) => {
            const tell = ({ name, message, code, status, response }) => (
                { error: { name, message, code, status, response } });
            globalThis.outcome = undefined;
            Promise.resolve(SDK.METHOD(...all)).then(
                (value) => (globalThis.outcome = { value: value ?? null }),
                (error) => (globalThis.outcome = tell(error instanceof Error ? error : { message: String(error) })),
            );
        }"""
        self.page.evaluate(settle.replace("SDK.METHOD", f"{self.sdk}.{method}"), list(arguments))

    def outcome(self, seconds: float = 10) -> dict[str, Any]:
        found = self.page.wait_for_function("() => globalThis.outcome", timeout=seconds * 1000)
        return dict(found.json_value())

    def is_pending(self) -> bool:
        return bool(self.page.evaluate("() => globalThis.outcome === undefined"))

    def popup(self, act: Callable[[], Any]) -> Consent:
        with self.page.expect_popup() as opened:
            act()
        return Consent(opened.value)

    def install(self, options: dict[str, Any] | None = None) -> Consent:
        return self.popup(lambda: self.start("installIntegration", "jira", options or {}))

    def press(self) -> Consent:
        return self.popup(self.button.click)

    def connected(self, **consent: str) -> str:
        """Connect with everything allowed; return the credential's id."""
        self.install({"allowMultipleCredentials": True}).connect(**consent)
        return str(self.outcome()["value"]["credentialId"])

    def credentials(self) -> list[dict[str, Any]]:
        return list(self.call("getUser")["integrations"]["jira"]["allCredentials"])
