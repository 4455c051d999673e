import pytest
from django.test import Client

from integrations.models import AuditEntry, Integration, Member, Project, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


def test_home_leads_to_the_only_project(as_alice: Client, project: Project) -> None:
    response = as_alice.get("/")

    assert response["Location"] == url("overview", project.pk)


def test_home_leads_to_the_project_that_was_open_last(as_alice: Client, alice: User, project: Project) -> None:
    other = Project.objects.create(name="Another")
    Member.objects.create(project=other, user=alice)
    as_alice.get(url("catalog", other.pk))

    response = as_alice.get("/")

    assert response["Location"] == url("overview", other.pk)


def test_home_forgets_a_project_that_was_left(as_alice: Client, alice: User, project: Project) -> None:
    as_alice.get(url("catalog", project.pk))
    Member.objects.filter(user=alice).delete()

    response = as_alice.get("/", follow=True)

    assert "Create your first project" in text(response)


def test_someone_without_a_project_is_told_to_make_one(as_stranger: Client) -> None:
    response = as_stranger.get("/", follow=True)

    assert "Create your first project" in text(response)


def test_who_creates_a_project_owns_it(as_stranger: Client, stranger: User) -> None:
    response = as_stranger.post(url("new_project"), {"name": "Mine", "kind": "development"})

    project = Project.objects.get(name="Mine")
    assert response["Location"] == url("overview", project.pk)
    assert Member.objects.get(project=project).user == stranger
    assert AuditEntry.objects.get().action == "project created"


def test_a_project_needs_a_name_and_keeps_the_kind_that_was_chosen(as_stranger: Client) -> None:
    response = as_stranger.post(url("new_project"), {"name": "", "kind": "production"})

    assert "This field is required" in text(response)
    assert 'value="production" required id="id_kind_1" checked' in text(response).replace(' aria-invalid="true"', "")
    assert not Project.objects.exists()


def test_the_switcher_shows_only_ones_own_projects(as_alice: Client, project: Project) -> None:
    Project.objects.create(name="Secret plans")

    response = as_alice.get(url("integrations", project.pk))

    assert "Acme Tasks" in text(response)
    assert "Secret plans" not in text(response)


def test_a_name_cannot_smuggle_in_markup(as_alice: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="<script>alert(1)</script>")

    response = as_alice.get(url("integrations", project.pk))

    assert "<script>alert" not in text(response)
    assert "&lt;script&gt;alert" in text(response)


def test_settings_change_name_and_log_time(as_alice: Client, project: Project) -> None:
    as_alice.post(url("project_settings", project.pk), {"name": "Renamed", "kind": "development", "call_log_days": "7"})

    project.refresh_from_db()
    assert (project.name, project.call_log_days) == ("Renamed", 7)
    assert AuditEntry.objects.get().changes == [
        ("Name", "Acme Tasks", "Renamed"),
        ("Keep the call log for (days)", "–", "7"),
    ]


def test_a_project_with_development_keys_in_use_cannot_go_to_production(
    as_alice: Client, project: Project, integration: Integration
) -> None:
    Integration.objects.update(is_active=True)

    response = as_alice.post(url("project_settings", project.pk), {"name": "Acme Live", "kind": "production"})

    assert "Jira uses development keys" in text(response)
    assert 'value="Acme Live"' in text(response)
    project.refresh_from_db()
    assert project.kind == "development"


def test_a_project_with_loopback_origins_cannot_go_to_production(as_alice: Client, project: Project) -> None:
    Project.objects.update(allow_loopback_origins=True)

    response = as_alice.post(url("project_settings", project.pk), {"name": "Acme", "kind": "production"})

    assert "Loopback origins are allowed" in text(response)


def test_an_empty_project_goes_to_production(as_alice: Client, project: Project) -> None:
    as_alice.post(url("project_settings", project.pk), {"name": "Acme", "kind": "production"})

    project.refresh_from_db()
    assert project.is_production


@pytest.mark.parametrize("days", ["0", "-3", "99999", "soon"])
def test_a_log_time_that_makes_no_sense_is_refused(days: str, as_alice: Client, project: Project) -> None:
    data = {"name": "Acme", "kind": "development", "call_log_days": days}

    response = as_alice.post(url("project_settings", project.pk), data)

    assert "errorlist" in text(response)
    assert f'value="{days}"' in text(response)
