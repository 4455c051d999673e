"""Find a Chromium for the browser tests; `python -m tests.support.browsers` also tries to get one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The same engine without windows comes first: it takes a third less time.
NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ADVICE = (
    "The browser tests need Chromium. Install it (Debian, as root: apt-get install chromium-headless-shell)"
    " or run: .venv/bin/playwright install --with-deps chromium"
)


def find() -> str | None:
    """Return the path of a browser that starts, preferring an installed one to Playwright's own."""
    installed = [found for name in NAMES if (found := shutil.which(name))]
    candidates = [os.environ.get("CHROMIUM", ""), *installed, str(MAC), _playwrights_own()]
    return next((path for path in candidates if path and _starts(path)), None)


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _starts(path: str) -> bool:
    if not Path(path).exists():
        return False
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def get() -> str | None:
    """Find a browser; where there is none, try Playwright's download, then Debian's package."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    has_apt = is_root and bool(shutil.which("apt-get"))
    commands = [[sys.executable, "-m", "playwright", "install", *(["--with-deps"] if has_apt else []), "chromium"]]
    if has_apt:
        commands += [["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "chromium-headless-shell"]]
    for command in commands:
        if found := find():
            return found
        print("No Chromium yet; trying:", " ".join(command[-4:]), flush=True)
        _try(command)
    return find()


def _try(command: list[str]) -> None:
    try:
        subprocess.run(
            command, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, timeout=600, stdout=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print("That did not work:", error)


if __name__ == "__main__":
    print(get() or ADVICE)
