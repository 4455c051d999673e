"""Who gets in: every page, its method, the signed-out, the stranger."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from integrations.dashboard.urls import project_pages
from integrations.models import Connection, Integration, Member, Project, SigningKey, SiteWebhook
from tests.dashboard.conftest import url

pytestmark = pytest.mark.django_db

PAGES = [
    "integrations",
    "catalog",
    "provider",
    "integration",
    "integration_settings",
    "users",
    "user",
    "calls",
    "audit",
    "sdk_settings",
    "project_settings",
    "members",
    "disconnect",
    "connection",
    "site_webhook",
    "revoke_key",
    "remove_member",
]
ACTIONS = ["add_integration", "activate", "deactivate", "generate_key", "add_key", "member_link", "change_role"]
ACTIONS += ["look_now", "delete_site_webhook"]


@pytest.fixture
def address(
    project: Project,
    integration: Integration,
    connect_user: Callable[..., Connection],
    signing_key: SigningKey,
) -> Callable[[str], str]:
    connection = connect_user(integration)
    member = Member.objects.get(user__email="bob@example.com")
    webhook = SiteWebhook(project=project, connection=connection, feed="projects")
    webhook.new_secret()
    webhook.save()
    rest: dict[str, object] = {
        "provider": "jira",
        "integration": "jira",
        "integration_settings": "jira",
        "add_integration": "jira",
        "activate": "jira",
        "deactivate": "jira",
        "user": connection.user_id,
        "disconnect": connection.pk,
        "connection": connection.pk,
        "look_now": connection.pk,
        "site_webhook": [connection.pk, "projects"],
        "delete_site_webhook": [connection.pk, webhook.pk],
        "revoke_key": signing_key.pk,
        "remove_member": member.pk,
        "member_link": member.pk,
        "change_role": member.pk,
    }
    more = {name: value if isinstance(value, list) else [value] for name, value in rest.items()}
    return lambda name: url(name, project.pk, *more.get(name, []))


def test_every_page_is_listed_here() -> None:
    assert sorted(page.name for page in project_pages) == sorted(PAGES + ACTIONS)


@pytest.mark.parametrize("name", PAGES)
def test_a_member_sees_the_page(name: str, address: Callable[[str], str], as_alice: Client) -> None:
    response = as_alice.get(address(name))

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("name", PAGES + ACTIONS)
def test_signed_out_asks_to_sign_in(name: str, address: Callable[[str], str], client: Client) -> None:
    response = client.post(address(name))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_cannot_see_that_it_exists(name: str, address: Callable[[str], str], as_stranger: Client) -> None:
    response = as_stranger.get(address(name))

    assert response.status_code == 404


@pytest.mark.parametrize("name", ACTIONS)
def test_a_stranger_cannot_press_a_button(name: str, address: Callable[[str], str], as_stranger: Client) -> None:
    response = as_stranger.post(address(name))

    assert response.status_code == 404


@pytest.mark.parametrize("name", ACTIONS)
def test_a_button_is_not_a_link(name: str, address: Callable[[str], str], as_alice: Client) -> None:
    response = as_alice.get(address(name))

    assert response.status_code == 405


@pytest.mark.parametrize("name", ["integrations", "users", "calls", "audit", "catalog"])
def test_a_page_to_read_takes_no_post(name: str, address: Callable[[str], str], as_alice: Client) -> None:
    response = as_alice.post(address(name))

    assert response.status_code == 405


def test_rows_of_another_project_are_not_found(
    address: Callable[[str], str], project: Project, as_alice: Client, alice: Member
) -> None:
    other = Project.objects.create(name="Other")
    Member.objects.create(project=other, user=alice, role=Member.Role.OWNER)  # type: ignore[misc]
    connection = Connection.objects.get()

    response = as_alice.post(url("disconnect", other.pk, connection.pk))

    assert response.status_code == 404
    assert Connection.objects.filter(pk=connection.pk).exists()


@pytest.mark.parametrize("path", ["", "catalog/nothing", "integrations/nothing"])
def test_what_does_not_exist_is_not_found(path: str, as_alice: Client) -> None:
    response = as_alice.get(f"/p/{uuid.uuid4()}/{path}")

    assert response.status_code == 404


def test_a_page_of_the_dashboard_runs_no_inline_code(address: Callable[[str], str], as_alice: Client) -> None:
    response = as_alice.get(address("integration"))

    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    assert b"<script>" not in response.content
    assert b"style=" not in response.content
