"""What becomes of a user token, check by check: for whoever signs them and wonders why one is refused.

Nothing of the token is stored or logged, and looking at it is no use of its key.
"""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrations.models import ConnectedUser, Project, SigningKey
from integrations.user_tokens import CHECKS, Check, Refused, Trial, first_failure, is_key_id, moment, span


@dataclass(frozen=True)
class Outcome:
    """How one check went: "passed", "failed" or "not reached"; `words` are what was found, or what to do."""

    check: Check
    state: str
    words: str = ""


@dataclass(frozen=True)
class Report:
    """Every check in order, and what the token says: header and claims as JSON text, "" where there is none.

    `sub` is whom it speaks for, "" unless it is accepted; `end_user` is None until something was stored for them.
    """

    outcomes: list[Outcome]
    is_signed: bool
    header: str = field(repr=False)
    claims: str = field(repr=False)
    sub: str = ""
    end_user: ConnectedUser | None = None

    @property
    def reached(self) -> int:
        """How many checks were made."""
        return sum(outcome.state != "not reached" for outcome in self.outcomes)

    @property
    def failed(self) -> Outcome | None:
        """The check that it is refused by, None where it is accepted."""
        return next((outcome for outcome in self.outcomes if outcome.state == "failed"), None)


def examine(project: Project, token: str, viewer: Any) -> Report:
    """Return what verifying the token comes to, by the very checks that every call goes through.

    `viewer` is who looks: a key of another project is named only where they may see that project.
    """
    trial = Trial(project, token, time.time())
    failed = first_failure(trial)
    reached = failed[0] if failed else len(CHECKS)
    outcomes = [Outcome(check, "passed", FOUND[check.name](trial)) for check in CHECKS[:reached]]
    if failed:
        outcomes.append(Outcome(CHECKS[reached], "failed", _advice(trial, CHECKS[reached], failed[1], viewer)))
        outcomes += [Outcome(check, "not reached") for check in CHECKS[reached + 1 :]]
    sub = "" if failed else trial.claims["sub"]
    header, claims = map(_readable, token.split(".")[:2]) if trial.header else ("", "")
    return Report(
        outcomes,
        is_signed=bool(trial.claims),
        header=header,
        claims=claims,
        sub=sub,
        end_user=ConnectedUser.objects.filter(project=project, sub=sub).first() if sub else None,
    )


def _readable(part: str) -> str:
    """Return a part of a token as indented JSON, or as the text that it is."""
    raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    try:
        text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = raw.decode(errors="replace")
    # Half a surrogate pair is good JSON and cannot be sent.
    return text.encode(errors="backslashreplace").decode()


# In words -------------------------------------------------------------------------------------------------------------


def _advice(trial: Trial, check: Check, refusal: Refused, viewer: Any) -> str:
    return (check.name == "key" and _about_key(trial, viewer)) or refusal.advice


def _about_key(trial: Trial, viewer: Any) -> str:
    """Return what is known of the key that the token names, "" for nothing."""
    kid = trial.header.get("kid")
    key = SigningKey.objects.filter(kid=kid).select_related("project").first() if is_key_id(kid) else None
    if key is None:
        return ""
    if key.project_id != trial.project.pk:
        is_known = Project.objects.visible_to(viewer).filter(pk=key.project_id).exists()
        words = f"{key.kid} is a key of another project, {key.project}. Sign with a key of this one."
        return words if is_known else ""
    ended_at = key.revoked_at or key.expires_at
    how = "reached the end that was set" if key.expires_at == ended_at else "was revoked"
    return f"{key.name} ({key.kid}) {how} on {ended_at:%-d %b %Y at %H:%M} UTC. Sign with a key that is active."


def _key_found(trial: Trial) -> str:
    if "kid" not in trial.header:
        return "It names no key, so each active one is tried. Set the header “kid” to spare the guess."
    return f"{trial.header['kid']} is an active key of this project."


def _expiry_found(trial: Trial) -> str:
    left = trial.claims["exp"] - trial.now
    if left <= 0:
        return f"It expired {span(-left)} ago, which is forgiven for a minute."
    return f"It expires in {span(left)}, at {moment(trial.claims['exp'])}."


def _begin_found(trial: Trial) -> str:
    age = trial.now - trial.claims["iat"]
    return f"It was issued {span(age)} ago." if age >= 0 else "It was issued in a moment, which is forgiven."


# What a check that passed has found.
FOUND: dict[str, Callable[[Trial], str]] = {
    "size": lambda trial: f"{len(trial.token):,} characters.",
    "form": lambda trial: "A header, claims and a signature.",
    "algorithm": lambda trial: "Signed with a private key, verified with its public half.",
    "key": _key_found,
    "signature": lambda trial: f"{trial.keys[0].name} ({trial.keys[0].kid}) signed it, and nothing was changed since.",
    "claims": lambda trial: f"{len(trial.claims)} of them.",
    "times": lambda trial: "iat, exp and nbf" if "nbf" in trial.claims else "iat and exp",
    "expiry": _expiry_found,
    "begin": _begin_found,
    "lifetime": lambda trial: f"From “iat” to “exp” it is {span(trial.claims['exp'] - trial.claims['iat'])}.",
    "audience": lambda trial: "It names this project." if "aud" in trial.claims else "None, which is accepted here.",
    "sub": lambda trial: trial.claims["sub"],
}
