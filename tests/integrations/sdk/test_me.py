"""/sdk/me: who the end user is, and what they are connected to."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from integrations.models import ConnectedUser, Connection, Grant, Integration, Project
from tests.integrations.sdk.conftest import Person

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]


def jira_of(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = person.get("sdk/me").json()["integrations"]["jira"]
    return found


# Nobody knows them yet ------------------------------------------------------------------------------------------------


def test_it_says_who_the_token_speaks_for(alice: Person) -> None:
    body = alice.get("sdk/me").json()

    assert body["authenticated"] is True
    assert body["userId"] == "alice"
    assert (body["meta"], body["resources"]) == ({}, [])


def test_looking_stores_nothing(alice: Person) -> None:
    alice.get("sdk/me")

    assert not ConnectedUser.objects.exists()


def test_the_project_says_that_nothing_is_gated(alice: Person, project: Project) -> None:
    found = alice.get("sdk/me").json()["project"]

    assert found["id"] == str(project.pk)
    assert {"headless-cp", "dfm", "whitelabel"} <= set(found["accessibleFeatures"])
    assert found["billingPlan"]


def test_a_project_without_integrations_has_none(alice: Person) -> None:
    assert alice.get("sdk/me").json()["integrations"] == {}


def test_an_integration_is_listed_before_anybody_connects(alice: Person, jira: Integration) -> None:
    assert jira_of(alice) == {"enabled": False, "allCredentials": [], "configuredWorkflows": {}}


def test_an_integration_that_is_not_active_is_listed_too(alice: Person, jira: Integration) -> None:
    Integration.objects.update(is_active=False)

    assert jira_of(alice)["enabled"] is False


# Connected ------------------------------------------------------------------------------------------------------------


def test_a_connection_makes_its_integration_enabled(alice: Person, connect: Connect) -> None:
    connection = connect("alice")

    found = jira_of(alice)

    assert found["enabled"] is True
    assert found["credentialId"] == str(connection.pk)
    assert found["credentialStatus"] == "VALID"


def test_an_enabled_integration_has_all_that_an_sdk_reads(alice: Person, connect: Connect) -> None:
    connect("alice", settings={"project": "OPS"})

    found = jira_of(alice)

    assert found["providerId"] == "account-1"
    assert found["providerData"]["accountName"] == "Ada Park"
    assert found["sharedSettings"] == {"project": "OPS"}
    assert (found["workflowSettings"], found["configuredWorkflows"], found["configMeta"]) == ({}, {}, {})


def test_every_connection_is_listed_oldest_first(alice: Person, connect: Connect) -> None:
    first, second = connect("alice"), connect("alice", site_id="s2")

    found = jira_of(alice)

    assert [item["id"] for item in found["allCredentials"]] == [str(first.pk), str(second.pk)]
    assert found["credentialId"] == str(first.pk)


def test_a_credential_has_all_that_an_sdk_reads(alice: Person, connect: Connect, jira: Integration) -> None:
    connection = connect("alice", external_id="work")

    credential = jira_of(alice)["allCredentials"][0]

    assert credential["id"] == str(connection.pk)
    assert credential["projectId"] == str(jira.project_id)
    assert credential["integrationId"] == str(jira.pk)
    assert credential["personaId"] == str(connection.user_id)
    assert (credential["status"], credential["isPreviewCredential"]) == ("VALID", False)
    assert (credential["externalId"], credential["refreshFailureCount"]) == ("work", 0)


@pytest.mark.parametrize("name", ["dateCreated", "dateUpdated", "dateRefreshed"])
def test_the_times_of_a_credential_can_be_read(name: str, alice: Person, connect: Connect) -> None:
    connect("alice")

    credential = jira_of(alice)["allCredentials"][0]

    assert datetime.fromisoformat(credential[name]).tzinfo is not None


def test_a_credential_without_a_name_of_the_customers_says_null(alice: Person, connect: Connect) -> None:
    connect("alice")

    assert jira_of(alice)["allCredentials"][0]["externalId"] is None


def test_a_credential_has_one_configuration_which_is_the_default(alice: Person, connect: Connect) -> None:
    connection = connect("alice", settings={"project": "OPS"})

    configurations = jira_of(alice)["allCredentials"][0]["configurations"]

    assert [item["isDefault"] for item in configurations] == [True]
    assert configurations[0]["connectCredentialId"] == str(connection.pk)
    assert configurations[0]["sharedSettings"] == {"project": "OPS"}
    assert (configurations[0]["workflowSettings"], configurations[0]["configMeta"]) == ({}, {})


def test_the_default_configuration_is_named_by_an_id_that_stays(alice: Person, connect: Connect) -> None:
    connect("alice")

    first, again = jira_of(alice), jira_of(alice)

    assert first["credentialConfigId"] == first["allCredentials"][0]["configurations"][0]["id"]
    assert UUID(first["credentialConfigId"]) == UUID(again["credentialConfigId"])


@pytest.mark.parametrize(
    ("model", "fields"),
    [(Connection, {"status": "needs_reconnect"}), (Grant, {"status": "needs_reconnect"})],
    ids=["its site is gone", "its account is gone"],
)
def test_a_connection_that_needs_its_user_is_invalid(
    model: Any, fields: dict[str, str], alice: Person, connect: Connect
) -> None:
    connect("alice")
    model.objects.update(**fields, reason="The password changed.")

    found = jira_of(alice)

    assert found["credentialStatus"] == "INVALID"
    assert found["allCredentials"][0]["reason"] == "The password changed."


def test_connections_of_others_are_not_listed(alice: Person, connect: Connect) -> None:
    connect("bob")

    assert jira_of(alice)["enabled"] is False


@pytest.mark.parametrize("word", ["token", "secret", "sealed"])
def test_it_speaks_of_no_secret(word: str, alice: Person, connect: Connect) -> None:
    connect("alice")

    assert word not in alice.get("sdk/me").content.decode().lower()


# Metadata -------------------------------------------------------------------------------------------------------------


def test_metadata_is_kept_and_comes_back(alice: Person) -> None:
    answer = alice.call("PATCH", "sdk/me", {"meta": {"Name": "Alice Moor", "plan": {"seats": 3}}})

    assert answer.json()["meta"] == {"Name": "Alice Moor", "plan": {"seats": 3}}
    assert alice.get("sdk/me").json()["meta"] == answer.json()["meta"]


def test_the_answer_to_metadata_is_the_whole_user(alice: Person, connect: Connect) -> None:
    connect("alice")

    answer = alice.call("PATCH", "sdk/me", {"meta": {"Name": "Alice Moor"}})

    assert answer.json() == alice.get("sdk/me").json()


def test_metadata_is_replaced_not_merged(alice: Person) -> None:
    alice.call("PATCH", "sdk/me", {"meta": {"Name": "Alice Moor", "plan": "free"}})

    alice.call("PATCH", "sdk/me", {"meta": {"plan": "paid"}})

    assert alice.get("sdk/me").json()["meta"] == {"plan": "paid"}


@pytest.mark.parametrize(
    ("meta", "shown"),
    [
        ({"Name": "Alice Moor", "Email": "alice@acme.test"}, "Alice Moor"),
        ({"Email": "alice@acme.test"}, "alice@acme.test"),
        ({"plan": "free"}, "alice"),
    ],
)
def test_the_dashboard_calls_them_by_the_name_that_the_sdk_renames(
    meta: dict[str, str], shown: str, alice: Person
) -> None:
    alice.call("PATCH", "sdk/me", {"meta": meta})

    assert ConnectedUser.objects.get().display_name == shown


@pytest.mark.parametrize("meta", [{}, {"note": "ä ö 日本 🙂"}, {"nested": {"deep": [1, None, True]}}, {"": ""}])
def test_metadata_may_be_any_object(meta: dict[str, Any], alice: Person) -> None:
    alice.call("PATCH", "sdk/me", {"meta": meta})

    assert alice.get("sdk/me").json()["meta"] == meta


@pytest.mark.parametrize("meta", ["Alice", ["Alice"], 1, None, True])
def test_metadata_that_is_no_object_is_refused(meta: Any, alice: Person) -> None:
    answer = alice.call("PATCH", "sdk/me", {"meta": meta})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_metadata")
    assert not ConnectedUser.objects.exists()


def test_metadata_that_is_too_large_is_refused(alice: Person) -> None:
    answer = alice.call("PATCH", "sdk/me", {"meta": {"note": "x" * 17_000}})

    assert answer.status_code == 400
    assert "16,384" in answer.json()["message"]


def test_metadata_of_two_users_is_kept_apart(alice: Person, person: Callable[..., Person]) -> None:
    alice.call("PATCH", "sdk/me", {"meta": {"Name": "Alice"}})
    person("bob").call("PATCH", "sdk/me", {"meta": {"Name": "Bob"}})

    assert alice.get("sdk/me").json()["meta"] == {"Name": "Alice"}


@pytest.mark.parametrize("meta", [{"Name": ["a", "list"]}, {"Name": {"first": "Alice"}}, {"Name": 7}])
def test_a_name_that_is_no_text_still_has_a_page(
    meta: dict[str, Any], alice: Person, admin_client: Any, project: Project
) -> None:
    alice.call("PATCH", "sdk/me", {"meta": meta})

    assert admin_client.get(f"/p/{project.pk}/users").status_code == 200
