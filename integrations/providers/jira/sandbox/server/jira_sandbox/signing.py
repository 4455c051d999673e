"""Signed tokens. They are long, as Atlassian's are, and carry what they mean, so nothing is stored for each one."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any


def sign(key: bytes, payload: dict[str, Any]) -> str:
    body = _encode(json.dumps({**payload, "jti": secrets.token_hex(16)}, separators=(",", ":")).encode())
    return f"{body}.{_signature(key, body)}"


def read(key: bytes, token: str) -> dict[str, Any] | None:
    """Return what a token says, or None when it was not signed here."""
    body, _, signature = token.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(key, body).encode()):
        return None
    payload: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return payload


def _signature(key: bytes, body: str) -> str:
    return _encode(hmac.digest(key, body.encode(), hashlib.sha256))


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
