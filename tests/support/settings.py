"""The settings of the tests: the same on every machine, whatever its environment says."""

import os
import tempfile
from pathlib import Path

KEPT = ("TEST_DATABASE_URL", "TEST_BROKER_URL")
UNSET = (
    *("DATABASE_URL", "CELERY_BROKER_URL", "SANDBOX_URL", "DEMO_URL", "OUTBOUND_LOCAL_HOSTS", "DEBUG", "BEHIND_PROXY"),
    *(
        "PORT",
        "SECRET_KEY_FILE",
        "VAULT_KEYS_FILE",
        "PUBLIC_URL_FILE",
        "DEPLOYMENT_ID",
        "EMAIL_URL",
        "FAILPOINT",
        "REQUIRE_SECOND_FACTOR",
    ),
    *(name for name in os.environ if name.startswith(("JIRA_", "OIDC_"))),
)
for name in UNSET:
    os.environ.pop(name, None)
# Each process of a parallel run has its own; tests/conftest.py removes it.
TEST_VAR_DIR = Path(tempfile.mkdtemp(prefix="patchbay-tests-"))
os.environ |= {
    "VAR_DIR": str(TEST_VAR_DIR),
    "PUBLIC_URL": "http://localhost:8000",
    "SECRET_KEY": "the tests' secret key: long enough, and known to everyone who can read this file",
    "VAULT_KEYS": "k1:" + "dGVzdHMgaGF2ZSBhIGZpeGVkIHZhdWx0IGtleSEhISE",
    # The browser tests hold an event loop in the thread that also makes the test's rows.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The broker that tests marked `services` may use; all others run without one.
TEST_BROKER_URL = os.environ.get("TEST_BROKER_URL", "")

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, so that threads and other processes see the same rows; nobody loses power in a test.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_VAR_DIR / "tests.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["TEST"] = {"NAME": "test_patchbay"}
