"""What every suite shares. The environment of the tests is in tests/support/settings.py."""

import atexit
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations import calls, key_uses, remember, vault, webhooks
from integrations.models import Project, SigningKey
from tests.support import browsers, seen
from tests.support import sandbox as sandboxes
from tests.support import settings as test_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.sandbox import Sandbox


# For good, not for the length of a test: a server's thread may log a call a moment after its test has ended.
calls._start_writer = lambda: None
atexit.unregister(calls._flush_or_say)
# Likewise: that a key was used is written when a test says key_uses.flush().
key_uses._start = lambda: None
# And what was refused after the first is counted when a test says webhooks._refusals.flush().
webhooks._Refusals._later = lambda self: None


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(test_settings.TEST_VAR_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def _nothing_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process-wide memory outlive the rows of the last test. Calls are logged when a test says calls.flush()."""
    vault.forget_keys()
    remember.forget_everything()
    monkeypatch.setattr(calls, "_waiting", [])
    monkeypatch.setattr(key_uses, "_waiting", set())


# Projects and user tokens -------------------------------------------------------------------------------------------


@pytest.fixture
def project(db: None) -> Project:
    return Project.objects.create(name="Acme Tasks", allow_loopback_origins=True)


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def private_pem(private_key: rsa.RSAPrivateKey) -> str:
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return private_key.private_bytes(encoding, kind, serialization.NoEncryption()).decode()


@pytest.fixture
def signing_key(project: Project, private_key: rsa.RSAPrivateKey) -> SigningKey:
    """The project's signing key; `private_pem` is its private half."""
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return SigningKey.objects.create(
        project=project, public_pem=private_key.public_key().public_bytes(encoding, kind).decode()
    )


@pytest.fixture
def user_token(signing_key: SigningKey, private_key: rsa.RSAPrivateKey) -> Callable[..., str]:
    """user_token("alice", exp=...) signs a token as the customer's back end does; a claim of None is left out."""

    def sign(sub: str = "alice", **claims: Any) -> str:
        now = int(time.time())
        wanted = {"sub": sub, "iat": now, "exp": now + 3600, "aud": str(signing_key.project_id)} | claims
        payload = {name: value for name, value in wanted.items() if value is not None}
        return jwt.encode(payload, private_key, algorithm="RS256", headers={"kid": signing_key.kid})

    return sign


# Servers ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Sandbox]":
    with sandboxes.started(tmp_path_factory.mktemp("sandbox"), "jira") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox_process: "Sandbox", settings: Any) -> "Sandbox":
    """A fresh Jira sandbox, whose client is the development keys of this test."""
    _sandbox_process.reset()
    _sandbox_process.use_in(settings)
    return _sandbox_process


@pytest.fixture
def server(live_server: Any, settings: Any) -> str:
    """Serve Patchbay over a socket, on the test's own rows. Return its address."""
    settings.PUBLIC_URL = live_server.url
    return str(live_server.url)


# Browser ------------------------------------------------------------------------------------------------------------

PATIENCE_MS = 10_000  # for what is expected to be seen or done on a page


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    path = browsers.find()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(browsers.ADVICE)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # Containers give Chromium neither a sandbox of its own nor a large /dev/shm.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser", request: pytest.FixtureRequest) -> "Iterator[Page]":
    """A page of a fresh browser profile; an error in its scripts fails the test."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    said = request.node.stash[seen.CONSOLE] = []
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert errors == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a failure in a browser tell what was to be seen there."""
    report = yield
    if report.when == "call" and report.failed and seen.CONSOLE in item.stash:
        page = item.funcargs["page"]  # type: ignore[attr-defined]
        report.sections.append(("Browser", seen.describe(page.context, item.stash[seen.CONSOLE])))
    return report
