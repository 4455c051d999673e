"""Keys are changed while everything runs: nothing becomes unreadable, and an interrupted change is simply run again."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import DEFAULT, Mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations import vault
from integrations.models import DataKey, OAuthApp, Project

OLD = "k1:dGVzdHMgaGF2ZSBhIGZpeGVkIHZhdWx0IGtleSEhISE"
NEW = "k2:YSBzZWNvbmQgdmF1bHQga2V5LCAzMiBieXRlcyBsb24"
ALL = ["Acme", "Globex", "Initech"]


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def apps(db: None) -> list[OAuthApp]:
    """Three projects, each with an app of its own whose secret is its project's name."""
    projects = [Project.objects.create(name=name) for name in ("Acme", "Globex", "Initech")]
    apps = [OAuthApp(project=project, provider="jira") for project in projects]
    [app.seal("client_secret", app.project.name) for app in apps]
    return OAuthApp.objects.bulk_create(apps)


@pytest.fixture
def new_key_first(apps: list[OAuthApp], settings: Any) -> None:
    settings.VAULT_KEYS = f"{NEW},{OLD}"
    vault.forget_keys()


def secrets() -> list[str]:
    """Open every secret as a process does that has just started."""
    vault.forget_keys()
    return sorted(app.open("client_secret") for app in OAuthApp.objects.all())


def wrapped_under() -> list[str]:
    return sorted(wrapped.split(".")[0] for wrapped in DataKey.objects.values_list("wrapped", flat=True))


def killed_at_its_second_call(function: Callable[..., Any]) -> Callable[..., Any]:
    return Mock(wraps=function, side_effect=[DEFAULT, Killed])


def test_afterwards_the_old_key_may_go(new_key_first: None, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rotate_vault_key")
    settings.VAULT_KEYS = NEW

    assert secrets() == ALL
    assert capsys.readouterr().out == "3 data keys wrapped anew; 3 secrets open.\n"


def test_a_second_time_there_is_nothing_to_do(new_key_first: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rotate_vault_key")
    call_command("rotate_vault_key")

    assert capsys.readouterr().out.splitlines()[1] == "0 data keys wrapped anew; 3 secrets open."


def test_every_secret_opens_at_every_moment_of_it(new_key_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrap, seen = vault.rewrap, []

    def rewrap_and_look(key: DataKey) -> bool:
        done = rewrap(key)
        seen.append((wrapped_under(), secrets()))
        return done

    monkeypatch.setattr(vault, "rewrap", rewrap_and_look)
    call_command("rotate_vault_key")

    assert seen == [(["k1", "k1", "k2"], ALL), (["k1", "k2", "k2"], ALL), (["k2", "k2", "k2"], ALL)]


def test_killed_half_way_it_is_finished_by_running_it_again(
    new_key_first: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(vault, "rewrap", killed_at_its_second_call(vault.rewrap))
        with pytest.raises(Killed):
            call_command("rotate_vault_key")
    assert (wrapped_under(), secrets()) == (["k1", "k1", "k2"], ALL)

    call_command("rotate_vault_key")

    settings.VAULT_KEYS = NEW
    assert secrets() == ALL


def test_a_key_that_is_gone_too_early_is_named_and_nothing_is_changed(apps: list[OAuthApp], settings: Any) -> None:
    settings.VAULT_KEYS = NEW
    vault.forget_keys()

    with pytest.raises(CommandError, match="no key “k1”"):
        call_command("rotate_vault_key")

    assert wrapped_under() == ["k1", "k1", "k1"]


# Sealing every secret anew --------------------------------------------------------------------------------------------


def an_hour_passes() -> None:
    DataKey.objects.exclude(retired_at=None).update(retired_at=timezone.now() - timedelta(hours=1))


def test_every_secret_is_sealed_anew_under_new_data_keys(
    apps: list[OAuthApp], capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(DataKey.objects.values_list("pk", flat=True))

    call_command("rotate_vault_key", data_keys=True)

    used = {uuid.UUID(vault.data_key_of(app.client_secret_sealed)) for app in OAuthApp.objects.all()}
    assert secrets() == ALL
    assert before.isdisjoint(used)
    assert "3 secrets sealed anew." in capsys.readouterr().out


def test_the_old_data_keys_go_when_nobody_can_remember_them_any_more(apps: list[OAuthApp]) -> None:
    before = set(DataKey.objects.values_list("pk", flat=True))
    call_command("rotate_vault_key", data_keys=True)
    assert before < set(DataKey.objects.values_list("pk", flat=True))

    an_hour_passes()
    call_command("rotate_vault_key")

    assert before.isdisjoint(DataKey.objects.values_list("pk", flat=True))
    assert secrets() == ALL


def test_sealing_anew_killed_half_way_loses_nothing(apps: list[OAuthApp], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(vault, "seal", killed_at_its_second_call(vault.seal))
        with pytest.raises(Killed):
            call_command("rotate_vault_key", data_keys=True)
    assert secrets() == ALL

    call_command("rotate_vault_key", data_keys=True)
    an_hour_passes()
    call_command("rotate_vault_key")

    assert secrets() == ALL
    assert DataKey.objects.count() == 3


def test_a_secret_set_while_it_is_sealed_anew_is_kept(apps: list[OAuthApp], monkeypatch: pytest.MonkeyPatch) -> None:
    acme, seal = apps[0], vault.seal

    def somebody_is_faster(text: str, context: vault.Context) -> str:
        newer = seal("newer", context)
        OAuthApp.objects.filter(pk=context.row, pk__in=[acme.pk]).update(client_secret_sealed=newer)
        return seal(text, context)

    monkeypatch.setattr(vault, "seal", somebody_is_faster)
    call_command("rotate_vault_key", data_keys=True)

    assert secrets() == ["Globex", "Initech", "newer"]


def test_a_web_process_that_remembers_the_old_data_key_seals_nothing_unreadable(apps: list[OAuthApp]) -> None:
    acme = apps[0]
    acme.open("client_secret")
    kept_by_the_web_process = dict(vault._cache)
    call_command("rotate_vault_key", data_keys=True)

    vault._cache.update(kept_by_the_web_process)
    acme.seal("client_secret", "set a minute later")
    acme.save()

    assert secrets() == ["Globex", "Initech", "set a minute later"]


# Only looking ---------------------------------------------------------------------------------------------------------


def test_verify_counts_what_opens_and_changes_nothing(new_key_first: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rotate_vault_key", verify=True)

    assert capsys.readouterr().out == "3 secrets open.\n"
    assert wrapped_under() == ["k1", "k1", "k1"]


def test_verify_fails_when_one_secret_does_not_open(apps: list[OAuthApp]) -> None:
    OAuthApp.objects.filter(pk=apps[0].pk).update(client_secret_sealed=apps[1].client_secret_sealed)

    with pytest.raises(CommandError, match="not in this project"):
        call_command("rotate_vault_key", verify=True)
