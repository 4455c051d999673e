"""A connection that listens, and the sender of deliveries by hand: signed as Jira signs them."""

import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from django.http import HttpResponse
from django.test import Client

from integrations import webhooks
from integrations.models import (
    ConnectedUser,
    Connection,
    Delivery,
    Event,
    Integration,
    Member,
    OAuthApp,
    Project,
    Registration,
    SiteWebhook,
    Subscription,
    User,
)
from tests.integrations.conftest import Window, alice, jira, mallory, window_of
from tests.workflows.conftest import Worker, connection, values, worker
from workflows import settings as workflow_settings
from workflows.models import Run, Workflow

__all__ = ["alice", "connection", "jira", "mallory", "window_of", "worker"]

SECRET = "a client secret of the app that is long enough to sign with it, by every algorithm"
SITE = "https://acme.atlassian.net"
HOOK = 1000
NOW = int(time.time() * 1000)


@pytest.fixture
def app(jira: Integration) -> OAuthApp:
    """The project's own app at the provider."""
    own = jira.oauth_app
    own.client_id = "acme-client"
    own.scopes = [scope.name for scope in jira.provider.scopes]
    own.set_secret(SECRET)
    own.save()
    return own


@pytest.fixture
def listener(jira: Integration, app: OAuthApp) -> Connection:
    """Alice's Jira at acme.atlassian.net, whose registration has the ID 1000."""
    return connect(jira, app, "alice")


def connect(
    jira: Integration, app: OAuthApp, sub: str, *, site: str = SITE, hook: int = HOOK, account: str = ""
) -> Connection:
    user, _ = ConnectedUser.objects.get_or_create(project=jira.project, sub=sub)
    scopes = ["read:jira-work", "write:jira-work", "manage:jira-webhook", "manage:jira-configuration"]
    grant, _ = jira.project.grants.get_or_create(
        app=app, account_id=account or f"account-of-{sub}", defaults={"account_name": sub.title(), "scopes": scopes}
    )
    connection = Connection.objects.create(
        project=jira.project, integration=jira, user=user, grant=grant, site_id=site, site_name="Acme", site_url=site
    )
    Registration.objects.create(connection=connection, app=app, site=site, feed="issues", provider_id=str(hook))
    return connection


@dataclass
class Sender:
    """Jira's sending side, by hand."""

    app: OAuthApp
    client: Client = field(default_factory=Client)
    secret: str = SECRET

    def post(
        self, body: Any, *, token: str | None = None, identifier: str = "", url: str = "", **headers: str
    ) -> HttpResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"X-Atlassian-Webhook-Identifier": identifier or str(uuid.uuid4())}
        signed = self.token() if token is None else token
        if signed:
            given["Authorization"] = f"Bearer {signed}"
        path = url or f"/webhooks/jira/{self.app.webhook_token}"
        return self.client.generic("POST", path, data, "application/json", headers=given | headers)  # type: ignore[return-value]

    def token(self, secret: str = "", **claims: Any) -> str:
        now = int(time.time())
        wanted = {"iss": "acme-client", "iat": now, "exp": now + 180} | claims
        return jwt.encode({name: value for name, value in wanted.items() if value is not None}, secret or self.secret)

    def deliver(self, body: Any, **more: Any) -> list[Event]:
        """Have a delivery taken, handled and dispatched; return its events."""
        answer = self.post(body, **more)
        assert answer.status_code == 200, answer.content
        handle_all()
        newest = Delivery.objects.order_by("-pk").first()
        return list(Event.objects.filter(delivery=newest).order_by("pk"))

    def deliver_one(self, body: Any, **more: Any) -> Event:
        [event] = self.deliver(body, **more)
        return event

    def by_hand(self, webhook: SiteWebhook, secret: str, body: Any, **headers: str) -> HttpResponse:
        data = json.dumps(body).encode()
        signature = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
        given = {"X-Hub-Signature": f"sha256={signature}"} | headers
        return self.post(data, token="", url=f"/webhooks/jira/site/{webhook.token}", **given)


@pytest.fixture
def staff(listener: Connection) -> Client:
    user = User.objects.create_user(email="olivia@acme.test", password="a long password")
    Member.objects.create(project=listener.project, user=user, role=Member.Role.OWNER)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sender(app: OAuthApp, monkeypatch: pytest.MonkeyPatch) -> Sender:
    monkeypatch.setattr(webhooks, "_refusals", webhooks._Refusals())
    return Sender(app)


def handle_all() -> None:
    """What a worker does with deliveries that came in."""
    from integrations import tasks

    waiting = Delivery.objects.waiting().order_by("pk").values_list("pk", flat=True)
    tasks.handle_webhook(*map(str, waiting))


def body_of(
    name: str = "jira:issue_updated", *, site: str = SITE, hook: int | None = HOOK, **more: Any
) -> dict[str, Any]:
    """Return a delivery as small as they get: one issue, one change."""
    issue_id = more.pop("issue_id", "10001")
    fields = {"summary": "Disk is full", "project": {"id": "10000", "key": "OPS", "name": "Operations"}}
    fields |= {"updated": "2026-11-24T10:00:00.000+0000", "created": "2026-11-20T10:00:00.000+0000"}
    fields |= more.pop("fields", {})
    own = f"{site}/rest/api/2"
    body: dict[str, Any] = {"timestamp": NOW, "webhookEvent": name}
    if hook is not None:
        body["matchedWebhookIds"] = [hook]
    body["user"] = {"self": f"{own}/user?accountId=bo", "accountId": "bo", "displayName": "Bo Lind"}
    issue = {"id": issue_id, "self": f"{own}/issue/{issue_id}", "key": f"OPS-{int(issue_id) - 10000}"}
    body["issue"] = issue | {"fields": fields}
    if name == "comment_created":
        author = body.pop("user")
        comment = {"id": "501", "self": f"{own}/issue/{issue_id}/comment/501", "body": "Hello", "author": author}
        body["comment"] = comment | {"created": "2026-11-24T10:00:00.000+0000"}
    elif name.startswith("project_"):
        project = {"self": f"{own}/project/10000", "id": 10000, "key": "OPS", "name": "Operations"}
        body["project"] = project | {"projectLead": {"accountId": "ada", "displayName": "Ada Park"}}
        del body["issue"]
    else:
        item = {
            "field": "status",
            "fieldId": "status",
            "from": "1",
            "fromString": "To Do",
            "to": "3",
            "toString": "Done",
        }
        body["changelog"] = {"id": more.pop("change", "900"), "items": [item]}
    return body | more


def trigger(name: str = "issue_updated", /, options: dict[str, Any] | None = None, **filters: Any) -> dict[str, Any]:
    return {"type": "integration", "name": name, "input": filters} | ({"options": options} if options else {})


@dataclass
class Listening:
    """Makes workflows that listen, and connections that hear."""

    worker: Worker

    def __call__(self, connection: Connection, begins: dict[str, Any] | None = None, **chosen: Any) -> Workflow:
        begins = begins or trigger()
        more: dict[str, Any] = {}
        if chosen:
            more["settings"] = [{"key": key, "label": key, "type": "text"} for key in chosen]
        concurrency = begins.pop("concurrency", None)
        if concurrency:
            more["concurrency"] = concurrency
        steps = values(event="{{trigger.event}}")
        workflow = self.worker.workflow(steps, trigger=begins, **more)
        row = workflow_settings.switch(workflow, connection, on=True)
        row.settings = chosen
        row.save()
        self.hear(connection, begins["name"])
        return workflow

    @staticmethod
    def hear(connection: Connection, name: str) -> Subscription:
        """Put it as it is when the subscription was looked at: the trigger is wanted, and told."""
        feed = connection.integration.provider.feed_of(name)
        assert feed is not None
        row = Subscription.objects.get(connection=connection, feed=feed.slug)
        row.triggers = row.triggers | {name: "2026-01-01T00:00:00+00:00"}
        row.way = Subscription.Way.WEBHOOK
        row.save()
        return row


@pytest.fixture
def listening(worker: Worker) -> Listening:
    return Listening(worker)


def runs_of(event: Event) -> list[Run]:
    return list(Run.objects.filter(event=event).order_by("pk"))


def door_of(app: OAuthApp) -> webhooks.Door:
    found = webhooks.find_door("jira", app.webhook_token)
    assert found is not None
    return found


__all__ += ["Project", "Window"]
