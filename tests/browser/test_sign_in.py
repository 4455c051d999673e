"""What only a browser shows: passkeys, an app set up by the key of its QR code, an identity provider and back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from integrations.models import Invitation, Member, Project, User
from tests.support import identity as identities
from tests.support.codes import code
from tests.support.identity import Identity
from tests.support.processes import free_port, granian

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
TOUCH_ID = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def nora(project: Project, settings: Any) -> User:
    # What the server, another process, can read.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    user = User.objects.create_user("nora@acme.test", PASSWORD)
    Member.objects.create(project=project, user=user, role=Member.Role.OWNER)
    return user


@pytest.fixture
def laptop(page: "Page") -> "Iterator[Page]":
    """A browser with a fingerprint reader, in which nothing may be stopped by the Content-Security-Policy."""
    stopped: list[str] = []
    page.on("console", lambda line: stopped.append(line.text) if "Content Security Policy" in line.text else None)
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": TOUCH_ID})
    yield page
    assert stopped == []


def sign_in(page: "Page", server: str, user: User) -> None:
    page.goto(server)
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: "Page", server: str) -> None:
    page.goto(f"{server}/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def confirm(page: "Page") -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def add_passkey(page: "Page", server: str) -> None:
    page.goto(f"{server}/accounts/passkeys/")
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page)
    page.get_by_label("Name").fill("Nora's laptop")
    page.get_by_role("button", name="Go on with your browser").click()
    page.get_by_role("link", name="I have kept them").click()


def test_a_passkey_is_added_and_signs_in_alone(laptop: "Page", server: str, nora: User) -> None:
    sign_in(laptop, server, nora)
    add_passkey(laptop, server)
    sign_out(laptop, server)

    laptop.get_by_role("button", name="Sign in with a passkey").click()

    expect(laptop.get_by_text("nora@acme.test").first).to_be_attached()
    laptop.goto(f"{server}/accounts/passkeys/")
    expect(laptop.get_by_role("table")).to_contain_text("Nora's laptop")


def test_a_passkey_is_the_second_factor_after_a_password(laptop: "Page", server: str, nora: User) -> None:
    sign_in(laptop, server, nora)
    add_passkey(laptop, server)
    sign_out(laptop, server)
    sign_in(laptop, server, nora)

    laptop.get_by_role("button", name="Use a passkey").click()

    laptop.wait_for_url(f"{server}/p/**")


def test_after_a_passkey_one_is_where_one_wanted_to_go(
    laptop: "Page", server: str, nora: User, project: Project
) -> None:
    sign_in(laptop, server, nora)
    add_passkey(laptop, server)
    sign_out(laptop, server)
    laptop.goto(f"{server}/p/{project.pk}/users")

    laptop.get_by_role("button", name="Sign in with a passkey").click()

    laptop.wait_for_url(f"{server}/p/{project.pk}/users")


def test_a_second_passkey_on_the_same_device_is_refused_in_words(laptop: "Page", server: str, nora: User) -> None:
    sign_in(laptop, server, nora)
    add_passkey(laptop, server)
    laptop.goto(f"{server}/accounts/passkeys/add/")

    laptop.get_by_role("button", name="Go on with your browser").click()

    expect(laptop.get_by_role("alert")).to_have_text("This device or key has a passkey for your account already.")


def test_an_app_is_set_up_by_its_key_and_asked_for_at_the_next_sign_in(laptop: "Page", server: str, nora: User) -> None:
    sign_in(laptop, server, nora)
    laptop.goto(f"{server}/accounts/second-factor/")
    laptop.get_by_role("link", name="Set up an app").click()
    confirm(laptop)
    secret = laptop.locator(".copy-value code").inner_text()
    expect(laptop.get_by_role("img", name="QR code")).to_be_visible()
    laptop.get_by_label("Authenticator code").fill(code(secret, periods_ago=1))
    laptop.get_by_role("button", name="Turn on").click()
    recovery_codes = laptop.get_by_role("textbox").input_value().split()
    sign_out(laptop, server)

    sign_in(laptop, server, nora)
    laptop.get_by_label("Code").fill(code(secret))
    laptop.get_by_role("button", name="Sign in", exact=True).click()

    laptop.wait_for_url(f"{server}/p/**")
    assert len(recovery_codes) == 10


def test_a_project_that_asks_for_one_leads_there_and_back(
    laptop: "Page", server: str, nora: User, project: Project
) -> None:
    Project.objects.update(require_second_factor=True)
    sign_in(laptop, server, nora)
    expect(laptop.get_by_text("requires a second factor of its owners and admins")).to_be_visible()

    add_passkey(laptop, server)

    laptop.wait_for_url(f"{server}/p/{project.pk}/")


def test_an_invitation_is_made_handed_over_and_accepted(
    laptop: "Page", server: str, nora: User, project: Project, browser: Any
) -> None:
    sign_in(laptop, server, nora)
    laptop.goto(f"{server}/p/{project.pk}/settings/members")
    laptop.get_by_label("E-mail address").fill("carol@acme.test")
    laptop.get_by_role("button", name="Invite").click()
    link = laptop.locator(".copy-value code").inner_text()

    carols = browser.new_context().new_page()
    carols.goto(link)
    carols.get_by_label("Your name").fill("Carol")
    carols.get_by_label("Password").fill("a fine long password")
    carols.get_by_role("button", name="Create your account and join").click()

    carols.wait_for_url(f"{server}/p/{project.pk}/")
    carols.context.close()
    assert not Invitation.objects.exists()
    assert Member.objects.get(user__email="carol@acme.test").role == "developer"


# The identity provider ------------------------------------------------------------------------------------------------


@pytest.fixture
def company() -> Iterator[Identity]:
    with identities.serving() as identity:
        yield identity


@pytest.fixture
def with_company(company: Identity, transactional_db: None) -> Iterator[str]:
    """A server of its own, whose settings name the identity provider."""
    port = free_port()
    settings = {
        "OIDC_SERVER_URL": company.url,
        "OIDC_CLIENT_ID": identities.CLIENT_ID,
        "OIDC_CLIENT_SECRET": identities.CLIENT_SECRET,
        "OIDC_NAME": "Acme Okta",
    }
    with granian(port, env=settings):
        yield f"http://localhost:{port}"


def test_one_signs_in_with_the_identity_provider(
    laptop: "Page", with_company: str, company: Identity, nora: User, project: Project
) -> None:
    company.person = {"sub": "17", "email": nora.email, "email_verified": True}
    laptop.goto(f"{with_company}/p/{project.pk}/users")

    laptop.get_by_role("link", name="Continue with Acme Okta").click()

    laptop.wait_for_url(f"{with_company}/p/{project.pk}/users")
    assert [urlsplit(asked["redirect_uri"]).path for asked in company.asked] == ["/accounts/oidc/callback/"]


def test_somebody_unknown_is_told_what_to_do(laptop: "Page", with_company: str, company: Identity) -> None:
    company.person = {"sub": "18", "email": "mallory@evil.test", "email_verified": True}
    laptop.goto(with_company)

    laptop.get_by_role("link", name="Continue with Acme Okta").click()

    expect(laptop.get_by_role("heading", name="Ask to be invited")).to_be_visible()
    assert parse_qs(urlsplit(laptop.url).query)["state"]
