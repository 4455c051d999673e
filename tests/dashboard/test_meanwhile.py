"""Alice and Bob have the same form open. Bob saves first, and then Alice does, whose page knows nothing of it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations import setup
from integrations.models import AuditEntry, Integration, OAuthApp, Portal, Project, User
from tests.dashboard.conftest import ProviderApi, text, url
from tests.support.filled import filled
from workflows.models import AlertRule, Workflow

pytestmark = pytest.mark.django_db


def last_entry() -> AuditEntry:
    return AuditEntry.objects.order_by("-id")[0]


def save(client: Client, address: str, field: str, **typed: Any) -> Any:
    """Open the page and save the form with `field` in it at once, as somebody does whom nobody disturbs."""
    return client.post(address, filled(client.get(address), field, **typed))


# What two people change in different fields ---------------------------------------------------------------------------


def test_both_changes_of_the_sdk_settings_are_kept(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("sdk_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "allowed_origins", allowed_origins="https://app.example.com")

    as_alice.post(address, filled(page, "allowed_origins", connect_without_claim="on"))

    project.refresh_from_db()
    assert (project.allowed_origins, project.connect_without_claim) == (["https://app.example.com"], True)
    assert last_entry().before == {"Connect without a claim": False}
    assert last_entry().after == {"Connect without a claim": True}


def test_a_box_that_another_ticked_stays_ticked(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("sdk_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "allowed_origins", connect_without_claim="on")

    as_alice.post(address, filled(page, "allowed_origins", allowed_origins="https://app.example.com"))

    project.refresh_from_db()
    assert (project.allowed_origins, project.connect_without_claim) == (["https://app.example.com"], True)


def test_both_changes_of_the_project_are_kept(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("project_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "run_log_days", name="Acme Jobs", kind="production")

    as_alice.post(address, filled(page, "run_log_days", call_log_days="14"))

    project.refresh_from_db()
    assert (project.name, project.kind, project.call_log_days) == ("Acme Jobs", "production", 14)


def test_both_changes_of_the_alerts_are_kept(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = reverse("workflows:alerts", args=[project.pk])
    page = as_alice.get(address)
    save(as_bob, address, "emails", emails="ops@example.com\r\nbob@example.com")

    as_alice.post(address, filled(page, "emails", webhook_url="https://hooks.example.com/alerts"))

    rule = AlertRule.objects.get()
    assert (rule.emails, rule.webhook_url) == (
        ["ops@example.com", "bob@example.com"],
        "https://hooks.example.com/alerts",
    )


def test_the_page_that_shows_the_secret_of_the_alerts_can_be_saved_again(as_alice: Client, project: Project) -> None:
    address = reverse("workflows:alerts", args=[project.pk])
    data = filled(as_alice.get(address), "emails", webhook_url="https://hooks.example.com/alerts")
    shown = as_alice.post(address, data)

    as_alice.post(address, filled(shown, "emails", webhook_url="https://hooks.example.com/others"))

    assert AlertRule.objects.get().webhook_url == "https://hooks.example.com/others"


def test_both_changes_of_the_portal_are_kept(as_alice: Client, as_bob: Client, integration: Integration) -> None:
    address = url("portal", integration.project_id, "jira")
    page = as_alice.get(address)
    words = "## Tasks\r\n\r\nBoth ways."
    save(as_bob, address, "theme", save="1", description=words, shows_activity=None, theme="dark")

    as_alice.post(address, filled(page, "theme", save="1", accent_color="#336699"))

    portal = Portal.objects.get()
    assert (portal.description, portal.theme, portal.shows_activity) == (words, "dark", False)
    assert portal.accent_color == "#336699"


def test_the_order_that_another_gave_the_workflows_is_kept(
    as_alice: Client, as_bob: Client, integration: Integration, workflows: list[Workflow]
) -> None:
    address = url("portal", integration.project_id, "jira")
    page = as_alice.get(address)
    theirs = filled(as_bob.get(address), "theme", save="1")
    as_bob.post(address, theirs | {"order": theirs["order"][::-1], "shown": theirs["order"][1:]})

    as_alice.post(address, filled(page, "theme", save="1", theme="dark"))

    offered = Workflow.objects.order_by("position")
    assert [each.name for each in offered] == ["Third", "Second", "First"]
    assert [each.is_hidden for each in offered] == [False, False, True]
    assert Portal.objects.get().theme == "dark"


def test_both_changes_of_an_integration_are_kept(
    as_alice: Client, as_bob: Client, own_keys: Integration, provider_api: ProviderApi
) -> None:
    address = url("integration_settings", own_keys.project_id, "jira")
    page = as_alice.get(address)
    save(as_bob, address, "client_id", client_id="new-client", client_secret="new-secret")

    as_alice.post(address, filled(page, "client_id", scopes=["read:jira-work", "read:jira-user", "offline_access"]))

    app = Integration.objects.select_related("oauth_app").get().oauth_app
    assert (app.client_id, app.open("client_secret")) == ("new-client", "new-secret")
    assert app.scopes == ["read:jira-work", "read:jira-user", "offline_access"]


def test_permissions_that_another_chose_are_kept_on_development_keys(
    as_alice: Client, as_bob: Client, integration: Integration
) -> None:
    address = url("integration_settings", integration.project_id, "jira")
    page = as_alice.get(address)
    save(as_bob, address, "client_id", scopes=["read:jira-work", "read:jira-user", "offline_access"])
    kept = OAuthApp.objects.get(project=integration.project).scopes

    as_alice.post(address, filled(page, "client_id"))

    assert OAuthApp.objects.get(project=integration.project).scopes == kept
    assert "write:jira-work" not in kept


# What both change -----------------------------------------------------------------------------------------------------


def test_who_is_second_learns_what_it_is_now_and_may_insist(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("sdk_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "allowed_origins", allowed_origins="https://bob.example.com")

    refused = as_alice.post(address, filled(page, "allowed_origins", allowed_origins="https://alice.example.com"))

    project.refresh_from_db()
    assert project.allowed_origins == ["https://bob.example.com"]
    assert "Somebody changed this meanwhile. Now it is “https://bob.example.com”." in text(refused)
    assert "https://alice.example.com</textarea>" in text(refused)

    as_alice.post(address, filled(refused, "allowed_origins"))

    project.refresh_from_db()
    assert project.allowed_origins == ["https://alice.example.com"]
    assert last_entry().before == {"Allowed origins": ["https://bob.example.com"]}


def test_who_insists_is_asked_again_about_a_third_change(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("project_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "run_log_days", name="Bob’s first")
    refused = as_alice.post(address, filled(page, "run_log_days", name="Alice’s"))
    save(as_bob, address, "run_log_days", name="Bob’s second")

    again = as_alice.post(address, filled(refused, "run_log_days"))

    assert "Now it is “Bob’s second”." in text(again)


def test_it_is_said_beside_what_else_is_wrong(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("project_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "run_log_days", run_log_days="7")

    refused = as_alice.post(address, filled(page, "run_log_days", run_log_days="9999"))

    assert "Now it is “7”." in text(refused)
    assert "less than or equal to 3650" in text(refused)


def test_the_same_change_twice_is_no_dispute(as_alice: Client, as_bob: Client, project: Project) -> None:
    address = url("project_settings", project.pk)
    page = as_alice.get(address)
    save(as_bob, address, "run_log_days", run_log_days="7")

    answer = as_alice.post(address, filled(page, "run_log_days", run_log_days="7"))

    assert answer.status_code == 302


def test_a_choice_is_said_by_its_words(as_alice: Client, as_bob: Client, integration: Integration) -> None:
    address = url("portal", integration.project_id, "jira")
    page = as_alice.get(address)
    save(as_bob, address, "theme", save="1", theme="dark")

    refused = as_alice.post(address, filled(page, "theme", save="1", theme="light"))

    assert "Now it is “Always dark”." in text(refused)


def test_a_preview_does_not_use_the_question_up(as_alice: Client, as_bob: Client, integration: Integration) -> None:
    address = url("portal", integration.project_id, "jira")
    page = as_alice.get(address)
    save(as_bob, address, "theme", save="1", connect_label="Bob’s words")
    draft = filled(page, "theme", connect_label="Alice’s words")

    preview = as_alice.post(address, draft)
    refused = as_alice.post(address, filled(preview, "theme", save="1"))

    assert "Somebody changed" not in text(preview)
    assert 'data-label="Alice’s words"' in text(preview)
    assert "Now it is “Bob’s words”." in text(refused)


def test_two_orders_of_the_workflows_are_a_dispute_too(
    as_alice: Client, as_bob: Client, integration: Integration, workflows: list[Workflow]
) -> None:
    address = url("portal", integration.project_id, "jira")
    mine = filled(as_alice.get(address), "theme", save="1")
    theirs = filled(as_bob.get(address), "theme", save="1")
    as_bob.post(address, theirs | {"order": theirs["order"][::-1]})
    first, second, third = mine["order"]

    refused = as_alice.post(address, mine | {"order": [second, first, third]})

    assert "Now it is “Third, Second, First”." in text(refused)
    assert Workflow.objects.order_by("position")[0].name == "Third"

    as_alice.post(address, filled(refused, "theme", save="1"))

    assert [each.name for each in Workflow.objects.order_by("position")] == ["Second", "First", "Third"]


def test_a_secret_is_never_saved_for_a_client_id_that_came_meanwhile(
    as_alice: Client, as_bob: Client, own_keys: Integration, provider_api: ProviderApi
) -> None:
    address = url("integration_settings", own_keys.project_id, "jira")
    page = as_alice.get(address)
    save(as_bob, address, "client_id", client_id="new-client", client_secret="new-secret")

    refused = as_alice.post(address, filled(page, "client_id", client_secret="newer-secret-of-own-client"))

    assert "Now it is “new-client”." in text(refused)
    assert "newer-secret" not in text(refused)
    app = Integration.objects.select_related("oauth_app").get().oauth_app
    assert app.open("client_secret") == "new-secret"


def test_what_changes_while_an_integration_asks_is_told(
    as_alice: Client, own_keys: Integration, alice: User, connect_user: Any
) -> None:
    connect_user(own_keys)
    address = url("integration_settings", own_keys.project_id, "jira")
    mine = filled(as_alice.get(address), "client_id", client_id="other", client_secret="other-secret")
    asked = as_alice.post(address, mine)
    setup.save_settings(own_keys, setup.Wanted("bobs", own_keys.oauth_app.scopes, "bobs-secret"), alice)

    refused = as_alice.post(address, filled(asked, "client_id", confirmed="1"))

    assert "Now it is “bobs”." in text(refused)


def test_the_marks_tell_nothing_of_what_is_stored(as_alice: Client, project: Project) -> None:
    AlertRule.objects.create(project=project, webhook_url="https://hooks.example.com/T0/secret")

    page = text(as_alice.get(reverse("workflows:alerts", args=[project.pk])))

    assert page.count("hooks.example.com") == 1


def test_what_is_sent_without_marks_is_taken_word_for_word(as_alice: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(call_log_days=5)

    as_alice.post(url("project_settings", project.pk), {"name": "Acme", "kind": "development"})

    project.refresh_from_db()
    assert (project.name, project.call_log_days) == ("Acme", None)


# The administration ---------------------------------------------------------------------------------------------------


def test_the_administration_takes_nothing_back_either(
    as_bob: Client, client: Client, root: User, project: Project
) -> None:
    client.force_login(root)
    address = reverse("admin:integrations_project_change", args=[project.pk])
    page = client.get(address)
    theirs = url("sdk_settings", project.pk)
    save(as_bob, theirs, "allowed_origins", allowed_origins="https://app.example.com")

    client.post(address, filled(page, "allowed_origins", name="Acme Jobs"))

    project.refresh_from_db()
    assert (project.name, project.allowed_origins) == ("Acme Jobs", ["https://app.example.com"])


def test_nor_the_keys_of_an_integration(
    as_bob: Client, client: Client, root: User, own_keys: Integration, provider_api: ProviderApi
) -> None:
    client.force_login(root)
    address = reverse("admin:integrations_integration_change", args=[own_keys.pk])
    page = client.get(address)
    theirs = url("integration_settings", own_keys.project_id, "jira")
    save(as_bob, theirs, "client_id", client_id="new-client", client_secret="new-secret")

    client.post(address, filled(page, "client_id", scopes=["read:jira-work"]))

    app = Integration.objects.select_related("oauth_app").get().oauth_app
    assert (app.client_id, app.open("client_secret")) == ("new-client", "new-secret")
    assert "write:jira-work" not in app.scopes
