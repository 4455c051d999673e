"""A token to try the API with: for one's own test account, in one project, for a quarter of an hour."""

import time

import pytest
import time_machine
from django.test import Client

from integrations import test_tokens, user_tokens
from integrations.models import AuditEntry, Member, Project, User
from integrations.redaction import redact

LATER = 15 * 60 + 1


@pytest.fixture
def dora(project: Project) -> User:
    """Dora is a developer of the project."""
    dora = User.objects.create_user("dora@acme.test", "correct horse battery")
    Member.objects.create(project=project, user=dora, role=Member.Role.DEVELOPER)
    return dora


@pytest.fixture
def as_dora(dora: User) -> Client:
    client = Client()
    client.force_login(dora)
    return client


def me(project: Project, token: str) -> int:
    answer = Client().get(f"/projects/{project.pk}/sdk/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


def test_it_opens_the_api(project: Project, dora: User) -> None:
    assert me(project, test_tokens.issue(project, dora)) == 200


def test_it_speaks_for_the_test_account_alone(project: Project, dora: User) -> None:
    user = user_tokens.verify(project, test_tokens.issue(project, dora))

    assert user.sub == f"patchbay-test-{dora.pk}"


def test_the_page_gives_one_and_notes_it(project: Project, as_dora: Client) -> None:
    answer = as_dora.post(f"/p/{project.pk}/test-token")

    assert me(project, answer.json()["token"]) == 200
    assert "no-store" in answer["Cache-Control"]
    assert [entry.action for entry in AuditEntry.objects.all()] == ["test token made"]


def test_it_is_over_after_a_quarter_of_an_hour(project: Project, dora: User) -> None:
    token = test_tokens.issue(project, dora)

    with time_machine.travel(time.time() + LATER):
        assert me(project, token) == 401


def test_another_project_does_not_take_it(project: Project, dora: User) -> None:
    elsewhere = Project.objects.create(name="Elsewhere")
    Member.objects.create(project=elsewhere, user=dora, role=Member.Role.OWNER)

    assert me(elsewhere, test_tokens.issue(project, dora)) == 401


def test_it_ends_with_the_membership(project: Project, dora: User) -> None:
    token = test_tokens.issue(project, dora)
    Member.objects.filter(user=dora).update(role=Member.Role.SUPPORT)

    assert me(project, token) == 401


def test_it_ends_with_the_account(project: Project, dora: User) -> None:
    token = test_tokens.issue(project, dora)
    User.objects.filter(pk=dora.pk).update(is_active=False)

    assert me(project, token) == 401


@pytest.mark.parametrize("changed", ["pbt_", "pbt_nonsense", "pbt_WyJhIiwxLDFd:1abc:signature"])
def test_what_only_looks_like_one_is_refused(changed: str, project: Project) -> None:
    assert me(project, changed) == 401


def test_one_wrong_letter_is_refused(project: Project, dora: User) -> None:
    token = test_tokens.issue(project, dora)

    assert me(project, token[:-1] + ("A" if token[-1] != "A" else "B")) == 401


def test_it_comes_into_no_log(project: Project, dora: User) -> None:
    token = test_tokens.issue(project, dora)

    assert redact(f"refused {token} again") == "refused [secret] again"
