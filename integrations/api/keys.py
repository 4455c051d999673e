"""API keys: how one looks, making one, and telling whose it is.

A key is `pbs_`, 8 letters and digits that are no secret, 43 that are (256 random bits), and 6 that check the rest: a
CRC-32, as in GitHub's tokens. So a secret scanner knows one at sight, and a mistyped one is refused unread. What is
random to 256 bits cannot be guessed from its SHA-256, however fast that is; a slow hash protects passwords, which can.
"""

import re
import secrets
import uuid
import zlib
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from string import ascii_letters, digits
from typing import Any

from django.db import transaction
from django.utils.crypto import constant_time_compare

from integrations import audit, clock
from integrations.models import ApiKey, Project

MARK = "pbs_"
ALPHABET = digits + ascii_letters
PUBLIC, SECRET, CHECK = 8, 43, 6
LOOKS = re.compile(rf"{MARK}[0-9A-Za-z]{{{PUBLIC + SECRET + CHECK}}}")
MOST_KEYS = 50


class TooManyKeys(Exception):
    def __init__(self) -> None:
        super().__init__(f"A project has at most {MOST_KEYS} keys. Revoke one that is no longer used first.")


def make(
    project: Project, name: str, scopes: Iterable[str], actor: Any, *, days: int | None = None
) -> tuple[ApiKey, str]:
    """Return a new key, and the text of it that is kept nowhere; without `days` it never expires. Raises TooManyKeys.

    The caller has made sure that the actor may give these scopes away.
    """
    text = new_text()
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        if ApiKey.objects.kept().filter(project=project).count() >= MOST_KEYS:
            raise TooManyKeys
        key = ApiKey.objects.create(
            project=project,
            name=name,
            prefix=prefix_of(text),
            digest=_digest(text),
            scopes=sorted(scopes),
            created_by=actor,
            expires_at=clock.now() + timedelta(days=days) if days else None,
        )
        audit.record(project, actor, "API key made", f"{key}: {', '.join(key.scopes)}")
    return key, text


def revoke(key: ApiKey, actor: Any) -> None:
    if key.revoke():
        audit.record(key.project, actor, "API key revoked", str(key))


def find(project_id: uuid.UUID, text: str) -> ApiKey | None:
    """Return the key of this project that the text is, revoked and expired ones too; None for any other text."""
    if not is_well_formed(text):
        return None
    key = ApiKey.objects.select_related("project").filter(project=project_id, prefix=prefix_of(text)).first()
    return key if key and constant_time_compare(key.digest, _digest(text)) else None


def new_text() -> str:
    random = "".join(secrets.choice(ALPHABET) for _ in range(PUBLIC + SECRET))
    return f"{MARK}{random}{_check(random)}"


def prefix_of(text: str) -> str:
    return text[: len(MARK) + PUBLIC]


def is_well_formed(text: str) -> bool:
    """Can this be a key, with every letter in its place? Answered without a query."""
    if not LOOKS.fullmatch(text):
        return False
    return text[-CHECK:] == _check(text[len(MARK) : -CHECK])


def _check(random: str) -> str:
    rest, found = zlib.crc32(random.encode()), ""
    for _ in range(CHECK):
        rest, place = divmod(rest, len(ALPHABET))
        found = ALPHABET[place] + found
    return found


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
