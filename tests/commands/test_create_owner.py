"""The first person in: a password asked for, or a link that works once."""

import io
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from integrations.models import Member, Project, User

PASSWORD = "correct horse battery"


def create_owner(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_owner", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def _typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)


@pytest.mark.usefixtures("_typed")
def test_the_owner_signs_in_with_the_password_that_was_typed(db: None, client: Client) -> None:
    create_owner("Ada@Example.com")

    owner = User.objects.get(email="ada@example.com")
    assert owner.is_superuser
    assert owner.is_staff
    answer = client.post("/accounts/login/", {"login": "ada@example.com", "password": PASSWORD})
    assert answer.status_code == 302


@pytest.mark.usefixtures("_typed")
def test_a_project_is_made_when_it_is_named(db: None) -> None:
    create_owner("ada@example.com", "--project", "Acme")

    member = Project.objects.get(name="Acme").members.get()
    assert (member.user.email, member.role) == ("ada@example.com", Member.Role.OWNER)


def test_the_link_sets_a_password_once(db: None, client: Client, settings: Any) -> None:
    said = create_owner("ada@example.com", "--link")

    link = re.search(r"http\S+", said)
    assert link is not None
    assert link.group().startswith(f"{settings.PUBLIC_URL}/accounts/password/reset/key/")
    form = client.get(link.group(), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get().check_password(PASSWORD)
    assert b"password1" not in client.get(link.group(), follow=True).content


def test_an_existing_owner_gets_a_new_link_but_no_second_account(db: None) -> None:
    User.objects.create_superuser("ada@example.com", PASSWORD)

    with pytest.raises(CommandError, match=r"has an account already\. Add --link"):
        create_owner("ada@example.com")

    assert "/accounts/password/reset/key/" in create_owner("ada@example.com", "--link")
    assert User.objects.count() == 1


def test_a_wrong_address_is_refused_with_a_sentence(db: None) -> None:
    with pytest.raises(CommandError, match="“ada” is not an e-mail address"):
        create_owner("ada", "--link")


@pytest.mark.usefixtures("_typed")
def test_a_weak_password_is_refused_with_the_reason(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "short")

    with pytest.raises(CommandError, match="too short"):
        create_owner("ada@example.com")

    assert not User.objects.exists()


def test_without_a_terminal_it_points_to_the_link(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="Add --link"):
        create_owner("ada@example.com")
