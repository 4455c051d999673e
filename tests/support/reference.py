"""Documents that answers and requests are checked against: Atlassian's OpenAPI description and its ADF schema.

They are too large to keep here. Name their folder with REFERENCE_DIR (default: ../shared beside this project).
"""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("REFERENCE_DIR", ROOT.parent / "shared"))


def load(name: str) -> Any:
    """Return a gzipped JSON document of the folder; the test is skipped, saying why, where it is not there."""
    path = FOLDER / f"{name}.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here. Put it there, or name its folder with REFERENCE_DIR.")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def captured(folder: str) -> dict[str, Any]:
    """Return the JSON bodies of a folder, by file name; nothing where the folder is not there."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / folder).glob("*.json"))}
