"""Deleting a project and removing an integration: asked with what goes, over at once, and cleared away bit by bit."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import jwt
import pytest
from django.db.models import Model
from django.test import Client

from integrations import removing, setup, user_tokens
from integrations.api import keys as api_keys
from integrations.dashboard import keys
from integrations.models import (
    ApiKey,
    AuditEntry,
    Call,
    ConnectedUser,
    Connection,
    Delivery,
    Event,
    Grant,
    Integration,
    Member,
    OAuthApp,
    Project,
    User,
)
from integrations.sdk.middleware import remembered_project
from tests.dashboard.conftest import text, url
from workflows import deploy
from workflows.models import AlertRule, ProjectSecret, Run, Workflow

pytestmark = pytest.mark.django_db

STEP = {"id": "me", "type": "http", "input": {"method": "GET", "url": "https://acme.test", "body_type": "none"}}
DRAFT = {"trigger": {"type": "request"}, "steps": [STEP], "settings": []}


@pytest.fixture
def connection(own_keys: Integration, connect_user: Callable[..., Connection]) -> Connection:
    """user-1 is connected with the project's own keys, has called, and has an event and a run."""
    found = connect_user(own_keys)
    Call.objects.create(
        project=found.project,
        sub="user-1",
        provider_slug="jira",
        method="GET",
        path="/",
        status=200,
        milliseconds=1,
        at=datetime.now(UTC),
    )
    Event.objects.create(project=found.project, connection=found, source=Event.Source.APP, name="hello")
    Delivery.objects.create(app=own_keys.oauth_app, provider_slug="jira", key="k", body="{}")
    return found


@pytest.fixture
def run(connection: Connection, alice: User) -> Run:
    workflow = Workflow.objects.create(
        project=connection.project, integration=connection.integration, name="Tasks become issues", draft=DRAFT
    )
    version = deploy.deploy(workflow, alice)
    return Run.objects.create(project=connection.project, workflow=workflow, version=version, trigger="manual")


@pytest.fixture
def globex(alice: User) -> Project:
    """Another project of Alice's, which has the like and must keep it."""
    made = Project.objects.create(name="Globex")
    Member.objects.create(project=made, user=alice, role=Member.Role.OWNER)
    return made


def delete(client: Client, project: Project, typed: str = "Acme Tasks") -> str:
    return text(client.post(url("delete_project", project.pk), {"typed": typed}, follow=True))


def remove(client: Client, project: Project, typed: str = "Jira") -> str:
    return text(client.post(url("remove_integration", project.pk, "jira"), {"typed": typed}, follow=True))


def left(*models: type[Model]) -> list[type[Model]]:
    return [model for model in models if model._default_manager.exists()]


# A project ------------------------------------------------------------------------------------------------------------


def test_it_says_what_goes(as_alice: Client, project: Project, connection: Connection) -> None:
    page = text(as_alice.get(url("delete_project", project.pk)))

    assert "1 connected user, with" in page
    assert "1 integration with keys" in page


@pytest.mark.parametrize("typed", ["", "acme tasks", "Acme"])
def test_without_its_name_nothing_is_deleted(typed: str, as_alice: Client, project: Project) -> None:
    page = delete(as_alice, project, typed)

    project.refresh_from_db()
    assert "errorlist" in page
    assert project.deleted_at is None


def test_a_deleted_project_is_there_for_nobody(as_alice: Client, as_bob: Client, project: Project) -> None:
    page = delete(as_alice, project)

    assert "Acme Tasks is deleted" in page
    assert as_alice.get(url("overview", project.pk)).status_code == 404
    assert as_bob.get(url("overview", project.pk)).status_code == 404
    assert remembered_project(project.pk) is None


def test_not_even_for_a_superuser_of_the_dashboard(
    as_alice: Client, project: Project, root: User, signed_in: Callable[[User], Client]
) -> None:
    delete(as_alice, project)

    assert signed_in(root).get(url("overview", project.pk)).status_code == 404


def test_its_keys_are_refused_at_once(as_alice: Client, project: Project, alice: User) -> None:
    key, pem = keys.generate(project, "Back end", alice)
    now = int(time.time())
    claims = {"sub": "user-1", "aud": str(project.pk), "iat": now, "exp": now + 60}
    token = jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key.kid})

    delete(as_alice, project)

    with pytest.raises(user_tokens.InvalidUserToken):
        user_tokens.verify_remembered(project, token)


def test_its_api_keys_are_revoked(as_alice: Client, project: Project, alice: User) -> None:
    api_keys.make(project, "Tools", ["users:read"], alice)

    delete(as_alice, project)

    assert not ApiKey.objects.kept().exists()


def test_all_that_it_held_goes(as_alice: Client, project: Project, run: Run) -> None:
    ProjectSecret.objects.create(project=project, name="TOKEN", set_at=datetime.now(UTC))
    AlertRule.objects.create(project=project, emails=["ops@acme.test"])
    delete(as_alice, project)

    assert removing.erase_project(project.pk)

    mine = (Project, Integration, ConnectedUser, Connection, Grant, Call, Event, Delivery, AuditEntry)
    assert left(*mine, Workflow, Run, ProjectSecret, AlertRule) == []
    assert not OAuthApp.objects.exclude(project=None).exists()
    assert User.objects.filter(email="alice@example.com").exists()


def test_another_project_keeps_what_is_its_own(
    as_alice: Client, project: Project, run: Run, globex: Project, alice: User
) -> None:
    kept = setup.add_integration(globex, "jira", alice)
    user = ConnectedUser.objects.create(project=globex, sub="user-1")
    delete(as_alice, project)

    removing.erase_project(project.pk)

    assert Integration.objects.get() == kept
    assert ConnectedUser.objects.get() == user
    assert OAuthApp.objects.exclude(project=None).get() == kept.oauth_app


def test_what_there_is_no_time_for_is_done_later(
    as_alice: Client, project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(as_alice, project)
    monkeypatch.setattr(removing, "A_GO", 0)
    is_done = removing.erase_project(project.pk)
    monkeypatch.setattr(removing, "A_GO", 60)

    assert not is_done
    assert removing.erase_project(project.pk)
    assert not Project.objects.exists()


def test_doing_it_twice_is_no_error(as_alice: Client, project: Project) -> None:
    delete(as_alice, project)

    assert removing.erase_project(project.pk)
    assert removing.erase_project(project.pk)


def test_a_project_that_is_not_deleted_is_left_alone(project: Project, connection: Connection) -> None:
    removing.erase_project(project.pk)
    removing.erase_integration(connection.integration_id)

    assert Connection.objects.get() == connection


def test_an_app_that_another_project_uses_keeps_it_from_going(
    as_alice: Client, project: Project, own_keys: Integration, globex: Project, alice: User
) -> None:
    theirs = setup.add_integration(globex, "jira", alice)
    Integration.objects.filter(pk=theirs.pk).update(oauth_app=own_keys.oauth_app)

    page = delete(as_alice, project)

    project.refresh_from_db()
    assert "its OAuth app is also used by Globex" in page
    assert project.deleted_at is None


def test_an_admin_may_not_delete_it(as_bob: Client, project: Project) -> None:
    assert as_bob.post(url("delete_project", project.pk), {"typed": "Acme Tasks"}).status_code == 403


# An integration -------------------------------------------------------------------------------------------------------


def test_removing_says_what_goes(as_alice: Client, project: Project, connection: Connection) -> None:
    page = text(as_alice.get(url("remove_integration", project.pk, "jira")))

    assert "1 connection, with tokens" in page
    assert "deactivate it instead" in page


def test_nobody_can_connect_from_that_moment(as_alice: Client, project: Project, connection: Connection) -> None:
    remove(as_alice, project)

    integration = Integration.objects.get()
    assert not integration.is_active
    assert "It is being removed" in setup.why_not_active(integration)
    assert "Being removed" in text(as_alice.get(url("integrations", project.pk)))


def test_connections_and_workflows_go_and_the_logs_stay(as_alice: Client, project: Project, run: Run) -> None:
    remove(as_alice, project)

    assert removing.erase_integration(Integration.objects.get().pk)

    assert left(Integration, Connection, Grant, Delivery, Workflow, Run) == []
    assert not OAuthApp.objects.filter(project=project).exists()
    assert (Call.objects.count(), ConnectedUser.objects.count()) == (1, 1)
    assert AuditEntry.objects.filter(action="integration removed", actor_name="alice@example.com").exists()
    assert AuditEntry.objects.filter(action="disconnected", actor_name="Patchbay").exists()


def test_it_can_be_added_again_when_it_is_gone(as_alice: Client, project: Project, connection: Connection) -> None:
    remove(as_alice, project)
    while_it_goes = text(as_alice.post(url("add_integration", project.pk, "jira"), follow=True))
    removing.erase_integration(connection.integration_id)

    as_alice.post(url("add_integration", project.pk, "jira"))

    assert "When that is done, it can be added again" in while_it_goes
    assert Integration.objects.get().removed_at is None


def test_a_former_app_that_another_project_uses_stays(
    as_alice: Client, project: Project, own_keys: Integration, globex: Project, alice: User
) -> None:
    former = OAuthApp.objects.create(project=project, provider="jira", client_id="former")
    theirs = setup.add_integration(globex, "jira", alice)
    Integration.objects.filter(pk=theirs.pk).update(oauth_app=former)

    remove(as_alice, project)
    removing.erase_integration(own_keys.pk)

    assert OAuthApp.objects.filter(pk=former.pk).exists()
    assert not OAuthApp.objects.filter(pk=own_keys.oauth_app_id).exists()


def test_development_keys_stay(
    as_alice: Client, project: Project, integration: Integration, connect_user: Callable[..., Connection]
) -> None:
    connect_user(integration)
    remove(as_alice, project)

    removing.erase_integration(integration.pk)

    assert OAuthApp.objects.get().is_development
    assert not Grant.objects.exists()


def test_the_wrong_name_removes_nothing(as_alice: Client, project: Project, integration: Integration) -> None:
    page = remove(as_alice, project, "jira")

    assert "Type Jira exactly" in page
    assert Integration.objects.get().removed_at is None
