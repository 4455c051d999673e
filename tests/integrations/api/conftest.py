"""A back end of the customer, calling the management API with its key."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from integrations.api import keys
from integrations.api.scopes import SCOPES
from integrations.models import ConnectedUser, Project, User
from tests.integrations.sdk.conftest import connect

__all__ = ["connect"]
EVERY_SCOPE = [scope.name for scope in SCOPES]


@dataclass
class BackEnd:
    project: Project
    key: str
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.key}", **headers}
        address = f"/projects/{self.project.pk}/{path}"
        return self.client.generic(method, address, data, "application/json", headers=given)

    def get(self, path: str) -> Any:
        return self.call("GET", path)


@pytest.fixture
def olivia(db: None) -> User:
    return User.objects.create_user("olivia@acme.test")


@pytest.fixture
def key_with(project: Project, olivia: User) -> Callable[..., str]:
    """key_with("users:read") is the text of a new key of the project."""

    def make(*scopes: str, days: int | None = None) -> str:
        return keys.make(project, "Support desk", scopes, olivia, days=days)[1]

    return make


@pytest.fixture
def back_end(project: Project, key_with: Callable[..., str]) -> BackEnd:
    """It may do everything."""
    return BackEnd(project, key_with(*EVERY_SCOPE))


@pytest.fixture
def user(project: Project) -> Callable[..., ConnectedUser]:
    """user("alice") makes an end user who is not connected to anything."""
    return lambda sub, **fields: ConnectedUser.objects.create(project=project, sub=sub, **fields)
