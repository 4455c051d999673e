"""Who gets in: every page, its method, the signed-out, the stranger."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from integrations.api import keys
from integrations.dashboard import invitations
from integrations.dashboard.urls import project_pages
from integrations.models import Call, Connection, Integration, Member, Project, SigningKey, SiteWebhook
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db

PAGES = [
    "overview",
    "calls_health",
    "call",
    "export_user",
    "delete_user",
    "integrations",
    "catalog",
    "provider",
    "integration",
    "integration_settings",
    "portal",
    "portal_preview",
    "users",
    "user",
    "calls",
    "audit",
    "export_audit",
    "sdk_settings",
    "api_keys",
    "new_api_key",
    "revoke_api_key",
    "project_settings",
    "copy_project",
    "delete_project",
    "remove_integration",
    "members",
    "disconnect",
    "connection",
    "site_webhook",
    "revoke_key",
    "rotate_key",
    "end_key",
    "check_token",
    "remove_member",
]
ACTIONS = ["add_integration", "activate", "deactivate", "generate_key", "add_key", "change_role", "invite"]
ACTIONS += ["look_now", "delete_site_webhook", "try_connect", "try_call", "disable_user", "enable_user"]
ACTIONS += ["test_token", "test_page", "allow_page"]
ACTIONS += ["send_invitation_again", "withdraw_invitation", "require_second_factor"]


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
    invitation, _ = invitations.invite(project, "carol@example.com", "admin", member.user)
    call = Call.objects.create(
        project=project,
        sub="user-1",
        provider_slug="jira",
        method="GET",
        path="/",
        status=500,
        milliseconds=1,
        at=datetime.now(UTC),
    )
    rest: dict[str, object] = {
        "provider": "jira",
        "integration": "jira",
        "integration_settings": "jira",
        "remove_integration": "jira",
        "portal": "jira",
        "portal_preview": "jira",
        "add_integration": "jira",
        "activate": "jira",
        "deactivate": "jira",
        "try_connect": "jira",
        "try_call": "jira",
        "user": connection.user_id,
        "disable_user": connection.user_id,
        "enable_user": connection.user_id,
        "export_user": connection.user_id,
        "delete_user": connection.user_id,
        "call": call.pk,
        "disconnect": connection.pk,
        "connection": connection.pk,
        "look_now": connection.pk,
        "site_webhook": [connection.pk, "projects"],
        "delete_site_webhook": [connection.pk, webhook.pk],
        **dict.fromkeys(("revoke_key", "rotate_key", "end_key"), signing_key.pk),
        "revoke_api_key": keys.make(project, "Reports", ["runs:read"], member.user)[0].pk,
        "remove_member": member.pk,
        "send_invitation_again": invitation.pk,
        "withdraw_invitation": invitation.pk,
        "change_role": member.pk,
    }
    more = {name: value if isinstance(value, list) else [value] for name, value in rest.items()}
    return lambda name: url(name, project.pk, *more.get(name, []))


def test_every_page_is_listed_here() -> None:
    assert sorted(page.name for page in project_pages) == sorted([*PAGES, *ACTIONS, "settings"])


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


@pytest.mark.parametrize(
    ("referer", "then"),
    [
        ("http://testserver/p/1/integrations/jira?example=2", "/p/1/integrations/jira?example=2"),
        ("https://evil.test/p/1", None),
        ("", None),
    ],
)
def test_who_was_signed_out_meanwhile_goes_on_at_the_page_of_the_button(
    referer: str, then: str | None, address: Callable[[str], str], client: Client
) -> None:
    response = client.post(address("try_call"), headers={"Referer": referer})

    assert response.status_code == 302
    assert parse_qs(urlsplit(response["Location"]).query)["next"] == [then or address("try_call")]


@pytest.mark.parametrize("name", ACTIONS)
def test_a_stranger_cannot_press_a_button(name: str, address: Callable[[str], str], as_stranger: Client) -> None:
    response = as_stranger.post(address(name))

    assert response.status_code == 404


@pytest.mark.parametrize("name", ACTIONS)
def test_a_button_is_not_a_link(name: str, address: Callable[[str], str], as_alice: Client) -> None:
    response = as_alice.get(address(name))

    assert response.status_code == 405
    assert response["Allow"] == "POST"
    assert "There is no page at this address" in text(response)


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
