"""Take a picture of every page in every state it has, in light, in dark and on a phone: `make screenshots`.

A seeded product is served from this process, in which time stands still and chance always falls the same way, so that
a page that did not change gives the picture that is there. Pictures go to docs/screenshots/ with a list of them.
"""

import base64
import os
import random
import secrets
import shutil
import socketserver
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import time_machine

from tests.support import settings as test_settings  # first: it makes the environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

    from tests.support.sandbox import Sandbox

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ADDRESS = "http://localhost:8000"  # as the pages say it; the browser is told where that really is
SANDBOX_PORT = 8031  # is read on the pages, too
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
HIGHEST = 1000
SCALE = {"light": 0.75, "dark": 0.75, "phone": 1}  # a wide page is read well when it is smaller, too
QUALITY = 45
# Pictures of one page may differ by so many points, and by so much each: letters are not always drawn quite alike.
FEW_POINTS, LITTLE = 40, 24
HIDE = """() => {
    const key = document.querySelector("#private-key");
    const lines = ("•".repeat(64) + "\\n").repeat(6);
    if (key) key.value = `-----BEGIN PRIVATE KEY-----\\n${lines}-----END PRIVATE KEY-----`;
    // How long the sandbox took is never twice the same.
    const took = document.querySelector("#answer h3 .quiet");
    if (took) took.textContent = "20 ms";
    document.activeElement?.blur();
    scrollTo(0, 0);
}"""
DIFFERENCE = """async ([one, other, little]) => {
    const read = async (data) => {
        const image = await createImageBitmap(await (await fetch(`data:image/webp;base64,${data}`)).blob());
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
        canvas.drawImage(image, 0, 0);
        return canvas.getImageData(0, 0, image.width, image.height);
    };
    const [a, b] = [await read(one), await read(other)];
    if (a.width !== b.width || a.height !== b.height) return Infinity;
    let points = 0;
    for (let i = 0; i < a.data.length; i += 4) {
        if ([0, 1, 2].some((k) => Math.abs(a.data[i + k] - b.data[i + k]) > little)) points++;
    }
    return points;
}"""


# A product in which nothing is left to chance ----------------------------------------------------------------


def without_chance() -> None:
    chance = random.Random(20260302)
    os.urandom = chance.randbytes  # type: ignore[assignment]
    random._urandom = chance.randbytes  # type: ignore[attr-defined]
    assert secrets.token_hex(4) != secrets.token_hex(4)


def still(connection: Any, **kwargs: Any) -> None:
    """Let the database's clock stand still, too."""
    clock = sqlite3.connect(":memory:", check_same_thread=False)

    def strftime(form: str, moment: str, *more: str) -> Any:
        moment = MOMENT.strftime("%Y-%m-%d %H:%M:%S") if moment.lower() == "now" else moment
        return clock.execute(f"SELECT strftime(?, ?{', ?' * len(more)})", (form, moment, *more)).fetchone()[0]

    connection.connection.create_function("strftime", -1, strftime)


@contextmanager
def product(sandbox: "Sandbox") -> Iterator[tuple[int, Any]]:
    """Serve a seeded product; yield its port and its street."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.conf import settings
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application
    from django.db.backends.signals import connection_created

    from integrations import clock
    from tests.support import stories

    connection_created.connect(still)
    clock.now = lambda: MOMENT  # which goes on between two looks at the database's
    call_command("migrate", verbosity=0)
    sandbox.use_in(settings)
    street = stories.street(rsa.generate_private_key(public_exponent=65537, key_size=2048), sandbox)
    handler = type("Quiet", (WSGIRequestHandler,), {"log_message": lambda *args: None})
    server = ThreadedWSGIServer(("127.0.0.1", 0), handler)
    socketserver.ThreadingMixIn.daemon_threads = True
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, street
    server.shutdown()


# Pictures ----------------------------------------------------------------------------------------------


def picture(tab: "Tab", scale: float) -> bytes:
    """Return the page from its top, as WebP."""
    tab.evaluate(HIDE)
    tab.evaluate("() => document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => done())))")
    size: dict[str, int] = tab.evaluate(
        "() => ({ width: innerWidth, height: Math.max(innerHeight, document.documentElement.scrollHeight) })"
    )
    session = tab.context.new_cdp_session(tab)
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], HIGHEST), "scale": scale}
    shot = session.send(
        "Page.captureScreenshot",
        {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True, "optimizeForSpeed": False},
    )
    session.detach()
    return base64.b64decode(shot["data"])


class Album:
    """The pictures that there are; one that looks as before is left alone."""

    def __init__(self, browser: "Browser") -> None:
        self.eye = browser.new_page()
        self.taken: list[str] = []
        self.changed: list[str] = []

    def add(self, name: str, image: bytes) -> None:
        file = FOLDER / f"{name}.webp"
        self.taken.append(file.name)
        if not file.exists() or self._differs(file.read_bytes(), image):
            file.write_bytes(image)
            self.changed.append(file.name)

    def _differs(self, one: bytes, other: bytes) -> bool:
        if one == other:
            return False
        points = self.eye.evaluate(DIFFERENCE, [*(base64.b64encode(each).decode() for each in (one, other)), LITTLE])
        return points is None or points > FEW_POINTS

    def tidy(self) -> None:
        for file in FOLDER.glob("*.webp"):
            if file.name not in self.taken:
                file.unlink()


def take_all(only: str = "") -> None:
    from playwright.sync_api import sync_playwright

    from tests.support import browsers, gallery
    from tests.support.sandbox import started
    from tests.support.visitor import Visitor

    FOLDER.mkdir(exist_ok=True)
    path = browsers.find()
    if path is None:
        sys.exit(browsers.ADVICE)
    folder = Path(str(test_settings.TEST_VAR_DIR))
    with (
        started(folder, "jira", port=SANDBOX_PORT) as sandbox,
        product(sandbox) as (port, street),
        sync_playwright() as playwright,
    ):
        where = f"--host-resolver-rules=MAP localhost:8000 127.0.0.1:{port}"
        quiet = ["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--font-render-hinting=none"]
        browser = playwright.chromium.launch(executable_path=path, args=[where, *quiet])
        album = Album(browser)
        for look, options in LOOKS.items():
            visitor = Visitor(browser, ADDRESS, street, options, clock=MOMENT)
            for name in gallery.names():
                if only in name:
                    album.add(f"{name}-{look}", picture(gallery.open_one(visitor, name), SCALE[look]))
            visitor.close()
        if not only:
            album.tidy()
        browser.close()
    (FOLDER / "README.md").write_text(gallery.readme())
    size = sum(file.stat().st_size for file in FOLDER.glob("*.webp"))
    print(
        f"{len(album.taken)} pictures taken, {len(album.changed)} of them new or changed; {size / 1e6:.1f} MB together."
    )


if __name__ == "__main__":
    without_chance()
    try:
        with time_machine.travel(MOMENT, tick=False):
            django.setup()
            from django.conf import settings

            settings.ROOT_URLCONF = "tests.support.walked_urls"
            take_all(*sys.argv[1:])
    finally:
        shutil.rmtree(test_settings.TEST_VAR_DIR, ignore_errors=True)
