"""Two projects that must know nothing of each other.

Olivia owns Acme Tasks, where Alice is connected: her account, her site and her metadata are what nobody else may see.
Mallory is another user of Acme Tasks. The stranger owns Elsewhere, a project with a user "alice" of its own.
"""

import time
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client

from integrations import audit, connect, vault
from integrations.api import keys
from integrations.api.scopes import SCOPES
from integrations.dashboard import invitations
from integrations.models import (
    ApiKey,
    Call,
    CallHour,
    ConnectedUser,
    Connection,
    ConnectSession,
    Erasure,
    Event,
    Grant,
    Integration,
    Invitation,
    Member,
    OAuthApp,
    Project,
    SigningKey,
    SiteWebhook,
    Subscription,
    User,
)
from tests.isolation.routes import Route
from tests.support.passkey import passkey_of
from workflows import deploy, runs
from workflows.models import AlertRule, Enablement, ProjectSecret, Run, Workflow

ORIGIN = "https://app.acme.test"
KEY = "k3y0fth3p0pup"
PASSWORD = "correct horse battery"
EXTERNAL_ID = "alices-own-name-for-it"
# Alice's, at the provider and here: what nobody else may see.
ACCOUNT = {
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
    invitation: Invitation
    signed_in: UserSession
    passkey: Authenticator
    # The text of an API key with every scope.
    api_key: str

    def again(self) -> "House":
        """Return it with instances of its own, which a test may change."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(self, **{name: copy(value) for name, value in values.items() if isinstance(value, Model)})

    def token(self, sub: str, **claims: Any) -> str:
        now = int(time.time())
        payload = {"sub": sub, "iat": now, "exp": now + 3600, "aud": str(self.project.pk)} | claims
        return jwt.encode(payload, self.private_key, algorithm="RS256", headers={"kid": self.signing_key.kid})

    def address(self, route: Route, *, project: Project | None = None, **instead: object) -> str:
        """Return the route's address with the rows of this house, or others `instead`, asked for below `project`."""
        connection, session = self.connection, self.session
        values = {
            "project_id": (project or self.project).pk,
            "slug": self.integration.provider_slug,
            "integration_id": self.integration.pk,
            "connection_id": connection.pk,
            "credential_id": connection.pk,
            "user_id": connection.user_id,
            "key_id": self.signing_key.pk,
            "api_key_id": self.project.api_keys.earliest("created_at").pk,
            "sub": self.connection.user.sub,
            "step_id": "trigger",
            "member_id": self.project.members.latest("pk").pk,
            "session_id": session.pk,
            "app_id": self.integration.oauth_app_id,
            "key": session.key,
            "code": "a-guessed-code",
            "workflow_id": self.run.workflow_id,
            "version_id": self.run.version_id,
            "run_id": self.run.pk,
            "event_id": self.event.pk,
            "call_id": self.project.calls.earliest("pk").pk,
            "webhook_id": self.site_webhook.pk,
            "feed": "projects",
            "secret_id": self.project.secrets.latest("pk").pk,
            "token": self.integration.oauth_app.webhook_token
            if "/site/" not in route.pattern
            else self.site_webhook.token,
            "path": "rest/api/3/myself",
            "invitation_id": self.invitation.pk,
            "usersession_id": self.signed_in.pk,
            "pk": self.passkey.pk,
            "object_id": _first_row(route.admin_model),
            "id": self.owner.pk,
            "content_type_id": 1,
            "app_label": "integrations",
            "url": "nothing",
            "uidb36": "1",
        }
        return route.address(values | instead)

    def rows(self) -> list[tuple[Any, ...]]:
        """Return what must be the same after others tried everything, column by column."""
        found = _rows(Project, "id", self.project.pk)
        for owned in (Member, SigningKey, ApiKey, OAuthApp, Integration, Grant, Connection, Invitation):
            found += _rows(owned, "project", self.project.pk)
        for owned in (Workflow, Run, ProjectSecret, AlertRule, SiteWebhook, Subscription):
            found += _rows(owned, "project", self.project.pk)
        found += _rows(ConnectedUser, "id", self.connection.user_id)
        found += _rows(ConnectSession, "user", self.connection.user_id)
        found += _rows(Enablement, "connection", self.connection.pk)
        return found + _rows(UserSession, "id", self.signed_in.pk) + _rows(Authenticator, "id", self.passkey.pk)


def _rows(model: type[Model], name: str, value: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_query(model, name), [model._meta.get_field(name).get_db_prep_value(value, connection)])
        return cursor.fetchall()


@cache
def _query(model: type[Model], name: str) -> str:
    """Return the query for a model's rows; Django takes longer to write it than the database to answer."""
    column, table, key = model._meta.get_field(name).column, model._meta.db_table, model._meta.pk.column
    return f'SELECT * FROM "{table}" WHERE "{column}" = %s ORDER BY "{key}"'


def _first_row(admin_model: str) -> object:
    row = apps.get_model(admin_model.replace("/", ".")).objects.first() if admin_model else None
    return row.pk if row else "1"


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
    CallHour.objects.create(
        project=project, provider_slug="jira", hour=datetime.now(UTC), method="GET", route="/rest/api/3/myself", calls=1
    )
    audit.record(project, owner, "connected", str(connection))
    Erasure.objects.create(project=project, sub="somebody who was deleted", before=datetime.now(UTC))
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
        invitation=invitations.invite(project, f"invited-{owner.pk}@elsewhere.test", "support", owner)[0],
        signed_in=UserSession.objects.create(user=owner, ip="192.0.2.1", session_key=f"of-{project.pk.hex}"),
        passkey=passkey_of(owner, account["meta"]),
        api_key=keys.make(project, "Back end", [scope.name for scope in SCOPES], owner)[1],
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


# The two projects, made once ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    acme: House
    elsewhere: House
    root: User


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Everything there is, in a transaction that is never committed."""
    with django_db_blocker.unblock(), transaction.atomic():
        vault.forget_keys()
        olivia = User.objects.create_user("olivia@acme.test", PASSWORD)
        stranger = User.objects.create_user("stranger@elsewhere.test", PASSWORD)
        yield World(
            acme=build("Acme Tasks", olivia, new_key(), ACCOUNT),
            elsewhere=build("Elsewhere", stranger, new_key(), dict.fromkeys(ACCOUNT, "elsewhere")),
            root=User.objects.create_superuser("root@patchbay.test", PASSWORD),
        )
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def db(world: World) -> Iterator[None]:
    """Instead of a database for each test: what one has done to the world is undone after it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def acme(world: World) -> House:
    return world.acme.again()


@pytest.fixture
def elsewhere(world: World) -> House:
    return world.elsewhere.again()


@pytest.fixture
def olivia(acme: House) -> User:
    return acme.owner


@pytest.fixture
def root(world: World) -> User:
    return copy(world.root)


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
