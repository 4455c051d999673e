"""Signing keys: make a pair, or take a public key that someone made elsewhere; change keys without a pause."""

from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from integrations import audit
from integrations.models import Project, SigningKey, User

MOST_ACTIVE = 5
BITS = 2048
MOST_BITS = 8192
EXPONENT = 65537


class TooManyKeys(Exception):
    def __init__(self) -> None:
        super().__init__(f"A project has at most {MOST_ACTIVE} active keys. Revoke one that is no longer used first.")


def generate(project: Project, name: str, user: User) -> tuple[SigningKey, str]:
    """Return a new key and its private half, which is kept nowhere. Raises TooManyKeys."""
    private = rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return add(project, name, public_pem(private.public_key()), user), pem


def add(project: Project, name: str, pem: str, user: User) -> SigningKey:
    """Store a public key that `clean_public_key` accepted. Raises TooManyKeys."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        if SigningKey.objects.active().filter(project=project).count() >= MOST_ACTIVE:
            raise TooManyKeys
        return SigningKey.objects.create(project=project, name=name or "Signing key", public_pem=pem, created_by=user)


# Change keys ----------------------------------------------------------------------------------------------------------


def rotate(old: SigningKey, until: datetime, user: User, *, name: str = "", pem: str = "") -> tuple[SigningKey, str]:
    """Return a key that replaces `old`, and its private half; both are accepted until then.

    With a `pem`, that public key is taken, and there is no private half to return. Raises TooManyKeys.
    """
    with transaction.atomic():
        made = (add(old.project, name, pem, user), "") if pem else generate(old.project, name, user)
        SigningKey.objects.active().filter(pk=old.pk).update(expires_at=until, replaced_by=made[0])
        change = audit.Change({"Signing key": str(old)}, {"Signing key": str(made[0]), f"{old.kid} until": until})
        audit.record(old.project, user, "signing key rotated", str(old), change)
    return made


def end(key: SigningKey, until: datetime | None, user: User) -> None:
    """Have a key end by itself at that time; None for never."""
    successor = key.replaced_by if until else None
    if SigningKey.objects.active().filter(pk=key.pk).update(expires_at=until, replaced_by=successor):
        change = audit.Change({"Accepted until": key.expires_at}, {"Accepted until": until})
        audit.record(key.project, user, "end of signing key changed", str(key), change)


def sweep() -> int:
    """Put away keys whose end has come, which are refused already. Return how many."""
    over = list(SigningKey.objects.over().select_related("project"))
    for key in over:
        if SigningKey.objects.over().filter(pk=key.pk).update(revoked_at=F("expires_at")):
            audit.record(key.project, "Patchbay", "signing key ended", str(key))
    return len(over)


# Keys made elsewhere --------------------------------------------------------------------------------------------------


def clean_public_key(text: str) -> str:
    """Return the PEM of a public key that is good to verify RS256 with. Raises ValidationError saying what is wrong."""
    if "PRIVATE KEY" in text:
        raise ValidationError(
            "That is a private key. It was not stored, but it has left your machine: make a new pair, and paste only"
            " the public half."
        )
    try:
        key = load_pem_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValidationError(
            "That is not a public key in PEM form. It begins with -----BEGIN PUBLIC KEY-----"
        ) from None
    if not isinstance(key, RSAPublicKey):
        raise ValidationError("User tokens are signed with RS256, so the key must be an RSA key.")
    if not BITS <= key.key_size <= MOST_BITS or key.public_numbers().e != EXPONENT:
        raise ValidationError(f"The key must have {BITS} to {MOST_BITS} bits and the usual exponent {EXPONENT}.")
    return public_pem(key)


def public_pem(key: RSAPublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
