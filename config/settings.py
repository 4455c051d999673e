"""Every setting, read from the environment. With none set at all, Patchbay runs on this machine only.

A value can also come from a file: NAME_FILE=/run/secrets/name. A wrong value stops the start with a sentence; rules
between settings are system checks (integrations/checks.py).
"""

import os
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from integrations.providers import SLUGS

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()


def stop(sentence: str) -> NoReturn:
    raise SystemExit(f"Patchbay cannot start: {sentence}")


def read(name: str, *, default: Any, cast: Callable[[str], Any] = str, wanted: str = "") -> Any:
    """Return the environment's value, or stop the start with a sentence naming the setting and what it takes."""
    text = env.str(name, default=None)
    if text is None or text == "":
        return default
    try:
        return cast(text)
    except (ValueError, ImproperlyConfigured):
        stop(f"{name} must be {wanted}, not {text!r}.")


def boolean(text: str) -> bool:
    truth = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in truth:
        raise ValueError(text)
    return truth[text.lower()]


def positive(text: str) -> int:
    if int(text) <= 0:
        raise ValueError(text)
    return int(text)


def number(text: str) -> float:
    if not 0 < float(text) < 1e9:
        raise ValueError(text)
    return float(text)


def base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(text)
    if parts.path not in ("", "/"):
        raise ValueError(text)
    return f"{parts.scheme}://{parts.netloc}"


def flag(name: str, *, default: bool = False) -> bool:
    return bool(read(name, default=default, cast=boolean, wanted="true or false"))


def count(name: str, default: int) -> int:
    return int(read(name, default=default, cast=positive, wanted="a whole number above 0"))


def seconds(name: str, default: float) -> float:
    return float(read(name, default=default, cast=number, wanted="a number of seconds above 0"))


def words(name: str) -> list[str]:
    return [word for word in read(name, default="").replace(",", " ").split() if word]


# Where we are -------------------------------------------------------------------------------------------------------

VAR_DIR = Path(read("VAR_DIR", default=BASE_DIR / "var")).resolve()


def local_environment() -> dict[str, str]:
    """Adopt and return what `make run` wrote down, so that a command in another terminal sees the same deployment.

    An environment that says itself where it is (PUBLIC_URL or PORT) is taken as it is.
    """
    file = VAR_DIR / "local.env"
    if any(name in os.environ for name in ("PUBLIC_URL", "PUBLIC_URL_FILE", "PORT")) or not file.is_file():
        return {}
    lines = [line.partition("=") for line in file.read_text().splitlines()]
    adopted = {name: value for name, _, value in lines if name not in os.environ and f"{name}_FILE" not in os.environ}
    os.environ.update(adopted)
    return adopted


LOCAL_ENVIRONMENT = local_environment()
PORT = count("PORT", 8000)
# The one source of every address we hand out (redirect, webhook, portal); never the Host header.
PUBLIC_URL = read(
    "PUBLIC_URL",
    default=f"http://localhost:{PORT}",
    cast=base_url,
    wanted="an address such as https://patchbay.example.com, without a path",
)
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "::1"]
IS_LOCAL = PUBLIC_HOST in LOOPBACK_HOSTS
IS_SECURE = PUBLIC_URL.startswith("https://")
DEBUG = flag("DEBUG")
if DEBUG and not IS_LOCAL:
    stop("DEBUG is on at a public address, where its error pages would show settings and data to everyone. Unset it.")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"] if IS_LOCAL else [PUBLIC_HOST]
# Only behind a proxy that always sets X-Forwarded-Proto itself may that header be believed.
BEHIND_PROXY = flag("BEHIND_PROXY")
# A proxy may pass the name on without its port.
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None


# Secrets ------------------------------------------------------------------------------------------------------------


def local_secret(name: str, make: Callable[[], str]) -> str:
    """Return a secret kept in var/ for a local deployment, made on first use and readable by its owner only."""
    path = VAR_DIR / "keys" / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(make())
    return path.read_text().strip()


SECRET_KEY = read("SECRET_KEY", default="") or (
    local_secret("secret_key", lambda: secrets.token_urlsafe(50)) if IS_LOCAL else ""
)
if not SECRET_KEY:
    stop("SECRET_KEY is not set. Make one with `python -c 'import secrets; print(secrets.token_urlsafe(50))'`.")
if not IS_LOCAL and (len(SECRET_KEY) < 32 or SECRET_KEY.startswith("django-insecure-")):
    stop("SECRET_KEY is one that others know or can guess. Make one of your own, of 32 characters or more.")
# Former ones: sessions, links and the marks of the audit log that were made with them still hold.
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS")
# The vault's key ring, newest first: "k2:<32 bytes, base64url>,k1:...". See docs/security.md.
VAULT_KEYS = read("VAULT_KEYS", default="") or (
    local_secret("vault_keys", lambda: f"k1:{secrets.token_urlsafe(32)}") if IS_LOCAL else ""
)
# Sealed values are bound to this name, so that a copied database (staging) cannot spend production's tokens.
DEPLOYMENT_ID = read("DEPLOYMENT_ID", default="patchbay")


# Applications -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "workflows",
    "integrations",
    # A provider is an application of its own, so that its commands and templates live in its folder.
    *[f"integrations.providers.{slug}" for slug in SLUGS],
]
MIDDLEWARE = [
    "integrations.came_from.CameFromMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "integrations.sdk.middleware.ApiMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "integrations.dashboard.sessions.LastSeenMiddleware",
]
ROOT_URLCONF = "config.urls"
API_URLCONF = "config.api_urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "integrations.dashboard.context.navigation",
            ],
        },
    },
]
FORM_RENDERER = "integrations.dashboard.rendering.Renderer"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The portal and its windows speak these (integrations/language.py); the dashboard and the admin are in English.
LANGUAGE_CODE = "en"
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
# Named here, our words go before what other applications say for the same English ones.
LOCALE_PATHS = [BASE_DIR / "integrations" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True


# Database: SQLite on one machine, PostgreSQL for many ----------------------------------------------------------------


def sqlite_options() -> dict[str, Any]:
    # WAL with synchronous=FULL: a row we answered for survives a power loss. IMMEDIATE: a transaction that will write
    # waits for the writer's lock at its start, where waiting works, instead of failing half-way.
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
    }


def postgres_options() -> dict[str, Any]:
    limits = {"statement_timeout": 30_000, "lock_timeout": 5_000, "idle_in_transaction_session_timeout": 30_000}
    # A server that is switched off or cut off refuses nothing: it is silent. Who waits is told so within seconds.
    silence = {"connect_timeout": 2, "tcp_user_timeout": 5_000, "keepalives_idle": 5, "keepalives_interval": 2}
    return silence | {"options": " ".join(f"-c {name}={value}" for name, value in limits.items())}


VAR_DIR.mkdir(parents=True, exist_ok=True)
try:
    with warnings.catch_warnings(action="ignore"):  # What it does not know it warns of, and the sentence below tells.
        DATABASE = env.db_url_config(read("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}"))
    DATABASE["ENGINE"]
except (ValueError, KeyError, ImproperlyConfigured) as error:
    stop(f"DATABASE_URL must look like postgres://user:password@host:5432/name ({type(error).__name__}).")
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["OPTIONS"] = sqlite_options() | DATABASE.get("OPTIONS", {})
elif DATABASE["ENGINE"] == "django.db.backends.postgresql":
    DATABASE["OPTIONS"] = postgres_options() | DATABASE.get("OPTIONS", {})
else:
    stop("DATABASE_URL must name PostgreSQL (postgres://…) or SQLite (sqlite:///…); nothing else is tested.")
DATABASES = {"default": DATABASE | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
# Sign-in limits count in the database, because web processes do not share memory.
# Many entries: whoever tries one address after another must not push out what was counted for the first.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}


# Celery -------------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = read("CELERY_BROKER_URL", default="")
# Without a broker the sweeper calls the tasks itself, so nothing may try to reach one.
HAS_BROKER = bool(CELERY_BROKER_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
# A request must not wait while a broker that is away is tried again and again: the sweeper gives the hint later.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"max_retries": 0, "interval_start": 0, "interval_step": 0}
if not CELERY_BROKER_URL.startswith("amqp"):
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"visibility_timeout": 300, "socket_connect_timeout": 2}
CELERY_TIMEZONE = "UTC"
# Workers take from both in turn. In the second waits what one project sends in large numbers.
CELERY_TASK_DEFAULT_QUEUE = "celery"
BULK_QUEUE = "bulk"
CELERY_TASK_QUEUES = [Queue(CELERY_TASK_DEFAULT_QUEUE), Queue(BULK_QUEUE, routing_key=BULK_QUEUE)]


# Sign-in ------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "integrations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:home"
ACCOUNT_ADAPTER = "integrations.dashboard.accounts.AccountAdapter"
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
ACCOUNT_FORMS = {
    "login": "integrations.dashboard.account_forms.SignInForm",
    "reset_password": "integrations.dashboard.account_forms.ForgottenForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True  # However somebody signs in: for as long as SESSION_COOKIE_AGE.
SESSION_COOKIE_AGE = 14 * 86_400
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # Of what decides who can sign in: passwords, second factors.
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_SECURE else "http"
# How often, how long, and counted per address of the network, per e-mail address ("key") or per user. Codes of second
# factors count as sign-ins that failed, per user.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "reset_password": "20/m/ip,3/5m/key",
    "reset_password_from_key": "20/m/ip",
}
# Second factors. Codes of the half minute before and after are taken too; see second_factor.py for why once only.
REQUIRE_SECOND_FACTOR = flag("REQUIRE_SECOND_FACTOR")
MFA_ADAPTER = "integrations.dashboard.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "activate_totp": "integrations.dashboard.second_factor.ActivateForm",
    "authenticate": "integrations.dashboard.second_factor.CodeForm",
    "reauthenticate": "integrations.dashboard.second_factor.ConfirmByCodeForm",
    "add_webauthn": "integrations.dashboard.second_factor.PasskeyForm",
}
# Accounts are made by those who invite, so that nobody sets up a second factor for an address that is not theirs.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = f"Patchbay ({PUBLIC_HOST})"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Browsers let pages without https use passkeys on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_LOCAL and not IS_SECURE
# An identity provider of one's own (OpenID Connect); see oidc.py.
OIDC_SERVER_URL = read("OIDC_SERVER_URL", default="").rstrip("/")
OIDC_CLIENT_ID = read("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = read("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = read("OIDC_NAME", default="your company’s account")
OIDC_ALLOWED_DOMAINS = [domain.lower().lstrip("@") for domain in words("OIDC_ALLOWED_DOMAINS")]
OIDC_TRUST_EMAIL = flag("OIDC_TRUST_EMAIL")
OIDC_ONLY = flag("OIDC_ONLY")
MFA_PASSKEY_LOGIN_ENABLED = not OIDC_ONLY
SOCIALACCOUNT_ADAPTER = "integrations.dashboard.oidc.SocialAccountAdapter"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
# A link: a form that is sent on to another origin would need that origin in every page's policy.
SOCIALACCOUNT_LOGIN_ON_GET = True
try:
    EMAIL_CONFIG = env.email_url_config(
        read("EMAIL_URL", default="consolemail://" if IS_LOCAL else "smtp://localhost:25")
    )
except (ValueError, KeyError, ImproperlyConfigured) as error:
    stop(
        "EMAIL_URL must look like smtp+tls://user:password@host:587, with %23 for a # in the password and the like"
        f" ({type(error).__name__})."
    )
vars().update(EMAIL_CONFIG)
# Somebody waits at a page meanwhile, on one of few threads.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL", default=f"Patchbay <patchbay@{PUBLIC_HOST}>")


# Browser security ---------------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = "__Host-patchbay" if IS_SECURE else "patchbay"
CSRF_COOKIE_NAME = "__Host-patchbay-csrf" if IS_SECURE else "patchbay-csrf"
SECURE_HSTS_SECONDS = 31_536_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_SSL_REDIRECT = False  # An API that redirects http to https hides that a token was sent in clear.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # The redirect above, left to the proxy in front.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000


# Static files -------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = IS_LOCAL
# The SDK is loaded from customers' pages; its address must not change with its content. Static files are sent
# compressed, for they are the same to everyone. Pages are not: what somebody sends comes back in them beside what is
# secret, and the length of a compressed page tells whether the two are alike (BREACH).
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}


# Providers ----------------------------------------------------------------------------------------------------------


def provider_settings(slug: str) -> dict[str, str]:
    """Return what the environment says of one provider: ACME_DEV_CLIENT_ID becomes DEV_CLIENT_ID for “acme”."""
    prefix = f"{slug.upper()}_"
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
    return {name.removeprefix(prefix): env.str(name) for name in names}


PROVIDER_SETTINGS = {slug: provider_settings(slug) for slug in SLUGS}
# Exact host:port pairs that may be called without https although they are on this machine: the sandbox's.
OUTBOUND_LOCAL_HOSTS = words("OUTBOUND_LOCAL_HOSTS")
SANDBOX_URL = read("SANDBOX_URL", default="")
DEMO_URL = read("DEMO_URL", default="")
DEVELOPMENT_KEYS_USER_LIMIT = count("DEVELOPMENT_KEYS_USER_LIMIT", 10)


# Limits and times ---------------------------------------------------------------------------------------------------

HTTP_DEADLINE_SECONDS = seconds("HTTP_DEADLINE_SECONDS", 30)
# One refresh: deadline < lease, and lease + sweep + deadline well inside what providers allow for a second use.
TOKEN_DEADLINE_SECONDS = seconds("TOKEN_DEADLINE_SECONDS", 15)
TOKEN_LEASE_SECONDS = seconds("TOKEN_LEASE_SECONDS", 30)
TOKEN_MARGIN_SECONDS = seconds("TOKEN_MARGIN_SECONDS", 300)
TOKEN_WAIT_SECONDS = seconds("TOKEN_WAIT_SECONDS", 8)
TOKEN_SEND_BY_SECONDS = seconds("TOKEN_SEND_BY_SECONDS", 10)
TOKEN_KEEPALIVE_DAYS = count("TOKEN_KEEPALIVE_DAYS", 30)
SWEEP_SECONDS = seconds("SWEEP_SECONDS", 5)
CONNECT_SECONDS = seconds("CONNECT_SECONDS", 600)
PROXY_DEADLINE_SECONDS = seconds("PROXY_DEADLINE_SECONDS", 60)
PROXY_MAX_BYTES = count("PROXY_MAX_BYTES", 100_000_000)
PROXY_MAX_JSON_BYTES = count("PROXY_MAX_JSON_BYTES", 10_000_000)
PROXY_RESEND_BYTES = count("PROXY_RESEND_BYTES", 1_000_000)
# Longer deliveries are refused; what they would have told is read at the next look.
WEBHOOK_MAX_BYTES = count("WEBHOOK_MAX_BYTES", 5_000_000)
# How often registrations are verified, and whether anything was not told is looked at.
LISTEN_SECONDS = seconds("LISTEN_SECONDS", 900)
# Shortens the times between two looks; for tests.
LISTEN_SCALE = seconds("LISTEN_SCALE", 1)
CALL_LOG_DAYS = count("CALL_LOG_DAYS", 30)
# A run's lease is renewed while its worker lives; a worker that died is missed when it runs out.
RUN_LEASE_SECONDS = seconds("RUN_LEASE_SECONDS", 60)
STEP_LIMIT_SECONDS = seconds("STEP_LIMIT_SECONDS", 300)
# Shortens the waits before a retry and before an effect is looked for; for tests.
RUN_WAIT_SCALE = seconds("RUN_WAIT_SCALE", 1)
# How long a hint may take before the sweeper gives it again.
HINT_PATIENCE_SECONDS = seconds("HINT_PATIENCE_SECONDS", 10)
RUNS_PER_CONNECTION = count("RUNS_PER_CONNECTION", 8)
RUNS_PER_PROJECT = count("RUNS_PER_PROJECT", 64)
RUN_LOG_DAYS = count("RUN_LOG_DAYS", 30)
USER_TOKEN_MAX_SECONDS = count("USER_TOKEN_MAX_SECONDS", 86_400)


# Logs: to standard error, one line each. Query strings are never logged, because one protocol puts a token there. -----

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "integrations.redaction.RedactingFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": [], "propagate": False},
        # Not a line for each address that somebody tries: a flood of them must not fill the disk.
        "django.request": {"level": "ERROR"},
    },
}
