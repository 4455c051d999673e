"""Two projects that must know nothing of each other.

Olivia owns Acme Tasks, where Alice is connected: her account, her site and her metadata are what nobody else may see.
Mallory is another user of Acme Tasks. The stranger owns Elsewhere, a project with a user "alice" of its own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.apps import apps
from django.forms.models import model_to_dict
from django.test import Client

from integrations import audit, connect
from integrations.models import (
    Call,
    ConnectedUser,
    Connection,
    ConnectSession,
    Event,
    Grant,
    Integration,
    Member,
    OAuthApp,
    Project,
    SigningKey,
    SiteWebhook,
    Subscription,
    User,
)
from tests.isolation.routes import Route
from workflows import deploy, runs
from workflows.models import AlertRule, Enablement, ProjectSecret, Run, Workflow

ORIGIN = "https://app.acme.test"
KEY = "k3y0fth3p0pup"
EXTERNAL_ID = "alices-own-name-for-it"
MARKERS = [
    "site-of-ada",
    "Ada Secretly",
    "ada@secretly.test",
    "account-of-ada",
    "Secretly Ltd",
    "secretly.atlassian.test",
    "alices-metadata",
    "alices-setting",
    EXTERNAL_ID,
]


@dataclass(frozen=True)
class House:
    """A project with everything in it that somebody else might ask for."""

    project: Project
    owner: User
    integration: Integration
    signing_key: SigningKey
    private_key: rsa.RSAPrivateKey
    connection: Connection
    session: ConnectSession
    run: Run
    site_webhook: SiteWebhook
    event: Event

    def token(self, sub: str, **claims: Any) -> str:
        now = int(time.time())
        payload = {"sub": sub, "iat": now, "exp": now + 3600, "aud": str(self.project.pk)} | claims
        return jwt.encode(payload, self.private_key, algorithm="RS256", headers={"kid": self.signing_key.kid})

    def address(self, route: Route, *, project: Project | None = None) -> str:
        """Return the route's address with the rows of this house, asked for below `project`."""
        connection, session = self.connection, self.session
        values = {
            "project_id": (project or self.project).pk,
            "slug": self.integration.provider_slug,
            "integration_id": self.integration.pk,
            "connection_id": connection.pk,
            "credential_id": connection.pk,
            "user_id": connection.user_id,
            "key_id": self.signing_key.pk,
            "member_id": self.project.members.get().pk,
            "session_id": session.pk,
            "app_id": self.integration.oauth_app_id,
            "key": session.key,
            "code": "a-guessed-code",
            "workflow_id": self.run.workflow_id,
            "version_id": self.run.version_id,
            "run_id": self.run.pk,
            "event_id": self.event.pk,
            "webhook_id": self.site_webhook.pk,
            "feed": "projects",
            "secret_id": self.project.secrets.get().pk,
            "token": self.integration.oauth_app.webhook_token
            if "/site/" not in route.pattern
            else self.site_webhook.token,
            "path": "rest/api/3/myself",
            "object_id": _first_row(route.admin_model),
            "id": self.owner.pk,
            "content_type_id": 1,
            "app_label": "integrations",
            "url": "nothing",
            "uidb36": "1",
        }
        return route.address(values)

    def rows(self) -> list[dict[str, Any]]:
        """Return what must be the same after others tried everything."""
        found: list[Any] = [Project.objects.get(pk=self.project.pk)]
        for model in (Member, SigningKey, OAuthApp, Integration, Grant, Connection):
            found += model.objects.filter(project=self.project).order_by("pk")
        found += ConnectedUser.objects.filter(pk=self.connection.user_id)
        found += ConnectSession.objects.filter(user=self.connection.user_id)
        for owned in (Workflow, Run, ProjectSecret, AlertRule, SiteWebhook, Subscription):
            found += owned.objects.filter(project=self.project).order_by("pk")
        found += Enablement.objects.filter(connection=self.connection)
        return [model_to_dict(row) | {"pk": row.pk, "sealed": _sealed(row)} for row in found]


def _sealed(row: Any) -> list[str]:
    return [str(getattr(row, field.name)) for field in row._meta.concrete_fields if not field.editable]


def _first_row(admin_model: str) -> object:
    row = apps.get_model(admin_model.replace("/", ".")).objects.first() if admin_model else None
    return row.pk if row else "1"


@pytest.fixture(scope="session")
def key_pairs() -> list[rsa.RSAPrivateKey]:
    return [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    """No static files are served here."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


class Provider:
    """The provider as we see it through http.send: it remembers what it was asked, and tells who lives at a site."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def send(self, method: str, url: str, **kwargs: Any) -> "Answer":
        self.asked.append(f"{method} {url}")
        return Answer(200, b'{"displayName": "Ada Secretly"}' if "site-of-ada" in url else b"{}")


class Answer:
    def __init__(self, status: int, body: bytes) -> None:
        self.status, self._body = status, body
        self.headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}

    def stream(self, max_bytes: int = 0) -> Iterator[bytes]:
        yield self._body

    def body(self, max_bytes: int = 0) -> bytes:
        return self._body

    def close(self) -> None:
        return


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    provider = Provider()
    monkeypatch.setattr("integrations.http.send", provider.send)
    return provider


@pytest.fixture(autouse=True)
def _nobody_waits_for_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.runs.RESPONSE_SECONDS", 0)


def build(name: str, owner: User, private_key: rsa.RSAPrivateKey, account: dict[str, str]) -> House:
    project = Project.objects.create(name=name, allowed_origins=[ORIGIN])
    Member.objects.create(project=project, user=owner, role=Member.Role.OWNER)
    app = OAuthApp(project=project, provider="jira", client_id=f"client-of-{owner.pk}", scopes=["read:jira-work"])
    app.set_secret("a client secret")
    app.save()
    integration = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    user = ConnectedUser.objects.create(project=project, sub="alice", meta={"Team": account["meta"]})
    connection = _connect(user, integration, account)
    Call.objects.create(
        project=project,
        connection_id=connection.pk,
        sub=user.sub,
        provider_slug="jira",
        method="GET",
        path="/rest/api/3/myself",
        status=200,
        milliseconds=12,
        at=datetime.now(UTC),
    )
    audit.record(project, owner, "connected", str(connection))
    return House(
        project=project,
        owner=owner,
        integration=integration,
        signing_key=_signing_key(project, private_key),
        private_key=private_key,
        connection=connection,
        session=_consent(user, integration, account),
        run=_run(connection, account),
        site_webhook=_site_webhook(connection),
        event=_event(connection, account),
    )


def _event(connection: Connection, account: dict[str, str]) -> Event:
    payload = {"event": "issue_updated", "note": account["setting"], "raw": {"note": account["setting"]}}
    return Event.objects.create(
        project=connection.project,
        connection=connection,
        sub="alice",
        source=Event.Source.POLL,
        name="issue_updated",
        payload=payload,
        state=Event.State.IGNORED,
        reason=account["site"],
    )


def _site_webhook(connection: Connection) -> SiteWebhook:
    webhook = SiteWebhook(project=connection.project, connection=connection, feed="projects")
    webhook.seal("secret", "the secret of a webhook made by hand")
    webhook.save()
    return webhook


def _run(connection: Connection, account: dict[str, str]) -> Run:
    """A deployed workflow that is on for this connection, with a run that failed, a secret and alerts."""
    step = {"id": "get_issue", "type": "action", "action": "get_issue", "input": {"issue": account["site"]}}
    workflow = Workflow.objects.create(
        project=connection.project,
        integration=connection.integration,
        name="Tasks to issues",
        draft={"trigger": {"type": "request"}, "steps": [step], "settings": []},
        samples={"trigger": {"note": account["setting"]}},
    )
    deploy.deploy(workflow, "test")
    Enablement.objects.create(workflow=workflow, connection=connection, is_enabled=True)
    secret = ProjectSecret(project=connection.project, name="TOKEN", set_at=datetime.now(UTC))
    secret.seal("value", "a project secret")
    secret.save()
    rule = AlertRule(project=connection.project, webhook_url="https://alerts.acme.test")
    rule.seal("webhook_secret", "whsec_c2VjcmV0")
    rule.save()
    assert workflow.deployed is not None
    run = runs.new_run(
        workflow.deployed, connection, trigger="request", payload={"note": account["setting"]}, settings={}
    )
    run.status, run.reason, run.wake_at = Run.Status.FAILED, f"{account['site']} failed", None
    run.save()
    return run


def _signing_key(project: Project, private_key: rsa.RSAPrivateKey) -> SigningKey:
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return SigningKey.objects.create(
        project=project, public_pem=private_key.public_key().public_bytes(encoding, kind).decode()
    )


def _connect(user: ConnectedUser, integration: Integration, account: dict[str, str]) -> Connection:
    grant = Grant(
        project=user.project,
        app=integration.oauth_app,
        account_id=account["id"],
        account_name=account["name"],
        account_email=account["email"],
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    grant.seal("access_token", "an access token")
    grant.seal("refresh_token", "a refresh token")
    grant.save()
    return Connection.objects.create(
        project=user.project,
        integration=integration,
        user=user,
        grant=grant,
        site_id=account["site_id"],
        site_name=account["site"],
        site_url=account["url"],
        external_id=account["external_id"],
        settings={"note": account["setting"]},
    )


def _consent(user: ConnectedUser, integration: Integration, account: dict[str, str]) -> ConnectSession:
    """A second consent of the same person, which waits to be claimed."""
    session = connect.open_session(
        user, integration, ConnectSession.Protocol.PARAGON, origin=ORIGIN, key=KEY, nonce_hash=connect.digest("nonce")
    )
    session.app, session.status = integration.oauth_app, ConnectSession.Status.RETURNED
    session.account = {"id": account["id"], "name": account["name"], "email": account["email"]}
    session.sites = [{"id": account["site_id"], "name": account["site"], "url": account["url"]}]
    session.seal("tokens", "{}")
    session.save()
    return session


@pytest.fixture
def olivia(db: None) -> User:
    return User.objects.create_user("olivia@acme.test", "correct horse battery")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger@elsewhere.test", "correct horse battery")


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@patchbay.test", "correct horse battery")


@pytest.fixture
def acme(olivia: User, key_pairs: list[rsa.RSAPrivateKey]) -> House:
    account = {
        "id": "account-of-ada",
        "name": "Ada Secretly",
        "email": "ada@secretly.test",
        "site_id": "site-of-ada",
        "site": "Secretly Ltd",
        "url": "https://secretly.atlassian.test",
        "meta": "alices-metadata",
        "setting": "alices-setting",
        "external_id": EXTERNAL_ID,
    }
    return build("Acme Tasks", olivia, key_pairs[0], account)


@pytest.fixture
def elsewhere(stranger: User, key_pairs: list[rsa.RSAPrivateKey]) -> House:
    own = dict.fromkeys(
        ["id", "name", "email", "site_id", "site", "url", "meta", "setting", "external_id"], "elsewhere"
    )
    return build("Elsewhere", stranger, key_pairs[1], own)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def as_stranger(signed_in: Callable[[User], Client], elsewhere: House) -> Client:
    return signed_in(elsewhere.owner)
