"""The checklist of a project reads what there is; nobody ticks it off."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations import setup
from integrations.models import Call, Connection, Grant, Integration, Project, SigningKey, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]


def done(response: Any) -> list[str]:
    return [step.title for step in response.context["steps"] if step.is_done]


def next_title(response: Any) -> str:
    return str(response.context["next_step"].title)


def test_a_new_project_begins_with_the_catalog(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("overview", project.pk))

    assert done(response) == []
    assert next_title(response) == "Add an integration"
    assert url("catalog", project.pk) in text(response)


def test_development_keys_count_as_keys(as_alice: Client, integration: Integration) -> None:
    response = as_alice.get(url("overview", integration.project_id))

    assert done(response) == ["Add an integration", "Give it keys"]
    assert next_title(response) == "Activate Jira"


def test_without_development_keys_one_s_own_are_asked_for(
    as_alice: Client, integration: Integration, settings: Any
) -> None:
    settings.PROVIDER_SETTINGS = {}

    response = as_alice.get(url("overview", integration.project_id))

    assert next_title(response) == "Give it keys"


def test_it_goes_on_to_the_first_account_and_the_first_call(
    as_alice: Client, integration: Integration, alice: User, connect_user: Connect
) -> None:
    setup.activate(integration, alice)
    assert next_title(as_alice.get(url("overview", integration.project_id))) == "Connect a first account"

    connect_user(integration)

    assert next_title(as_alice.get(url("overview", integration.project_id))) == "Make a first call"


def test_a_failed_call_is_no_first_call(as_alice: Client, integration: Integration, connect_user: Connect) -> None:
    connect_user(integration)
    call = Call.objects.create(
        project=integration.project,
        sub="user-1",
        provider_slug="jira",
        method="GET",
        path="/",
        status=500,
        milliseconds=1,
        at=timezone.now(),
    )
    assert "Make a first call" not in done(as_alice.get(url("overview", integration.project_id)))

    Call.objects.filter(pk=call.pk).update(status=200)

    assert "Make a first call" in done(as_alice.get(url("overview", integration.project_id)))


def test_what_is_complete_is_not_shown_any_more(
    as_alice: Client, integration: Integration, alice: User, connect_user: Connect, signing_key: SigningKey
) -> None:
    setup.activate(integration, alice)
    connect_user(integration)
    Project.objects.update(allowed_origins=["https://app.example.com"])
    Call.objects.create(
        project=integration.project,
        sub="user-1",
        provider_slug="jira",
        method="GET",
        path="/",
        status=200,
        milliseconds=1,
        at=timezone.now(),
    )

    response = as_alice.get(url("overview", integration.project_id))

    assert response.context["next_step"] is None
    assert "Get your users connected" not in text(response)
    assert "1 connected user" in text(response)


def test_accounts_that_need_a_reconnect_are_named_with_the_reason(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration, "user-lost", status=Grant.Status.NEEDS_RECONNECT, reason="The consent was withdrawn.")

    response = as_alice.get(url("overview", integration.project_id))

    assert "user-lost: Account of user-lost at acme" in text(response)
    assert "The consent was withdrawn." in text(response)


def test_it_costs_few_queries(
    as_alice: Client, integration: Integration, connect_user: Connect, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        connect_user(integration, f"user-{number}", status=Grant.Status.NEEDS_RECONNECT, reason="Gone.")

    as_alice.get(url("overview", integration.project_id))

    with django_assert_max_num_queries(8):
        as_alice.get(url("overview", integration.project_id))


def test_the_overview_offers_to_try_it(as_alice: Client, project: Project, integration: Integration) -> None:
    assert "Connect a test account" not in text(as_alice.get(url("overview", project.pk)))
    Integration.objects.update(is_active=True)

    response = as_alice.get(url("overview", project.pk))

    assert "Connect a test account" in text(response)
    assert "form-action 'self' http" in response["Content-Security-Policy"]
