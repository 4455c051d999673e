"""The demo of a local deployment: made once, kept as its visitor leaves it, and never on a public host."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations import demo, user_tokens
from integrations.models import Integration, Project, SigningKey, User


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def prepared(db: None) -> Project:
    demo.prepare()
    return Project.objects.get(pk=demo.project_id())


def credentials(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("demo_credentials", "--json", *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_it_makes_someone_to_sign_in_as_and_a_project_without_integrations(prepared: Project) -> None:
    owner = User.objects.get(email=demo.EMAIL)

    assert owner.is_superuser
    assert owner.check_password(demo.password())
    assert prepared.members.get().user == owner
    assert prepared.allow_loopback_origins
    assert not prepared.is_production
    assert not Integration.objects.exists()


def test_a_second_start_changes_nothing(prepared: Project) -> None:
    before = demo.password()
    Project.objects.update(name="Renamed by its visitor")

    demo.prepare()

    assert demo.password() == before
    assert Project.objects.get().name == "Renamed by its visitor"
    assert SigningKey.objects.count() == 1


def test_a_revoked_signing_key_is_replaced_at_the_next_start(prepared: Project) -> None:
    SigningKey.objects.update(revoked_at="2026-01-01T00:00:00Z")

    demo.prepare()

    assert user_tokens.verify(prepared, demo.user_token("alice")).sub == "alice"


def test_its_secrets_are_readable_by_their_owner_only(prepared: Project, tmp_path: Path) -> None:
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()]

    assert modes == [0o600, 0o600]


def test_credentials_say_all_a_script_needs(prepared: Project, settings: Any) -> None:
    settings.SANDBOX_URL = "http://localhost:8001"

    found = credentials()

    assert found == {
        "base_url": settings.PUBLIC_URL,
        "project_id": str(prepared.pk),
        "user_token": found["user_token"],
        "user_id": demo.DEFAULT_USER,
        "dashboard": {"email": demo.EMAIL, "password": demo.password()},
        "sandbox_url": "http://localhost:8001",
    }


def test_another_demo_user_has_a_token_that_lasts_an_hour(prepared: Project) -> None:
    found = credentials("--user", "bob")

    user = user_tokens.verify(prepared, found["user_token"])
    assert user.sub == found["user_id"] == "bob"
    assert user.claims["exp"] - user.claims["iat"] == 3600
    assert user.claims["aud"] == str(prepared.pk)


def test_before_the_first_start_it_says_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match="Start Patchbay once with `make run`"):
        credentials()


def test_a_public_host_has_no_demo(prepared: Project, settings: Any) -> None:
    settings.IS_LOCAL = False

    with pytest.raises(CommandError, match="exists only on this machine"):
        credentials()
    with pytest.raises(demo.NotLocal):
        demo.prepare()
