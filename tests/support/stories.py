"""Projects as they really become, for every page to be looked at: full, bare, empty, and where everything fails.

Names are long or in other scripts, e-mail addresses are as long as they may be, and lists go on to a second page.
"""

import random
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as conf
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from integrations import audit, clock, connect, try_it
from integrations.call_stats import PERIODS
from integrations.dashboard import invitations
from integrations.models import (
    AuditSeal,
    Call,
    CallHour,
    ConnectedUser,
    Connection,
    ConnectSession,
    Delivery,
    Event,
    Grant,
    Heartbeat,
    Integration,
    Invitation,
    Member,
    OAuthApp,
    Portal,
    Project,
    RefusedDeliveries,
    Registration,
    SigningKey,
    Subscription,
    User,
)
from integrations.models.base import first_uuid_at
from tests.isolation.conftest import House, build
from tests.isolation.routes import Route
from tests.support.codes import app_of
from tests.support.passkey import passkey_of as passkey
from tests.support.sandbox import Sandbox
from workflows import deploy
from workflows.models import AlertRule, Enablement, ProjectSecret, Run, StepRun, Workflow

ORIGIN = "https://app.acme.test"
PASSWORD = "correct horse battery"
SIGNED_IN_JUST_NOW = {"mira", "newcomer"}
SIGNING_IN = {"nils"}  # the password was right, the second factor is still asked for
NONCE = "b" * 43
# Of those below, one whose consent is gone.
FAILING_SUB = "usr_0008_"
ROWS = 56  # more than a page of a list
LONG_EMAIL = f"{'anastasia.konstantinopolskaya' * 2}@{'.'.join(['integrations-engineering-department'] * 4)}.test"
NAMES = [
    "Ada Park",
    "ნინო ბერიძე",
    "Þórdís Kolbrún Reykfjörð Gylfadóttir",
    "عبد الرحمن الهاشمي",
    "Wolfeschlegelsteinhausenbergerdorff" * 2,
    "Zoë O’Connor-Błażejczyk",
    "Ἀλέξανδρος Παπαδόπουλος",
    "Bo Lind",
]
ROUTES = [
    ("GET", "/rest/api/3/myself", 200, 84),
    ("POST", "/rest/api/3/issue", 201, 412),
    ("GET", "/rest/api/3/issue/{id}", 200, 131),
    ("POST", "/rest/api/3/search/jql", 400, 96),
    ("GET", "/rest/api/3/issue/{id}", 404, 61),
    ("PUT", "/rest/api/3/issue/{id}/assignee", 204, 205),
    ("GET", "/rest/api/3/project/search", 200, 1741),
    ("POST", "/rest/api/3/issue/{id}/comment", 502, 3009),
    ("GET", "/rest/api/3/field", 429, 47),
]
TASK = {"id": "T-1042", "title": "Disk is full on build-07", "priority": "high", "labels": ["ops", "käyttö"]}
FLOW = {
    "trigger": {"type": "event", "name": "task.created", "sample": TASK},
    "steps": [
        {"id": "search", "type": "action", "action": "search_jql", "input": {"jql": "project = OPS"}, "retry": True},
        {
            "id": "create_issue",
            "type": "action",
            "action": "create_issue",
            "input": {"project": "OPS", "issue_type": "Task", "summary": "{{trigger.title}}"},
            "retry": True,
        },
        {"id": "a_moment", "type": "delay", "input": {"amount": "30", "unit": "seconds"}},
        {
            "id": "tell_acme",
            "type": "http",
            "name": "Tell Acme Tasks that its task has become an issue, whichever project it is in",
            "input": {"method": "POST", "url": "https://acme.test/hooks", "body_type": "none"},
            "retry": True,
        },
    ],
    "settings": [{"key": "project", "label": "Jira project", "type": "text", "default": "OPS", "required": True}],
}


@dataclass(frozen=True)
class Lot:
    """A project with nothing or little in it."""

    project: Project

    def address(self, route: Route, **instead: object) -> str:
        return route.address({"project_id": self.project.pk, "slug": "jira", "feed": "projects"} | instead)


@dataclass(frozen=True)
class Street:
    """Every project there is, and who may look at them; None is somebody who is not signed in."""

    houses: Mapping[str, House | Lot]
    people: Mapping[str, User | None]
    # The one that Ines was sent.
    invitation: Invitation
    sandbox: Sandbox
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        """Return the browser of somebody; most signed in long ago."""
        if who not in self.clients:
            client = self.clients[who] = Client(raise_request_exception=False)
            client.cookies["patchbay-connect"] = NONCE
            person = self.people[who]
            if person and who in SIGNING_IN:
                given = {"login": person.email, "password": PASSWORD}
                client.post("/accounts/login/", given, headers={"host": "localhost"})
            elif person:
                client.force_login(person)
                if who in SIGNED_IN_JUST_NOW:
                    confirm(client, person)
                if who == "ines":
                    open_link(client, self.invitation)
        return self.clients[who]


def street(private_key: rsa.RSAPrivateKey, sandbox: Sandbox) -> Street:
    """Make all of it. One private key signs for all projects; the sandbox is where the development keys lead."""
    olivia = User.objects.create_user("olivia@acme.test", "correct horse battery")
    root = User.objects.create_superuser("root@patchbay.test", "correct horse battery")
    houses: dict[str, House | Lot] = {
        "full": full(olivia, private_key),
        "failing": failing(olivia, private_key),
        "bare": bare(olivia),
        "empty": Lot(_owned(olivia, "Brand new")),
        "tried": tried(olivia, sandbox),
    }
    sam = User.objects.create_user("sam@acme.test", "correct horse battery", first_name="Sam", last_name="Support")
    for house in houses.values():
        Member.objects.create(project=house.project, user=sam, role=Member.Role.SUPPORT)
    people: dict[str, User | None] = {"olivia": olivia, "sam": sam, "root": root, "nobody": None}
    people |= {
        name: User.objects.create_user(f"{name}@acme.test", PASSWORD) for name in ("newcomer", "mira", "ines", "nils")
    }
    for name in ("mira", "nils"):
        app_of(_somebody(people[name]))
    passkey(_somebody(people["mira"]), "Laptop of Mira Konstantinopolskaya-Fernández, the blue one")
    RecoveryCodes.activate(_somebody(people["mira"]))
    invitation, _ = invitations.invite(houses["full"].project, "ines@acme.test", "developer", olivia)
    _machinery(olivia, houses["full"])
    return Street(houses, people, invitation, sandbox)


def confirm(client: Client, person: User) -> None:
    """Have somebody said just now that it is still them, so that they may see to their second factors."""
    session = client.session
    session["account_authentication_methods_user"] = str(person.pk)
    # Ahead of time: pages are looked at for minutes.
    way = "mfa" if person.has_second_factor() else "password"
    session["account_authentication_methods"] = [{"method": way, "at": time.time() + 3600, "reauthenticated": True}]
    session.save()


def open_link(client: Client, invitation: Invitation) -> None:
    """Have somebody opened the link that they were sent."""
    session = client.session
    session[invitations.SEEN] = {str(invitation.pk): invitation.token_hash}
    session.save()


def _somebody(person: User | None) -> User:
    assert person
    return person


def _owned(owner: User, name: str, **more: Any) -> Project:
    project = Project.objects.create(name=name, **more)
    Member.objects.create(project=project, user=owner, role=Member.Role.OWNER)
    return project


def bare(owner: User) -> Lot:
    """An integration was added, and nothing was done with it."""
    project = _owned(owner, "Just begun")
    app = OAuthApp.objects.create(project=project, provider="jira")
    Integration.objects.create(project=project, provider_slug="jira", oauth_app=app)
    return Lot(project)


def _machinery(owner: User, house: Any) -> None:
    """Rows that only the admin shows."""
    now = clock.now()
    Group.objects.create(name="Operators")
    SocialAccount.objects.create(user=owner, provider="oidc", uid="olivia")
    Portal.objects.create(integration=house.integration)
    AuditSeal.objects.create(project=house.project, last_id=1, count=1, digest="d" * 64)
    Heartbeat.objects.create(name="sweeper", at=now)
    RefusedDeliveries.objects.create(
        app=house.integration.oauth_app, count=3, last_at=now, last_reason="The signature does not fit."
    )


# Tried out ------------------------------------------------------------------------------------------------------------


def tried(owner: User, sandbox: Sandbox) -> Lot:
    """Development keys, an account of the owner's to try calls with, and a user who is about to connect."""
    project = _owned(owner, "Tried out", connect_without_claim=True)
    app = OAuthApp.objects.create(project=project, provider="jira")
    integration = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    session = _come_back(sandbox.allow(try_it.begin(integration, owner, NONCE)))
    try_it.finish(session, owner)
    ConnectedUser.objects.create(project=project, sub="usr_0042", meta={"Name": "Ada Park"})
    return Lot(project)


def _come_back(callback_url: str) -> ConnectSession:
    """Return the attempt once the provider sent the browser back and a site was chosen."""
    parts = urlsplit(callback_url)
    app_id = uuid.UUID(parts.path.rpartition("/")[2])
    session = connect.take_callback(app_id, dict(parse_qsl(parts.query)), NONCE)
    connect.choose_site(session, session.sites[0]["id"])
    return session


# Full -----------------------------------------------------------------------------------------------------------------


def full(owner: User, private_key: rsa.RSAPrivateKey) -> House:
    """A product in its second year: every list has a second page, and everything works, nearly."""
    house = build("Acme Tasks for Engineering, Operations and Customer Support (EMEA & APAC)", owner, private_key, ADA)
    house.project.kind = Project.Kind.DEVELOPMENT
    house.project.allow_loopback_origins = True
    house.project.connect_without_claim = True
    house.project.return_urls = ["https://app.acme.test/settings/integrations/done"]
    house.project.save()
    OAuthApp.objects.filter(project=house.project).update(scopes=house.integration.provider.recommended_scopes())
    house.integration.oauth_app.refresh_from_db()
    now = clock.now()
    ConnectedUser.objects.filter(pk=house.connection.user_id).update(meta={"Name": "Ada Park", "Team": "Operations"})
    Grant.objects.filter(pk=house.connection.grant_id).update(
        scopes=house.integration.provider.recommended_scopes(), refreshed_at=now - timedelta(minutes=12)
    )
    _members(house)
    _users(house)
    _calls(house, now)
    _workflows(house)
    _runs(house, now)
    _events(house, now)
    _listens(house, now)
    _audit(house)
    for name in ("ACME_TOKEN", "ACME_URL", "A_SECRET_WITH_A_NAME_THAT_IS_AS_LONG_AS_A_NAME_MAY_POSSIBLY"):
        ProjectSecret.objects.keep(house.project, name, "a value that nobody sees")
    SigningKey.objects.filter(pk=house.signing_key.pk).update(name="Back end in production", created_by=owner)
    return house


ADA = {
    "id": "account-of-ada",
    "name": "Ada Park",
    "email": "ada@acme.test",
    "site_id": "site-1",
    "site": "Acme",
    "url": "https://acme.atlassian.test",
    "meta": "Operations",
    "setting": "OPS",
    "external_id": "acme-main",
}


def _members(house: House) -> None:
    people = [
        (Member.Role.ADMIN, "nino@acme.test", "ნინო", "ბერიძე"),
        (Member.Role.DEVELOPER, LONG_EMAIL, "", ""),
        (Member.Role.DEVELOPER, "dev@acme.test", "Þórdís", "Kolbrún Reykfjörð Gylfadóttir"),
    ]
    for role, email, first, last in people:
        user = User.objects.create_user(email, first_name=first, last_name=last)
        Member.objects.create(project=house.project, user=user, role=role)


def people_of(house: House) -> Iterator[tuple[str, str]]:
    """Yield user IDs with names, the first of which are hard to show."""
    for number, name in enumerate(islice(cycle(NAMES), ROWS)):
        yield f"usr_{number:04}_{'x' * 90 if number == 4 else ''}", name


def _users(house: House) -> None:
    scopes = house.integration.provider.recommended_scopes()
    for number, (sub, name) in enumerate(people_of(house)):
        meta = {"Name": name, "Email": LONG_EMAIL if number == 2 else f"user{number}@customer.test", "Plan": "Team"}
        user = ConnectedUser.objects.create(project=house.project, sub=sub, meta=meta)
        grant = Grant.objects.create(
            project=house.project,
            app=house.integration.oauth_app,
            account_id=f"account-{number}",
            account_name=name,
            account_email=meta["Email"],
            scopes=scopes,
            expires_at=clock.now() + timedelta(minutes=40),
            refreshed_at=clock.now() - timedelta(minutes=20),
            status=Grant.Status.NEEDS_RECONNECT if number % 9 == 8 else Grant.Status.ACTIVE,
            reason="The user removed the consent at the provider." if number % 9 == 8 else "",
        )
        made = Connection.objects.create(
            project=house.project,
            integration=house.integration,
            user=user,
            grant=grant,
            site_id=f"site-{number}",
            site_name=f"{name} & Company",
            site_url=f"https://customer-{number}.atlassian.test",
        )
        since = clock.now() - timedelta(hours=5 + 29 * number)
        ConnectedUser.objects.filter(pk=user.pk).update(created_at=since)
        Connection.objects.filter(pk=made.pk).update(created_at=since)


def _calls(house: House, now: datetime) -> None:
    chance = random.Random(7)
    rows = []
    for number, (method, route, status, milliseconds) in enumerate(islice(cycle(ROUTES), ROWS)):
        rows.append(
            Call(
                project=house.project,
                connection_id=house.connection.pk,
                sub="alice" if number % 3 else "usr_0004_" + "x" * 90,
                provider_slug="jira",
                method=method,
                path=route.replace("{id}", f"OPS-{number + 1}"),
                route=route,
                status=status,
                milliseconds=milliseconds + chance.randrange(40),
                at=now - timedelta(minutes=7 * number),
            )
        )
    Call.objects.bulk_create(rows)
    hour = now.replace(minute=0, second=0, microsecond=0)
    hours = []
    for back in range(PERIODS["day"][1]):
        for method, route in dict.fromkeys((method, route) for method, route, _, _ in ROUTES):
            calls = 20 + chance.randrange(60) if back % 7 else 4
            hours.append(
                CallHour(
                    project=house.project,
                    provider_slug="jira",
                    hour=hour - timedelta(hours=back),
                    method=method,
                    route=route,
                    calls=calls,
                    refused=calls // 12,
                    failed=calls // 15 if back in (5, 6) else 0,
                    milliseconds=calls * 220,
                    ms_100=calls // 4,
                    ms_200=calls // 2,
                    ms_400=calls - calls // 4 - calls // 2 - 1,
                    ms_3200=1,
                )
            )
    CallHour.objects.bulk_create(hours, ignore_conflicts=True)


def _workflows(house: House) -> None:
    names = [
        ("New tasks become issues", "Creates an issue for each task you add."),
        ("Comments appear under tasks", "Whatever is said about an issue is read below its task."),
        ("Щоранку надсилає команді перелік відкритих задач", ""),
        ("A workflow whose name somebody wrote as if it were a whole sentence about what it does, and why", "x" * 240),
    ]
    for name, description in names:
        workflow = Workflow.objects.create(
            project=house.project, integration=house.integration, name=name, description=description, draft=FLOW
        )
        deploy.deploy(workflow, house.owner)
        workflow.draft = {**FLOW, "settings": []}
        deploy.deploy(workflow, house.owner)
        workflow.draft = FLOW
        workflow.samples = {"trigger": TASK}
        workflow.save()
        Enablement.objects.create(workflow=workflow, connection=house.connection, is_enabled=True)
    Workflow.objects.create(project=house.project, integration=house.integration, name="A draft of mine", draft={})


def _runs(house: House, now: datetime) -> None:
    flows = list(Workflow.objects.filter(project=house.project, deployed__isnull=False).order_by("created_at"))
    kinds = cycle([*[Run.Status.DONE] * 4, Run.Status.FAILED, Run.Status.UNCERTAIN, Run.Status.WAITING])
    for number, status in enumerate(islice(kinds, ROWS)):
        at = now - timedelta(minutes=ROWS - number)
        workflow, is_over = flows[number % len(flows)], status not in Run.UNFINISHED
        reason = "Create issue: the provider answers 400: Specify a valid value for priority" if number % 7 == 4 else ""
        run = Run.objects.create(
            pk=first_uuid_at(at),
            project=house.project,
            workflow=workflow,
            version=workflow.deployed,
            connection=house.connection,
            sub="alice",
            trigger="event",
            payload=TASK,
            settings={"project": "OPS"},
            status=status,
            reason=reason,
            started_at=at,
            ended_at=at + timedelta(milliseconds=743) if is_over else None,
        )
        Run.objects.filter(pk=run.pk).update(created_at=at)
        _steps(run, at)


def _steps(run: Run, at: datetime) -> None:
    last = {
        Run.Status.FAILED: StepRun.Status.FAILED,
        Run.Status.UNCERTAIN: StepRun.Status.UNCERTAIN,
        Run.Status.WAITING: StepRun.Status.WAITING,
    }
    statuses = [StepRun.Status.DONE, last.get(Run.Status(run.status), StepRun.Status.DONE)]
    did = [("search", {"issues": []}), ("create_issue", {"key": "OPS-7"})]
    for (path, output), status in zip(did, statuses, strict=True):
        is_done = status == StepRun.Status.DONE
        StepRun.objects.create(
            run=run,
            path=path,
            type="action",
            status=status,
            op_key=uuid.uuid5(run.pk, path),
            generation=1,
            attempts=1 if is_done else 3,
            input={"project": "OPS", "summary": TASK["title"]},
            output=output if is_done else None,
            error="" if is_done else "400: Specify a valid value for priority. " * 3,
            error_fields={} if is_done else {"priority": "“urgent” is not one of Highest, High, Medium, Low, Lowest."},
            started_at=at,
            ended_at=at,
            milliseconds=212,
        )


def _events(house: House, now: datetime) -> None:
    delivery = Delivery.objects.create(
        app=house.integration.oauth_app, provider_slug="jira", key=f"key-{house.project.pk}", site=ADA["url"], body="{}"
    )
    runs = list(Run.objects.filter(project=house.project).order_by("pk")[:ROWS])
    for number, run in enumerate(runs):
        at, is_told = now - timedelta(minutes=ROWS - number), number % 2
        state = [Event.State.DISPATCHED, Event.State.DISPATCHED, Event.State.IGNORED, Event.State.FAILED][number % 4]
        reasons = {Event.State.DISPATCHED: "1 run", Event.State.IGNORED: "Nobody listens to it."}
        event = Event.objects.create(
            pk=first_uuid_at(at),
            project=house.project,
            connection=house.connection,
            sub="alice",
            source=Event.Source.WEBHOOK if is_told else Event.Source.APP,
            name="issue_updated" if is_told else "task.created",
            payload=TASK | {"raw": {"issue": {"key": "OPS-7", "fields": {"summary": TASK["title"]}}}},
            state=state,
            reason=reasons.get(state, "The filter cannot be asked: the provider answers 400: the JQL is not valid."),
            key=f"issue:{number}",
            subject=f"OPS-{number}",
            happened_at=at,
            delivery=delivery if is_told else None,
        )
        Event.objects.filter(pk=event.pk).update(created_at=at)
        if state == Event.State.DISPATCHED:
            Run.objects.filter(pk=run.pk).update(event=event)


def _listens(house: House, now: datetime) -> None:
    feeds = house.integration.provider.feeds
    Subscription.objects.create(
        project=house.project,
        connection=house.connection,
        feed=feeds[0].slug,
        triggers={feeds[0].triggers[0].slug: now.isoformat()},
        way=Subscription.Way.WEBHOOK,
        delivered_at=now - timedelta(minutes=3),
        heard_until=now - timedelta(minutes=1),
        gap_from=now - timedelta(hours=9),
        gap_until=now - timedelta(hours=8),
        gap_events=3,
        gap_reason="Nothing was told for longer than usual.",
    )
    Registration.objects.create(
        connection=house.connection,
        app=house.integration.oauth_app,
        site=ADA["url"],
        feed=feeds[0].slug,
        provider_id="1000",
        events=["jira:issue_created", "jira:issue_updated", "jira:issue_deleted", "comment_created"],
        filter="project IN (OPS, WEB, MOBILE, PLATFORM)",
        expires_at=now + timedelta(days=29),
        verified_at=now - timedelta(minutes=4),
    )


def _audit(house: House) -> None:
    change = audit.Change({"Name": "Acme", "Call log days": 30}, {"Name": house.project.name, "Call log days": 90})
    acts = [
        ("project changed", "", change),
        ("connected", "Ada Park at Acme", None),
        ("signing key added", "k" * 80, None),
    ]
    now = clock.now()
    for number, (action, detail, changes) in enumerate(islice(cycle(acts), ROWS)):
        with mock.patch("integrations.audit.clock.now", return_value=now - timedelta(minutes=11 * (ROWS - number))):
            actor = house.owner if number % 2 else NAMES[number % len(NAMES)]
            audit.record(house.project, actor, action, detail, changes)


# Failing --------------------------------------------------------------------------------------------------------------


def failing(owner: User, private_key: rsa.RSAPrivateKey) -> House:
    """A bad day: the keys are refused, the consent is gone, nothing is heard, runs fail and alerts do not arrive."""
    lost = {**ADA, "id": "account-of-bo", "name": "Bo Lind", "external_id": "bo"}
    house = build("A bad day", owner, private_key, lost)
    now, project = clock.now(), house.project
    house.integration.oauth_app.refuse("The provider answers: invalid_client. The client secret is wrong.")
    reason = "The user removed the consent, or their account was deactivated. They have to connect again."
    Grant.objects.filter(project=project).update(status=Grant.Status.NEEDS_RECONNECT, reason=reason, failures=4)
    ConnectedUser.objects.filter(project=project).update(disabled_at=now)
    Call.objects.filter(project=project).update(status=409, code="needs_reconnect", route="/rest/api/3/myself")
    Run.objects.filter(project=project).update(status=Run.Status.UNCERTAIN, ended_at=None)
    run = Run.objects.get(project=project)
    StepRun.objects.create(
        run=run,
        path="get_issue",
        type="action",
        status=StepRun.Status.UNCERTAIN,
        op_key=uuid.uuid5(run.pk, "get_issue"),
        generation=1,
        attempts=1,
        looks=5,
        error="The connection broke after the request was sent: whether it happened is not known.",
        started_at=now,
    )
    Event.objects.filter(project=project).update(state=Event.State.FAILED, reason="The database was away. " * 8)
    AlertRule.objects.filter(project=project).update(last_error="The address answers 502.", emails=[LONG_EMAIL])
    feed = house.integration.provider.feeds[0]
    Subscription.objects.create(
        project=project,
        connection=house.connection,
        feed=feed.slug,
        triggers={feed.triggers[0].slug: now.isoformat()},
        error="The provider answers 403: the account lacks the permission to see webhooks. " * 2,
        error_at=now,
        failures=7,
    )
    Workflow.objects.filter(project=project).update(draft=BROKEN_FLOW)
    return house


BROKEN_FLOW = {
    "trigger": {"type": "schedule", "cron": "every now and then"},
    "steps": [
        {"id": "get_issue", "type": "action", "action": "get_issue", "input": {"issue": "{{nobody.knows}}"}},
        {"id": "gone", "type": "action", "action": "an_action_that_is_gone", "input": {}},
    ],
    "settings": [],
}


# Rows for one visit --------------------------------------------------------------------------------------------------


def _attempt(user: ConnectedUser, integration: Integration) -> ConnectSession:
    """An attempt to connect, in the browser that holds NONCE."""
    protocol = ConnectSession.Protocol.PATCHBAY
    return connect.open_session(user, integration, protocol, origin=ORIGIN, nonce_hash=connect.digest(NONCE))


def allowed(street: Street) -> str:
    """A consent at the provider, for two of its sites. Return where the browser comes back to."""
    project = street.houses["tried"].project
    session = _attempt(project.connected_users.get(sub="usr_0042"), project.integrations.get())
    parts = urlsplit(street.sandbox.allow(connect.provider_address(session)))
    return f"{parts.path}?{parts.query}"


def chosen(street: Street) -> str:
    """A consent for which a site was chosen, too. Return where its last click leads."""
    return reverse("portal:confirm", args=[_come_back(allowed(street)).pk])


def consented(house: House) -> dict[str, object]:
    """A consent that waits for a choice between two sites, one with a name and an address that are hard to show."""
    session = _attempt(house.connection.user, house.integration)
    session.app, session.status = house.integration.oauth_app, ConnectSession.Status.RETURNED
    session.account = {"id": "account-of-ada", "name": "Ada Park", "email": "ada@acme.test"}
    session.sites = [
        {"id": "site-1", "name": "Acme", "url": "https://acme.atlassian.test"},
        {
            "id": "site-2",
            "name": "Παπαδόπουλος " + "Holding " * 12,
            "url": f"https://{'long-' * 20}name.atlassian.test",
        },
    ]
    session.seal("tokens", "{}")
    session.save()
    return {"session_id": session.pk}


def refused(house: House) -> dict[str, object]:
    """A consent that failed."""
    found = consented(house)
    connect.fail(
        ConnectSession.objects.get(pk=found["session_id"]), "site_not_reached", "No site was allowed. Choose one there."
    )
    return found


def member_named(email: str) -> Any:
    return lambda house: {"object_id": house.project.members.get(user__email=email).pk}


def account_of(email: str) -> Any:
    return lambda house: {"object_id": house.project.members.get(user__email=email).user_id}


def passkey_of(name: str) -> Any:
    owner = f"{name}@acme.test"
    return lambda house: {"pk": Authenticator.objects.get(user__email=owner, type=Authenticator.Type.WEBAUTHN).pk}


def run_of(status: str) -> Any:
    return lambda house: {"run_id": house.project.runs.filter(status=status).latest("pk").pk}


def event_of(state: str) -> Any:
    return lambda house: {"event_id": house.project.events.filter(state=state).latest("pk").pk}


def call_of(status: int) -> Any:
    return lambda house: {"call_id": house.project.calls.filter(status=status).latest("pk").pk}


def workflow_named(name: str) -> Any:
    return lambda house: {"workflow_id": house.project.workflows.get(name=name).pk}


def session_cookie(client: Client) -> str:
    """Return the cookie of somebody who signed in, for a browser."""
    morsel = client.cookies.get(conf.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""
