"""axe-core, which finds what keeps people from using a page; fetched for the test session and never kept."""

import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.paragon_package import NotFetched

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

PACKAGE = "axe-core@4.10.3"
SCRIPT = "package/axe.min.js"
BAD = ("serious", "critical")


def fetch(folder: Path) -> str:
    command = ["npm", "pack", PACKAGE, "--silent", "--prefer-offline", "--pack-destination", str(folder)]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotFetched(f"npm could not fetch {PACKAGE}, so the pages are not checked by it: {error}") from error
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        script = archive.extractfile(SCRIPT)
        if script is None:
            raise NotFetched(f"{PACKAGE} has no {SCRIPT}.")
        return script.read().decode()


def violations(page: "Page | Frame", axe: str) -> list[str]:
    """Return what is seriously wrong with the page, or the frame, as it is shown now: rule and elements."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for rule in found["violations"]
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]
