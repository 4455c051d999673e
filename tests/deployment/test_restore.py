"""A backup as docs/deployment.md makes it, restored beside the original: every secret opens, and all adds up."""

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from integrations import audit
from integrations.models import Integration, OAuthApp, Project
from tests.support import manual
from tests.support.processes import MANAGE

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="The test's own database is copied as SQLite's are."
)


def manage(database: Path, *command: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": f"sqlite:///{database}"}
    env = os.environ | own | changes
    return subprocess.run([*MANAGE, *command], env=env, capture_output=True, text=True, timeout=120)


def back_up(database: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the manual's commands, which leave backup.sqlite3 in the folder and print how many projects it has."""
    command = manual.block("deployment.md", "sh", "backup.sqlite3")
    command = command.replace("/var/lib/patchbay/db.sqlite3", str(database))
    return subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.fixture
def restored(transactional_db: None, project: Project, tmp_path: Path) -> Path:
    """A copy of the database while it is in use, with a sealed secret and an entry of the audit log in it."""
    app = OAuthApp.objects.create(project=project, provider="jira", client_id="client")
    app.seal("client_secret", "a secret to open again")
    app.save()
    Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    audit.record(project, "olivia@acme.test", "integration added", "Jira")
    assert back_up(Path(settings.DATABASES["default"]["NAME"]), tmp_path).stdout == "1\n"
    return tmp_path / "backup.sqlite3"


def test_it_is_in_order(restored: Path) -> None:
    opened = manage(restored, "rotate_vault_key", "--verify")
    swept = manage(restored, "sweeper", "--once")
    examined = manage(restored, "doctor")

    assert (opened.returncode, swept.returncode) == (0, 0), opened.stderr + swept.stderr
    assert examined.returncode == 0, examined.stdout
    assert "Audit log: in order" in examined.stdout


def test_nobody_else_reads_it(restored: Path) -> None:
    assert restored.stat().st_mode & 0o077 == 0


def test_a_backup_of_nothing_is_none(tmp_path: Path) -> None:
    made = back_up(tmp_path / "no-such.sqlite3", tmp_path)

    assert made.returncode != 0
    assert not (tmp_path / "no-such.sqlite3").exists()


def test_without_the_keys_nothing_opens(restored: Path) -> None:
    opened = manage(
        restored, "rotate_vault_key", "--verify", VAULT_KEYS="k1:" + "YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMhISEhISEhISE"
    )

    assert opened.returncode != 0
    assert "a secret to open again" not in opened.stdout + opened.stderr


def test_in_another_deployment_nothing_opens(restored: Path) -> None:
    opened = manage(restored, "rotate_vault_key", "--verify", DEPLOYMENT_ID="staging")

    assert opened.returncode != 0
