"""Every page, walked through on one set of projects, which are made once: nothing here changes what others see."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as conf
from django.core.management import call_command
from django.test import override_settings

from integrations import remember, vault
from tests.browser.conftest import axe
from tests.support import sandbox as sandboxes
from tests.support import stories
from tests.support.processes import free_port, granian
from tests.support.sandbox import Sandbox
from tests.support.stories import Street

__all__ = ["axe"]


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with override_settings(), sandboxes.started(tmp_path_factory.mktemp("walk"), "jira") as sandbox:
        sandbox.use_in(conf)
        yield sandbox


@pytest.fixture(scope="package")
def street(
    django_db_setup: None, django_db_blocker: Any, private_key: rsa.RSAPrivateKey, sandbox: Sandbox
) -> Iterator[Street]:
    with django_db_blocker.unblock():
        vault.forget_keys()
        remember.forget_everything()
        yield stories.street(private_key, sandbox)
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


@pytest.fixture(scope="package", autouse=True)
def db(street: Street) -> None:
    """Instead of a database for each test."""


@pytest.fixture(scope="package")
def web(street: Street, sandbox: Sandbox) -> Iterator[str]:
    """Return the address of a real server on the same rows."""
    port = free_port()
    with granian(port, env=sandbox.environment | {"DJANGO_SETTINGS_MODULE": "tests.support.walked"}):
        yield f"http://localhost:{port}"
