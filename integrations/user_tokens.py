"""Verify an end user's token: a JWT that the customer's back end signed with RS256. Rules after RFC 8725.

The rules are a list of checks, in order. `verify` stops at the first that fails and tells the caller one text only,
whatever is wrong; the log learns the reason. The token playground goes through the same list and reports each.
"""

import json
import logging
import time
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.utils.timesince import timesince

from integrations import key_uses, test_tokens
from integrations.models import Project, SigningKey
from integrations.remember import Remembered

logger = logging.getLogger(__name__)

MAX_BYTES = 8192
MAX_SUB = 255
LEEWAY_SECONDS = 60
LATEST_TIME = 10**11
MOST_KEYS = 5
PARAGON_AUDIENCE = "useparagon.com/"
REFUSAL = "The user token is not valid. Sign a new one with an active signing key of this project."


class InvalidUserToken(Exception):
    """The one text for every reason."""

    def __init__(self) -> None:
        super().__init__(REFUSAL)


@dataclass(frozen=True)
class EndUser:
    """Who a token speaks for. `sub` is compared byte for byte: no case folding, no normalisation."""

    project_id: uuid.UUID
    sub: str
    claims: dict[str, Any] = field(repr=False, default_factory=dict)


def verify(project: Project, token: str) -> EndUser:
    """Return whom the token speaks for in this project. Raises InvalidUserToken."""
    if test_tokens.is_one(token):
        return _tester(project, token)
    trial = Trial(project, token, time.time())
    failed = first_failure(trial)
    if failed:
        digest = sha256(token[:MAX_BYTES].encode(errors="replace")).hexdigest()[:12]
        logger.info("user token %s refused for project %s: %s", digest, project.pk, failed[1])
        raise InvalidUserToken
    key_uses.note(trial.keys[0].pk)
    return EndUser(project.pk, trial.claims["sub"], trial.claims)


def _tester(project: Project, token: str) -> EndUser:
    claims = test_tokens.read(project, token) if len(token) <= MAX_BYTES else None
    if claims is None:
        logger.info("a test token for project %s is over, or of somebody who may not use it here", project.pk)
        raise InvalidUserToken
    return EndUser(project.pk, str(claims["sub"]), claims)


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


# The checks -----------------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """A token under test, and what the checks have found in it so far.

    `keys` are those that may have signed it, and then the one that did; `claims` are empty until its signature holds.
    """

    project: Project
    token: str = field(repr=False)
    now: float
    header: dict[str, Any] = field(default_factory=dict, repr=False)
    keys: list[SigningKey] = field(default_factory=list)
    payload: bytes = field(default=b"", repr=False)
    claims: dict[str, Any] = field(default_factory=dict, repr=False)


class Refused(Exception):
    """A check failed. Its text is for the log and holds nothing of the token; `advice` says what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.advice = advice


@dataclass(frozen=True)
class Check:
    """One rule. `run` raises Refused; it may rely on all the checks before it."""

    name: str
    title: str
    run: Callable[[Trial], None]


def first_failure(trial: Trial) -> tuple[int, Refused] | None:
    """Return which of CHECKS the token fails first and why; None where it passes them all."""
    for number, check in enumerate(CHECKS):
        try:
            check.run(trial)
        except Refused as refusal:
            return number, refusal
    return None


def _check_size(trial: Trial) -> None:
    # Size first: nothing below may cost anything for a five-megabyte token.
    length = len(trial.token)
    if not 0 < length <= MAX_BYTES or not trial.token.isascii():
        raise Refused(
            "empty, too long or not ASCII",
            f"It has {length:,} characters, and a token has 1 to {MAX_BYTES:,}. Keep claims that only your own code"
            " needs out of it."
            if length > MAX_BYTES
            else "A token is ASCII text: three parts of letters, digits, - and _, with dots between. Copy it again.",
        )


def _check_form(trial: Trial) -> None:
    if test_tokens.is_one(trial.token):
        raise Refused("a test token", "This server made it to try the API with, so none of these rules is about it.")
    try:
        trial.header = jwt.get_unverified_header(trial.token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Refused(
            "not a JWT",
            "A JWT is three parts of letters, digits, - and _, with a dot between each, and its header is JSON. Copy"
            f" all of it, without quotes or line breaks. ({error})",
        ) from None


def _check_algorithm(trial: Trial) -> None:
    algorithm = trial.header.get("alg")
    if algorithm != "RS256":
        raise Refused(
            "algorithm or critical header",
            f"Its header says alg {_shown(algorithm)}. Sign with RS256 and the private key, not with a shared secret.",
        )
    if "crit" in trial.header:
        raise Refused("algorithm or critical header", "Its header has “crit”, which is not supported. Leave it out.")


def _check_key(trial: Trial) -> None:
    kid = trial.header.get("kid")
    keys = SigningKey.objects.active().filter(project=trial.project)
    # Paragon's own examples send no kid; a project has few keys, so each may be tried.
    if kid is not None:
        keys = keys.filter(kid=kid) if is_key_id(kid) else keys.none()
    trial.keys = list(keys[:MOST_KEYS])
    if not trial.keys and kid is None:
        raise Refused("the project has no active key", "This project has no active key. Generate one.")
    if not trial.keys:
        raise Refused(
            "no active key of this project has its key ID",
            f"No active key of this project has the ID {_shown(kid)}. Sign with one that is listed under Signing keys,"
            " and set the header “kid” to its ID.",
        )


def is_key_id(kid: object) -> bool:
    """Can it be looked up at all?"""
    return isinstance(kid, str) and len(kid) <= 40 and kid.isprintable()


def _check_signature(trial: Trial) -> None:
    for key in trial.keys:
        try:
            found = _JWS.decode_complete(trial.token, _public_key(key.public_pem), algorithms=["RS256"])
        except (jwt.PyJWTError, ValueError, RecursionError):
            continue
        trial.keys, trial.payload = [key], found["payload"]
        return
    names = trial.keys[0].kid if "kid" in trial.header else "any active key of this project"
    raise Refused(
        "no active key of this project signed it",
        f"It was not signed with the private half of {names}, or it was changed afterwards. Use the key that belongs to"
        " this ID, and send the token as the library returns it.",
    )


_JWS = jwt.PyJWS(algorithms=["RS256"])


@lru_cache(maxsize=256)
def _public_key(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _check_claims(trial: Trial) -> None:
    # Read by us rather than the library, which accepts floats for times, lists of audiences and missing claims.
    try:
        claims = json.loads(trial.payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise Refused(
            "the claims are no object", "What was signed is not a JSON object. Sign one with sub, aud, iat, exp."
        )
    trial.claims = claims


def _check_times(trial: Trial) -> None:
    for name in ("iat", "exp", "nbf"):
        value = trial.claims.get(name)
        if name == "nbf" and name not in trial.claims:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < LATEST_TIME:
            raise Refused(f"{name} is missing or not a whole number", _about_time(trial.claims, name))


def _about_time(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if name not in claims:
        return f"“{name}” is missing. Set it, in whole seconds since 1970."
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= LATEST_TIME:
        return f"“{name}” is {_shown(value)}: that looks like milliseconds. JWT times are whole seconds since 1970."
    return f"“{name}” is {_shown(value)}. It must be whole seconds since 1970, as a number."


def _check_not_over(trial: Trial) -> None:
    ago = trial.now - trial.claims["exp"]
    if ago >= LEEWAY_SECONDS:
        raise Refused(
            "expired",
            f"It expired {span(ago)} ago, at {moment(trial.claims['exp'])}. Sign a new one; if it is new, your back"
            " end’s clock is slow.",
        )


def _check_begun(trial: Trial) -> None:
    name = "nbf" if trial.claims.get("nbf", 0) > trial.claims["iat"] else "iat"
    ahead = trial.claims[name] - trial.now
    if ahead > LEEWAY_SECONDS:
        raise Refused(
            "issued in the future",
            f"“{name}” is {span(ahead)} ahead, and a minute is forgiven. Your back end’s clock is fast, or it counts"
            " in another time zone than UTC.",
        )


def _check_lifetime(trial: Trial) -> None:
    lifetime, most = trial.claims["exp"] - trial.claims["iat"], settings.USER_TOKEN_MAX_SECONDS
    if lifetime <= 0:
        raise Refused("valid for too long", "It ends before it begins: “exp” must be later than “iat”.")
    if lifetime > most:
        raise Refused(
            "valid for too long",
            f"It is good for {span(lifetime)}, and {span(most)} is the most. An hour is plenty: sign a new one when it"
            " is over.",
        )


def _check_audience(trial: Trial) -> None:
    own = str(trial.project.pk)
    if "aud" not in trial.claims:
        if trial.project.accept_tokens_without_audience:
            return
        raise Refused("audience", f"“aud” is missing. Set it to the project ID, {own}.")
    audience = trial.claims["aud"]
    if not isinstance(audience, str) or audience not in (own, f"{PARAGON_AUDIENCE}{own}"):
        raise Refused(
            "audience", f"“aud” is {_shown(audience)}. It must be the ID of this project, {own}, as one text."
        )


def _check_sub(trial: Trial) -> None:
    sub = trial.claims.get("sub")
    if not isinstance(sub, str) or not 1 <= len(sub) <= MAX_SUB or not sub.strip():
        found = f"is {_shown(sub)}" if "sub" in trial.claims else "is missing"
        raise Refused(
            "sub is missing, empty or too long",
            f"“sub” {found}. It must be your ID of the user, as text of 1 to {MAX_SUB} characters.",
        )
    if any(unicodedata.category(character) in ("Cc", "Cs", "Cn") for character in sub):
        raise Refused(
            "sub holds control characters", "“sub” holds characters that cannot be written, such as a line break."
        )


CHECKS = (
    Check("size", "Of a token’s length", _check_size),
    Check("form", "It is a JWT", _check_form),
    Check("algorithm", "Algorithm is RS256", _check_algorithm),
    Check("key", "Key ID is known", _check_key),
    Check("signature", "Signature fits the key", _check_signature),
    Check("claims", "Claims are a JSON object", _check_claims),
    Check("times", "Times are whole seconds", _check_times),
    Check("expiry", "Not expired", _check_not_over),
    Check("begin", "Not ahead of time", _check_begun),
    Check("lifetime", "Not good for too long", _check_lifetime),
    Check("audience", "Audience is this project", _check_audience),
    Check("sub", "Names a user", _check_sub),
)


def span(seconds: float) -> str:
    """Return a length of time in words: "12 minutes", "1 day, 3 hours"."""
    if seconds < 60:
        return "1 second" if int(seconds) == 1 else f"{int(seconds)} seconds"
    begin = datetime(2000, 1, 1, tzinfo=UTC)
    return timesince(begin, begin + timedelta(seconds=seconds)).replace("\xa0", " ")


def moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b %Y, %H:%M:%S} UTC"


def _shown(value: object) -> str:
    """Return a value of a token as it can be shown: short, and only what can be written."""
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):
        text = "something nested"
    return text if len(text) <= 80 else f"{text[:80]}…"
