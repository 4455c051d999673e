"""Alice owns the project, Bob is an admin of it, the stranger is neither."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations import setup
from integrations.dashboard import keys
from integrations.models import (
    ConnectedUser,
    Connection,
    Grant,
    Integration,
    Member,
    OAuthApp,
    Project,
    SigningKey,
    User,
)
from workflows import deploy
from workflows.models import Workflow

PASSWORD = "correct horse battery"


class Answer:
    """What the provider's token endpoint says, in the shape that http.send returns."""

    def __init__(self, status: int, body: object) -> None:
        self.status, self.headers, self._body = status, {}, json.dumps(body).encode()

    def body(self, max_bytes: int = 0) -> bytes:
        return self._body


class ProviderApi:
    """The provider as we see it through http.send: it says one thing, and remembers what it was asked."""

    KNOWN = (403, {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."})

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer = Answer(*self.KNOWN)

    def replies(self, status: int, body: object) -> None:
        self.answer = Answer(status, body)

    def send(self, method: str, url: str, **kwargs: Any) -> Answer:
        self.asked.append({"method": method, "url": url, **kwargs})
        return self.answer


@pytest.fixture(autouse=True)
def provider_api(monkeypatch: pytest.MonkeyPatch) -> ProviderApi:
    """By default it knows every client ID and secret that it is asked about."""
    api = ProviderApi()
    monkeypatch.setattr("integrations.http.send", api.send)
    return api


@pytest.fixture(autouse=True)
def development_keys(settings: Any) -> None:
    settings.PROVIDER_SETTINGS = {
        "jira": {
            "DEV_CLIENT_ID": "dev-client",
            "DEV_CLIENT_SECRET": "dev-secret",
            "DEV_SCOPES": "read:jira-work write:jira-work read:jira-user offline_access",
        }
    }


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    """No static files are served here, and a slow password hash protects nobody."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@example.com", PASSWORD)


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@example.com", PASSWORD)


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger@example.com", PASSWORD)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)


@pytest.fixture
def project(alice: User, bob: User) -> Project:
    project = Project.objects.create(name="Acme Tasks")
    Member.objects.create(project=project, user=alice, role=Member.Role.OWNER)
    Member.objects.create(project=project, user=bob, role=Member.Role.ADMIN)
    return project


@pytest.fixture
def integration(project: Project, alice: User) -> Integration:
    return setup.add_integration(project, "jira", alice)


@pytest.fixture
def own_keys(integration: Integration, alice: User) -> Integration:
    wanted = setup.Wanted("own-client", integration.oauth_app.scopes, "own-secret")
    setup.save_settings(integration, wanted, alice)
    return Integration.objects.get(pk=integration.pk)


@pytest.fixture
def connect_user() -> Callable[..., Connection]:
    def connect(integration: Integration, sub: str = "user-1", app: OAuthApp | None = None, **grant: Any) -> Connection:
        user, _ = ConnectedUser.objects.get_or_create(project=integration.project, sub=sub)
        fields = {"scopes": integration.provider.recommended_scopes(), "account_name": f"Account of {sub}", **grant}
        app = app or integration.app_in_use()
        made = Grant.objects.create(project=integration.project, app=app, account_id=f"account-{sub}", **fields)
        return Connection.objects.create(
            project=integration.project, integration=integration, user=user, grant=made, site_id="s1", site_name="acme"
        )

    return connect


@pytest.fixture
def workflows(integration: Integration) -> list[Workflow]:
    made = []
    for name in ("First", "Second", "Third"):
        step = {"id": "made", "type": "values", "input": {"values": [{"key": "n", "value": "1"}]}}
        body = {"trigger": {"type": "event", "name": "go"}, "steps": [step], "settings": []}
        workflow = Workflow.objects.create(
            project=integration.project, integration=integration, name=name, draft=body, position=len(made)
        )
        deploy.deploy(workflow, "test")
        made.append(workflow)
    return made


@pytest.fixture
def signing_key(project: Project, alice: User) -> SigningKey:
    key, _ = keys.generate(project, "Back end", alice)
    return key


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def as_alice(signed_in: Callable[[User], Client], alice: User, project: Project) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(signed_in: Callable[[User], Client], bob: User, project: Project) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_stranger(signed_in: Callable[[User], Client], stranger: User) -> Client:
    return signed_in(stranger)


def url(name: str, *args: object) -> str:
    return reverse(f"dashboard:{name}", args=args)


def text(response: Any) -> str:
    content: str = response.content.decode()
    return content
