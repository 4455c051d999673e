"""Passwords and what signing in and out does to a session, as the security checklist asks."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from integrations.models import Project, User
from tests.dashboard.conftest import PASSWORD, text, url

LONG = "a long sentence that nobody else would choose for this purpose, with a hundred and more characters in it"


def change(client: Client, new: str, present: str = PASSWORD) -> str:
    form = {"oldpassword": present, "password1": new, "password2": new}
    return text(client.post(reverse("account_change_password"), form, follow=True))


def sign_in(client: Client, password: str = PASSWORD) -> None:
    client.post(reverse("account_login"), {"login": "alice@example.com", "password": password})


def is_in(client: Client) -> bool:
    return client.get(url("projects")).status_code == 200


@pytest.mark.parametrize("new", ["nine char", "password123", "alice@example.com"])
def test_short_common_and_ones_own_name_are_refused(new: str, as_alice: Client, alice: User) -> None:
    change(as_alice, new)

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("new", ["only lower letters", "ONLY UPPER LETTERS", "7392 8162 0475", LONG, "пароль из букв"])
def test_any_characters_and_any_length_will_do(new: str, as_alice: Client, alice: User) -> None:
    change(as_alice, new)

    alice.refresh_from_db()
    assert alice.check_password(new)


def test_a_change_needs_the_present_one(as_alice: Client, alice: User) -> None:
    change(as_alice, LONG, present="guessed")

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("typed", [PASSWORD.upper(), PASSWORD[:-1], f"{PASSWORD} "])
def test_a_password_is_taken_as_it_was_typed(typed: str, client: Client, alice: User) -> None:
    sign_in(client, typed)

    assert not is_in(client)


def test_the_field_hides_it_and_lets_a_manager_fill_it_in(client: Client) -> None:
    page = text(client.get(reverse("account_login")))

    field = page.partition('name="password"')[0].rpartition("<input")[2] + page.partition('name="password"')[2]
    assert 'type="password"' in field.partition(">")[0]
    assert 'autocomplete="current-password"' in field.partition(">")[0]


def test_signing_in_begins_another_session(client: Client, alice: User) -> None:
    session = client.session
    session["from"] = "before"
    session.save()
    before = session.session_key
    client.cookies[settings.SESSION_COOKIE_NAME] = before

    sign_in(client)

    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert not client.session.exists(before)


def test_no_script_reads_the_session(client: Client, alice: User) -> None:
    sign_in(client)

    assert client.cookies[settings.SESSION_COOKIE_NAME]["httponly"]


def test_a_session_that_was_ended_opens_nothing_any_more(as_alice: Client) -> None:
    kept = as_alice.cookies[settings.SESSION_COOKIE_NAME].value

    as_alice.post(reverse("account_logout"))
    as_alice.cookies[settings.SESSION_COOKIE_NAME] = kept

    assert not is_in(as_alice)


def test_who_is_disabled_is_out(as_alice: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert not is_in(as_alice)


def test_every_page_lets_one_sign_out(as_alice: Client, project: Project) -> None:
    assert reverse("account_logout") in text(as_alice.get(url("overview", project.pk)))
    assert reverse("account_logout") in text(as_alice.get(reverse("account_change_password")))


def test_a_page_is_not_kept_by_the_browser(as_alice: Client, project: Project) -> None:
    assert "no-store" in as_alice.get(url("overview", project.pk))["Cache-Control"]


def test_a_change_in_one_browser_ends_the_sessions_of_others(
    as_alice: Client, alice: User, signed_in: Callable[[User], Client]
) -> None:
    elsewhere = signed_in(alice)

    change(as_alice, LONG)

    assert is_in(as_alice)
    assert not is_in(elsewhere)
