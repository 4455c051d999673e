"""Paragon's own npm package, fetched for the test session and never kept."""

from pathlib import Path

from tests.browser import npm_package

PACKAGE = "@useparagon/connect@2.4.0"
SCRIPT = "package/dist/src/ConnectSDK.js"


def fetch(folder: Path) -> str:
    """Return the source of the SDK."""
    return npm_package.fetch(PACKAGE, SCRIPT, folder, otherwise="Paragon's own SDK is not tested")
