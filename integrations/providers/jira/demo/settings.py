"""Settings of Acme Tasks. `manage.py jira_demo` fills in the environment."""

import os
import secrets
from pathlib import Path

HERE = Path(__file__).resolve().parent

# What a customer knows of their Patchbay: its address, their project's id, and the private key they downloaded.
PATCHBAY_URL = os.environ.get("ACME_PATCHBAY_URL", "http://localhost:8000")
PATCHBAY_PROJECT_ID = os.environ.get("ACME_PROJECT_ID", "")
PATCHBAY_KEY_FILE = Path(os.environ.get("ACME_KEY_FILE", "var/keys/demo_signing_key.pem"))
# Where Acme keeps its tasks, and what its workflows in Patchbay say to be let in.
TASKS_FILE = Path(os.environ.get("ACME_TASKS_FILE", "var/acme_tasks.json"))
HOOK_TOKEN = os.environ.get("ACME_HOOK_TOKEN", "")

SECRET_KEY = os.environ.get("ACME_SECRET_KEY") or secrets.token_urlsafe(50)
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "integrations.providers.jira.demo.urls"
WSGI_APPLICATION = "integrations.providers.jira.demo.wsgi.application"
INSTALLED_APPS = ["django.contrib.staticfiles"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [HERE / "static"]
WHITENOISE_USE_FINDERS = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CSRF_COOKIE_NAME = "acme-csrf"

# The consent window must be able to report back to the page that opened it.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", PATCHBAY_URL],
        "style-src": ["'self'"],
        "img-src": ["'self'", PATCHBAY_URL],
        "connect-src": ["'self'", PATCHBAY_URL],
        "frame-src": [PATCHBAY_URL],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
