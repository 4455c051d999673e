"""What tries to get in without being let in: guessing, fixed sessions, forged forms, addresses to be led to."""

from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from integrations.models import User
from tests.dashboard.conftest import PASSWORD, text
from tests.support.passkey import CREDENTIAL, passkey_of

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str = PASSWORD, ip: str = "192.0.2.1", **more: Any) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=ip, **more)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


# Guessing ------------------------------------------------------------------------------------------------------------


def test_after_five_wrong_passwords_the_right_one_waits(client: Client, alice: User) -> None:
    for host in range(5):
        sign_in(client, alice.email, "wrong password", f"192.0.2.{host}")

    response = sign_in(client, alice.email, ip="198.51.100.1")

    assert "Too many tries. Wait five minutes, or reset your password." in text(response)
    assert not is_signed_in(client)


def test_others_sign_in_meanwhile(client: Client, alice: User, bob: User) -> None:
    for host in range(5):
        sign_in(client, alice.email, "wrong password", f"192.0.2.{host}")

    sign_in(client, bob.email, ip="198.51.100.1")

    assert is_signed_in(client)


def test_one_machine_does_not_guess_at_many_accounts(client: Client, alice: User) -> None:
    for number in range(10):
        sign_in(client, f"user-{number}@example.com", "wrong password")

    sign_in(client, alice.email)

    assert not is_signed_in(client)


def test_another_port_in_the_host_header_counts_as_the_same(client: Client, alice: User) -> None:
    for number in range(5):
        host = {"host": f"localhost:{9000 + number}"}
        sign_in(client, alice.email, "wrong password", f"192.0.2.{number}", headers=host)

    sign_in(client, alice.email, ip="198.51.100.1")

    assert not is_signed_in(client)


def test_another_spelling_of_the_address_counts_as_the_same(client: Client, alice: User) -> None:
    for number in range(5):
        spelled = alice.email[:number].upper() + alice.email[number:]
        sign_in(client, spelled, "wrong password", f"192.0.2.{number}")

    sign_in(client, alice.email, ip="198.51.100.1")

    assert not is_signed_in(client)


def test_a_flood_of_other_addresses_does_not_wash_the_count_away(client: Client, alice: User) -> None:
    for host in range(5):
        sign_in(client, alice.email, "wrong password", f"192.0.2.{host}")
    cache.set_many({f"other-{number}": number for number in range(400)})

    sign_in(client, alice.email, ip="198.51.100.1")

    assert not is_signed_in(client)


def test_signing_in_between_does_not_start_the_count_anew(client: Client, alice: User, bob: User) -> None:
    for host in range(5):
        sign_in(Client(), alice.email, "wrong password", f"192.0.2.{host}")
        sign_in(Client(), bob.email, PASSWORD, f"192.0.2.{host}")

    sign_in(client, alice.email, ip="198.51.100.1")

    assert not is_signed_in(client)


def test_who_signs_in_and_who_does_not_is_in_the_log(
    client: Client, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    sign_in(client, alice.email, "wrong password")
    sign_in(client, "nobody@example.com", "wrong password")
    sign_in(client, alice.email)

    said = [record.getMessage() for record in caplog.records if record.name.endswith("sessions")]
    assert said == [
        f"a password was refused for user {alice.pk}, from 192.0.2.1",
        "a password was refused for an address that nobody has, from 192.0.2.1",
        f"user {alice.pk} signed in from 192.0.2.1",
    ]


def test_a_mailbox_is_not_flooded_with_reset_links(client: Client, alice: User) -> None:
    for host in range(6):
        client.post("/accounts/password/reset/", {"email": alice.email}, REMOTE_ADDR=f"192.0.2.{host}")

    assert len(mail.outbox) == 3


@pytest.mark.parametrize(
    ("backend", "words"),
    [("smtp", "a link to set a new password is on its way"), ("console", "This server sends no mail.")],
)
def test_a_link_is_on_its_way_only_where_mail_leaves(client: Client, settings: Any, backend: str, words: str) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"

    assert words in text(client.get("/accounts/password/reset/done/"))


def test_too_many_requests_are_said_in_words(client: Client) -> None:
    for _ in range(30):
        sign_in(client, "nobody@example.com", "")

    response = sign_in(client, "nobody@example.com", "")

    assert response.status_code == 429
    assert "Too many tries" in text(response)


def test_a_made_up_passkey_signs_nobody_in(client: Client, alice: User) -> None:
    passkey_of(alice)

    response = client.post("/accounts/passkeys/login/", {"credential": str(CREDENTIAL).replace("'", '"')}, follow=True)

    assert not is_signed_in(client)
    assert response.status_code == 200


# Fixed sessions, forged forms -----------------------------------------------------------------------------------------


def test_the_session_of_before_is_not_the_one_signed_in(client: Client, alice: User) -> None:
    client.get("/accounts/invitations/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["patchbay"] = before = str(session.session_key)

    sign_in(client, alice.email)

    assert is_signed_in(client)
    assert client.session.session_key != before
    planted = Client()
    planted.cookies["patchbay"] = before
    assert planted.get("/accounts/").status_code == 302


def test_signing_out_ends_the_session_for_whoever_copied_it(client: Client, alice: User) -> None:
    sign_in(client, alice.email)
    copied = Client()
    copied.cookies["patchbay"] = client.cookies["patchbay"].value

    client.post("/accounts/logout/")

    assert copied.get("/accounts/").status_code == 302


@pytest.mark.parametrize(
    "path",
    ["login", "logout", "", "password/change", "sessions/end-others", "passkeys/login", "second-factor/totp/activate"],
)
def test_a_form_of_another_site_changes_nothing(path: str, alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    response = client.post(f"/accounts/{path}/".replace("//", "/"), {"name": "Mallory"})

    assert response.status_code == 403
    assert "This page was open for too long" in text(response)


@pytest.mark.parametrize("wanted", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "http:evil.test"])
def test_nobody_is_led_away_after_signing_in(wanted: str, client: Client, alice: User) -> None:
    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD, "next": wanted})

    assert response["Location"] == "/"


def test_the_cookies_of_a_session_are_kept_from_scripts(client: Client, alice: User) -> None:
    cookie = sign_in(client, alice.email).cookies["patchbay"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


# The page ------------------------------------------------------------------------------------------------------------


def test_without_an_identity_provider_none_is_offered(client: Client) -> None:
    assert "Continue with" not in text(client.get("/accounts/login/"))


def test_a_reset_link_proves_the_address(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email})
    [path] = [word.split("8000")[1] for word in mail.outbox[0].body.split() if "/reset/key/" in word]
    page = client.get(path, follow=True)

    new = {"password1": "another fine password", "password2": "another fine password"}
    client.post(page.redirect_chain[-1][0], new)

    assert client.login(email=alice.email, password="another fine password")
    assert User.objects.get(pk=alice.pk).has_proven_email


def test_a_changed_address_is_proven_no_more(alice: User) -> None:
    alice.prove_email()

    alice.email = "alice@elsewhere.test"

    assert not alice.has_proven_email


def test_ones_name_is_changed(as_alice: Client, alice: User) -> None:
    as_alice.post("/accounts/", {"name": "Alice Ampère"})

    assert "Alice Ampère" in text(as_alice.get("/accounts/"))
    assert User.objects.get(pk=alice.pk).get_full_name() == "Alice Ampère"
