"""The `patchbay` script of docs/deployment.md hands on the settings that the units have, and runs nothing of them."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import manual

FORMER = "first-former-secret second-former-secret"


def run(folder: Path, settings: str | None) -> "subprocess.CompletedProcess[str]":
    """Run the script on these settings, with a runuser that prints what would be run and the environment it has."""
    if settings is not None:
        (folder / "patchbay.env").write_text(settings)
    runuser = folder / "runuser"
    runuser.write_text('#!/bin/sh\necho "$@"\nexec env\n')
    runuser.chmod(0o755)
    text = manual.block("deployment.md", "sh", "#!/bin/sh")
    text = text.replace("/etc/patchbay.env", f"{folder}/patchbay.env").replace("/opt/patchbay", str(folder))
    script = folder / "patchbay"
    script.write_text(text)
    script.chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run([script, "check", "two words"], env=env, capture_output=True, text=True, timeout=20)


def test_it_runs_the_command_as_the_service(tmp_path: Path) -> None:
    ran = run(tmp_path, "")

    assert ran.stdout.splitlines()[0] == "-u patchbay -- .venv/bin/python manage.py check two words"


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        (f"SECRET_KEY_FALLBACKS={FORMER}", f"SECRET_KEY_FALLBACKS={FORMER}"),
        ("DEFAULT_FROM_EMAIL=Patchbay <ops@example.com>", "DEFAULT_FROM_EMAIL=Patchbay <ops@example.com>"),
        ("OIDC_NAME=Acme SSO", "OIDC_NAME=Acme SSO"),
        ("OIDC_NAME='Acme SSO'", "OIDC_NAME=Acme SSO"),
        ('OIDC_NAME="Acme’s SSO"', "OIDC_NAME=Acme’s SSO"),
        ("DATABASE_URL=postgres://p:a$b&c#d;e@db/p?a=1&b=2", "DATABASE_URL=postgres://p:a$b&c#d;e@db/p?a=1&b=2"),
        ("SECRET_KEY=$(touch ran) `touch ran`; touch ran", "SECRET_KEY=$(touch ran) `touch ran`; touch ran"),
        ("SECRET_KEY=*", "SECRET_KEY=*"),
        ("SECRET_KEY=ends-with==", "SECRET_KEY=ends-with=="),
        ("  PORT = 8000  ", "PORT=8000"),
        ("CELERY_BROKER_URL=", "CELERY_BROKER_URL="),
    ],
)
def test_a_value_arrives_as_it_stands(line: str, setting: str, tmp_path: Path) -> None:
    ran = run(tmp_path, f"# A comment, with = in it\n; another=one\n\n{line}")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert setting in ran.stdout.splitlines()
    assert "another" not in ran.stdout
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", ["a\\b", '"a secret', '"a\\"secret"'])
def test_what_systemd_would_read_otherwise_is_refused(value: str, tmp_path: Path) -> None:
    ran = run(tmp_path, f"SECRET_KEY={value}\n")

    assert ran.returncode == 1
    assert "write SECRET_KEY without backslashes" in ran.stderr
    assert ran.stdout == ""


def test_without_the_settings_nothing_is_run(tmp_path: Path) -> None:
    ran = run(tmp_path, None)

    assert ran.returncode != 0
    assert ran.stdout == ""


@pytest.mark.parametrize(("ends_with", "mailed"), [(0, ""), (1, "Runs: 1 to look at\n")])
def test_cron_mails_what_the_doctor_finds_alone(ends_with: int, mailed: str, tmp_path: Path) -> None:
    script = tmp_path / "patchbay"
    script.write_text(f"#!/bin/sh\necho 'Runs: 1 to look at'; exit {ends_with}\n")
    script.chmod(0o755)
    line = manual.block("deployment.md", "text", "/etc/cron.d/patchbay").splitlines()[-1]
    command = line.split(" root ", 1)[1].replace("/usr/local/bin/patchbay", str(script))

    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=20)

    assert ran.stdout == mailed
