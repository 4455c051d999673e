"""The whole OpenAPI document against a real server: whatever is sent, nothing is answered that it does not declare.

FUZZ_EXAMPLES is how many requests each operation gets; 100 take about ten minutes.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

from integrations.sdk.openapi import PARTS
from tests.integrations.sdk.tenants import Tenant, settle
from tests.support.processes import MANAGE, database_url, free_port, granian, running
from tests.support.sandbox import Sandbox
from workflows.models import Run

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "16"))
PATIENCE_SECONDS = 30
OPERATIONS = [(path, method) for part in PARTS for path, item in part().items() for method in item]
CONFORM = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# The provider's answers, and a question whose parts must fit each other.
SELDOM_READ = ("/sdk/proxy/", "/raw/", "/sdk/actions/build-oauth")
MODES = [schemathesis.GenerationMode.POSITIVE] * 3 + [schemathesis.GenerationMode.NEGATIVE]


@dataclass(frozen=True)
class Town:
    """A server with two tenants who must know nothing of each other, and what was noticed there."""

    url: str
    here: Tenant
    there: Tenant
    session: requests.Session
    # Values that lead to rows, by the method that they are for.
    known: dict[str, dict[str, list[str]]]
    foreign: dict[str, list[str]]
    complaints: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def ask(self, case: Any, caller: Tenant) -> None:
        """Send a request in the name of a tenant, and note what is wrong with the answer."""
        name, other = case.operation.label, self.there if caller is self.here else self.here
        headers = {"Authorization": f"Bearer {_credentials(case.operation, caller)}"}
        answer = case.call(base_url=self.url, session=self.session, headers=headers, timeout=PATIENCE_SECONDS)
        self.statuses[name][answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CONFORM)
        except (Failure, FailureGroup) as failure:
            self.complaints.setdefault(name, f"{name}: {failure}")
        if b'"http_500"' in answer.content or other.marker.encode() in answer.content:
            self.complaints[name] = f"{answer.status_code} {answer.text[:500]}\n{case.as_curl_command()}"

    def unread(self) -> set[str]:
        """Return what should be there to read and was never read: the requests did not lead anywhere then."""
        return {
            name
            for name, counts in self.statuses.items()
            if name.startswith("GET") and 200 not in counts and not any(part in name for part in SELDOM_READ)
        }


def _credentials(operation: Any, tenant: Tenant) -> str:
    if "apiKey" in str(operation.definition.raw.get("security")):
        return tenant.api_key
    return tenant.sign(tenant.sub_for(operation.method))


@pytest.fixture
def town(transactional_db: None, private_key: rsa.RSAPrivateKey, sandbox: Sandbox) -> Iterator[Town]:
    here = settle("Acme Tasks", "marker-of-acme", private_key, sandbox)
    there = settle("Elsewhere", "marker-of-elsewhere", private_key, sandbox)
    port = free_port()
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url(), "SWEEP_SECONDS": "0.3"}
    sweeper = running([*MANAGE, "sweeper"], env=own | sandbox.environment)
    with granian(port, env=sandbox.environment), sweeper, requests.Session() as session:
        _wait_for_runs()
        known = {method: here.known_to(method) for method in ("get", "post", "put", "patch", "delete")}
        yield Town(f"http://localhost:{port}", here, there, session, known, there.known())


def _wait_for_runs() -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while Run.objects.unfinished().exists() and time.monotonic() < give_up_at:
        time.sleep(0.1)


# What is sent ---------------------------------------------------------------------------------------------------------


def requests_to(operation: Any, town: Town) -> st.SearchStrategy[tuple[Any, Tenant]]:
    """Return requests as described, and some that are not, of which most name rows that exist; and who sends them."""

    @st.composite
    def made(draw: Any) -> tuple[Any, Tenant]:
        case = draw(operation.as_strategy(generation_mode=draw(st.sampled_from(MODES))))
        for part in (case.path_parameters, case.query, case.headers, case.body):
            season(draw, part, town.known[operation.method], town.foreign)
        return case, draw(st.sampled_from([town.here] * 9 + [town.there]))

    return made()


def season(draw: Any, part: Any, known: dict[str, list[str]], foreign: dict[str, list[str]]) -> None:
    """Put values that lead somewhere in the place of most of those that were made up, and a few of the other tenant."""
    for name in [name for name in part if name in known] if hasattr(part, "items") else []:
        chosen = draw(st.integers(0, 9))
        if chosen < 8 or name == "projectId":
            part[name] = draw(st.sampled_from(known[name]))
        elif chosen == 8:
            part[name] = draw(st.sampled_from(foreign[name]))


def try_everything(town: Town) -> None:
    document = schemathesis.openapi.from_dict(Client().get("/api/openapi.json").json())
    for path, method in OPERATIONS:
        _try(document[path][method], town)


def _try(operation: Any, town: Town) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(asked=requests_to(operation, town))
    def ask(asked: tuple[Any, Tenant]) -> None:
        town.ask(*asked)

    ask()


def test_nothing_is_answered_that_is_not_declared(town: Town) -> None:
    try_everything(town)

    assert "\n\n".join(town.complaints.values()) == ""
    assert town.unread() == set()
