from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from integrations import connect, setup
from integrations.models import AuditEntry, Connection, Integration, Member, OAuthApp, Project, User
from tests.dashboard.conftest import ProviderApi, text, url

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]
SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user", "manage:jira-webhook", "offline_access"]


def save(client: Client, integration: Integration, **data: Any) -> Any:
    posted = {"client_id": "own-client", "client_secret": "own-secret", "scopes": SCOPES, **data}
    return client.post(url("integration_settings", integration.project_id, "jira"), posted, follow=True)


def present_app() -> OAuthApp:
    return Integration.objects.select_related("oauth_app").get().oauth_app


# The page -------------------------------------------------------------------------------------------------------------


def test_it_guides_and_shows_the_redirect_url(as_alice: Client, integration: Integration) -> None:
    page = text(as_alice.get(url("integration_settings", integration.project_id, "jira")))

    assert "developer.atlassian.com/console/myapps" in page
    assert f'data-copy="{integration.oauth_app.callback_url}"' in page
    assert "Not sharing" in page


def test_scopes_beyond_the_development_keys_are_greyed_out_with_the_reason(
    as_alice: Client, integration: Integration
) -> None:
    page = text(as_alice.get(url("integration_settings", integration.project_id, "jira")))

    assert (
        '<input type="checkbox" name="scopes" value="manage:jira-webhook" disabled data-needs-own-keys data-wanted>'
        in page
    )
    assert "The development keys are not registered for this" in page


def test_required_scopes_are_always_sent(as_alice: Client, integration: Integration) -> None:
    page = text(as_alice.get(url("integration_settings", integration.project_id, "jira")))

    assert '<input type="checkbox" name="scopes" value="offline_access" checked disabled>' in page
    assert '<input type="hidden" name="scopes" value="offline_access">' in page


def test_with_own_keys_recommended_scopes_are_chosen(as_alice: Client, own_keys: Integration) -> None:
    page = text(as_alice.get(url("integration_settings", own_keys.project_id, "jira")))

    assert '<input type="checkbox" name="scopes" value="manage:jira-webhook" checked>' in page
    assert '<input type="checkbox" name="scopes" value="manage:jira-project">' in page


# Own keys -------------------------------------------------------------------------------------------------------------


def test_own_keys_are_checked_and_saved(as_alice: Client, integration: Integration, provider_api: ProviderApi) -> None:
    response = save(as_alice, integration)

    app = present_app()
    assert app.pk == integration.oauth_app_id
    assert (app.client_id, app.open("client_secret")) == ("own-client", "own-secret")
    assert provider_api.asked[0]["json_body"]["client_secret"] == "own-secret"
    assert f"fingerprint <code>{app.secret_fingerprint}</code>" in text(response)
    assert "own-secret" not in text(response)


def test_activating_on_this_page_saves_the_keys_first(as_alice: Client, integration: Integration) -> None:
    response = save(as_alice, integration, then="activate")

    integration.refresh_from_db()
    assert (present_app().client_id, integration.is_active) == ("own-client", True)
    assert "Jira is active" in text(response)


def test_saving_without_a_change_is_not_audited(as_alice: Client, own_keys: Integration) -> None:
    app = own_keys.oauth_app
    save(as_alice, own_keys, client_id=app.client_id, client_secret="", scopes=app.scopes)

    assert AuditEntry.objects.filter(action="integration settings changed").count() == 1  # that of own_keys


def test_nothing_is_activated_while_the_keys_are_refused(
    as_alice: Client, integration: Integration, provider_api: ProviderApi
) -> None:
    provider_api.replies(401, {"error": "access_denied", "error_description": "Unauthorized"})

    response = save(as_alice, integration, then="activate")

    integration.refresh_from_db()
    assert not integration.is_active
    assert "own-client" in text(response)


def test_activating_goes_on_after_the_question(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration)

    asked = save(as_alice, integration, then="activate")
    assert "Save and activate anyway" in text(asked)
    save(as_alice, integration, client_secret="", then="activate", confirmed="1")

    integration.refresh_from_db()
    assert (present_app().client_id, integration.is_active) == ("own-client", True)


def test_a_wrong_secret_is_said_at_the_secret_and_nothing_else_is_lost(
    as_alice: Client, integration: Integration, provider_api: ProviderApi
) -> None:
    provider_api.replies(401, {"error": "access_denied", "error_description": "Unauthorized"})

    response = save(as_alice, integration, client_secret="wrong-secret", scopes=["read:jira-work"])

    assert "client_secret" in response.context["form"].errors
    assert "Jira refuses this client ID and secret" in text(response)
    assert 'value="own-client"' in text(response)
    assert "wrong-secret" not in text(response)
    assert '<input type="checkbox" name="scopes" value="write:jira-work">' in text(response)
    assert present_app().client_id == ""


def test_while_the_provider_is_down_keys_are_saved_with_a_warning(
    as_alice: Client, integration: Integration, provider_api: ProviderApi
) -> None:
    provider_api.replies(503, {})

    response = save(as_alice, integration)

    assert "could not be asked whether the keys are right" in text(response)
    assert present_app().client_id == "own-client"


def test_a_blank_secret_keeps_the_present_one(
    as_alice: Client, own_keys: Integration, provider_api: ProviderApi
) -> None:
    provider_api.asked.clear()

    save(as_alice, own_keys, client_secret="")

    assert present_app().open("client_secret") == "own-secret"
    assert provider_api.asked == []


def test_a_new_secret_lifts_a_refusal(as_alice: Client, own_keys: Integration) -> None:
    own_keys.oauth_app.refuse("Jira refuses the client ID or secret.")

    save(as_alice, own_keys, client_secret="newer-secret")

    assert present_app().refused_at is None
    assert present_app().open("previous_secret") == "own-secret"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"client_secret": ""}, "client_secret"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": "two words"}, "client_id"),
        ({"client_secret": "two words"}, "client_secret"),
        ({"client_id": "x" * 201}, "client_id"),
        ({"scopes": ["admin:everything"]}, "scopes"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    data: dict[str, Any], field: str, as_alice: Client, integration: Integration
) -> None:
    response = save(as_alice, integration, **data)

    assert field in response.context["form"].errors
    assert present_app().client_id == ""


def test_required_scopes_cannot_be_left_out(as_alice: Client, integration: Integration) -> None:
    save(as_alice, integration, scopes=[])

    assert present_app().scopes == ["read:jira-work", "read:jira-user", "offline_access"]


def test_the_audit_tells_what_changed_and_no_secret(as_alice: Client, integration: Integration) -> None:
    save(as_alice, integration)

    entry = AuditEntry.objects.get(action="integration settings changed")
    assert ("Client ID", "development keys", "own-client") in entry.changes
    assert "own-secret" not in f"{entry.detail}{entry.changes}"


# Development keys -----------------------------------------------------------------------------------------------------


def test_blank_keys_are_development_keys_within_their_scopes(as_alice: Client, integration: Integration) -> None:
    response = save(as_alice, integration, client_id="", client_secret="")

    assert "saved" in text(response)
    app = integration.app_in_use()
    assert app
    assert "manage:jira-webhook" not in connect.wanted_scopes(integration, app)


def test_what_development_keys_lack_stays_wanted_for_later(as_alice: Client, integration: Integration) -> None:
    save(as_alice, integration, client_id="", client_secret="", scopes=["read:jira-work"])

    assert present_app().scopes == ["read:jira-work", "read:jira-user", "manage:jira-webhook", "offline_access"]


def test_blank_keys_are_refused_in_a_production_project(as_alice: Client, integration: Integration) -> None:
    Project.objects.update(kind=Project.Kind.PRODUCTION)

    response = save(as_alice, integration, client_id="", client_secret="")

    assert "for testing only" in response.context["form"].errors["client_id"][0]


def test_blank_keys_are_refused_with_advice_when_the_operator_set_none(
    as_alice: Client, integration: Integration, settings: Any
) -> None:
    settings.PROVIDER_SETTINGS = {}

    response = save(as_alice, integration, client_id="", client_secret="")

    assert "JIRA_DEV_CLIENT_ID and JIRA_DEV_CLIENT_SECRET" in response.context["form"].errors["client_id"][0]


# Users who are connected ----------------------------------------------------------------------------------------------


def test_moving_to_own_keys_asks_before_users_must_reconnect(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration, scopes=["read:jira-work", "write:jira-work", "read:jira-user"])

    response = save(as_alice, integration)

    assert "1 connected user must reconnect" in text(response)
    assert "own-secret" not in text(response)
    assert present_app().client_id == ""


def test_save_anyway_needs_no_secret_again(as_alice: Client, integration: Integration, connect_user: Connect) -> None:
    connection = connect_user(integration)
    save(as_alice, integration)

    response = save(as_alice, integration, client_secret="", confirmed="1")

    assert "saved" in text(response)
    assert present_app().open("client_secret") == "own-secret"
    connection.refresh_from_db()
    assert connection.grant.app.is_development


def test_a_held_secret_is_for_the_client_id_it_was_typed_with(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration)
    save(as_alice, integration)

    response = save(as_alice, integration, client_id="another", client_secret="", confirmed="1")

    assert "client_secret" in response.context["form"].errors


def test_the_secret_is_not_in_the_session_in_clear(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration)
    save(as_alice, integration)

    assert "own-secret" not in str(dict(as_alice.session.items()))


def test_a_wrong_secret_is_said_before_anything_is_asked(
    as_alice: Client, integration: Integration, connect_user: Connect, provider_api: ProviderApi
) -> None:
    connect_user(integration)
    provider_api.replies(401, {"error": "access_denied"})

    response = save(as_alice, integration)

    assert "client_secret" in response.context["form"].errors


def test_more_scopes_ask_and_fewer_do_not(as_alice: Client, own_keys: Integration, connect_user: Connect) -> None:
    connect_user(own_keys)

    more = save(as_alice, own_keys, client_secret="", scopes=[*SCOPES, "manage:jira-project"])
    fewer = save(as_alice, own_keys, client_secret="", scopes=["read:jira-work"])

    assert "must reconnect" in text(more)
    assert "saved" in text(fewer)


def test_another_client_id_gets_an_app_of_its_own_while_users_are_connected(
    as_alice: Client, own_keys: Integration, connect_user: Connect
) -> None:
    connection = connect_user(own_keys)

    response = save(as_alice, own_keys, client_id="newer", client_secret="newer-secret", confirmed="1")

    app = present_app()
    assert app.pk != own_keys.oauth_app_id
    assert app.callback_url in text(response)
    assert "has a Redirect URL of its own" in text(response)
    connection.refresh_from_db()
    assert connection.grant.app.client_id == "own-client"


def test_without_users_another_client_id_keeps_the_redirect_url(as_alice: Client, own_keys: Integration) -> None:
    save(as_alice, own_keys, client_id="newer", client_secret="newer-secret")

    assert present_app().pk == own_keys.oauth_app_id
    assert present_app().open("previous_secret") == ""


def test_going_back_to_a_former_client_id_finds_its_app_again(
    as_alice: Client, own_keys: Integration, connect_user: Connect
) -> None:
    connect_user(own_keys)
    save(as_alice, own_keys, client_id="newer", client_secret="newer-secret", confirmed="1")

    save(as_alice, own_keys, client_id="own-client", client_secret="", confirmed="1")

    assert present_app().pk == own_keys.oauth_app_id
    assert OAuthApp.objects.filter(project=own_keys.project).count() == 2


def test_going_back_to_development_keys_keeps_the_app_of_connected_users(
    as_alice: Client, own_keys: Integration, connect_user: Connect
) -> None:
    connection = connect_user(own_keys)

    save(as_alice, own_keys, client_id="", client_secret="", confirmed="1")

    assert present_app().client_id == ""
    connection.refresh_from_db()
    assert connection.grant.app.open("client_secret") == "own-secret"


# The app of another project -------------------------------------------------------------------------------------------


@pytest.fixture
def second(alice: User) -> Integration:
    project = Project.objects.create(name="Acme Staging")
    Member.objects.create(project=project, user=alice, role=Member.Role.OWNER)
    return setup.add_integration(project, "jira", alice)


def test_a_project_uses_the_app_of_another_that_one_administers(
    as_alice: Client, own_keys: Integration, second: Integration
) -> None:
    data = {"shared_app": str(own_keys.oauth_app_id), "client_id": "", "client_secret": ""}

    save(as_alice, second, **data)

    second.refresh_from_db()
    assert second.oauth_app_id == own_keys.oauth_app_id
    page = text(as_alice.get(url("integration_settings", second.project_id, "jira")))
    assert "which this project uses" in page


def test_the_app_of_a_strangers_project_is_not_on_offer(
    as_stranger: Client, stranger: User, own_keys: Integration
) -> None:
    project = Project.objects.create(name="Elsewhere")
    Member.objects.create(project=project, user=stranger, role=Member.Role.OWNER)
    mine = setup.add_integration(project, "jira", stranger)

    save(as_stranger, mine, shared_app=str(own_keys.oauth_app_id), client_id="", client_secret="")

    mine.refresh_from_db()
    assert mine.oauth_app.project == project
    with pytest.raises(setup.SetupRefused):
        setup.plan(mine, setup.Wanted("", [], shared_app=own_keys.oauth_app), stranger)


def test_an_app_that_another_project_uses_is_not_changed_under_it(
    as_alice: Client, own_keys: Integration, second: Integration
) -> None:
    setup.save_settings(
        second, setup.Wanted("", [], shared_app=own_keys.oauth_app), User.objects.get(email="alice@example.com")
    )

    save(as_alice, own_keys, client_id="newer", client_secret="newer-secret")

    second.refresh_from_db()
    assert second.oauth_app.client_id == "own-client"
