"""Secrets at rest: AES-256-GCM, one data key a project, wrapped by a key ring that is not in the database.

A sealed value is `v1.<data key id>.<nonce>.<ciphertext and tag>`. Its associated data names deployment, table, row,
column, project and data key, so a ciphertext opens only where it was sealed. Everything fails closed: what cannot be
opened raises, and is never passed on as if it were the secret.
"""

import binascii
import secrets
import threading
import time
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from integrations.models.operation import DataKey

VERSION = "v1"
NONCE_BYTES = 12
KEY_BYTES = 32
CACHE_SECONDS = 600


class VaultError(Exception):
    """A secret cannot be sealed or opened. The message says what to check, and holds no key or secret."""


@dataclass(frozen=True)
class Context:
    """Where a sealed value lives; it opens nowhere else."""

    deployment: str
    table: str
    row: str
    column: str
    project_id: uuid.UUID | None

    def associated_data(self, data_key: str) -> bytes:
        parts = [VERSION, self.deployment, self.table, self.row, self.column, str(self.project_id or ""), data_key]
        return "|".join(parts).encode()


def seal(text: str, context: Context) -> str:
    """Return the sealed form of `text` under the current data key of the context's project."""
    key_id, key = _current_key(context.project_id)
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, text.encode(), context.associated_data(key_id))
    return ".".join([VERSION, key_id, _encode(nonce), _encode(ciphertext)])


def open_sealed(sealed: str, context: Context) -> str:
    """Return the text that was sealed in this context. Raises VaultError for anything else."""
    version, _, rest = sealed.partition(".")
    if version != VERSION or rest.count(".") != 2:
        raise VaultError("This is not a sealed value. Was the column edited by hand?")
    key_id, nonce, ciphertext = rest.split(".")
    key = _key(key_id, context.project_id)
    try:
        opened = AESGCM(key).decrypt(_decode(nonce), _decode(ciphertext), context.associated_data(key_id))
    except (InvalidTag, ValueError) as error:
        raise VaultError(
            f"A sealed value of {context.table}.{context.column} does not open here: it was changed, moved from another"
            " row, or sealed under another DEPLOYMENT_ID."
        ) from error
    return opened.decode()


def data_key_of(sealed: str) -> str:
    """Return the id of the data key that sealed this value."""
    return sealed.split(".")[1] if sealed.count(".") == 3 else ""


# The key ring -------------------------------------------------------------------------------------------------------


def key_ring() -> dict[str, bytes]:
    """Return VAULT_KEYS as name -> key, newest first. Raises VaultError naming the entry that is wrong."""
    ring: dict[str, bytes] = {}
    for position, entry in enumerate(settings.VAULT_KEYS.replace(" ", "").split(","), start=1):
        name, _, text = entry.partition(":")
        try:
            key = _decode(text)
        except ValueError:
            key = b""
        if not name.isalnum() or len(key) != KEY_BYTES:
            raise VaultError(
                f"Entry {position} of VAULT_KEYS is not “name:<32 bytes in base64url>”. See docs/security.md."
            )
        ring[name] = key
    return ring


def _wrap(key: bytes, key_id: str, project_id: uuid.UUID | None) -> str:
    name, master = next(iter(key_ring().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    wrapped = AESGCM(master).encrypt(nonce, key, _wrapping_data(key_id, project_id))
    return ".".join([name, _encode(nonce), _encode(wrapped)])


def _unwrap(wrapped: str, key_id: str, project_id: uuid.UUID | None) -> bytes:
    name, _, rest = wrapped.partition(".")
    nonce, _, ciphertext = rest.partition(".")
    master = key_ring().get(name)
    if master is None:
        raise VaultError(f"VAULT_KEYS has no key “{name}”, which the database still needs. Put it back into the ring.")
    try:
        return AESGCM(master).decrypt(_decode(nonce), _decode(ciphertext), _wrapping_data(key_id, project_id))
    except (InvalidTag, ValueError) as error:
        raise VaultError(
            f"The key “{name}” of VAULT_KEYS, or DEPLOYMENT_ID, is not the one this database was written with,"
            " or the data key was damaged."
        ) from error


def _wrapping_data(key_id: str, project_id: uuid.UUID | None) -> bytes:
    return f"{VERSION}|{settings.DEPLOYMENT_ID}|data-key|{key_id}|{project_id or ''}".encode()


# Data keys ----------------------------------------------------------------------------------------------------------

_cache: dict[tuple[str, str], tuple[float, str, bytes]] = {}
_cache_lock = threading.Lock()


def forget_keys() -> None:
    """Drop the data keys held in memory, after a rotation."""
    with _cache_lock:
        _cache.clear()


def _remembered(kind: str, name: str) -> tuple[str, bytes] | None:
    entry = _cache.get((kind, name))
    return (entry[1], entry[2]) if entry and entry[0] > time.monotonic() else None


def _remember(kind: str, name: str, key_id: str, key: bytes) -> None:
    with _cache_lock:
        _cache[kind, name] = (time.monotonic() + CACHE_SECONDS, key_id, key)


def _of(project_id: uuid.UUID | None) -> "QuerySet[DataKey]":
    from integrations.models.operation import DataKey

    if project_id is None:
        return DataKey.objects.filter(project__isnull=True)
    return DataKey.objects.filter(project_id=project_id)


def _current_key(project_id: uuid.UUID | None) -> tuple[str, bytes]:
    found = _remembered("current", str(project_id))
    if found:
        return found
    row = _of(project_id).filter(is_current=True).first() or _first_data_key(project_id)
    key_id, key = str(row.pk), _unwrap(row.wrapped, str(row.pk), project_id)

    def remember() -> None:
        _remember("current", str(project_id), key_id, key)
        _remember(str(project_id), key_id, key_id, key)

    # A row of a transaction that is rolled back would leave secrets behind that nothing opens.
    transaction.on_commit(remember)
    return key_id, key


def _key(key_id: str, project_id: uuid.UUID | None) -> bytes:
    found = _remembered(str(project_id), key_id)
    if found:
        return found[1]
    try:
        row = _of(project_id).filter(pk=uuid.UUID(key_id)).first()
    except ValueError:
        row = None
    if row is None:
        raise VaultError(
            "The data key of a sealed value is not in this project: it was moved here or its key was deleted."
        )
    key = _unwrap(row.wrapped, key_id, project_id)
    _remember(str(project_id), key_id, key_id, key)
    return key


def _first_data_key(project_id: uuid.UUID | None) -> "DataKey":
    """Make the project's data key. Two at once make one, because only one may be current."""
    try:
        with transaction.atomic():
            return _add_data_key(project_id)
    except IntegrityError:
        return _of(project_id).get(is_current=True)


def renew_data_key(project_id: uuid.UUID | None) -> "DataKey":
    """Make a new current data key; the one before stays for what it sealed."""
    with transaction.atomic():
        _of(project_id).filter(is_current=True).update(is_current=False, retired_at=Now())
        return _add_data_key(project_id)


def _add_data_key(project_id: uuid.UUID | None) -> "DataKey":
    from integrations.models.operation import DataKey

    key_id = uuid.uuid4()
    wrapped = _wrap(secrets.token_bytes(KEY_BYTES), str(key_id), project_id)
    return DataKey.objects.create(pk=key_id, project_id=project_id, wrapped=wrapped)


def rewrap(data_key: "DataKey") -> bool:
    """Wrap a data key under the newest key of the ring; False when it already is."""
    if data_key.wrapped.split(".")[0] == next(iter(key_ring())):
        return False
    key = _unwrap(data_key.wrapped, str(data_key.pk), data_key.project_id)
    data_key.wrapped = _wrap(key, str(data_key.pk), data_key.project_id)
    data_key.save(update_fields=["wrapped"])
    return True


def verify() -> None:
    """Open the deployment's own data key, made on the first start. Raises VaultError when the key ring is wrong.

    Called before a process serves or writes anything, so that a wrong key stops the start instead of mixing two keys.
    """
    row = _of(None).filter(is_current=True).first() or _first_data_key(None)
    _unwrap(row.wrapped, str(row.pk), None)


def _encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
