"""Every list, form and setting does its work in a browser that runs no scripts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as conf
from django.test import Client
from playwright.sync_api import expect

from integrations import audit
from integrations.models import ConnectedUser, Integration, Member, Project, User

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(browser: Any, server: str, project: Project) -> "Iterator[Page]":
    """Olivia's browser, in which JavaScript is switched off; she owns the project."""
    olivia = User.objects.create_user("olivia@acme.test", "correct horse battery")
    Member.objects.create(project=project, user=olivia, role=Member.Role.OWNER)
    client = Client()
    client.force_login(olivia)
    cookie = client.cookies[conf.SESSION_COOKIE_NAME]
    context = browser.new_context(java_script_enabled=False, base_url=server)
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])
    yield context.new_page()
    context.close()


def test_an_integration_is_added_set_up_and_switched_on(plain: "Page", project: Project) -> None:
    plain.goto(f"/p/{project.pk}/catalog")
    plain.get_by_role("link", name="Jira", exact=True).first.click()
    plain.get_by_role("button", name="Add to project").first.click()
    plain.get_by_role("link", name="Settings", exact=True).last.click()
    plain.get_by_label("Client ID").fill("own client")
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("has no spaces")).to_be_visible()
    plain.get_by_label("Client ID").fill("")
    plain.get_by_role("button", name="Save").click()
    plain.get_by_role("button", name="Activate", exact=True).click()

    assert Integration.objects.get(project=project).is_active


def test_the_portal_is_edited(plain: "Page", jira: Integration) -> None:
    plain.goto(f"/p/{jira.project_id}/integrations/jira/portal")
    plain.get_by_label("Short description").fill("Tasks become issues.")
    plain.get_by_role("button", name="Save").click()

    expect(plain.get_by_text("Saved.")).to_be_visible()


def test_keys_are_made_and_pages_allowed(plain: "Page", project: Project) -> None:
    plain.goto(f"/p/{project.pk}/settings/sdk")
    plain.get_by_role("button", name="Generate a key").click()
    expect(plain.get_by_text("BEGIN PRIVATE KEY")).to_be_visible()
    plain.goto(f"/p/{project.pk}/settings/sdk")
    plain.get_by_label("Allowed origins").fill("app.acme.test")
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("is not an origin")).to_be_visible()
    plain.get_by_label("Allowed origins").fill("https://app.acme.test")
    plain.get_by_role("button", name="Save").click()

    project.refresh_from_db()
    assert project.allowed_origins == ["https://app.acme.test"]


def test_an_api_key_is_made_and_revoked(plain: "Page", project: Project) -> None:
    plain.goto(f"/p/{project.pk}/settings/api-keys/new")
    plain.get_by_label("Name").fill("Support desk")
    plain.get_by_role("checkbox", name="users:read").check()
    plain.get_by_role("button", name="Make").click()
    plain.goto(f"/p/{project.pk}/settings/api-keys")
    plain.get_by_role("link", name="Revoke").click()
    plain.get_by_role("button", name="Revoke").click()

    assert not project.api_keys.filter(revoked_at=None).exists()


def test_a_member_is_invited(plain: "Page", project: Project) -> None:
    plain.goto(f"/p/{project.pk}/settings/members")
    plain.get_by_label("E-mail address").fill("ines@acme.test")
    plain.get_by_role("button", name="Invite").click()

    assert project.invitations.get().email == "ines@acme.test"


def test_a_list_is_filtered_and_paged(plain: "Page", project: Project) -> None:
    ConnectedUser.objects.bulk_create(ConnectedUser(project=project, sub=f"user-{number:02}") for number in range(60))
    plain.goto(f"/p/{project.pk}/users")
    plain.get_by_label("User ID, name or e-mail").fill("user-")
    plain.get_by_role("button", name="Filter").click()

    plain.get_by_role("link", name="Next").click()
    plain.wait_for_url("**after=**")

    assert "q=user-" in plain.url
    expect(plain.locator("tbody tr")).to_have_count(10)


def test_the_audit_log_is_filtered(plain: "Page", project: Project) -> None:
    audit.record(project, "user-1", "connected", "one")
    audit.record(project, "user-2", "disconnected", "two")
    plain.goto(f"/p/{project.pk}/audit")
    plain.get_by_label("Who").fill("user-2")
    plain.get_by_role("button", name="Filter").click()

    expect(plain.locator("tbody tr")).to_have_count(1)


def test_a_workflow_is_made_and_its_builder_says_what_it_needs(plain: "Page", jira: Integration) -> None:
    plain.goto(f"/p/{jira.project_id}/workflows/new")
    plain.get_by_label("Name").fill("Tasks become issues")
    plain.get_by_role("button", name="Build it").click()

    # Chromium parses what is in <noscript> as text while it is told from outside to run nothing.
    assert "The builder needs JavaScript." in plain.content()
