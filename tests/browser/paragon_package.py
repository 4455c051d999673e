"""Paragon's own npm package, fetched for the test session and never kept."""

import subprocess
import tarfile
from pathlib import Path

PACKAGE = "@useparagon/connect@2.4.0"
SCRIPT = "package/dist/src/ConnectSDK.js"


class NotFetched(Exception):
    """There is no npm, or it found no network."""


def fetch(folder: Path) -> str:
    """Return the source of the SDK. npm checks the archive against the registry's own digest."""
    command = ["npm", "pack", PACKAGE, "--silent", "--prefer-offline", "--pack-destination", str(folder)]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotFetched(f"npm could not fetch {PACKAGE}, so Paragon's own SDK is not tested: {error}") from error
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        script = archive.extractfile(SCRIPT)
        if script is None:
            raise NotFetched(f"{PACKAGE} has no {SCRIPT}.")
        return script.read().decode()
