"""/healthz: is the process alive? /readyz: can it do its work, and if not, which part of it cannot?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from integrations import vault
from integrations.models import DataKey, Heartbeat

PARTS = ["database", "migrations", "vault", "sweeper", "worker"]
IMPOSTOR = "k1:YSBzZWNvbmQgdmF1bHQga2V5LCAzMiBieXRlcyBsb24"


@pytest.fixture
def healthy(db: None) -> None:
    vault.verify()
    Heartbeat.objects.beat("sweeper")
    Heartbeat.objects.beat("worker")


@pytest.fixture
def database_is_down() -> Iterator[None]:
    def refuse(*args: Any) -> None:
        raise OperationalError("connection to db.internal as patchbay refused")

    with connection.execute_wrapper(refuse):
        yield


def ready(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/readyz")
    assert answer["Content-Type"] == "application/json"
    return answer.status_code, answer.json()


def wrong_parts(client: Client) -> dict[str, str]:
    """Return what is said of the parts that do not work, after checking that the whole is called not ready."""
    status, said = ready(client)
    assert (status, said.pop("status")) == (503, "not ready")
    return {part: words for part, words in said.items() if words != "ok"}


def test_a_process_that_answers_is_alive_whatever_its_database_does(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"status": "ok"}


def test_it_is_ready_when_every_part_works(healthy: None, client: Client) -> None:
    assert ready(client) == (200, {"status": "ok", **dict.fromkeys(PARTS, "ok")})


def test_a_stranger_may_ask_from_a_page_of_no_project(healthy: None, client: Client) -> None:
    assert client.get("/readyz", headers={"Origin": "https://monitor.example"}).status_code == 200


def test_a_database_that_does_not_answer(healthy: None, database_is_down: None, client: Client) -> None:
    wrong = wrong_parts(client)

    assert wrong["database"] == "the database does not answer"
    assert "db.internal" not in str(wrong)


def test_migrations_that_wait(healthy: None, client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("workflows", "0008_enablement")

    assert wrong_parts(client) == {"migrations": "1 migrations wait; run manage.py migrate"}


@pytest.mark.parametrize("ring", [IMPOSTOR, "", "k2:" + IMPOSTOR[3:], "nonsense"])
def test_a_wrong_vault_key(healthy: None, client: Client, settings: Any, ring: str) -> None:
    settings.VAULT_KEYS = ring

    wrong = wrong_parts(client)

    assert list(wrong) == ["vault"]
    assert "VAULT_KEYS" in wrong["vault"]
    assert IMPOSTOR[3:] not in wrong["vault"]


def test_a_damaged_data_key_of_the_deployment(healthy: None, client: Client) -> None:
    DataKey.objects.update(wrapped="damaged")

    assert list(wrong_parts(client)) == ["vault"]


def test_a_sweeper_that_was_never_seen(healthy: None, client: Client) -> None:
    Heartbeat.objects.filter(name="sweeper").delete()

    assert wrong_parts(client) == {"sweeper": "no sweeper was seen for a minute; run manage.py sweeper"}


def test_a_sweeper_that_has_gone_silent(healthy: None, client: Client) -> None:
    Heartbeat.objects.filter(name="sweeper").update(at=datetime.now(UTC) - timedelta(seconds=61))

    assert list(wrong_parts(client)) == ["sweeper"]


def test_a_worker_that_takes_no_tasks(healthy: None, client: Client, settings: Any) -> None:
    settings.HAS_BROKER = True
    Heartbeat.objects.filter(name="worker").update(at=datetime.now(UTC) - timedelta(seconds=61))

    assert list(wrong_parts(client)) == ["worker"]


def test_without_a_broker_no_worker_is_needed(healthy: None, client: Client) -> None:
    Heartbeat.objects.filter(name="worker").delete()

    assert ready(client)[0] == 200


def test_all_that_is_wrong_is_said_at_once(healthy: None, client: Client, settings: Any) -> None:
    settings.HAS_BROKER, settings.VAULT_KEYS = True, IMPOSTOR
    Heartbeat.objects.all().delete()

    assert list(wrong_parts(client)) == ["vault", "sweeper", "worker"]
