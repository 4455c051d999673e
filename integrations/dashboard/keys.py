"""Signing keys: make a pair, or take a public key that someone made elsewhere."""

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
