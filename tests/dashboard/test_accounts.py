import socket
from typing import Any

import pytest
from django.core import mail
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from integrations.models import Project, User
from tests.dashboard.conftest import PASSWORD, text
from tests.support.processes import free_port

pytestmark = pytest.mark.django_db
SMTP = "django.core.mail.backends.smtp.EmailBackend"


def sign_in(client: Client, email: str, password: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def test_signing_in_leads_home(client: Client, alice: User) -> None:
    response = sign_in(client, "Alice@example.com", PASSWORD)

    assert response["Location"] == "/"


def test_a_wrong_password_is_said_and_the_address_kept(client: Client, alice: User) -> None:
    response = sign_in(client, alice.email, "wrong password")

    assert "alice@example.com" in text(response)
    assert "wrong password" not in text(response)
    assert "errorlist" in text(response) or "message-error" in text(response)


def test_guessing_passwords_is_stopped(client: Client, alice: User) -> None:
    for _ in range(11):
        sign_in(client, alice.email, "wrong password")

    response = sign_in(client, alice.email, PASSWORD)

    assert "_auth_user_id" not in client.session
    assert response.status_code in (200, 429)


def test_nobody_signs_up_by_themselves(client: Client) -> None:
    response = client.get("/accounts/signup/")

    assert "An owner of your project invites you" in text(response)
    assert not User.objects.exists()


def test_a_reset_link_leads_to_our_own_host(client: Client, alice: User, settings: Any) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email}, headers={"host": "127.0.0.1:666"})

    assert f"{settings.PUBLIC_URL}/accounts/password/reset/key/" in mail.outbox[0].body
    assert "666" not in mail.outbox[0].body


def test_a_reset_does_not_tell_who_has_an_account(client: Client) -> None:
    response = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)

    assert "If there is an account with this address" in text(response)


def test_a_reset_whose_message_does_not_leave_reads_the_same(
    client: Client, alice: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", free_port()

    answers = [
        client.post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in (alice.email, "nobody@example.com")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert "an e-mail (account/email/password_reset_key) did not leave: ConnectionRefusedError" in caplog.text


def test_nobody_waits_long_for_a_mail_server_that_is_silent(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, *silent.getsockname()

        assert mail.get_connection().timeout == settings.EMAIL_TIMEOUT <= 10
        settings.EMAIL_TIMEOUT = 0.2
        with pytest.raises(OSError, match="timed out"):
            mail.send_mail("A", "b", None, ["alice@acme.test"])


@pytest.mark.parametrize("name", ["login", "password/reset", "signup"])
def test_pages_for_the_signed_out_wear_our_design(name: str, client: Client) -> None:
    assert "css/theme.css" in text(client.get(f"/accounts/{name}/"))


@pytest.mark.parametrize(
    "name", ["password/change", "logout", "reauthenticate", "second-factor", "passkeys", "sessions"]
)
def test_pages_of_the_account_wear_our_design(name: str, as_alice: Client) -> None:
    response = as_alice.get(f"/accounts/{name}/", follow=True)

    assert response.status_code == 200
    assert "css/theme.css" in text(response)


def test_the_admin_signs_in_on_the_same_page(client: Client) -> None:
    response = client.get("/admin/", follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


class Broken:
    urlpatterns = [path("broken", broken)]


@override_settings(ROOT_URLCONF=Broken)
def test_our_own_mistake_gets_a_page_in_words(client: Client) -> None:
    client.raise_request_exception = False

    response = client.get("/broken")

    assert response.status_code == 500
    assert "Something went wrong on our side" in text(response)


def test_an_unknown_address_gets_a_page_in_words(as_alice: Client, project: Project) -> None:
    assert "Nothing is here" in text(as_alice.get("/nowhere"))


def test_a_form_without_its_token_gets_a_page_in_words(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.post("/projects/new", {"name": "x"})

    assert response.status_code == 403
    assert "This page was open for too long" in text(response)
