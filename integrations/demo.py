"""The demo of a local deployment: someone to sign in as, and the project of "Acme Tasks", a product that uses Patchbay.

Nothing here works on a public host: its private key lies in var/, where a real product keeps its own to itself.
"""

import hmac
import secrets
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import transaction

from integrations.local import write_private
from integrations.models import Member, Project, SigningKey, User

EMAIL = "demo@patchbay.localhost"
PROJECT_NAME = "Acme Tasks"
DEFAULT_USER = "alice"
TOKEN_SECONDS = 3600


class NotLocal(Exception):
    """The demo was asked for on a deployment that others can reach."""

    def __init__(self) -> None:
        super().__init__(f"The demo exists only on this machine, and PUBLIC_URL is {settings.PUBLIC_URL}.")


class NotPrepared(Exception):
    def __init__(self) -> None:
        super().__init__("There is no demo data yet. Start Patchbay once with `make run`.")


def project_id() -> uuid.UUID:
    """Return the demo project's id: the same at every start of this deployment, and no one else's."""
    digest = hmac.new(settings.SECRET_KEY.encode(), b"demo project", "sha256").digest()
    return uuid.UUID(bytes=digest[:16], version=4)


def prepare() -> None:
    """Make what is missing of the demo; what is there stays as its visitor left it. Raises NotLocal."""
    _require_local()
    with transaction.atomic():
        user = User.objects.filter(email=EMAIL).first() or User.objects.create_superuser(EMAIL, password())
        project, is_new = Project.objects.get_or_create(
            pk=project_id(), defaults={"name": PROJECT_NAME, "allow_loopback_origins": True}
        )
        if is_new:
            Member.objects.create(project=project, user=user, role=Member.Role.OWNER)
        if not (_key_file().exists() and project.signing_keys.active().filter(kid=_kid(_private_key())).exists()):
            _add_signing_key(project, user)


def password() -> str:
    """Return the demo's password, made on first use."""
    _require_local()
    path = _keys() / "demo_password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(12))
    return path.read_text().strip()


def hook_token() -> str:
    """Return what the demo's workflows say to Acme Tasks to be let in, made on first use."""
    _require_local()
    path = _keys() / "demo_hook_token"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def user_token(user_id: str, **claims: Any) -> str:
    """Return an hour's user token for an end user of Acme Tasks, signed as a customer's back end signs it.

    Raises NotLocal on a public host and NotPrepared before the first `make run`.
    """
    _require_local()
    if not _key_file().exists():
        raise NotPrepared
    now = int(time.time())
    payload = {"sub": user_id, "aud": str(project_id()), "iat": now, "exp": now + TOKEN_SECONDS} | claims
    key = _private_key()
    return jwt.encode(payload, key, algorithm="RS256", headers={"kid": _kid(key)})


def _require_local() -> None:
    if not settings.IS_LOCAL:
        raise NotLocal


def _keys() -> Path:
    return Path(settings.VAR_DIR) / "keys"


def _key_file() -> Path:
    return _keys() / "demo_signing_key.pem"


def _add_signing_key(project: Project, user: User) -> None:
    """Sign with a new pair: there was none, or its public half was revoked or deleted in the dashboard."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    SigningKey.objects.create(
        project=project, name="Demo", kid=_kid(key), public_pem=_public_pem(key).decode(), created_by=user
    )
    write_private(_key_file(), pem.decode())


def _private_key() -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(_key_file().read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise NotPrepared
    return key


def _public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _kid(key: rsa.RSAPrivateKey) -> str:
    """Return the key's id. It follows from the key, so that one file is enough to sign."""
    return f"pbk_{uuid.uuid5(uuid.NAMESPACE_OID, _public_pem(key).decode()).hex[:16]}"
