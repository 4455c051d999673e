"""/sdk/integrations and /sdk/metadata: what the project offers, as an SDK reads it."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.models import Connection, Integration, OAuthApp, Project
from tests.integrations.sdk.conftest import Person

pytestmark = pytest.mark.django_db


def only(person: Person) -> dict[str, Any]:
    [found] = person.get("sdk/integrations").json()
    return dict(found)


def test_a_project_without_integrations_lists_none(alice: Person) -> None:
    assert alice.get("sdk/integrations").json() == []


def test_it_says_what_it_is(alice: Person, jira: Integration) -> None:
    found = only(alice)

    assert (found["id"], found["projectId"]) == (str(jira.pk), str(jira.project_id))
    assert (found["type"], found["name"], found["providerType"]) == ("jira", "Jira", "jira")
    assert found["brandColor"].startswith("#")
    assert (found["customIntegration"], found["customIntegrationId"]) == (None, None)


@pytest.mark.parametrize("is_active", [True, False])
def test_it_says_whether_it_is_active(is_active: bool, alice: Person, jira: Integration) -> None:
    Integration.objects.update(is_active=is_active)

    assert only(alice)["isActive"] is is_active


def test_its_words_are_for_the_end_user(alice: Person, jira: Integration) -> None:
    [config] = only(alice)["configs"]

    values = config["values"]
    assert values["description"] == "Let Acme Tasks work with your Jira account."
    assert (values["accentColor"], values["paragonLink"]) == (jira.provider.brand_color, False)
    assert isinstance(values["overview"], str)


def test_without_workflows_their_lists_are_there_and_empty(alice: Person, jira: Integration) -> None:
    found = only(alice)

    assert (found["workflows"], found["noPermissionWorkflows"]) == ([], [])
    assert found["configs"][0]["values"]["sharedMeta"] == {"inputs": []}
    assert found["configs"][0]["values"]["workflowMeta"] == {}


def test_it_begins_with_consent_and_asks_nothing_before(alice: Person, jira: Integration) -> None:
    found = only(alice)

    assert (found["authenticationType"], found["needPreOauthInputs"]) == ("oauth", False)
    assert found["sdkIntegrationConfig"] == {
        "oauthInputs": [],
        "accountTypes": [],
        "authConfigInputs": [],
        "postOauthInputs": [],
        "dataSources": {},
    }


def test_it_says_whether_this_user_is_connected(alice: Person, connect: Callable[..., Connection]) -> None:
    connect("bob")
    assert only(alice)["hasCredential"] is False

    connect("alice")

    assert only(alice)["hasCredential"] is True


def test_it_tells_the_limit_of_development_keys(alice: Person, jira: Integration, settings: Any) -> None:
    settings.DEVELOPMENT_KEYS_USER_LIMIT = 7

    assert only(alice)["connectedUserLimitOnDevCred"] == 7


def test_it_says_when_the_limit_of_development_keys_is_reached(
    alice: Person, jira: Integration, connect: Callable[..., Connection], settings: Any
) -> None:
    settings.PROVIDER_SETTINGS = {"jira": {"DEV_CLIENT_ID": "dev", "DEV_CLIENT_SECRET": "secret"}}
    settings.DEVELOPMENT_KEYS_USER_LIMIT = 1
    taken = connect("bob").grant
    taken.app = OAuthApp.objects.development("jira")
    taken.save()

    assert only(alice)["connectedUserLimitReached"] is True


def test_integrations_of_another_project_are_not_listed(alice: Person) -> None:
    other = Project.objects.create(name="Other")
    app = OAuthApp.objects.create(project=other, provider="jira")
    Integration.objects.create(project=other, provider_slug="jira", oauth_app=app, is_active=True)

    assert alice.get("sdk/integrations").json() == []


# Metadata: what a page shows before anybody connects ------------------------------------------------------------------


def test_metadata_is_name_colour_and_icon(alice: Person, jira: Integration) -> None:
    [found] = alice.get("sdk/metadata").json()

    assert (found["type"], found["name"], found["brandColor"]) == ("jira", "Jira", jira.provider.brand_color)
    assert found["icon"] == "http://localhost:8000/static/integrations/jira.svg"


def test_metadata_lists_active_integrations_only(alice: Person, jira: Integration) -> None:
    Integration.objects.update(is_active=False)

    assert alice.get("sdk/metadata").json() == []
