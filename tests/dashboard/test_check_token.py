"""Settings › Check a token: what is pasted there is looked at once, and left nowhere."""

import logging
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.core.management import call_command
from django.test import Client

from integrations.models import ConnectedUser, Project, SigningKey
from tests.dashboard.conftest import text, url
from tests.dashboard.test_sdk_settings import public_pem

pytestmark = pytest.mark.django_db


@pytest.fixture
def signing_key(project: Project, private_key: RSAPrivateKey) -> SigningKey:
    """What user_token signs with."""
    return SigningKey.objects.create(project=project, public_pem=public_pem(private_key))


def check(client: Client, project: Project, token: str) -> str:
    return text(client.post(url("check_token", project.pk), {"token": token}))


def test_a_good_token_leads_to_its_user(as_alice: Client, project: Project, user_token: Callable[..., str]) -> None:
    user = ConnectedUser.objects.create(project=project, sub="user-1")

    page = check(as_alice, project, user_token("user-1"))

    assert "Accepted" in page
    assert url("user", project.pk, user.pk) in page
    assert "&quot;sub&quot;: &quot;user-1&quot;" in page


def test_a_disabled_user_is_told_of(as_alice: Client, project: Project, user_token: Callable[..., str]) -> None:
    ConnectedUser.objects.create(project=project, sub="user-1", disabled_at="2026-01-01T00:00Z")

    assert "calls in their name are refused all the same" in check(as_alice, project, user_token("user-1"))


def test_it_shows_where_a_bad_one_stops(as_alice: Client, project: Project, user_token: Callable[..., str]) -> None:
    page = check(as_alice, project, user_token("user-1", aud="somebody else"))

    assert page.count(">Passed<") == 10
    assert page.count(">Failed<") == 1
    assert page.count(">Not reached<") == 1
    assert "It must be the ID of this project" in page


@pytest.mark.parametrize("before", ["", "  \n", "Bearer ", "bearer  "])
def test_it_is_taken_as_the_api_takes_it(
    before: str, as_alice: Client, project: Project, user_token: Callable[..., str]
) -> None:
    assert "Accepted" in check(as_alice, project, f"{before}{user_token()}\n")


def test_the_token_is_not_sent_back_nor_kept(
    as_alice: Client, project: Project, user_token: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    token = user_token("user-1")

    response = as_alice.post(url("check_token", project.pk), {"token": token})
    call_command("dumpdata")

    assert token.split(".")[2] not in text(response)
    assert "no-store" in response["Cache-Control"]
    assert token.split(".")[2] not in capsys.readouterr().out


def test_a_refused_token_is_not_logged(
    as_alice: Client, project: Project, user_token: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    check(as_alice, project, user_token(aud="another"))

    assert "user token" not in caplog.text


def test_a_token_in_the_address_is_not_looked_at(
    as_alice: Client, project: Project, user_token: Callable[..., str]
) -> None:
    page = text(as_alice.get(url("check_token", project.pk), {"token": user_token()}))

    assert "Accepted" not in page


@pytest.mark.parametrize("token", ["", "   ", "a\x00b", "<script>alert(1)</script>", "x" * 100_000])
def test_nonsense_is_answered_in_words(token: str, as_alice: Client, project: Project) -> None:
    page = check(as_alice, project, token)

    assert "errorlist" in page or "Refused" in page
    assert "<script>alert" not in page


def test_claims_cannot_smuggle_in_markup(as_alice: Client, project: Project, user_token: Callable[..., str]) -> None:
    page = check(as_alice, project, user_token("<script>alert(1)</script>"))

    assert "Accepted" in page
    assert "<script>alert" not in page
