"""Settings of the sandbox server. It has no database, no sessions and no apps."""

import os
import secrets
from pathlib import Path

HERE = Path(__file__).resolve().parent

SECRET_KEY = secrets.token_hex(32)
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "jira_sandbox.urls"
WSGI_APPLICATION = "jira_sandbox.wsgi.application"
INSTALLED_APPS: list[str] = []
MIDDLEWARE = ["jira_sandbox.middleware.guard"]
DATABASES: dict[str, dict[str, str]] = {}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [HERE / "templates"]}]
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
    },
}

SANDBOX_URL = os.environ.get("SANDBOX_URL", "http://localhost:8001")
SANDBOX_STATE = Path(os.environ.get("SANDBOX_STATE", "var/jira_sandbox.sqlite3"))
