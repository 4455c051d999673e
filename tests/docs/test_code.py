"""What the manual gives to paste can be pasted."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import manual
from tests.support.processes import ROOT

FILES = [*(ROOT / "docs").glob("**/*.md"), ROOT / "CONTRIBUTING.md"]
EXAMPLES = [(file, file.read_text()) for file in (ROOT / "docs").glob("examples/*.json")]


def found(language: str) -> list[tuple[Path, str]]:
    return [(file, block.text) for file in FILES for block in manual.blocks(file, language)]


def name(value: object) -> str:
    return value.name if isinstance(value, Path) else ""


@pytest.mark.parametrize(("file", "code"), found("python"), ids=name)
def test_python_compiles(file: Path, code: str) -> None:
    compile(code, str(file), "exec")


@pytest.mark.parametrize(("file", "code"), [*found("json"), *EXAMPLES], ids=name)
def test_json_is_json(file: Path, code: str) -> None:
    json.loads(code)


@pytest.mark.skipif(shutil.which("bash") is None, reason="There is no bash here, so commands are not read.")
@pytest.mark.parametrize(("file", "code"), found("sh"), ids=name)
def test_commands_are_well_formed(file: Path, code: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("file", FILES, ids=name)
def test_every_block_says_what_it_is(file: Path) -> None:
    assert [block.text for block in manual.blocks(file) if not block.language] == []
