from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from integrations import audit, members, removing
from integrations.models import AuditEntry, Connection, Grant, Integration, Member, Project, SigningKey, User
from integrations.models.base import sealed_columns
from tests.dashboard.conftest import ProviderApi, text

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]
MODELS = list(apps.get_app_config("integrations").get_models())
CHANGE = "admin:integrations_integration_change"


@pytest.fixture
def as_root(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def full(own_keys: Integration, connect_user: Connect, signing_key: SigningKey) -> Integration:
    connection = connect_user(own_keys)
    connection.grant.seal("access_token", "access-in-clear")
    connection.grant.save()
    audit.record(own_keys.project, "alice", "looked")
    return own_keys


def act(client: Client, model: str, action: str, *rows: Any, **more: str) -> Any:
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows]} | more
    return client.post(reverse(f"admin:integrations_{model}_changelist"), data, follow=True)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_has_a_list_that_opens(model: Any, as_root: Client, full: Integration) -> None:
    response = as_root.get(reverse(f"admin:integrations_{model._meta.model_name}_changelist"), {"q": "a"})

    assert response.status_code in (200, 302)
    assert admin.site.is_registered(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_row_opens_and_shows_no_secret(model: Any, as_root: Client, full: Integration) -> None:
    sealed = [
        getattr(row, name) for owner, name in sealed_columns() for row in owner.objects.all() if getattr(row, name)
    ]

    for row in model.objects.all():
        page = text(as_root.get(reverse(f"admin:integrations_{model._meta.model_name}_change", args=[row.pk])))
        assert str(row) or page
        assert not [secret for secret in [*sealed, "own-secret", "access-in-clear"] if secret in page]


def test_a_member_without_staff_rights_does_not_get_in(as_alice: Client) -> None:
    assert as_alice.get("/admin/").status_code in (302, 403)


def test_history_cannot_be_edited(as_root: Client, full: Integration) -> None:
    entry = AuditEntry.objects.first()
    assert entry

    response = as_root.post(reverse("admin:integrations_auditentry_change", args=[entry.pk]), {"action": "forged"})

    assert response.status_code == 403
    assert not AuditEntry.objects.filter(action="forged").exists()


def test_an_integration_is_added_with_its_app(as_root: Client, project: Project) -> None:
    data = {"project": str(project.pk), "provider_slug": "jira"}

    response = as_root.post(reverse("admin:integrations_integration_add"), data)

    integration = Integration.objects.get()
    assert response["Location"] == reverse(CHANGE, args=[integration.pk])
    assert integration.oauth_app.project == project


def test_the_same_integration_twice_is_said_in_the_form(as_root: Client, integration: Integration) -> None:
    data = {"project": str(integration.project_id), "provider_slug": "jira"}

    response = as_root.post(reverse("admin:integrations_integration_add"), data)

    assert "already exists" in text(response)


def test_keys_and_scopes_are_set(as_root: Client, integration: Integration) -> None:
    data = {"client_id": "own-client", "client_secret": "own-secret", "scopes": ["write:jira-work"]}

    response = as_root.post(reverse(CHANGE, args=[integration.pk]), data, follow=True)

    app = Integration.objects.get().oauth_app
    assert (app.client_id, app.open("client_secret")) == ("own-client", "own-secret")
    assert app.scopes == ["read:jira-work", "write:jira-work", "read:jira-user", "offline_access"]
    assert "own-secret" not in text(response)


def test_a_wrong_secret_is_said_at_its_field(
    as_root: Client, integration: Integration, provider_api: ProviderApi
) -> None:
    provider_api.replies(401, {"error": "access_denied"})

    response = as_root.post(
        reverse(CHANGE, args=[integration.pk]), {"client_id": "own", "client_secret": "wrong", "scopes": []}
    )

    assert "Jira refuses this client ID and secret" in text(response)
    assert Integration.objects.get().oauth_app.client_id == ""


def test_it_asks_before_users_must_reconnect(as_root: Client, integration: Integration, connect_user: Connect) -> None:
    connect_user(integration)
    data = {"client_id": "own", "client_secret": "own-secret", "scopes": []}

    asked = as_root.post(reverse(CHANGE, args=[integration.pk]), data)
    as_root.post(reverse(CHANGE, args=[integration.pk]), {**data, "confirmed": "on"})

    assert "1 connected users would have to reconnect" in text(asked)
    assert Integration.objects.get().oauth_app.client_id == "own"


def test_integrations_are_switched_on_and_off(as_root: Client, integration: Integration) -> None:
    act(as_root, "integration", "activate", integration)
    assert Integration.objects.get().is_active

    act(as_root, "integration", "deactivate", integration)
    assert not Integration.objects.get().is_active


def test_what_cannot_be_activated_says_why(as_root: Client, integration: Integration, settings: Any) -> None:
    settings.PROVIDER_SETTINGS = {}

    assert "JIRA_DEV_CLIENT_ID" in text(act(as_root, "integration", "activate", integration))


def test_connections_are_disconnected_with_their_tokens(
    as_root: Client, integration: Integration, connect_user: Connect
) -> None:
    connection = connect_user(integration)

    response = act(as_root, "connection", "disconnect", connection)

    assert not Grant.objects.exists()
    assert integration.provider.oauth.manage_url in text(response)
    assert AuditEntry.objects.filter(action="disconnected", actor_name="root@example.com").exists()


def test_signing_keys_are_revoked(as_root: Client, signing_key: SigningKey) -> None:
    act(as_root, "signingkey", "revoke", signing_key)

    assert not SigningKey.objects.active().exists()


def test_a_project_is_edited_by_the_rules_of_the_dashboard(as_root: Client, project: Project) -> None:
    inline = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
    data = {"name": "Acme", "kind": "production", "allow_loopback_origins": "on", "allowed_origins": "nope", **inline}

    response = as_root.post(reverse("admin:integrations_project_change", args=[project.pk]), data)

    assert "A production project cannot allow loopback origins" in text(response)
    assert "Line 1:" in text(response)


def test_a_second_factor_is_required_where_nobody_locks_himself_out(as_root: Client, project: Project) -> None:
    inline = {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"}
    change = reverse("admin:integrations_project_change", args=[project.pk])

    as_root.post(change, {"name": "Anew", "kind": "development", "require_second_factor": "on", **inline})
    page = text(as_root.get(change))

    found = Project.objects.get()
    assert (found.name, found.require_second_factor) == ("Anew", False)
    assert f'href="{reverse("dashboard:members", args=[project.pk])}"' in page


def test_a_member_is_changed_by_the_rules_of_the_dashboard(as_root: Client, project: Project, bob: User) -> None:
    owner, admin_ = Member.objects.get(role="owner"), Member.objects.get(user=bob)
    change = partial(reverse, "admin:integrations_member_change")

    refused = text(as_root.post(change(args=[owner.pk]), {"role": "support"}))
    as_root.post(change(args=[admin_.pk]), {"role": "owner"})
    as_root.post(change(args=[owner.pk]), {"role": "support"})

    assert "A project needs an owner." in refused
    roles = dict(Member.objects.values_list("user__email", "role"))
    assert roles == {owner.user.email: "support", bob.email: "owner"}
    entries = AuditEntry.objects.filter(action="member role changed").order_by("pk")
    assert [(entry.detail, entry.before, entry.after) for entry in entries] == [
        (bob.email, {"Role": "admin"}, {"Role": "owner"}),
        (owner.user.email, {"Role": "owner"}, {"Role": "support"}),
    ]


def test_the_last_owner_is_not_removed(as_root: Client, project: Project, bob: User) -> None:
    owner, admin_ = Member.objects.get(role="owner"), Member.objects.get(user=bob)
    delete = partial(reverse, "admin:integrations_member_delete")

    assert as_root.post(delete(args=[owner.pk]), {"post": "yes"}).status_code == 403
    as_root.post(delete(args=[admin_.pk]), {"post": "yes"})
    act(as_root, "member", "delete_selected", owner, post="yes")

    assert list(Member.objects.all()) == [owner]
    assert AuditEntry.objects.get(action="member removed").detail == bob.email


def test_a_member_is_added_and_a_new_project_has_an_owner(as_root: Client, project: Project, stranger: User) -> None:
    data = {"user": stranger.pk, "project": str(project.pk), "role": "support"}
    as_root.post(reverse("admin:integrations_member_add"), data)
    made = {
        "name": "By the administration",
        "kind": "development",
        "members-TOTAL_FORMS": 0,
        "members-INITIAL_FORMS": 0,
    }
    as_root.post(reverse("admin:integrations_project_add"), made)

    assert AuditEntry.objects.filter(action="member added", detail="stranger@example.com as support").exists()
    assert Member.objects.get(project__name="By the administration").role == "owner"


def test_deleting_is_asked_where_it_says_what_goes(as_root: Client, integration: Integration) -> None:
    project = integration.project

    delete = as_root.get(reverse("admin:integrations_project_delete", args=[project.pk]))
    page = text(as_root.get(reverse("admin:integrations_project_change", args=[project.pk])))
    removal = text(as_root.get(reverse(CHANGE, args=[integration.pk])))

    assert delete.status_code == 403
    assert reverse("dashboard:delete_project", args=[project.pk]) in page
    assert reverse("dashboard:remove_integration", args=[project.pk, "jira"]) in removal


def test_what_was_deleted_says_so(as_root: Client, integration: Integration, root: User) -> None:
    removing.remove_integration(integration, root)
    removing.delete_project(integration.project, root)

    page = text(as_root.get(reverse("admin:integrations_project_change", args=[integration.project_id])))
    removal = text(as_root.get(reverse(CHANGE, args=[integration.pk])))

    assert "It is deleted" in page
    assert "It is removed" in removal


def test_a_user_is_added_by_address(as_root: Client) -> None:
    data = {"email": "Dave@Example.com", "usable_password": "true", "password1": "a fine long one 7"}

    as_root.post(reverse("admin:integrations_user_add"), {**data, "password2": "a fine long one 7"})

    assert User.objects.filter(email="dave@example.com").exists()


# Accounts -------------------------------------------------------------------------------------------------------------


def test_the_account_of_a_last_owner_is_not_deleted(as_root: Client, project: Project, alice: User) -> None:
    delete = reverse("admin:integrations_user_delete", args=[alice.pk])

    asked = as_root.get(delete, follow=True)
    told = as_root.post(delete, {"post": "yes"}, follow=True)

    for page in (asked, told):
        assert "Acme Tasks would be left without an owner" in text(page)
    assert Member.objects.filter(user=alice, role="owner").exists()


def test_owners_are_not_deleted_together(as_root: Client, project: Project, alice: User, bob: User) -> None:
    Member.objects.filter(user=bob).update(role="owner")

    page = act(as_root, "user", "delete_selected", alice, bob, post="yes")

    assert "Acme Tasks would be left without an owner" in text(page)
    assert "Successfully" not in text(page)
    assert Member.objects.filter(project=project).count() == 2


def test_an_account_goes_with_its_sessions_and_its_projects_note_it(
    as_root: Client, as_bob: Client, project: Project, bob: User
) -> None:
    as_bob.get(reverse("dashboard:overview", args=[project.pk]))
    delete = reverse("admin:integrations_user_delete", args=[bob.pk])

    asked = text(as_root.get(delete))
    as_root.post(delete, {"post": "yes"})

    assert "Admin of Acme Tasks" in asked
    assert not User.objects.filter(pk=bob.pk).exists()
    entry = AuditEntry.objects.get(action="member removed")
    assert (entry.actor_name, entry.detail) == ("root@example.com", "bob@example.com, whose account was deleted")


def test_accounts_of_no_project_are_deleted_together(as_root: Client, project: Project, stranger: User) -> None:
    asked = text(act(as_root, "user", "delete_selected", stranger))
    act(as_root, "user", "delete_selected", stranger, post="yes")

    assert "stranger@example.com" in asked
    assert not User.objects.filter(pk=stranger.pk).exists()


def switch_off(client: Client, user: User) -> Any:
    """Save the page of an account without the tick that says that it is active."""
    return client.post(reverse("admin:integrations_user_change", args=[user.pk]), {"email": user.email})


def test_the_account_of_a_last_owner_is_not_deactivated(as_root: Client, project: Project, alice: User) -> None:
    refused = switch_off(as_root, alice)

    assert "Acme Tasks would be left without an owner" in str(refused.context["adminform"].form.errors["is_active"])
    assert User.objects.get(pk=alice.pk).is_active


def test_a_deactivated_owner_is_none(as_root: Client, project: Project, alice: User, bob: User) -> None:
    Member.objects.filter(user=bob).update(role="owner")

    switch_off(as_root, bob)
    switch_off(as_root, alice)

    assert list(User.objects.filter(is_active=False)) == [bob]
    assert members.is_last_owner(Member.objects.get(user=alice))
    assert AuditEntry.objects.get().action == "account deactivated"


def test_a_project_that_only_superusers_look_after_keeps_no_account(as_root: Client, alice: User) -> None:
    Project.objects.create(name="Nobody's")

    as_root.post(reverse("admin:integrations_user_delete", args=[alice.pk]), {"post": "yes"})

    assert not User.objects.filter(pk=alice.pk).exists()
