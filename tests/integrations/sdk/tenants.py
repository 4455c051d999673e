"""Projects with something of everything in them, whose programs call a real server."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.api import keys
from integrations.api.scopes import SCOPES
from integrations.models import (
    Call,
    ConnectedUser,
    Connection,
    Event,
    Grant,
    Integration,
    OAuthApp,
    Project,
    SigningKey,
    User,
)
from tests.integrations.conftest import PAGE, Window
from tests.support.sandbox import Sandbox
from workflows import deploy, dispatch, runs
from workflows.models import Enablement, Run, StepRun, Workflow

PASSERS_BY, HALF = 80, 40


@dataclass(frozen=True)
class Tenant:
    """A project. `marker` is in what is its own, and must not be seen elsewhere.

    Alice is really connected. The passers-by are there to be changed, disconnected and deleted.
    """

    project: Project
    marker: str
    sign: Callable[[str], str]
    api_key: str

    def passers_by(self) -> list[str]:
        return [f"{self.marker}-{number}" for number in range(PASSERS_BY)]

    def known(self) -> dict[str, list[str]]:
        """Return values that lead to its rows, by the names of parameters and of members of bodies."""
        connections = Connection.objects.filter(project=self.project)
        hers, ran = _ids(connections.filter(user__sub="alice")), Run.objects.filter(project=self.project)
        return {
            "projectId": [str(self.project.pk)],
            "userId": ["alice", *self.passers_by()],
            "connectionId": _ids(connections),
            "credentialId": hers,
            "X-Paragon-Credential": hers,
            "selectedCredentialId": hers,
            "sessionId": _ids(self.project.connect_sessions.all()),
            "runId": _ids(ran),
            "executionId": _ids(ran),
            "stepExecutionId": ["trigger", *_ids(StepRun.objects.filter(run__in=ran))],
            "eventId": _ids(Event.objects.filter(project=self.project)),
            "workflowId": _ids(Workflow.objects.filter(project=self.project)),
            "integrationId": _ids(self.project.integrations.all()),
            "integrationType": ["jira"],
            "integration": ["jira"],
            "integrations": ["jira"],
            "path": ["rest/api/3/myself", "rest/api/3/issue/OPS-1", "rest/api/3/project/search"],
            "action": ["jira", "JIRA_GET_ISSUE"],
            "sourceKey": ["projects"],
            "origin": [PAGE],
            "originForPostMessage": [PAGE],
            "name": ["go"],
        }

    def known_to(self, method: str) -> dict[str, list[str]]:
        """Return the same for operations of a method: they change or end passers-by, never Alice."""
        if method == "delete":
            own = self._of([self.sub_for(method)])["connectionId"]
            return self.known() | self._of(self.passers_by()[HALF:-1]) | {"credentialId": own}
        return self.known() | (self._of(self.passers_by()[:HALF]) if method == "patch" else {})

    def sub_for(self, method: str) -> str:
        """Return the user in whose name an operation is called."""
        return self.passers_by()[-1] if method == "delete" else "alice"

    def _of(self, subs: list[str]) -> dict[str, list[str]]:
        connections = Connection.objects.filter(project=self.project, user__sub__in=subs)
        return {"userId": subs, "connectionId": _ids(connections)}


def _ids(rows: Any) -> list[str]:
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def settle(name: str, marker: str, private_key: rsa.RSAPrivateKey, sandbox: Sandbox) -> Tenant:
    """Make a tenant, whose runs are still to be carried."""
    project = Project.objects.create(name=name, allow_loopback_origins=True)
    sign = _signer(project, private_key)
    app = OAuthApp.objects.create(project=project, provider="jira")
    jira = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    alices = Window(project, sign("alice"), sandbox).connect()
    ConnectedUser.objects.update_or_create(project=project, sub="alice", defaults={"meta": {"Name": marker}})
    olivia = User.objects.create_user(f"olivia@{marker}.test")
    tenant = Tenant(project, marker, sign, keys.make(project, marker, [scope.name for scope in SCOPES], olivia)[1])
    for sub in tenant.passers_by():
        user = ConnectedUser.objects.create(project=project, sub=sub, meta={"Name": marker})
        grant = Grant.objects.create(project=project, app=app, account_id=sub, account_name=marker)
        Connection.objects.create(project=project, integration=jira, user=user, grant=grant, site_name=marker)
    for trigger in ({"type": "event", "name": "go"}, {"type": "request"}):
        _workflow(alices, marker, trigger)
    dispatch.record(project.pk, "app", "go", {"note": marker}, sub="alice")
    _call(project, marker)
    return tenant


def _signer(project: Project, private_key: rsa.RSAPrivateKey) -> Callable[[str], str]:
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = private_key.public_key().public_bytes(encoding, kind).decode()
    key = SigningKey.objects.create(project=project, public_pem=pem)

    def sign(sub: str) -> str:
        now = int(time.time())
        claims = {"sub": sub, "iat": now, "exp": now + 3600, "aud": str(project.pk)}
        return jwt.encode(claims, private_key, algorithm="RS256", headers={"kid": key.kid})

    return sign


def _workflow(connection: Connection, marker: str, trigger: dict[str, str]) -> None:
    """Deploy a workflow, switch it on for the connection, and start it."""
    note = {"id": "note", "type": "values", "input": {"values": [{"key": "a", "value": marker}]}}
    draft = {"trigger": trigger, "steps": [note], "settings": []}
    workflow = Workflow.objects.create(
        project=connection.project, integration=connection.integration, name=marker, draft=draft
    )
    version = deploy.deploy(workflow, "test")
    Enablement.objects.create(workflow=workflow, connection=connection, is_enabled=True)
    runs.start(runs.new_run(version, connection, trigger=trigger["type"], payload={"note": marker}))


def _call(project: Project, marker: str) -> None:
    Call.objects.create(
        project=project,
        sub="alice",
        provider_slug="jira",
        method="GET",
        path=f"/{marker}",
        status=200,
        milliseconds=12,
        at=project.created_at,
    )
