"""Settings › API keys: made with what they may do, shown once, revoked after a question."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from integrations.api import keys
from integrations.models import ApiKey, AuditEntry, Project, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db
READING = {"name": "Support desk", "scopes": ["users:read", "calls:read"], "days": "90"}


@pytest.fixture
def key(project: Project, alice: User) -> ApiKey:
    return keys.make(project, "Reports", ["runs:read"], alice)[0]


def make(client: Client, project: Project, **changed: Any) -> Any:
    return client.post(url("new_api_key", project.pk), READING | changed)


# Make -----------------------------------------------------------------------------------------------------------------


def test_it_is_shown_once_and_works(as_alice: Client, project: Project) -> None:
    page = make(as_alice, project)

    shown = page.context["key_text"]
    assert shown in text(page)
    assert "no-store" in page["Cache-Control"]
    assert shown not in text(as_alice.get(url("api_keys", project.pk)))
    answer = Client().get(f"/projects/{project.pk}/users", headers={"Authorization": f"Bearer {shown}"})
    assert answer.status_code == 200


def test_the_page_has_a_first_call_to_try(as_alice: Client, project: Project) -> None:
    page = make(as_alice, project, scopes=["calls:read"])

    curl = f'curl "http://localhost:8000/projects/{project.pk}/calls?limit=5" \\\n'
    assert page.context["curl"].startswith(curl)
    assert page.context["key_text"] in page.context["curl"]


def test_a_key_that_reads_nothing_has_no_call_to_try(as_alice: Client, project: Project) -> None:
    page = make(as_alice, project, scopes=["users:write"])

    assert page.status_code == 200
    assert "curl" not in text(page)


def test_it_may_do_what_was_ticked_and_says_who_made_it(as_alice: Client, project: Project, alice: User) -> None:
    make(as_alice, project)

    made = ApiKey.objects.get()
    assert (made.name, made.scopes, made.created_by) == ("Support desk", ["calls:read", "users:read"], alice)


@pytest.mark.parametrize(("days", "most"), [("30", 30), ("90", 90), ("365", 365)])
def test_it_expires_when_it_was_asked_to(days: str, most: int, as_alice: Client, project: Project) -> None:
    make(as_alice, project, days=days)

    [expires_at] = ApiKey.objects.values_list("expires_at", flat=True)
    assert abs(expires_at - timezone.now() - timedelta(days=most)) < timedelta(minutes=1)


def test_it_may_never_expire(as_alice: Client, project: Project) -> None:
    make(as_alice, project, days="never")

    assert ApiKey.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"scopes": []}, "Tick what the key is for"),
        ({"scopes": ["users:read", "everything"]}, "Select a valid choice. everything is not one"),
        ({"days": "1000"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(
    changed: dict[str, Any], words: str, as_alice: Client, project: Project
) -> None:
    page = make(as_alice, project, **changed)

    assert words in text(page)
    assert ("Support desk" in text(page)) or "name" in changed
    assert not ApiKey.objects.exists()


def test_the_cursor_is_at_the_first_scope_when_none_was_ticked(as_alice: Client, project: Project) -> None:
    page = text(as_alice.post(url("new_api_key", project.pk), {"name": "Support desk", "days": "90"}))

    [focused] = re.findall(r"<[^>]* autofocus[^>]*>", page)
    assert 'name="scopes"' in focused


def test_one_that_only_reads_is_ticked_together(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("new_api_key", project.pk) + "?for=reading"))

    assert page.count("checked") == 6
    assert 'value="users:read" checked' in page
    assert 'value="users:delete">' in page


def test_nothing_is_ticked_unasked(as_alice: Client, project: Project) -> None:
    assert "checked" not in text(as_alice.get(url("new_api_key", project.pk)))


def test_the_fifty_first_is_refused(as_alice: Client, project: Project) -> None:
    ApiKey.objects.bulk_create(ApiKey(project=project, name="x", prefix=f"pbs_{n}", digest="") for n in range(50))

    assert "at most 50 keys" in text(make(as_alice, project))


# List -----------------------------------------------------------------------------------------------------------------


def test_a_newcomer_is_told_what_keys_are_for(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("api_keys", project.pk)))

    assert "No key yet" in page
    assert url("new_api_key", project.pk) in page


def test_the_list_tells_what_a_key_may_do_and_when_it_was_used(as_bob: Client, project: Project, key: ApiKey) -> None:
    ApiKey.objects.update(last_used_at="2026-03-01T12:00:00Z")

    page = text(as_bob.get(url("api_keys", project.pk)))

    assert f"{key.prefix}…" in page
    assert "runs:read" in page
    assert "1 Mar 2026, 12:00" in page
    assert "alice@example.com" in page


def test_an_expired_key_says_so(as_alice: Client, project: Project, key: ApiKey) -> None:
    ApiKey.objects.update(expires_at=Now() - timedelta(days=1))

    assert "Expired" in text(as_alice.get(url("api_keys", project.pk))).replace("Expires", "")


def test_keys_of_another_project_are_not_listed(as_alice: Client, project: Project, stranger: User) -> None:
    keys.make(Project.objects.create(name="Elsewhere"), "Theirs", ["runs:read"], stranger)

    assert "Theirs" not in text(as_alice.get(url("api_keys", project.pk)))


# Revoke ---------------------------------------------------------------------------------------------------------------


def test_revoking_asks_first_and_says_when_it_was_used(as_alice: Client, project: Project, key: ApiKey) -> None:
    ApiKey.objects.update(last_used_at="2026-03-01T12:00:00Z")

    page = text(as_alice.get(url("revoke_api_key", project.pk, key.pk)))

    assert "It was last used on <strong>1 Mar 2026, 12:00 UTC</strong>" in page
    assert ApiKey.objects.kept().exists()


def test_it_is_revoked_once_and_audited(as_alice: Client, project: Project, key: ApiKey) -> None:
    address = url("revoke_api_key", project.pk, key.pk)

    page = as_alice.post(address, follow=True)

    assert "Revoked lately" in text(page)
    assert as_alice.post(address).status_code == 404
    assert AuditEntry.objects.filter(action="API key revoked", detail=str(key)).count() == 1


def test_the_admin_revokes_too(signed_in: Any, root: User, key: ApiKey) -> None:
    asked = {"action": "revoke", "_selected_action": [str(key.pk)]}

    signed_in(root).post("/admin/integrations/apikey/", asked)

    assert not ApiKey.objects.kept().exists()
    assert AuditEntry.objects.filter(action="API key revoked").exists()
