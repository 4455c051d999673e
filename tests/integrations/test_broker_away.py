"""A request does not wait while a broker that is away is tried again: the sweeper gives the hint later."""

import subprocess
import sys
from os import environ

import pytest

from tests.support.processes import ROOT, free_port

CODE = (
    "import django; django.setup(); import config.celery; from kombu.utils import functional;"
    " naps = []; functional.sleep = naps.append; from integrations import tasks;"
    " print(tasks.hint(tasks.beat, 'x'), naps)"
)


@pytest.mark.parametrize("scheme", ["redis://localhost:{}/0", "amqp://localhost:{}//"])
def test_a_hint_is_given_up_at_the_first_refusal(scheme: str) -> None:
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "CELERY_BROKER_URL": scheme.format(free_port())}

    said = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, env=environ | own, capture_output=True, check=True)

    assert said.stdout.decode().strip() == "False []"
