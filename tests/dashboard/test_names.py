"""What people may call things and each other: what a database can hold, and what can be told apart by looking."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from integrations.models import ApiKey, Integration, Invitation, Project, SigningKey, User
from tests.dashboard.conftest import text, url
from workflows import portable
from workflows.models import AlertRule, Workflow

TURNED = "Acme \u202eskroW"
SAID = "There is an invisible character in it, U+202E. Type it instead of pasting it."
pytestmark = pytest.mark.django_db
DOMAIN = ".".join(["d" * 60] * 4)
FULL = f"{'c' * 7}@{DOMAIN}.cc"  # 254 characters
TOO_LONG = f"c{FULL}"


# How long an address is -----------------------------------------------------------------------------------------------


def test_an_address_that_fills_the_column_is_invited(as_alice: Client, project: Project) -> None:
    as_alice.post(url("invite", project.pk), {"email": FULL, "role": "admin"})

    assert Invitation.objects.get().email == FULL


def test_a_longer_one_is_refused_at_the_field(as_alice: Client, project: Project) -> None:
    page = text(as_alice.post(url("invite", project.pk), {"email": TOO_LONG, "role": "admin"}))

    assert "at most 254 characters" in page
    assert not Invitation.objects.exists()


def test_alerts_go_to_no_longer_one_either(as_alice: Client, project: Project) -> None:
    page = text(as_alice.post(reverse("workflows:alerts", args=[project.pk]), {"emails": TOO_LONG}))

    assert "Line 1: An e-mail address has at most 254 characters." in page
    assert not AlertRule.objects.exists()


def test_the_first_owner_has_no_longer_one(db: Any) -> None:
    with pytest.raises(CommandError, match="at most 254 characters"):
        call_command("create_owner", TOO_LONG, link=True)


# What nobody can see --------------------------------------------------------------------------------------------------


def test_a_project_is_not_called_what_nobody_can_type(as_alice: Client, project: Project) -> None:
    made = text(as_alice.post(url("new_project"), {"name": TURNED, "kind": "development"}))
    renamed = text(as_alice.post(url("project_settings", project.pk), {"name": TURNED, "kind": "development"}))

    assert SAID in made
    assert SAID in renamed
    assert [each.name for each in Project.objects.all()] == ["Acme Tasks"]


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\ufeff", "\u2066", "\u00ad", "\u2028", "\x07"])
def test_each_invisible_character_is_named(as_alice: Client, hidden: str) -> None:
    page = text(as_alice.post(url("new_project"), {"name": f"Ac{hidden}me", "kind": "development"}))

    assert f"U+{ord(hidden):04X}" in page


def test_what_scripts_and_emoji_are_joined_with_is_taken(as_alice: Client, project: Project) -> None:
    as_alice.post(url("new_project"), {"name": "می\u200cخواهم 👩\u200d💻 Zoë", "kind": "development"})

    assert Project.objects.filter(name="می\u200cخواهم 👩\u200d💻 Zoë").exists()


def test_nor_is_a_key(as_alice: Client, project: Project) -> None:
    signing = text(as_alice.post(url("generate_key", project.pk), {"name": TURNED}))
    api = text(as_alice.post(url("new_api_key", project.pk), {"name": TURNED, "scopes": ["users:read"], "days": "30"}))

    assert SAID in signing
    assert SAID in api
    assert not SigningKey.objects.exists()
    assert not ApiKey.objects.exists()


def test_nor_is_a_person(as_alice: Client, alice: User) -> None:
    page = text(as_alice.post(reverse("account_profile"), {"name": TURNED}))

    assert SAID in page
    alice.refresh_from_db()
    assert alice.get_full_name() == ""


@pytest.mark.parametrize("address", ["bob@exa\u200bmple.com", "bo\u202eb@example.com", "bob@exam\u200dple.com"])
def test_an_address_that_looks_like_another_is_not_invited(as_alice: Client, project: Project, address: str) -> None:
    page = text(as_alice.post(url("invite", project.pk), {"email": address, "role": "admin"}))

    assert "There is an invisible character in it" in page
    assert not Invitation.objects.exists()


def test_nor_is_it_alerted(as_alice: Client, project: Project) -> None:
    page = text(
        as_alice.post(reverse("workflows:alerts", args=[project.pk]), {"emails": "ok@a.test\nbob@exa\u200bmple.com"})
    )

    assert "Line 2: There is an invisible character in it, U+200B." in page


def test_nor_is_a_workflow_called_so(as_alice: Client, integration: Integration, workflows: list[Workflow]) -> None:
    made = as_alice.post(
        reverse("workflows:new_workflow", args=[integration.project_id]),
        {"name": TURNED, "integration": integration.pk},
    )
    first = workflows[0]
    renamed = as_alice.post(
        reverse("workflows:save_draft", args=[integration.project_id, first.pk]),
        {"draft": first.draft, "name": TURNED, "revision": first.revision},
        "application/json",
    )

    assert SAID in text(made)
    assert (renamed.status_code, renamed.json()) == (400, {"message": SAID, "field": "name"})
    assert not Workflow.objects.filter(name=TURNED).exists()


def test_nor_by_a_file_that_is_imported(project: Project, integration: Integration) -> None:
    item = {"name": TURNED, "definition": {"trigger": {}, "steps": []}}
    found = {"patchbay": 1, "integrations": {"jira": {"workflows": [item]}}}

    plan = portable.bring_in(project, found, "test", is_dry=False)

    assert plan.problems == [f"jira: the name of “Acme skroW”: {SAID}"]


def test_nor_in_the_administration(client: Client, root: User, alice: User, project: Project) -> None:
    client.force_login(root)
    data = {"email": alice.email, "first_name": TURNED, "is_active": "on"}

    of_person = client.post(reverse("admin:integrations_user_change", args=[alice.pk]), data)
    of_project = client.post(reverse("admin:integrations_project_change", args=[project.pk]), {"name": TURNED})

    assert SAID in text(of_person)
    assert SAID in text(of_project)


def test_nor_by_the_command_that_lets_the_first_owner_in(db: Any) -> None:
    with pytest.raises(CommandError, match=r"The name of the project: .* U\+202E"):
        call_command("create_owner", "ada@example.com", project=TURNED, link=True)


# What is called so already --------------------------------------------------------------------------------------------


def test_it_is_deleted_by_typing_what_is_seen(as_alice: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="Acme\u200b \u202eTasks")
    address = url("delete_project", project.pk)

    asked = text(as_alice.get(address))
    as_alice.post(address, {"typed": "Acme Tasks"})

    assert "Type Acme Tasks to confirm" in asked
    assert Project.objects.get().deleted_at is not None


def test_it_is_deleted_by_pasting_it_too(as_alice: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="Acme\u200b \u202eTasks")

    as_alice.post(url("delete_project", project.pk), {"typed": "Acme\u200b \u202eTasks"})

    assert Project.objects.get().deleted_at is not None


def test_where_nothing_is_seen_another_word_is_asked_for(as_alice: Client, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(name="\u200b")

    as_alice.post(url("delete_project", project.pk), {"typed": "delete"})

    assert Project.objects.get().deleted_at is not None
