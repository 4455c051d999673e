"""npm packages, or a script out of one: fetched for the test session and never kept."""

import subprocess
import tarfile
from pathlib import Path


class NotFetched(Exception):
    """There is no npm, or it found no network."""


def fetch(package: str, script: str, folder: Path, *, otherwise: str) -> str:
    """Return the script's source. npm checks the archive against the registry's own digest.

    `otherwise` says what is not tested without it.
    """
    command = ["npm", "pack", package, "--silent", "--prefer-offline", "--pack-destination", str(folder)]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotFetched(f"npm could not fetch {package}, so {otherwise}: {error}") from error
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        found = archive.extractfile(script)
        if found is None:
            raise NotFetched(f"{package} has no {script}.")
        return found.read().decode()


def install(packages: list[str], folder: Path, *, otherwise: str) -> None:
    """Install packages with what they need, without running their scripts."""
    command = ["npm", "install", *packages, "--prefix", str(folder), "--silent", "--prefer-offline"]
    try:
        flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*command, *flags], cwd=folder, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotFetched(f"npm could not install {packages}, so {otherwise}: {error}") from error
