"""Where one is signed in, and what ends it."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from integrations.dashboard import sessions
from integrations.models import Project, User
from tests.dashboard.conftest import PASSWORD, text, url

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.0 Mobile/15E148 Safari/604.1"
)


def browser_of(user: User, agent: str = FIREFOX, ip: str = "192.0.2.7") -> Client:
    """Sign in as a person does, in a browser of one's own."""
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=ip)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


@pytest.fixture
def laptop(alice: User) -> Client:
    return browser_of(alice)


@pytest.fixture
def phone(alice: User) -> Client:
    return browser_of(alice, IPHONE, "2001:db8::1")


def test_the_page_says_which_browsers_from_where(laptop: Client, phone: Client) -> None:
    page = text(laptop.get("/accounts/sessions/"))

    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "192.0.2.7" in page
    assert "2001:db8::1" in page
    assert page.count("This one") == 1


def test_one_is_signed_out(laptop: Client, phone: Client) -> None:
    row = UserSession.objects.get(ip="2001:db8::1")

    page = laptop.post(f"/accounts/sessions/{row.pk}/end/", follow=True)

    assert "Safari on iPhone is signed out." in text(page)
    assert not is_signed_in(phone)
    assert is_signed_in(laptop)


def test_all_others_are_signed_out(laptop: Client, phone: Client, alice: User) -> None:
    third = browser_of(alice)

    laptop.post("/accounts/sessions/end-others/")

    assert [is_signed_in(client) for client in (laptop, phone, third)] == [True, False, False]


def test_nobody_ends_somebody_elses_session(laptop: Client, bob: User) -> None:
    bobs = browser_of(bob)
    row = UserSession.objects.get(user=bob)

    response = laptop.post(f"/accounts/sessions/{row.pk}/end/")
    laptop.post("/accounts/sessions/end-others/")

    assert response.status_code == 404
    assert is_signed_in(bobs)


def test_the_present_session_ends_by_signing_out_only(laptop: Client) -> None:
    response = laptop.post(f"/accounts/sessions/{UserSession.objects.get().pk}/end/")

    assert response.status_code == 404


def test_a_new_password_ends_the_others(laptop: Client, phone: Client) -> None:
    new = {"oldpassword": PASSWORD, "password1": "another fine password", "password2": "another fine password"}

    laptop.post("/accounts/password/change/", new)

    assert is_signed_in(laptop)
    assert not is_signed_in(phone)
    assert "Safari" not in text(laptop.get("/accounts/sessions/"))


def test_who_is_disabled_is_out_at_once(laptop: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()

    assert not is_signed_in(laptop)


def test_who_is_enabled_again_signs_in_anew(laptop: Client, alice: User) -> None:
    alice.is_active = False
    alice.save()
    alice.is_active = True
    alice.save()

    assert not is_signed_in(laptop)
    assert not Session.objects.exists()


def test_a_disabled_user_does_not_sign_in(client: Client, alice: User) -> None:
    User.objects.update(is_active=False)

    page = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, follow=True)

    assert "Your account is disabled" in text(page)
    assert "_auth_user_id" not in client.session


def test_where_it_was_last_seen_is_kept_up_to_date(
    laptop: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0)
    before = UserSession.objects.get()

    laptop.get(url("overview", project.pk), REMOTE_ADDR="198.51.100.9")

    after = UserSession.objects.get()
    assert after.ip == "198.51.100.9"
    assert after.last_seen_at > before.last_seen_at


def test_a_session_whose_key_was_changed_stays_known(laptop: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0)
    UserSession.objects.update(session_key="the-one-before")

    laptop.get("/accounts/")

    assert UserSession.objects.filter(session_key=laptop.session.session_key).exists()


def test_looking_around_writes_nothing(laptop: Client, project: Project) -> None:
    laptop.get(url("overview", project.pk))
    before = UserSession.objects.get().last_seen_at

    laptop.get(url("users", project.pk))

    assert UserSession.objects.get().last_seen_at == before


def test_a_session_that_was_not_noted_shows_up_all_the_same(as_alice: Client) -> None:
    assert not UserSession.objects.exists()

    assert "This one" in text(as_alice.get("/accounts/sessions/"))


def test_a_page_for_everybody_makes_no_session(client: Client) -> None:
    response = client.get("/healthz")

    assert "patchbay" not in response.cookies


def test_many_sessions_take_no_more_queries_than_one(
    laptop: Client, alice: User, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _ in range(5):
        browser_of(alice)
    laptop.get("/accounts/sessions/")

    with django_assert_max_num_queries(9):
        laptop.get("/accounts/sessions/")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        (
            f"{FIREFOX[:12]} (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Chrome/142.0 Safari/537.36", "Chrome on macOS"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "An unknown browser"),
    ],
)
def test_browsers_are_said_in_words(agent: str, words: str) -> None:
    assert sessions.browser(agent) == words
