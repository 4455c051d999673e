"""A process dies at the worst moments of a refresh and of a connection. Nothing is lost, and trying again works."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations import sweeper, tokens
from integrations.models import Connection, ConnectSession, Grant
from integrations.portal.popup import COOKIE
from tests.integrations.conftest import Window
from tests.support.processes import ROOT, database_url
from tests.support.sandbox import Sandbox

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

REFRESH = "from integrations import tokens; tokens.access_token(uuid.UUID(sys.argv[1]))"
COME_BACK = (
    "from django.test import Client; browser = Client(); browser.cookies[sys.argv[1]] = sys.argv[2];"
    " browser.get(sys.argv[3], headers={'host': 'localhost'})"
)


def die_at(failpoint: str, sandbox: Sandbox, code: str, *arguments: str) -> None:
    """Run code in a process of its own that ends there as `kill -9` would end it."""
    own = {"FAILPOINT": f"{failpoint}=kill", "DATABASE_URL": database_url(), "TOKEN_LEASE_SECONDS": "1"}
    scaled = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TOKEN_SEND_BY_SECONDS": "0.5",
        "TOKEN_DEADLINE_SECONDS": "0.4",
    }
    command = [sys.executable, "-c", f"import sys, uuid, django; django.setup(); {code}", *arguments]
    environment = os.environ | sandbox.environment | own | scaled
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]


@pytest.fixture
def expired(alice: Window, sandbox: Sandbox) -> Grant:
    grant = alice.connect().grant
    sandbox.operate("tokens/expire", {"all": True})
    Grant.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    return grant


@pytest.mark.parametrize("failpoint", ["refresh.claimed", "refresh.answered", "refresh.storing"])
def test_a_refresh_that_died_is_finished_by_the_sweeper(expired: Grant, sandbox: Sandbox, failpoint: str) -> None:
    die_at(failpoint, sandbox, REFRESH, str(expired.pk))
    expired.refresh_from_db()
    assert expired.refresh_started_at

    time.sleep(1.1)  # the dead process's lease
    sweeper.Sweeper().sweep()

    expired.refresh_from_db()
    assert (expired.status, expired.refresh_started_at) == (Grant.Status.ACTIVE, None)
    assert expired.is_fresh(3000)
    assert tokens.access_token(expired.pk).text


@pytest.mark.parametrize("failpoint", ["connect.before_exchange", "connect.exchanged"])
def test_a_connection_that_died_half_way_is_simply_tried_again(
    alice: Window,
    sandbox: Sandbox,
    failpoint: str,
) -> None:
    callback = alice.allow(alice.go_out(alice.begin()))
    die_at(failpoint, sandbox, COME_BACK, COOKIE, alice.client.cookies[COOKIE].value, callback)

    again: Any = alice.come_back(callback)

    assert "try again" in again.content.decode()
    assert not Connection.objects.exists()
    assert not ConnectSession.objects.exclude(tokens_sealed="").exists()
    assert alice.connect().is_healthy
