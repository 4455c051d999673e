"""People who call the HTTP API with their user tokens. Nobody talks to the provider here."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from integrations.models import ConnectedUser, Connection, Grant, Integration, Project

PAGE = "https://app.acme.test"


@dataclass
class Person:
    """An end user's page, calling the API of its project."""

    project: Project
    token: str
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        return self.send(method, path, data, **headers)

    def send(self, method: str, path: str, data: bytes, **headers: str) -> Any:
        """Send raw bytes that claim to be JSON."""
        given = {"Authorization": f"Bearer {self.token}", **headers}
        return self.client.generic(method, self.address(path), data, "application/json", headers=given)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def address(self, path: str) -> str:
        return f"/projects/{self.project.pk}/{path}"


@pytest.fixture
def project(project: Project) -> Project:
    project.allowed_origins, project.allow_loopback_origins = [PAGE], False
    project.save()
    return project


@pytest.fixture
def person(project: Project, user_token: Callable[..., str]) -> Callable[..., Person]:
    """person("bob") calls in Bob's name; further arguments are claims of the token."""
    return lambda sub="alice", **claims: Person(project, user_token(sub, **claims))


@pytest.fixture
def alice(person: Callable[..., Person]) -> Person:
    return person("alice")


@pytest.fixture
def connect(jira: Integration) -> Callable[..., Connection]:
    """connect("alice") gives her a connection; further arguments are fields of it."""

    def make(sub: str = "alice", **fields: Any) -> Connection:
        user, _ = ConnectedUser.objects.get_or_create(project=jira.project, sub=sub)
        number = Grant.objects.count() + 1
        grant = Grant.objects.create(
            project=jira.project,
            app=jira.oauth_app,
            account_id=f"account-{number}",
            account_name="Ada Park",
            refreshed_at=datetime.now(UTC),
        )
        site = {"site_id": "s1", "site_name": "Acme", "site_url": "https://acme.atlassian.test"} | fields
        return Connection.objects.create(project=jira.project, integration=jira, user=user, grant=grant, **site)

    return make
