"""Secrets that sing: planted where real ones live, and looked for everywhere else."""

import binascii
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping

from django.contrib.sessions.models import Session
from django.db import connection

CLIENT_SECRET = "canary-client-secret-7Qx2"
FORMER_SECRET = "canary-former-secret-b9Tz"
DEVELOPMENT_SECRET = "canary-development-secret-Lm4w"
TYPED_SECRET = "canary-typed-secret-Rk8v"
ACCESS_TOKEN = "canary-access-token-Pd3s"
REFRESH_TOKEN = "canary-refresh-token-Yw6n"
SIBLING_TOKEN = "canary-sibling-token-Hc1f"
WAITING_TOKEN = "canary-waiting-token-Vg5j"
PROJECT_SECRET = "canary-project-secret-Zt9k"
SITE_SECRET = "canary-site-webhook-secret-Qe7m"
ALERT_SECRET = "whsec_Y2FuYXJ5LWFsZXJ0LXNlY3JldC1LcDRi"
FACTOR_SECRET = "canary-second-factor-Uw5r"
ALL = {
    "the client secret": CLIENT_SECRET,
    "the client secret before it": FORMER_SECRET,
    "the development keys' secret": DEVELOPMENT_SECRET,
    "a secret typed before a question": TYPED_SECRET,
    "the access token": ACCESS_TOKEN,
    "the refresh token": REFRESH_TOKEN,
    "the sibling token": SIBLING_TOKEN,
    "a token that waits to be claimed": WAITING_TOKEN,
    "a secret of the project": PROJECT_SECRET,
    "the alerts' signing secret": ALERT_SECRET,
    "the secret of a webhook made by hand": SITE_SECRET,
    "the secret of a second factor": FACTOR_SECRET,
}
BASE64 = re.compile(r"[\w+/=-]{24,}")


def found_in(text: str, secrets: Mapping[str, str] = ALL) -> list[str]:
    """Return the names of the secrets that a text holds: as they are, or in base64 or hexadecimal."""
    return [name for name, secret in secrets.items() if any(form in text for form in _forms(secret))]


def _forms(secret: str) -> list[str]:
    raw = secret.encode()
    encoded = [encode(raw).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode)]
    return [secret, *encoded, raw.hex()]


def database() -> str:
    """Return every value of every table as text, also as it reads once its base64 is decoded."""
    values = [str(session.get_decoded()) for session in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join([*values, *(_decoded(part) for value in values for part in BASE64.findall(value))])


def _decoded(part: str) -> str:
    try:
        return b64decode(part + "=" * (-len(part) % 4), altchars=b"-_").decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""
