"""Verify an end user's token: a JWT that the customer's back end signed with RS256. Rules after RFC 8725.

Whatever is wrong, the caller learns one text only; the log learns the reason.
"""

import logging
import time
import unicodedata
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings

from integrations.models import Project, SigningKey
from integrations.remember import Remembered

logger = logging.getLogger(__name__)

MAX_BYTES = 8192
MAX_SUB = 255
LEEWAY_SECONDS = 60
LATEST_TIME = 10**11
PARAGON_AUDIENCE = "useparagon.com/"
REFUSAL = "The user token is not valid. Sign a new one with an active signing key of this project."


class InvalidUserToken(Exception):
    """The one text for every reason."""

    def __init__(self) -> None:
        super().__init__(REFUSAL)


class _Refused(Exception):
    pass


@dataclass(frozen=True)
class EndUser:
    """Who a token speaks for. `sub` is compared byte for byte: no case folding, no normalisation."""

    project_id: uuid.UUID
    sub: str
    claims: dict[str, Any] = field(repr=False, default_factory=dict)


def verify(project: Project, token: str) -> EndUser:
    """Return whom the token speaks for in this project. Raises InvalidUserToken."""
    try:
        return _verify(project, token)
    except _Refused as refusal:
        digest = sha256(token[:MAX_BYTES].encode(errors="replace")).hexdigest()[:12]
        logger.info("user token %s refused for project %s: %s", digest, project.pk, refusal)
        raise InvalidUserToken from None


def _verify(project: Project, token: str) -> EndUser:
    # Size first: nothing below may cost anything for a five-megabyte token.
    if not token or len(token) > MAX_BYTES or not token.isascii():
        raise _Refused("empty, too long or not ASCII")
    claims = _claims(project, token)
    _check_times(claims)
    _check_audience(claims, project)
    return EndUser(project.pk, _sub(claims), claims)


def _claims(project: Project, token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _Refused("not a JWT") from None
    if header.get("alg") != "RS256" or "crit" in header:
        raise _Refused("algorithm or critical header")
    for pem in _candidate_keys(project, header.get("kid")):
        try:
            # Times and audience are checked by us below: the library accepts floats, lists and missing claims.
            claims = jwt.decode(token, _public_key(pem), algorithms=["RS256"], options=_SIGNATURE_ONLY)
        except (jwt.PyJWTError, ValueError, RecursionError):
            continue
        return dict(claims)
    raise _Refused("no active key of this project signed it")


_SIGNATURE_ONLY: Any = {
    "verify_signature": True,
    **dict.fromkeys(
        ["verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"], False
    ),
}


def _candidate_keys(project: Project, kid: object) -> list[str]:
    keys = SigningKey.objects.active().filter(project=project)
    # Paragon's own examples send no kid; a project has few keys, so each may be tried.
    if kid is not None:
        keys = keys.filter(kid=kid) if isinstance(kid, str) and len(kid) <= 40 and kid.isprintable() else keys.none()
    return list(keys.values_list("public_pem", flat=True)[:5])


@lru_cache(maxsize=256)
def _public_key(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _check_times(claims: dict[str, Any]) -> None:
    issued, expires = _time(claims, "iat"), _time(claims, "exp")
    starts = _time(claims, "nbf") if "nbf" in claims else issued
    now = time.time()
    if expires + LEEWAY_SECONDS <= now:
        raise _Refused("expired")
    if max(issued, starts) > now + LEEWAY_SECONDS:
        raise _Refused("issued in the future")
    if not 0 < expires - issued <= settings.USER_TOKEN_MAX_SECONDS:
        raise _Refused("valid for too long")


def _time(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LATEST_TIME:
        raise _Refused(f"{name} is missing or not a whole number")
    return value


def _check_audience(claims: dict[str, Any], project: Project) -> None:
    accepted = {str(project.pk), f"{PARAGON_AUDIENCE}{project.pk}"}
    if "aud" not in claims and project.accept_tokens_without_audience:
        return
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in accepted:
        raise _Refused("audience")


def _sub(claims: dict[str, Any]) -> str:
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 1 <= len(sub) <= MAX_SUB or not sub.strip():
        raise _Refused("sub is missing, empty or too long")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Cn") for character in sub):
        raise _Refused("sub holds control characters")
    return sub


# A token is sent with every call and stays the same for an hour; verifying it costs a signature check and a query.
_verified: Remembered[EndUser] = Remembered()


def verify_remembered(project: Project, token: str) -> EndUser:
    """Like `verify`, but a token found good counts as good for three more seconds in this process.

    So a revoked signing key is refused everywhere within three seconds.
    """
    if len(token) > MAX_BYTES or not token.isascii():
        return verify(project, token)
    mark = sha256(project.pk.bytes + bytes([project.accept_tokens_without_audience]) + token.encode()).digest()
    found = _verified.get(mark)
    if found and found.claims["exp"] + LEEWAY_SECONDS > time.time():
        return found
    return _verified.keep(mark, verify(project, token))
