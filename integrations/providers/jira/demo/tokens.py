"""The one thing that a customer's back end does for Patchbay: say who is signed in, in a token that it signs."""

import time

import jwt

from integrations.providers.jira.demo import settings


def user_token(user_id: str) -> str:
    now = int(time.time())
    claims = {"sub": user_id, "aud": settings.PATCHBAY_PROJECT_ID, "iat": now, "exp": now + 3600}
    # Read at each use: a key made anew in Patchbay takes effect at once.
    return jwt.encode(claims, settings.PATCHBAY_KEY_FILE.read_text(), algorithm="RS256")
