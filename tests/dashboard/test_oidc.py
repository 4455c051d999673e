"""Signing in with an identity provider: a real one, over a socket, that can be made to say what it must not."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from integrations import checks
from integrations.dashboard import invitations, oidc
from integrations.models import Member, Project, User
from tests.dashboard.conftest import PASSWORD, text, url
from tests.support import identity as identities
from tests.support.codes import app_of, code
from tests.support.identity import Identity
from tests.support.passkey import passkey_of

pytestmark = pytest.mark.django_db
ALICE = {"sub": "0001", "email": "alice@example.com", "email_verified": True, "name": "Alice Ampère"}


@pytest.fixture(scope="module")
def _running() -> Iterator[Identity]:
    with identities.serving() as identity:
        yield identity


@pytest.fixture
def company(_running: Identity, settings: Any) -> Identity:
    """The company's identity provider, in front of which Alice sits."""
    _running.person, _running.bent, _running.configuration = dict(ALICE), {}, {}
    _running.error, _running.without_id_token = "", False
    settings.OIDC_SERVER_URL = _running.url
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = identities.CLIENT_ID, identities.CLIENT_SECRET
    settings.OIDC_NAME = "Acme Okta"
    return _running


def go(client: Client, wanted: str = "") -> str:
    """Press the button, and let the identity provider send the browser back. Return where to."""
    response = client.get("/accounts/oidc/login/", {"next": wanted} if wanted else {})
    answer = requests.get(response["Location"], allow_redirects=False, timeout=5)
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def come(client: Client, wanted: str = "", **more: Any) -> Any:
    return client.get(go(client, wanted), **more)


def user_of(client: Client) -> User | None:
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


# Who is let in -------------------------------------------------------------------------------------------------------


def test_a_verified_address_signs_its_user_in(company: Identity, client: Client, alice: User) -> None:
    response = come(client)

    assert response["Location"] == "/"
    assert user_of(client) == alice


def test_the_sign_in_page_offers_it(company: Identity, client: Client) -> None:
    page = text(client.get("/accounts/login/?next=/projects"))

    assert "Continue with Acme Okta" in page
    assert "/accounts/oidc/login/?next=%2Fprojects" in page


def test_one_is_led_where_one_wanted_to_go(company: Identity, client: Client, alice: User, project: Project) -> None:
    assert come(client, url("users", project.pk))["Location"] == url("users", project.pk)


def test_nobody_is_led_away(company: Identity, client: Client, alice: User) -> None:
    assert come(client, "https://evil.test/")["Location"] == "/"


def test_afterwards_it_is_the_person_that_counts_not_the_address(
    company: Identity, client: Client, alice: User
) -> None:
    come(Client())
    company.person["email"], company.person["email_verified"] = "alice@married.test", False

    come(client)

    assert user_of(client) == alice


def test_an_invited_person_gets_an_account_and_accepts(
    company: Identity, client: Client, project: Project, alice: User
) -> None:
    invitation, _ = invitations.invite(project, "carol@example.com", "support", alice)
    company.person |= {"sub": "0003", "email": "Carol@example.com", "name": "Carol Curie"}

    page = come(client, follow=True)
    client.post(reverse("accept_invitation", args=[invitation.pk]))

    assert "Join Acme Tasks" in text(page)
    assert Member.objects.get(user__email="carol@example.com").role == "support"
    assert str(user_of(client)) == "Carol Curie <carol@example.com>"


def test_somebody_of_an_allowed_domain_gets_an_account_without_projects(
    company: Identity, client: Client, settings: Any, project: Project
) -> None:
    settings.OIDC_ALLOWED_DOMAINS = ["example.com"]
    company.person |= {"sub": "0003", "email": "carol@example.com"}

    page = come(client, follow=True)

    assert "Create your first project" in text(page)
    assert not user_of(client).has_usable_password()  # type: ignore[union-attr]


def test_a_second_factor_is_asked_for_here_too(company: Identity, client: Client, alice: User) -> None:
    secret = app_of(alice)
    alice.prove_email()
    response = come(client)
    before = user_of(client)

    client.post(response["Location"], {"code": code(secret)})

    assert response["Location"] == "/accounts/second-factor/authenticate/"
    assert before is None
    assert user_of(client) == alice


# Who is not ----------------------------------------------------------------------------------------------------------


def test_an_unknown_person_is_told_to_ask_for_an_invitation(company: Identity, client: Client) -> None:
    response = come(client)

    assert response.status_code == 403
    assert "Ask to be invited" in text(response)
    assert not User.objects.exists()


def test_what_nobody_sees_in_a_name_is_left_out(company: Identity, client: Client, settings: Any) -> None:
    settings.OIDC_ALLOWED_DOMAINS = ["example.com"]
    company.person |= {"email": "ali@example.com", "name": "علی\u200cرضا \u202eKarimi"}

    come(client)

    assert User.objects.get().get_full_name() == "علی\u200cرضا Karimi"


@pytest.mark.parametrize("domain", ["example.com.evil.test", "sub.example.com", "notexample.com"])
def test_a_domain_is_compared_whole(domain: str, company: Identity, client: Client, settings: Any) -> None:
    settings.OIDC_ALLOWED_DOMAINS = ["example.com"]
    company.person["email"] = f"carol@{domain}"

    assert come(client).status_code == 403


@pytest.mark.parametrize("claim", [False, None, "false", "", 0])
def test_an_unverified_address_opens_no_account(claim: object, company: Identity, client: Client, alice: User) -> None:
    company.person["email_verified"] = claim

    response = come(client)

    assert "Your address is not verified" in text(response)
    assert user_of(client) is None
    assert not SocialAccount.objects.exists()


def test_unless_the_operator_says_that_all_are_verified(
    company: Identity, client: Client, alice: User, settings: Any
) -> None:
    settings.OIDC_TRUST_EMAIL = True
    del company.person["email_verified"]

    come(client)

    assert user_of(client) == alice


def test_a_disabled_user_stays_out(company: Identity, client: Client, alice: User) -> None:
    User.objects.update(is_active=False)

    page = come(client, follow=True)

    assert "Your account is disabled" in text(page)
    assert user_of(client) is None


def test_the_same_number_at_another_provider_is_another_person(
    company: Identity, client: Client, alice: User, bob: User
) -> None:
    come(Client())
    company.configuration = {"issuer": "https://other.test"}
    company.bent = {"iss": "https://other.test"}
    company.person |= {"email": bob.email}

    come(client)

    assert user_of(client) == bob


# Accounts whose address nobody had proven -----------------------------------------------------------------------------


def test_who_had_the_account_before_loses_it(company: Identity, client: Client, alice: User) -> None:
    """Somebody may have made it with a link that was handed over, in the name of whoever comes now."""
    passkey_of(alice)
    squatter = Client()
    squatter.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})

    response = come(client)

    assert user_of(client) == alice
    assert not client.login(email=alice.email, password=PASSWORD)
    assert not Authenticator.objects.exists()
    assert squatter.get("/accounts/").status_code == 302
    assert "were removed" in str(*get_messages(response.wsgi_request))


def test_a_proven_account_keeps_its_password(company: Identity, client: Client, alice: User) -> None:
    alice.prove_email()

    come(client)

    assert client.login(email=alice.email, password=PASSWORD)


# What goes wrong on the way ------------------------------------------------------------------------------------------


def refused(client: Client, path: str) -> bool:
    response = client.get(path)
    return response.status_code == 401 and "That did not work" in text(response) and user_of(client) is None


def test_a_made_up_state_is_refused(company: Identity, client: Client, alice: User) -> None:
    path = go(client)

    assert refused(client, path.split("&state=")[0] + "&state=guessed")


def test_a_state_of_another_browser_is_refused(company: Identity, client: Client, alice: User) -> None:
    assert refused(Client(), go(client))


def test_a_state_works_once(company: Identity, client: Client, alice: User) -> None:
    path = go(client)
    client.get(path)
    client.post("/accounts/logout/")

    assert refused(client, path)


def test_a_code_of_another_attempt_is_refused(company: Identity, client: Client, alice: User) -> None:
    """PKCE: a code that was injected does not fit the verifier of this browser."""
    stolen = parse_qs(urlsplit(go(Client())).query)["code"][0]
    state = parse_qs(urlsplit(go(client)).query)["state"][0]

    assert refused(client, f"/accounts/oidc/callback/?code={stolen}&state={state}")


@pytest.mark.parametrize(
    "bent",
    [{"iss": "https://evil.test"}, {"aud": "another-app"}, {"exp": 1_600_000_000}, {"sub": "0666"}],
    ids=lambda bent: next(iter(bent)),
)
def test_an_id_token_for_others_is_refused(
    bent: dict[str, Any], company: Identity, client: Client, alice: User
) -> None:
    company.bent = bent

    assert refused(client, go(client))


def test_an_id_token_signs_in_once(company: Identity, client: Client, alice: User) -> None:
    company.bent = {"jti": "the-same"}
    come(Client())

    assert refused(client, go(client))


def test_an_answer_without_an_id_token_is_refused(company: Identity, client: Client, alice: User) -> None:
    company.without_id_token = True

    assert refused(client, go(client))


def test_a_wrong_client_secret_is_said_and_logged(
    company: Identity, client: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OIDC_CLIENT_SECRET = "wrong"

    assert refused(client, go(client))
    assert "invalid_client" in caplog.text


def test_who_changes_their_mind_is_back_at_the_sign_in_page(company: Identity, client: Client) -> None:
    company.error = "access_denied"

    page = come(client, follow=True)

    assert "Signing in with Acme Okta was cancelled." in text(page)


def test_another_error_is_a_page_in_words(company: Identity, client: Client) -> None:
    company.error = "server_error"

    assert refused(client, go(client))


def test_a_provider_that_is_away_is_a_page_in_words(company: Identity, client: Client, settings: Any) -> None:
    settings.OIDC_SERVER_URL = "http://127.0.0.1:9"

    assert refused(client, "/accounts/oidc/login/")


@pytest.mark.parametrize("name", oidc.ENDPOINTS)
def test_no_secret_goes_to_an_address_without_https(name: str, company: Identity, client: Client) -> None:
    company.configuration = {name: "http://idp.example.com/x"}

    assert refused(client, "/accounts/oidc/login/")


def test_nothing_that_is_called_may_take_for_ever(company: Identity) -> None:
    session = oidc.SocialAccountAdapter().get_requests_session()

    assert session.request.keywords == {"timeout": 5}  # type: ignore[attr-defined]
    assert not session.trust_env


def test_the_address_to_come_back_to_is_ours(company: Identity, client: Client, settings: Any) -> None:
    response = client.get("/accounts/oidc/login/", headers={"host": "127.0.0.1:666"})

    asked = parse_qs(urlsplit(response["Location"]).query)
    assert asked["redirect_uri"] == [f"{settings.PUBLIC_URL}/accounts/oidc/callback/"]
    assert asked["code_challenge_method"] == ["S256"]


def test_the_link_decides_nothing_of_what_is_asked(company: Identity, client: Client) -> None:
    given = {"scope": "offline_access", "auth_params": "prompt=none", "process": "connect"}

    response = client.get("/accounts/oidc/login/", given)

    asked = parse_qs(urlsplit(response["Location"]).query)
    assert sorted(asked["scope"][0].split()) == ["email", "openid", "profile"]
    assert "prompt" not in asked


def test_what_the_provider_tells_is_not_kept(company: Identity, client: Client, alice: User) -> None:
    come(client)

    assert SocialAccount.objects.get().extra_data == {"email": "alice@example.com"}


# Nothing but it ------------------------------------------------------------------------------------------------------


def test_without_passwords_the_page_offers_only_the_provider(company: Identity, client: Client, settings: Any) -> None:
    settings.OIDC_ONLY = True

    page = text(client.get("/accounts/login/"))

    assert "Continue with Acme Okta" in page
    assert "Password" not in page


def test_no_password_signs_in_then(company: Identity, client: Client, alice: User, settings: Any) -> None:
    settings.OIDC_ONLY = True

    response = client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})

    assert "Use Acme Okta." in str(response.context["form"].errors)
    assert user_of(client) is None


def test_nobody_invited_makes_a_password_then(
    company: Identity, client: Client, project: Project, alice: User, settings: Any
) -> None:
    settings.OIDC_ONLY = True
    invitation, link = invitations.invite(project, "carol@example.com", "support", alice)
    page = client.get(urlsplit(link).path, follow=True)

    client.post(reverse("join", args=[invitation.pk]), {"name": "Carol", "password": "a fine long password"})

    assert "Password" not in text(page)
    assert not User.objects.filter(email="carol@example.com").exists()


def test_where_it_is_not_set_up_there_is_no_such_page(client: Client) -> None:
    assert client.get("/accounts/oidc/login/").status_code == 404
    assert client.get("/accounts/oidc/callback/").status_code == 404


# Settings ------------------------------------------------------------------------------------------------------------


def test_settings_that_fit_together_pass(company: Identity) -> None:
    assert checks.check_identity_provider() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_SERVER_URL", ""),
        ("OIDC_CLIENT_ID", ""),
        ("OIDC_CLIENT_SECRET", ""),
        ("OIDC_SERVER_URL", "http://idp.example.com"),
    ],
)
def test_half_of_them_are_refused_with_a_hint(name: str, value: str, company: Identity, settings: Any) -> None:
    setattr(settings, name, value)

    [found] = checks.check_identity_provider()

    assert found.id == "patchbay.E008"
    assert found.hint
