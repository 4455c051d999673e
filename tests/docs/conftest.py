"""Somebody who reads the manual, signed out unless a test says otherwise."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _no_static_files(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
