"""What is sealed opens where it was sealed, and nowhere else; a wrong key ring says so without telling a secret."""

import threading
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from django.db import connection, transaction
from hypothesis import strategies

from integrations import vault
from integrations.models import DataKey, OAuthApp, Project

SECRET = "the client secret of Acme"
FIRST = "k1:dGVzdHMgaGF2ZSBhIGZpeGVkIHZhdWx0IGtleSEhISE"
SECOND = "k2:YSBzZWNvbmQgdmF1bHQga2V5LCAzMiBieXRlcyBsb24"
IMPOSTOR = "k1:YSBzZWNvbmQgdmF1bHQga2V5LCAzMiBieXRlcyBsb24"

often = hypothesis.settings(
    max_examples=80,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def app(project: Project) -> OAuthApp:
    app = OAuthApp.objects.create(project=project, provider="jira")
    app.seal("client_secret", SECRET)
    return app


@pytest.fixture
def place(project: Project) -> vault.Context:
    return vault.Context("patchbay", "integrations_oauthapp", "row-1", "client_secret_sealed", project.pk)


def flip(text: str, bit: int) -> str:
    """Flip one bit of what a base64url text stands for."""
    value = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    value[bit // 8 % len(value)] ^= 1 << bit % 8
    return urlsafe_b64encode(value).rstrip(b"=").decode()


# Sealing and opening ------------------------------------------------------------------------------------------------


@often
@hypothesis.given(text=strategies.text())
def test_any_text_opens_as_it_was_sealed(place: vault.Context, text: str) -> None:
    assert vault.open_sealed(vault.seal(text, place), place) == text


def test_a_sealed_value_shows_nothing_of_the_secret(app: OAuthApp) -> None:
    assert SECRET not in app.client_secret_sealed
    assert urlsafe_b64encode(SECRET.encode()).decode().rstrip("=") not in app.client_secret_sealed


def test_the_same_text_is_sealed_differently_each_time(app: OAuthApp) -> None:
    before = app.client_secret_sealed

    assert app.seal("client_secret", SECRET) != before


def test_an_empty_secret_is_kept_as_nothing(app: OAuthApp) -> None:
    assert app.seal("client_secret", "") == ""
    assert app.open("client_secret") == ""


@pytest.mark.parametrize(
    "elsewhere", [{"row": "row-2"}, {"column": "previous_secret_sealed"}, {"table": "other"}, {"deployment": "staging"}]
)
def test_it_does_not_open_in_another_place(place: vault.Context, elsewhere: dict[str, Any]) -> None:
    sealed = vault.seal(SECRET, place)

    with pytest.raises(vault.VaultError, match="does not open here"):
        vault.open_sealed(sealed, replace(place, **elsewhere))


def test_it_does_not_open_in_another_project(app: OAuthApp) -> None:
    stranger = OAuthApp(pk=app.pk, project=Project.objects.create(name="Globex"), provider="jira")
    stranger.seal("previous_secret", "so that Globex has a data key of its own")

    stranger.client_secret_sealed = app.client_secret_sealed

    with pytest.raises(vault.VaultError, match="not in this project"):
        stranger.open("client_secret")


def test_a_data_key_handed_to_another_project_does_not_open_there(app: OAuthApp) -> None:
    globex = Project.objects.create(name="Globex")
    DataKey.objects.update(project=globex)
    vault.forget_keys()

    with pytest.raises(vault.VaultError, match="k1"):
        OAuthApp(pk=app.pk, project=globex, client_secret_sealed=app.client_secret_sealed).open("client_secret")


def test_a_copied_database_does_not_open_under_another_deployment(app: OAuthApp, settings: Any) -> None:
    settings.DEPLOYMENT_ID = "staging"
    vault.forget_keys()

    with pytest.raises(vault.VaultError, match="DEPLOYMENT_ID"):
        app.open("client_secret")


@pytest.mark.django_db(transaction=True)
def test_a_data_key_that_was_rolled_back_seals_nothing() -> None:
    project = Project.objects.create(name="Globex")
    app = OAuthApp(project=project, provider="jira")
    with suppress(RuntimeError), transaction.atomic():
        app.seal("client_secret", "never stored")
        raise RuntimeError

    app.seal("client_secret", SECRET)
    vault.forget_keys()  # as in any other process

    assert app.open("client_secret") == SECRET


@often
@hypothesis.given(part=strategies.sampled_from([2, 3]), bit=strategies.integers(0, 8 * 64))
def test_a_flipped_bit_does_not_open(place: vault.Context, part: int, bit: int) -> None:
    parts = vault.seal(SECRET, place).split(".")
    parts[part] = flip(parts[part], bit)

    with pytest.raises(vault.VaultError):
        vault.open_sealed(".".join(parts), place)


@pytest.mark.parametrize(
    "text", ["", SECRET, "v1", "v1.a.b", "v1.a.b.c", "v1.a.b.c.d", "v2.a.b.c", "v1.a.é.c", "v1...", "\x00"]
)
def test_what_was_never_sealed_is_not_passed_on_as_a_secret(place: vault.Context, text: str) -> None:
    with pytest.raises(vault.VaultError):
        vault.open_sealed(text, place)


@pytest.mark.parametrize("damaged", ["", "k1", "k1.AAAA.AAAA", "k1.AAAA.AAAA.AAAA", "k1.é.AAAA"])
def test_a_damaged_data_key_is_a_vault_error(app: OAuthApp, damaged: str) -> None:
    DataKey.objects.update(wrapped=damaged)
    vault.forget_keys()

    with pytest.raises(vault.VaultError):
        app.open("client_secret")


# The key ring -------------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_named(app: OAuthApp, settings: Any) -> None:
    settings.VAULT_KEYS = IMPOSTOR
    vault.forget_keys()

    with pytest.raises(vault.VaultError, match="“k1”"):
        app.open("client_secret")


def test_a_missing_key_is_named(app: OAuthApp, settings: Any) -> None:
    settings.VAULT_KEYS = SECOND
    vault.forget_keys()

    with pytest.raises(vault.VaultError, match="no key “k1”"):
        app.open("client_secret")


@pytest.mark.parametrize(
    "entry",
    [
        *("", "k1", "k1:", ":" + FIRST[3:], "k-1:" + FIRST[3:], "k1:c2hvcnQ", "k1:" + FIRST[3:] + "AAAA"),
        *("k1:" + "!" * 43, "k1:" + "é" * 43, FIRST[3:], "k1=" + FIRST[3:]),
    ],
)
def test_a_malformed_entry_is_counted_but_not_quoted(settings: Any, entry: str) -> None:
    settings.VAULT_KEYS = f"{SECOND},{entry}"

    with pytest.raises(vault.VaultError, match="Entry 2 of VAULT_KEYS") as caught:
        vault.key_ring()

    assert (entry.partition(":")[2] or entry or SECOND) not in str(caught.value)


@pytest.mark.parametrize("text", [f"{SECOND},{FIRST}", f" {SECOND}, {FIRST} ", f"{SECOND}=,{FIRST}="])
def test_the_first_key_of_the_ring_wraps(project: Project, settings: Any, text: str) -> None:
    settings.VAULT_KEYS = text

    assert vault.renew_data_key(project.pk).wrapped.startswith("k2.")


@pytest.mark.parametrize(("ring", "deployment"), [(IMPOSTOR, "patchbay"), (SECOND, "patchbay"), (FIRST, "staging")])
def test_no_message_holds_a_key_or_the_secret(app: OAuthApp, settings: Any, ring: str, deployment: str) -> None:
    settings.VAULT_KEYS, settings.DEPLOYMENT_ID = ring, deployment
    vault.forget_keys()

    with pytest.raises(vault.VaultError) as caught:
        app.open("client_secret")

    told = f"{caught.value!r} {caught.value.__cause__!r}"
    hidden = [SECRET, ring[3:], app.client_secret_sealed.split(".")[3], DataKey.objects.get().wrapped]
    assert [text for text in hidden if text in told] == []


# Rewrapping and data keys -------------------------------------------------------------------------------------------


def test_a_rewrapped_data_key_needs_the_new_key_only(app: OAuthApp, settings: Any) -> None:
    settings.VAULT_KEYS = f"{SECOND},{FIRST}"

    assert vault.rewrap(DataKey.objects.get()) is True

    settings.VAULT_KEYS = SECOND
    vault.forget_keys()
    assert app.open("client_secret") == SECRET


def test_what_is_wrapped_under_the_newest_key_is_left_alone(app: OAuthApp) -> None:
    before = DataKey.objects.get().wrapped

    assert vault.rewrap(DataKey.objects.get()) is False
    assert DataKey.objects.get().wrapped == before


def test_an_older_data_key_still_opens_what_it_sealed(app: OAuthApp) -> None:
    vault.renew_data_key(app.project_id)
    vault.forget_keys()

    app.seal("previous_secret", "newer")

    assert app.open("client_secret") == SECRET
    assert vault.data_key_of(app.previous_secret_sealed) != vault.data_key_of(app.client_secret_sealed)


def test_without_its_data_key_a_secret_is_shredded(app: OAuthApp) -> None:
    DataKey.objects.all().delete()
    vault.forget_keys()

    with pytest.raises(vault.VaultError, match="its key was deleted"):
        app.open("client_secret")


def test_a_data_key_stays_in_memory_for_ten_minutes(app: OAuthApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app.open("client_secret")
    DataKey.objects.all().delete()
    assert app.open("client_secret") == SECRET

    later = vault.time.monotonic() + 601
    monkeypatch.setattr("integrations.vault.time", SimpleNamespace(monotonic=lambda: later))

    with pytest.raises(vault.VaultError, match="its key was deleted"):
        app.open("client_secret")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_first_data_key(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    make, both_found_none = vault._first_data_key, threading.Barrier(2)

    def make_together(project_id: uuid.UUID | None) -> DataKey:
        both_found_none.wait(10)
        return make(project_id)

    def seal(app: OAuthApp) -> OAuthApp:
        app.seal("client_secret", SECRET)
        connection.close()
        return app

    monkeypatch.setattr(vault, "_first_data_key", make_together)
    with ThreadPoolExecutor(2) as hands:
        apps = list(hands.map(seal, [OAuthApp(project=project, provider="jira") for _ in range(2)]))

    vault.forget_keys()
    assert [app.open("client_secret") for app in apps] == [SECRET, SECRET]
    assert DataKey.objects.filter(project=project).count() == 1


# Before a process serves --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_first_start_makes_the_deployments_own_key() -> None:
    vault.verify()
    vault.verify()

    assert DataKey.objects.filter(project=None).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("ring", [IMPOSTOR, SECOND, "", "k1:nonsense"])
def test_a_start_with_a_wrong_ring_is_refused(settings: Any, ring: str) -> None:
    vault.verify()
    settings.VAULT_KEYS = ring

    with pytest.raises(vault.VaultError, match="VAULT_KEYS"):
        vault.verify()


def test_a_refused_start_writes_nothing(project: Project, settings: Any) -> None:
    settings.VAULT_KEYS = "k1:nonsense"

    with pytest.raises(vault.VaultError):
        vault.verify()

    assert not DataKey.objects.exists()
