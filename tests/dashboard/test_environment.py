"""Settings › Environment: how long things are kept, and copying a project to another."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from integrations import setup
from integrations.models import AuditEntry, Event, Integration, Member, Portal, Project, User
from tests.dashboard.conftest import text, url
from workflows import deploy, housekeeping
from workflows.models import AlertRule, ProjectSecret, Workflow

pytestmark = pytest.mark.django_db

STEP = {"id": "me", "type": "http", "input": {"method": "GET", "url": "https://acme.test", "body_type": "none"}}
DRAFT = {"trigger": {"type": "request"}, "steps": [STEP], "settings": []}
WITH_SECRET = {**DRAFT, "steps": [{**STEP, "input": {**STEP["input"], "url": "{{secrets.ACME_URL}}"}}]}


@pytest.fixture
def production(alice: User) -> Project:
    made = Project.objects.create(name="Acme in production", kind=Project.Kind.PRODUCTION)
    Member.objects.create(project=made, user=alice, role=Member.Role.OWNER)
    return made


@pytest.fixture
def workflow(integration: Integration, alice: User) -> Workflow:
    made = Workflow.objects.create(
        project=integration.project, integration=integration, name="Tasks become issues", draft=DRAFT
    )
    deploy.deploy(made, alice)
    return made


def event(project: Project, *, days: int) -> Event:
    made = Event.objects.create(
        project=project, source=Event.Source.APP, name="hello", state=Event.State.IGNORED, reason="Nobody listens."
    )
    Event.objects.filter(pk=made.pk).update(created_at=Now() - timedelta(days=days))
    return made


# Retention ------------------------------------------------------------------------------------------------------------


def test_how_long_runs_are_kept_is_the_projects_own(as_alice: Client, project: Project) -> None:
    form = {"name": "Acme Tasks", "kind": "development", "run_log_days": "90"}

    as_alice.post(url("project_settings", project.pk), form)

    project.refresh_from_db()
    assert project.run_log_days == 90
    assert AuditEntry.objects.get().changes == [("Keep runs and events for (days)", "–", "90")]


@pytest.mark.parametrize("days", ["0", "-1", "4000", "soon"])
def test_a_time_that_makes_no_sense_is_refused_at_its_field(days: str, as_alice: Client, project: Project) -> None:
    form = {"name": "Acme Tasks", "kind": "development", "run_log_days": days}

    page = as_alice.post(url("project_settings", project.pk), form)

    assert page.context["form"].errors["run_log_days"]


def test_each_project_keeps_its_events_as_long_as_it_says(project: Project, production: Project) -> None:
    Project.objects.filter(pk=production.pk).update(run_log_days=90)
    event(project, days=40)
    kept = event(production, days=40)

    housekeeping.prune()

    assert list(Event.objects.all()) == [kept]


def test_a_number_of_days_that_is_none_is_refused_once(as_alice: Client, project: Project) -> None:
    data = {"name": "Acme", "kind": "development", "call_log_days": "-5", "run_log_days": "99999"}

    errors = as_alice.post(url("project_settings", project.pk), data).context["form"].errors

    assert errors["call_log_days"] == ["Ensure this value is greater than or equal to 1."]
    assert errors["run_log_days"] == ["Ensure this value is less than or equal to 3650."]


# Copying --------------------------------------------------------------------------------------------------------------


def test_it_is_shown_first_what_would_change(as_alice: Client, workflow: Workflow, production: Project) -> None:
    page = text(as_alice.post(url("copy_project", workflow.project_id), {"target": str(production.pk)}))

    assert "add Tasks become issues, deployed" in page
    assert not production.integrations.exists()


def test_a_project_is_set_up_as_another_is(
    as_alice: Client, workflow: Workflow, integration: Integration, production: Project
) -> None:
    project = workflow.project
    Project.objects.filter(pk=project.pk).update(run_log_days=7)
    Portal.objects.create(integration=integration, short_description="Tasks become issues.", accent_color="#0052cc")
    AlertRule.objects.create(project=project, emails=["ops@acme.test"], webhook_url="https://hooks.test/secret")

    as_alice.post(url("copy_project", project.pk), {"target": str(production.pk), "confirmed": "yes"})

    production.refresh_from_db()
    made = production.integrations.get()
    assert made.oauth_app.scopes == sorted(integration.chosen_scopes())
    assert made.portal.short_description == "Tasks become issues."
    assert Workflow.objects.get(project=production).is_deployed
    assert production.run_log_days == 7
    assert (production.alert_rule.emails, production.alert_rule.webhook_url) == (["ops@acme.test"], "")


def test_the_webhook_of_alerts_stays_behind_and_that_is_said(
    as_alice: Client, workflow: Workflow, production: Project
) -> None:
    AlertRule.objects.create(project=workflow.project, webhook_url="https://hooks.test/secret")
    address, words = url("copy_project", workflow.project_id), "The webhook of the alerts stays behind"

    asked = text(as_alice.post(address, {"target": str(production.pk)}))
    done = text(as_alice.post(address, {"target": str(production.pk), "confirmed": "yes"}, follow=True))

    assert words in asked
    assert words in done
    assert "hooks.test" not in asked + done


def test_a_project_with_a_webhook_of_its_own_misses_none(
    as_alice: Client, workflow: Workflow, production: Project
) -> None:
    AlertRule.objects.create(project=workflow.project, webhook_url="https://hooks.test/secret")
    AlertRule.objects.create(project=production, webhook_url="https://hooks.test/other")

    asked = text(as_alice.post(url("copy_project", workflow.project_id), {"target": str(production.pk)}))

    assert "stays behind" not in asked


def test_keys_stay_where_they_are(as_alice: Client, own_keys: Integration, production: Project) -> None:
    as_alice.post(url("copy_project", own_keys.project_id), {"target": str(production.pk), "confirmed": "yes"})

    made = production.integrations.get()
    assert made.oauth_app_id != own_keys.oauth_app_id
    assert (made.oauth_app.client_id, made.oauth_app.client_secret_sealed, made.is_active) == ("", "", False)


def test_copying_again_changes_nothing(as_alice: Client, workflow: Workflow, production: Project) -> None:
    as_alice.post(url("copy_project", workflow.project_id), {"target": str(production.pk), "confirmed": "yes"})

    page = text(as_alice.post(url("copy_project", workflow.project_id), {"target": str(production.pk)}))

    assert "Nothing would change" in page


def test_it_is_noted_in_both_projects(as_alice: Client, workflow: Workflow, production: Project) -> None:
    as_alice.post(url("copy_project", workflow.project_id), {"target": str(production.pk), "confirmed": "yes"})

    told = AuditEntry.objects.filter(action="configuration copied")
    assert {entry.project_id for entry in told} == {workflow.project_id, production.pk}


def test_a_secret_that_is_missing_there_is_named_and_nothing_is_copied(
    as_alice: Client, workflow: Workflow, production: Project, alice: User
) -> None:
    ProjectSecret.objects.keep(workflow.project, "ACME_URL", "https://acme.test/a-secret")
    workflow.draft = WITH_SECRET
    deploy.deploy(workflow, alice)

    page = text(
        as_alice.post(url("copy_project", workflow.project_id), {"target": str(production.pk), "confirmed": "y"})
    )

    assert "ACME_URL" in page
    assert "a-secret" not in page
    assert not production.integrations.exists()


def test_nobody_copies_into_a_project_that_is_not_theirs(
    as_bob: Client, workflow: Workflow, production: Project, signed_in: Callable[[User], Client]
) -> None:
    page = as_bob.post(url("copy_project", workflow.project_id), {"target": str(production.pk), "confirmed": "yes"})

    assert page.context["form"].errors["target"]
    assert not production.integrations.exists()


def test_a_shared_apps_permissions_are_left_alone(
    as_alice: Client, own_keys: Integration, production: Project, alice: User
) -> None:
    theirs = setup.add_integration(production, "jira", alice)
    Integration.objects.filter(pk=theirs.pk).update(oauth_app=own_keys.oauth_app)

    page = text(as_alice.post(url("copy_project", own_keys.project_id), {"target": str(production.pk)}))

    assert "Nothing would change" in page
