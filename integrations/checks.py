"""Rules between settings. `manage.py check --deploy` shows them all; each says what to do."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError
from django.db.models import Q

from integrations import vault

MIN_SECRET_KEY = 32
# How long a provider may still accept a refresh token that was already used: the least of those in the catalog.
REUSE_LEEWAY_SECONDS = 600


@register(Tags.security)
def check_vault_keys(**kwargs: Any) -> list[CheckMessage]:
    if not settings.VAULT_KEYS:
        make = "python -c 'import secrets; print(\"k1:\" + secrets.token_urlsafe(32))'"
        return [Error("VAULT_KEYS is not set.", hint=f"Make one with `{make}` and keep it safe.", id="patchbay.E001")]
    try:
        vault.key_ring()
    except vault.VaultError as error:
        return [Error(str(error), hint="Names are letters and digits; see docs/security.md.", id="patchbay.E001")]
    return []


@register(Tags.security)
def check_public_address(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.IS_LOCAL:
        return found
    if not settings.IS_SECURE:
        hint = "Serve it over https and set PUBLIC_URL to the https:// address; tokens would travel in clear."
        found.append(Error(f"PUBLIC_URL is {settings.PUBLIC_URL}, without https.", hint=hint, id="patchbay.E002"))
    if settings.DEBUG:
        hint = "Unset DEBUG: its error pages show settings and data to everyone."
        found.append(Error("DEBUG is on at a public address.", hint=hint, id="patchbay.E003"))
    return found


@register(Tags.security)
def check_nothing_local_in_production(**kwargs: Any) -> list[CheckMessage]:
    names = ("SANDBOX_URL", "DEMO_URL", "OUTBOUND_LOCAL_HOSTS")
    present = [] if settings.IS_LOCAL else [name for name in names if getattr(settings, name)]
    hint = "Unset it: the sandbox and the demo are for `make run` on one's own machine."
    return [Error(f"{name} is set at a public address.", hint=hint, id="patchbay.E005") for name in present]


@register(Tags.security)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= MIN_SECRET_KEY:
        return []
    hint = "Make one with `python -c 'import secrets; print(secrets.token_urlsafe(50))'`."
    return [Error(f"SECRET_KEY has less than {MIN_SECRET_KEY} characters.", hint=hint, id="patchbay.E006")]


@register(Tags.security)
def check_identity_provider(**kwargs: Any) -> list[CheckMessage]:
    """Signing in with an identity provider takes all its settings, and https."""
    names = ("OIDC_SERVER_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    missing = [name for name in names if not getattr(settings, name)]
    begun = len(missing) < len(names) or settings.OIDC_ONLY or settings.OIDC_ALLOWED_DOMAINS
    if begun and missing:
        hint = "Set them all, as the identity provider shows them, or none of OIDC_…. See docs/security.md."
        return [Error(f"{', '.join(missing)} not set.", hint=hint, id="patchbay.E008")]
    parts = urlsplit(settings.OIDC_SERVER_URL)
    is_here = settings.IS_LOCAL and parts.hostname in settings.LOOPBACK_HOSTS
    if begun and parts.scheme != "https" and not is_here:
        hint = "Write its https:// address, without /.well-known/openid-configuration."
        return [Error(f"OIDC_SERVER_URL is {settings.OIDC_SERVER_URL}.", hint=hint, id="patchbay.E008")]
    return []


@register
def check_times(**kwargs: Any) -> list[CheckMessage]:
    """A refresh must end before another process may take it over, and that one inside the provider's leeway."""
    deadline, lease = settings.TOKEN_DEADLINE_SECONDS, settings.TOKEN_LEASE_SECONDS
    rules = [
        (
            settings.TOKEN_SEND_BY_SECONDS + deadline < lease,
            "TOKEN_SEND_BY_SECONDS + TOKEN_DEADLINE_SECONDS must be less than TOKEN_LEASE_SECONDS",
        ),
        (
            lease + settings.SWEEP_SECONDS + deadline < REUSE_LEEWAY_SECONDS / 2,
            "TOKEN_LEASE_SECONDS + SWEEP_SECONDS + TOKEN_DEADLINE_SECONDS must be less than"
            f" {REUSE_LEEWAY_SECONDS // 2}, half of what providers allow for a second try",
        ),
        (
            settings.PROXY_RESEND_BYTES <= settings.PROXY_MAX_BYTES,
            "PROXY_RESEND_BYTES must not be more than PROXY_MAX_BYTES",
        ),
    ]
    hint = "Unset what you changed: the defaults fit together."
    return [Error(f"{rule}.", hint=hint, id="patchbay.E007") for holds, rule in rules if not holds]


@register(Tags.database)
def check_development_keys(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Development keys are shared by projects and limited to a few users: never for a production project."""
    if not databases:
        return []
    from integrations.models import Integration, Project

    blank = Q(oauth_app__client_id="", is_active=True)
    shared = Q(connections__grant__app__project=None, connections__isnull=False)
    found = Integration.objects.filter(blank | shared, project__kind=Project.Kind.PRODUCTION).select_related("project")
    try:
        names = sorted({str(integration) for integration in found})
    except DatabaseError:
        return []  # Not migrated yet.
    hint = "Set the project's own client ID and secret in the integration's settings, then have its users reconnect."
    return [Error(f"{name} uses development keys.", hint=hint, id="patchbay.E004") for name in names]


@register(deploy=True)
def check_services(**kwargs: Any) -> list[CheckMessage]:
    if settings.IS_LOCAL:
        return []
    found: list[CheckMessage] = []
    if not settings.HAS_BROKER:
        hint = "Set CELERY_BROKER_URL and run workers; until then the one leading sweeper does all background work."
        found.append(Warning("There is no broker.", hint=hint, id="patchbay.W001"))
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = "Fine for one machine with backups of its own; for more, set DATABASE_URL to a PostgreSQL database."
        found.append(Warning("The database is SQLite.", hint=hint, id="patchbay.W002"))
    return found
