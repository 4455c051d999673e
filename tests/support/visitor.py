"""Somebody with a browser who opens every page: one tab for each person that they are, kept for the whole walk."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings as conf

from tests.browser.product import serving
from tests.support import csp
from tests.support.pages import Page, State
from tests.support.stories import FAILING_SUB, Street

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

BAD = ("error", "warning")
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 640}
# Sends a form as if it stood on the page that is open; its token against forgery comes from there.
SEND = """([address, values]) => {
    const form = document.createElement("form");
    const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
    Object.assign(form, { method: "post", action: address, hidden: true });
    for (const [name, value] of Object.entries({ csrfmiddlewaretoken: token, ...values })) {
        form.append(Object.assign(document.createElement("input"), { name, value: value ?? "" }));
    }
    document.body.append(form);
    form.submit();
}"""
# Where everybody finds a form, with its token against forgery; most on any page.
FORMS = {"nobody": "/accounts/login/", "nils": "/accounts/second-factor/authenticate/"}
# Whom the portal is opened for, and what it shows then.
PORTALS = {
    "connected": ("alice", "Ada Park"),
    "empty": ("somebody-new", "Connect Jira"),
    "failing": (FAILING_SUB, "Reconnect"),
}
ERRORS = {
    "not-found": State("full", status=404),
    "not-allowed": State("full", who="sam", status=403),
    "too-old": State("full", status=403, form={"csrfmiddlewaretoken": "stale"}),
    "not-understood": State("full", status=400, form={f"field-{number}": "" for number in range(1200)}),
    "broken": State("full", status=500),
}


@dataclass
class Visitor:
    """`said` is what the browser's console complained about on the page that is open."""

    browser: "Browser"
    server: str
    street: Street
    options: dict[str, Any] = field(default_factory=dict)
    clock: datetime | None = None  # the moment at which the browser's clock stands still
    tabs: "dict[str, Tab]" = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    status: int = 200

    def tab(self, who: str) -> "Tab":
        if who not in self.tabs:
            context = csp.watch(self.browser.new_context(reduced_motion="reduce", **self.options), self.reports)
            context.set_default_timeout(10_000)
            client = self.street.client(who)
            for name in (conf.SESSION_COOKIE_NAME, "patchbay-connect"):
                if name in client.cookies:
                    cookie = {"name": name, "value": client.cookies[name].value, "url": self.server}
                    context.add_cookies([cookie])  # type: ignore[list-item]
            if self.clock:
                context.clock.set_fixed_time(self.clock)
            tab = self.tabs[who] = context.new_page()
            tab.on("pageerror", lambda error: self.said.append(str(error)))
            tab.on("console", lambda message: self.said.append(message.text) if message.type in BAD else None)
        return self.tabs[who]

    def open(self, page: Page) -> "Tab":
        """Return the tab of whoever looks, with the page in its state."""
        return self.go(page.state, page.address(self.street))

    def open_error(self, name: str) -> "Tab":
        project = self.street.houses["full"].project.pk
        address = {"not-allowed": f"/p/{project}/settings/secrets", "broken": "/broken", "not-found": "/nothing"}
        return self.go(ERRORS[name], address.get(name, "/projects/new"))

    def open_portal(self, name: str) -> "Tab":
        """Return a tab with a product's page, and the portal open in it for the user that PORTALS names."""
        house = self.street.houses["full"]
        sub, shown = PORTALS[name]
        with serving() as site:
            script = f'<script src="{self.server}/static/sdk/patchbay.js"></script>'
            tab = self.go(State(who="nobody"), site.add("/", f"<!doctype html>{script}<h1>Acme Tasks</h1>"))
            tab.wait_for_function("() => globalThis.patchbay")
            now = int(time.time())
            token = house.token(sub, iat=now, exp=now + 3600)  # type: ignore[union-attr]
            tab.evaluate("(all) => patchbay.authenticate(...all)", [str(house.project.pk), token])
            tab.evaluate("() => { patchbay.connect('jira').catch(() => {}); }")
            tab.frame_locator("#patchbay-portal").get_by_text(shown).first.wait_for()
        return tab

    def go(self, state: State, address: str) -> "Tab":
        tab = self.tab(state.who)
        tab.set_viewport_size(self.options.get("viewport", WIDE))
        tab.emulate_media(color_scheme=self.options.get("color_scheme", "light"))
        self.said.clear()
        self.reports.clear()
        if state.form is None:
            answer = tab.goto(address if "://" in address else self.server + address)
        else:
            tab.goto(self.server + FORMS.get(state.who, "/projects"))
            with tab.expect_navigation() as navigation:
                tab.evaluate(SEND, [address, dict(state.form)])
            answer = navigation.value
        assert answer
        assert answer.status == state.status, f"{address} answers {answer.status}: {tab.title()}"
        assert urlsplit(tab.url).path == urlsplit(address).path, f"{address} leads to {tab.url}: {tab.title()}"
        self.status = state.status
        return tab

    def complaints(self) -> list[str]:
        """Return what the console said, without that the page's own status is one of a failure."""
        own = f"status of {self.status}"
        return [text for text in self.said if self.status == 200 or own not in text]

    def close(self) -> None:
        for tab in self.tabs.values():
            tab.context.close()
