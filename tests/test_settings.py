"""A wrong setting stops the start with a sentence; a wrong combination is a system check that says what to do."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from integrations import checks
from integrations.models import Integration, OAuthApp, Project
from tests.support.processes import MANAGE
from tests.support.production import environment

SETTINGS = [sys.executable, "-c", "import config.settings as s; print(s.PUBLIC_URL, s.SANDBOX_URL)"]


def start(var_dir: Path, command: list[str] = SETTINGS, **changes: str) -> "subprocess.CompletedProcess[str]":
    env = environment(str(var_dir), **changes)
    return subprocess.run(command, env=env, cwd=Path(MANAGE[1]).parent, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT must be a whole number above 0, not 'eighty'."),
        ("PORT", "0", "PORT must be a whole number above 0, not '0'."),
        ("PUBLIC_URL", "patchbay.example.com", "PUBLIC_URL must be an address such as https://patchbay.example.com"),
        ("PUBLIC_URL", "https://example.com/patchbay", "without a path"),
        ("DEBUG", "maybe", "DEBUG must be true or false, not 'maybe'."),
        ("TOKEN_LEASE_SECONDS", "-1", "TOKEN_LEASE_SECONDS must be a number of seconds above 0, not '-1'."),
        ("DATABASE_URL", "mysql://root@localhost/patchbay", "DATABASE_URL must name PostgreSQL"),
        ("DATABASE_URL", "patchbay", "DATABASE_URL must look like postgres://user:password@host:5432/name"),
        ("EMAIL_URL", "mail.example.com:587", "EMAIL_URL must look like smtp+tls://user:password@host:587"),
        ("EMAIL_URL", "smtp+tls://user:p#ss@host:587", "with %23 for a # in the password"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    started = start(tmp_path, **{name: value})

    assert started.returncode == 1
    assert started.stderr.startswith("Patchbay cannot start: ")
    assert sentence in started.stderr
    assert "Traceback" not in started.stderr


def test_production_needs_a_secret_key(tmp_path: Path) -> None:
    started = start(tmp_path, SECRET_KEY="")

    assert started.returncode == 1
    assert started.stderr.startswith("Patchbay cannot start: SECRET_KEY is not set. Make one with")
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize("key", ["django-insecure-" + "x" * 50, "x" * 31])
def test_production_refuses_a_secret_key_that_others_know(tmp_path: Path, key: str) -> None:
    started = start(tmp_path, SECRET_KEY=key)

    assert started.returncode == 1
    assert started.stderr.startswith("Patchbay cannot start: SECRET_KEY is one that others know or can guess.")


def test_production_refuses_to_start_with_debug(tmp_path: Path) -> None:
    started = start(tmp_path, DEBUG="true")

    assert started.returncode == 1
    assert started.stderr.startswith("Patchbay cannot start: DEBUG is on at a public address")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 60)

    started = start(tmp_path, SECRET_KEY="", SECRET_KEY_FILE=str(secret))

    assert started.returncode == 0


def test_a_laptop_needs_no_setting_and_keeps_its_secrets_to_its_owner(tmp_path: Path) -> None:
    started = start(tmp_path, PUBLIC_URL="", SECRET_KEY="", VAULT_KEYS="", DATABASE_URL="", CELERY_BROKER_URL="")

    assert started.stdout.split() == ["http://localhost:8000"]
    assert (tmp_path / "keys" / "vault_keys").stat().st_mode & 0o777 == 0o600


def test_another_terminal_sees_what_make_run_wrote_down(tmp_path: Path) -> None:
    (tmp_path / "local.env").write_text("PUBLIC_URL=http://localhost:9000\nSANDBOX_URL=http://localhost:9001\n")

    started = start(tmp_path, PUBLIC_URL="")

    assert started.stdout.split() == ["http://localhost:9000", "http://localhost:9001"]


def test_a_deployment_that_says_where_it_is_does_not(tmp_path: Path) -> None:
    (tmp_path / "local.env").write_text("SANDBOX_URL=http://localhost:9001\n")

    started = start(tmp_path)

    assert started.stdout.split() == ["https://patchbay.example.com"]


# System checks ------------------------------------------------------------------------------------------------------


def ids(found: Any) -> list[str]:
    assert all(message.hint for message in found)
    return [message.id for message in found]


@pytest.fixture
def production(settings: Any) -> Any:
    settings.PUBLIC_URL, settings.IS_LOCAL, settings.IS_SECURE = "https://patchbay.example.com", False, True
    return settings


def test_a_well_set_up_production_passes_every_check(tmp_path: Path) -> None:
    started = start(tmp_path, [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"])

    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize("keys", ["", "k1", "k1:short", "k 1!:" + "A" * 43, "k1:" + "A" * 43 + ",k2:"])
def test_e001_vault_keys_are_missing_or_malformed(settings: Any, keys: str) -> None:
    settings.VAULT_KEYS = keys

    assert ids(checks.check_vault_keys()) == ["patchbay.E001"]


def test_e002_a_public_address_needs_https(production: Any) -> None:
    production.IS_SECURE = False

    assert ids(checks.check_public_address()) == ["patchbay.E002"]


def test_e003_debug_shows_too_much_in_public(production: Any) -> None:
    production.DEBUG = True

    assert ids(checks.check_public_address()) == ["patchbay.E003"]


def test_e003_debug_is_fine_on_ones_own_machine(settings: Any) -> None:
    settings.DEBUG = True

    assert checks.check_public_address() == []


def test_e004_a_production_project_with_development_keys(project: Project) -> None:
    project.kind = Project.Kind.PRODUCTION
    project.save()
    app = OAuthApp.objects.create(project=project, provider="jira")
    Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)

    assert ids(run_checks(tags=["database"], databases=["default"])) == ["patchbay.E004"]


def test_e004_a_production_project_with_keys_of_its_own(project: Project) -> None:
    project.kind = Project.Kind.PRODUCTION
    project.save()
    app = OAuthApp.objects.create(project=project, provider="jira", client_id="own")
    Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)

    assert checks.check_development_keys(databases=["default"]) == []


@pytest.mark.parametrize("name", ["SANDBOX_URL", "DEMO_URL", "OUTBOUND_LOCAL_HOSTS"])
def test_e005_what_is_for_one_machine_is_refused_in_public(production: Any, name: str) -> None:
    setattr(production, name, "http://localhost:8001")

    assert ids(checks.check_nothing_local_in_production()) == ["patchbay.E005"]


def test_e006_a_short_secret_key(settings: Any) -> None:
    settings.SECRET_KEY = "x" * 31

    assert ids(checks.check_secret_key()) == ["patchbay.E006"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN_DEADLINE_SECONDS", 30),
        ("TOKEN_SEND_BY_SECONDS", 15),
        ("SWEEP_SECONDS", 260),
        ("PROXY_RESEND_BYTES", 10**9),
    ],
)
def test_e007_times_that_do_not_fit_together(settings: Any, name: str, value: int) -> None:
    setattr(settings, name, value)

    assert ids(checks.check_times()) == ["patchbay.E007"]


def test_w001_and_w002_a_production_on_one_machine_is_told_its_limits(
    production: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    production.HAS_BROKER = False
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")

    assert ids(checks.check_services()) == ["patchbay.W001", "patchbay.W002"]
