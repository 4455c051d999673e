"""What an authenticator app shows."""

import time

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from integrations.models import User

PERIOD_SECONDS = 30


def code(secret: str, *, periods_ago: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_SECONDS - periods_ago))


def app_of(user: User, secret: str = "JBSWY3DPEHPK3PXP") -> str:
    """Set up an authenticator app for somebody, as its page does. Return the secret that the app knows."""
    TOTP.activate(user, secret)
    return secret
