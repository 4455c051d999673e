"""Trying a route with every method, and what there was to be seen."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from integrations.models import Project
from tests.isolation import expectations
from tests.isolation.conftest import EXTERNAL_ID, MARKERS, ORIGIN, House
from tests.isolation.expectations import SIGN_IN, Outcome
from tests.isolation.routes import Route

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# The ways to say which connection is meant, the first being not to.
NAMING = [
    {},
    {"X-Paragon-Credential": "{connection}"},
    {"X-Paragon-Credential": EXTERNAL_ID},
    {"X-Paragon-Credential": f"ext:{EXTERNAL_ID}"},
]


@dataclass
class Tries:
    """What somebody was answered, trying a route with every method."""

    outcomes: set[Outcome] = field(default_factory=set)
    bodies: list[str] = field(default_factory=list)

    def add(self, response: Any) -> None:
        self.outcomes.add(outcome(response))
        self.bodies.append(f"{response.headers} {response.getvalue().decode()}")

    def shown(self) -> list[str]:
        """Return what of Alice's data was to be seen."""
        return [marker for marker in MARKERS if any(marker in body for body in self.bodies)]


def outcome(response: Any) -> Outcome:
    asks = response.status_code == 302 and response["Location"].startswith(("/accounts/login/", "/admin/login/"))
    return SIGN_IN if asks else int(response.status_code)


def visit(client: Client, address: str, **options: Any) -> Tries:
    tries = Tries()
    for method in METHODS:
        tries.add(client.generic(method, address, **options))
    return tries


def call(
    house: House,
    route: Route,
    token: str,
    *,
    project: Project | None = None,
    headers: Iterable[Mapping[str, str]] = ({},),
    methods: Iterable[str] = METHODS,
) -> Tries:
    """Call a route of the SDK's API with the methods and each of the headers, asking for the rows of `house`."""
    expected, tries = expectations.of(route), Tries()
    query = {name: filled(text, house, token) for name, text in expected.query.items()}
    body = filled(json.dumps(expected.body), house, token)
    for given in headers:
        for method in methods:
            tries.add(
                Client().generic(
                    method,
                    house.address(route, project=project),
                    body,
                    "application/json",
                    query_params=query,
                    headers={"Authorization": f"Bearer {token}"} | given,
                )
            )
    return tries


def naming(house: House) -> list[dict[str, str]]:
    return [{name: filled(text, house) for name, text in headers.items()} for headers in NAMING]


def filled(text: str, house: House, token: str = "") -> str:
    rows = {"{origin}": ORIGIN, "{connection}": str(house.connection.pk), "{key}": house.session.key, "{token}": token}
    for name, value in rows.items():
        text = text.replace(name, value)
    return text
