"""Second factors: setting one up, signing in with it, and projects that ask for one."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from integrations import vault
from integrations.models import AccountSecret, AuditEntry, DataKey, Integration, Member, Project, User
from tests.dashboard.conftest import PASSWORD, text, url
from tests.support.codes import app_of, code
from tests.support.passkey import passkey_of

pytestmark = pytest.mark.django_db
SET_UP = "/accounts/second-factor/"
INDEX_OF_ADMIN = "/admin/"


def sign_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def enter(client: Client, given: str) -> Any:
    return client.post("/accounts/second-factor/authenticate/", {"code": given})


def confirm(client: Client) -> None:
    """Enter the password again, as pages ask that decide who can sign in."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def confirm_with(client: Client, given: str) -> None:
    """Enter a code again, as those pages ask who have a second factor."""
    client.post("/accounts/second-factor/reauthenticate/", {"code": given})


def set_up_app(client: Client) -> str:
    """Set up an authenticator app as one does. Return the secret that it knows."""
    confirm(client)
    secret: str = client.get(f"{SET_UP}totp/activate/").context["form"].secret
    client.post(f"{SET_UP}totp/activate/", {"code": code(secret, periods_ago=1)})
    return secret


def having_used_passkey(client: Client, user: User) -> Client:
    """Have a browser signed in with a passkey of somebody."""
    passkey_of(user)
    client.force_login(user)
    session = client.session
    session["account_authentication_methods_user"] = str(user.pk)
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "type": "webauthn", "passwordless": True, "at": 0}]
    session.save()
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def required(project: Project) -> Project:
    Project.objects.update(require_second_factor=True)
    return project


# Setting one up -------------------------------------------------------------------------------------------------------


def test_an_app_is_set_up_with_a_code_of_its_secret(as_alice: Client, alice: User) -> None:
    confirm(as_alice)
    page = as_alice.get("/accounts/second-factor/totp/activate/")
    secret = page.context["form"].secret

    response = as_alice.post("/accounts/second-factor/totp/activate/", {"code": code(secret)})

    assert secret in text(page)
    assert response["Location"] == "/accounts/second-factor/recovery-codes/"
    assert Authenticator.objects.filter(user=alice, type="totp").exists()


@pytest.mark.django_db(transaction=True)
def test_who_once_asked_for_a_new_password_can_still_set_one_up(as_alice: Client, alice: User) -> None:
    Client().post("/accounts/password/reset/", {"email": alice.email})
    assert alice.email in mail.outbox[0].to
    confirm(as_alice)

    secret = as_alice.get("/accounts/second-factor/totp/activate/").context["form"].secret
    as_alice.post("/accounts/second-factor/totp/activate/", {"code": code(secret)})

    assert Authenticator.objects.filter(user=alice, type="totp").exists()
    assert as_alice.get("/accounts/passkeys/add/").status_code == 200


def test_a_wrong_code_sets_nothing_up(as_alice: Client, alice: User) -> None:
    confirm(as_alice)
    as_alice.get("/accounts/second-factor/totp/activate/")

    response = as_alice.post("/accounts/second-factor/totp/activate/", {"code": "000"})

    assert "This is not right, or no longer." in text(response)
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    "page", ["second-factor/totp/activate", "passkeys/add", "second-factor/recovery-codes/generate"]
)
def test_who_only_found_the_screen_unlocked_sets_nothing_up(page: str, as_alice: Client) -> None:
    response = as_alice.get(f"/accounts/{page}/")

    assert response["Location"].startswith("/accounts/reauthenticate/?next=")


def test_recovery_codes_are_shown_once(as_alice: Client, alice: User) -> None:
    confirm_with(as_alice, code(app_of(alice)))
    as_alice.post("/accounts/second-factor/recovery-codes/generate/")

    first, second = (as_alice.get("/accounts/second-factor/recovery-codes/") for _ in range(2))

    assert len(re.findall(r"^\d{8}$|>\d{8}$|^\d{8}<", text(first), re.MULTILINE)) == 10
    assert not re.search(r"\d{8}", text(second).split("<main")[1])


def test_without_a_second_factor_there_are_no_recovery_codes(as_alice: Client) -> None:
    confirm(as_alice)

    as_alice.post("/accounts/second-factor/recovery-codes/generate/")

    assert not Authenticator.objects.exists()


def test_nobody_removes_or_renames_somebody_elses_passkey(as_alice: Client, bob: User) -> None:
    passkey = passkey_of(bob)
    confirm(as_alice)

    tried = [as_alice.post(f"/accounts/passkeys/{passkey.pk}/{what}/", {"name": "x"}) for what in ("remove", "edit")]

    assert [response.status_code for response in tried] == [404, 404]
    assert Authenticator.objects.get(pk=passkey.pk).data == passkey.data


def test_a_passkey_belongs_to_our_own_address(as_alice: Client, settings: Any) -> None:
    settings.PUBLIC_HOST = "patchbay.example.com"
    confirm(as_alice)

    page = as_alice.get("/accounts/passkeys/add/", headers={"host": "127.0.0.1:666"})

    assert page.context["js_data"]["creation_options"]["publicKey"]["rp"]["id"] == "patchbay.example.com"


def test_somebody_is_told_by_mail(as_alice: Client, alice: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.dashboard.smtp_like.EmailBackend"
    confirm_with(as_alice, code(app_of(alice)))

    as_alice.post("/accounts/second-factor/totp/deactivate/")

    [told] = mail.outbox
    assert told.to == ["alice@example.com"]
    assert told.subject == "[Patchbay] The authenticator app was turned off"
    assert "from the address 127.0.0.1" in told.body


def test_a_mail_that_does_not_leave_stops_nothing(
    as_alice: Client, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    confirm_with(as_alice, code(app_of(alice)))

    response = as_alice.post("/accounts/second-factor/totp/deactivate/")

    assert response["Location"] == SET_UP
    assert not Authenticator.objects.exists()


# Signing in with it ---------------------------------------------------------------------------------------------------


def test_the_password_alone_no_longer_signs_in(client: Client, alice: User, project: Project) -> None:
    app_of(alice)

    response = sign_in(client, alice)

    assert response["Location"] == "/accounts/second-factor/authenticate/"
    assert not is_signed_in(client)
    assert client.get(url("overview", project.pk))["Location"].startswith("/accounts/login/")


def test_with_a_code_it_does(client: Client, alice: User) -> None:
    secret = app_of(alice)
    sign_in(client, alice)

    response = enter(client, code(secret))

    assert response["Location"] == "/"
    assert is_signed_in(client)


def test_one_is_led_where_one_wanted_to_go(client: Client, alice: User, project: Project) -> None:
    secret, wanted = app_of(alice), url("users", project.pk)
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD, "next": wanted})

    assert enter(client, code(secret))["Location"] == wanted


@pytest.mark.parametrize("periods_ago", [1, 0, -1])
def test_a_code_signs_in_once_however_long_it_is_taken(periods_ago: int, client: Client, alice: User) -> None:
    secret = app_of(alice)
    used = code(secret, periods_ago=periods_ago)
    sign_in(client, alice)
    enter(client, used)
    other = Client()
    sign_in(other, alice)

    enter(other, used)

    assert is_signed_in(client)
    assert not is_signed_in(other)


def test_a_code_is_not_taken_again_when_allauth_has_forgotten_it(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.TOTP._mark_code_used", lambda self, code: True)
    secret = app_of(alice)
    sign_in(client, alice)
    enter(client, code(secret))
    other = Client()
    sign_in(other, alice)

    response = enter(other, code(secret))

    assert "This code was used already" in text(response)
    assert not is_signed_in(other)


def test_the_code_that_set_the_app_up_does_not_sign_in(as_alice: Client, alice: User, client: Client) -> None:
    confirm(as_alice)
    secret = as_alice.get("/accounts/second-factor/totp/activate/").context["form"].secret
    as_alice.post("/accounts/second-factor/totp/activate/", {"code": code(secret)})
    sign_in(client, alice)

    enter(client, code(secret))

    assert not is_signed_in(client)


def test_an_old_code_does_not_sign_in(client: Client, alice: User) -> None:
    secret = app_of(alice)
    sign_in(client, alice)

    enter(client, code(secret, periods_ago=3))

    assert not is_signed_in(client)


def test_guessing_codes_is_stopped(client: Client, alice: User) -> None:
    secret = app_of(alice)
    sign_in(client, alice)
    for guess in range(6):
        enter(client, f"{guess:06}")

    response = enter(client, code(secret))

    assert "Too many tries" in text(response)
    assert not is_signed_in(client)


def test_without_the_password_there_is_no_page_for_the_code(client: Client, alice: User) -> None:
    secret = app_of(alice)

    response = enter(client, code(secret))

    assert response["Location"] == "/accounts/login/"
    assert not is_signed_in(client)


def test_a_recovery_code_signs_in_once(as_alice: Client, client: Client, alice: User) -> None:
    confirm_with(as_alice, code(app_of(alice)))
    as_alice.post("/accounts/second-factor/recovery-codes/generate/")
    [recovery_code, *_] = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    other = Client()
    sign_in(client, alice)
    enter(client, recovery_code)
    sign_in(other, alice)

    refused = enter(other, recovery_code)

    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert "each of them works once" in text(refused)
    assert "Check the clock" not in text(refused)


def test_a_wrong_code_is_not_called_unsaved(client: Client, alice: User) -> None:
    app_of(alice)
    sign_in(client, alice)

    refused = text(enter(client, "000000"))

    assert "Check the clock of your device" in refused
    assert "Please correct what is marked below." in refused
    assert "Not saved" not in refused


def test_a_passkey_is_asked_for_where_there_is_one(client: Client, alice: User) -> None:
    app_of(alice)
    sign_in(client, alice)
    without = client.get("/accounts/second-factor/authenticate/").content.decode()
    passkey_of(alice)
    with_one = client.get("/accounts/second-factor/authenticate/").content.decode()

    assert ("Use a passkey" in without, "Use a passkey" in with_one) == (False, True)


def test_a_reset_password_does_not_go_round_it(client: Client, alice: User) -> None:
    app_of(alice)
    alice.set_password("a fine new password")
    alice.save()

    sign_in(client, alice, "a fine new password")

    assert not is_signed_in(client)


# A project that asks for one ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_who_has_none_is_led_to_set_one_up_and_back(as_bob: Client, required: Project) -> None:
    wanted = f"{url('users', required.pk)}?q=ada"
    response = as_bob.get(wanted)
    page = as_bob.get(response["Location"])

    confirm(as_bob)
    secret = as_bob.get("/accounts/second-factor/totp/activate/").context["form"].secret
    as_bob.post("/accounts/second-factor/totp/activate/", {"code": code(secret)})
    codes = as_bob.get("/accounts/second-factor/recovery-codes/")
    back = as_bob.get(reverse("second_factor_done"))

    assert response["Location"] == SET_UP
    assert "Acme Tasks requires a second factor of its owners and admins." in text(page)
    assert reverse("second_factor_done") in text(codes)
    assert back["Location"] == wanted
    assert as_bob.get(wanted).status_code == 200


@pytest.mark.parametrize("name", ["overview", "audit", "sdk_settings", "members"])
def test_until_then_an_admin_sees_nothing_of_it(name: str, as_bob: Client, required: Project) -> None:
    response = as_bob.get(url(name, required.pk))

    assert response.status_code == 302
    assert response.content == b""


def test_until_then_an_admin_presses_no_button(as_bob: Client, required: Project, integration: Integration) -> None:
    response = as_bob.post(url("activate", required.pk, "jira"))

    assert response["Location"] == SET_UP
    assert not Integration.objects.get().is_active


def test_workflows_ask_too(as_bob: Client, required: Project) -> None:
    assert as_bob.get(reverse("workflows:workflows", args=[required.pk]))["Location"] == SET_UP


@pytest.mark.parametrize("role", ["developer", "support"])
def test_developers_and_support_are_not_asked(role: str, as_bob: Client, bob: User, required: Project) -> None:
    Member.objects.filter(user=bob).update(role=role)

    assert as_bob.get(url("overview", required.pk)).status_code == 200


def test_other_projects_are_not_affected(as_bob: Client, bob: User, required: Project) -> None:
    other = Project.objects.create(name="Other")
    Member.objects.create(project=other, user=bob, role="owner")

    assert as_bob.get(url("overview", other.pk)).status_code == 200


def test_a_stranger_learns_nothing_from_it(as_stranger: Client, required: Project) -> None:
    assert as_stranger.get(url("overview", required.pk)).status_code == 404


def test_a_passkey_will_do(as_bob: Client, bob: User, required: Project) -> None:
    having_used_passkey(as_bob, bob)

    assert as_bob.get(url("overview", required.pk)).status_code == 200


def test_recovery_codes_alone_will_not(as_bob: Client, bob: User, required: Project) -> None:
    Authenticator.objects.create(user=bob, type="recovery_codes", data={})

    assert as_bob.get(url("overview", required.pk))["Location"] == SET_UP


def test_an_app_of_such_a_project_is_not_offered_to_others_meanwhile(
    as_bob: Client, bob: User, own_keys: Integration
) -> None:
    other = Project.objects.create(name="Other")
    Member.objects.create(project=other, user=bob, role="owner")
    as_bob.post(url("add_integration", other.pk, "jira"))

    before = as_bob.get(url("integration_settings", other.pk, "jira"))
    Project.objects.filter(pk=own_keys.project_id).update(require_second_factor=True)

    after = as_bob.get(url("integration_settings", other.pk, "jira"))

    assert "Acme Tasks: own-client" in text(before)
    assert "Acme Tasks: own-client" not in text(after)


# Whoever signed in without it ----------------------------------------------------------------------------------------


@pytest.fixture
def password_only(client: Client, bob: User, project: Project) -> Client:
    """A browser in which Bob signed in before he had a second factor."""
    sign_in(client, bob)
    return client


@pytest.mark.django_db(transaction=True)
def test_the_first_factor_ends_the_sessions_that_were_opened_without(
    password_only: Client, as_bob: Client, required: Project
) -> None:
    set_up_app(as_bob)

    assert as_bob.get(url("sdk_settings", required.pk)).status_code == 200
    assert password_only.get(url("sdk_settings", required.pk))["Location"].startswith("/accounts/login/")


@pytest.mark.django_db(transaction=True)
def test_another_factor_ends_none(client: Client, as_bob: Client, bob: User, project: Project) -> None:
    secret = set_up_app(as_bob)
    sign_in(client, bob)
    enter(client, code(secret))
    passkey_of(bob)

    as_bob.post("/accounts/second-factor/totp/deactivate/")
    set_up_app(as_bob)

    assert is_signed_in(client)
    assert Authenticator.objects.filter(user=bob, type="totp").exists()


def test_a_session_without_it_is_led_to_give_it_and_on(password_only: Client, bob: User, required: Project) -> None:
    secret, wanted = app_of(bob), url("sdk_settings", required.pk)

    asked = password_only.get(wanted)
    page = password_only.get(asked["Location"])
    given = password_only.post(asked["Location"], {"code": code(secret)}, follow=True)

    assert asked["Location"] == "/accounts/second-factor/reauthenticate/?next=%2Faccounts%2Fsecond-factor%2Fgo-on%2F"
    assert "Acme Tasks requires a second factor of its owners and admins. You signed in here without yours." in text(
        page
    )
    assert given.redirect_chain[-1][0] == wanted
    assert given.status_code == 200


def test_a_session_without_it_presses_no_button(
    password_only: Client, bob: User, required: Project, integration: Integration
) -> None:
    app_of(bob)

    password_only.post(url("activate", required.pk, "jira"))

    assert not Integration.objects.get().is_active


def test_a_recovery_code_will_do_too(password_only: Client, bob: User, required: Project) -> None:
    app_of(bob)
    recovery_code = RecoveryCodes.activate(bob).get_unused_codes()[0]

    confirm_with(password_only, recovery_code)

    assert password_only.get(url("overview", required.pk)).status_code == 200


def test_who_has_passkeys_alone_is_led_to_use_one(password_only: Client, bob: User, required: Project) -> None:
    passkey_of(bob)
    RecoveryCodes.activate(bob)

    response = password_only.get(url("overview", required.pk))

    assert response["Location"].startswith("/accounts/passkeys/reauthenticate/?next=")


def test_a_session_without_it_takes_nothing_from_such_a_project(
    password_only: Client, bob: User, own_keys: Integration
) -> None:
    app_of(bob)
    other = Project.objects.create(name="Other")
    Member.objects.create(project=other, user=bob, role="owner")
    password_only.post(url("add_integration", other.pk, "jira"))
    Project.objects.filter(pk=own_keys.project_id).update(require_second_factor=True)

    page = password_only.get(url("integration_settings", other.pk, "jira"))

    assert "Acme Tasks: own-client" not in text(page)


def test_the_administration_asks_such_a_session_too(client: Client, root: User, required: Project) -> None:
    sign_in(client, root)
    app_of(root)

    response = client.get(INDEX_OF_ADMIN, follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/second-factor/reauthenticate/?next=")


CHANGES = ["second-factor/totp/deactivate", "second-factor/recovery-codes", "second-factor/recovery-codes/generate"]
CHANGES += ["passkeys/add"]


@pytest.mark.parametrize("page", CHANGES)
def test_the_password_does_not_confirm_a_change_of_factors(page: str, password_only: Client, bob: User) -> None:
    app_of(bob)
    RecoveryCodes.activate(bob)
    confirm(password_only)

    response = password_only.post(f"/accounts/{page}/")

    assert response["Location"].startswith("/accounts/second-factor/reauthenticate/?next=")
    assert Authenticator.objects.filter(user=bob, type="totp").exists()


@pytest.mark.parametrize("page", CHANGES)
def test_nor_does_one_that_was_entered_before_there_was_a_factor(page: str, password_only: Client, bob: User) -> None:
    confirm(password_only)
    app_of(bob)
    RecoveryCodes.activate(bob)

    response = password_only.post(f"/accounts/{page}/")

    assert response["Location"].startswith("/accounts/second-factor/reauthenticate/?next=")
    assert Authenticator.objects.filter(user=bob, type="totp").exists()


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_nor_a_change_of_a_passkey(change: str, password_only: Client, bob: User) -> None:
    confirm(password_only)
    passkey = passkey_of(bob)

    response = password_only.post(f"/accounts/passkeys/{passkey.pk}/{change}/", {"name": "Mine"})

    assert response["Location"].startswith("/accounts/passkeys/reauthenticate/?next=")
    assert Authenticator.objects.get().data == passkey.data


def test_the_page_that_asks_for_it_offers_no_password(password_only: Client, bob: User) -> None:
    app_of(bob)

    page = password_only.get("/accounts/reauthenticate/?next=/", follow=True)

    assert page.redirect_chain[-1][0] == "/accounts/second-factor/reauthenticate/?next=%2F"
    assert "Use your password" not in text(page)


# Who switches it on ---------------------------------------------------------------------------------------------------


def switch(client: Client, project: Project, **fields: str) -> Any:
    return client.post(url("require_second_factor", project.pk), fields, follow=True)


def test_an_owner_who_has_one_requires_it(as_alice: Client, alice: User, project: Project) -> None:
    passkey_of(alice)

    page = switch(as_alice, project, required="on")

    assert "Owners and admins need a second factor from now on." in text(page)
    assert Project.objects.get().require_second_factor
    assert AuditEntry.objects.get().after == {"Required": True}


def test_an_owner_who_has_none_would_lock_himself_out(as_alice: Client, project: Project) -> None:
    page = switch(as_alice, project, required="on")

    assert "Set up a second factor for yourself first" in text(page)
    assert not Project.objects.get().require_second_factor


def test_an_admin_does_not(as_bob: Client, bob: User, project: Project) -> None:
    passkey_of(bob)

    assert as_bob.post(url("require_second_factor", project.pk), {"required": "on"}).status_code == 403


def test_it_is_switched_off_again(as_alice: Client, alice: User, required: Project) -> None:
    having_used_passkey(as_alice, alice)

    switch(as_alice, required)

    assert not Project.objects.get().require_second_factor


def test_the_members_show_who_has_one(as_alice: Client, alice: User, project: Project) -> None:
    passkey_of(alice)

    page = as_alice.get(url("members", project.pk))

    assert [member.has_factor for member in page.context["page"].rows] == [True, False]


# Everybody ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["home", "projects", "new_project"])
def test_a_deployment_asks_everybody(name: str, as_stranger: Client, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True

    assert as_stranger.get(url(name))["Location"] == SET_UP


def test_ones_own_account_stays_open(as_stranger: Client, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True

    assert as_stranger.get("/accounts/sessions/").status_code == 200


@pytest.mark.parametrize("path", ["", "integrations/project/", "integrations/user/add/", "autocomplete/", "jsi18n/"])
def test_the_administration_asks_too(path: str, signed_in: Callable[[User], Client], root: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    client = signed_in(root)

    response = client.get(INDEX_OF_ADMIN + path, follow=True)

    assert response.redirect_chain[-1][0] == SET_UP


def test_the_administration_shows_projects_that_ask(
    signed_in: Callable[[User], Client], root: User, required: Project
) -> None:
    client = signed_in(root)

    assert client.get(INDEX_OF_ADMIN, follow=True).redirect_chain[-1][0] == SET_UP


def test_with_one_the_administration_opens(signed_in: Callable[[User], Client], root: User, required: Project) -> None:
    client = having_used_passkey(signed_in(root), root)

    assert client.get(INDEX_OF_ADMIN).status_code == 200


def test_afterwards_one_is_led_back_to_the_administration(
    signed_in: Callable[[User], Client], root: User, required: Project
) -> None:
    client = signed_in(root)
    wanted = f"{INDEX_OF_ADMIN}integrations/project/"
    client.get(wanted, follow=True)
    having_used_passkey(client, root)

    page = client.get(reverse("second_factor_done"), follow=True)

    assert page.redirect_chain[-1][0] == wanted


# Where secrets lie ----------------------------------------------------------------------------------------------------


def test_the_secret_is_in_the_vault_and_nowhere_else(alice: User) -> None:
    secret = app_of(alice)

    kept = Authenticator.objects.get()

    assert secret not in str(kept.data)
    assert AccountSecret.objects.get().secret_sealed.startswith("v1.")


def test_a_new_vault_key_leaves_it_readable(client: Client, alice: User, settings: Any) -> None:
    secret = app_of(alice)
    DataKey.objects.update(retired_at=None)
    call_command("rotate_vault_key", "--data-keys")
    vault.forget_keys()
    sign_in(client, alice)

    enter(client, code(secret))

    assert is_signed_in(client)


def test_a_secret_moved_to_another_row_opens_nothing(client: Client, alice: User, bob: User) -> None:
    app_of(alice)
    secret = app_of(bob, "KRSXG5CTMVRXEZLU")
    alices, bobs = AccountSecret.objects.order_by("created_at")
    AccountSecret.objects.filter(pk=alices.pk).update(secret_sealed=bobs.secret_sealed)
    sign_in(client, alice)

    with pytest.raises(vault.VaultError):
        enter(client, code(secret))


def test_a_removed_app_leaves_no_secret(alice: User) -> None:
    app_of(alice)

    Authenticator.objects.all().delete()

    assert not AccountSecret.objects.exists()


def test_a_deleted_user_leaves_no_secret(alice: User) -> None:
    app_of(alice)

    alice.delete()

    assert not AccountSecret.objects.exists()


def test_the_session_says_how_one_signed_in(client: Client, alice: User) -> None:
    secret = app_of(alice)
    sign_in(client, alice)
    enter(client, code(secret))

    assert [each["method"] for each in client.session[AUTHENTICATION_METHODS_SESSION_KEY]] == ["password", "mfa"]
