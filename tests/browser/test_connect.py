"""Connecting with our SDK: from the button to the connection, and every way it can end otherwise."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from integrations.dashboard.snippets import snippets
from integrations.models import Connection, Grant, Integration, OAuthApp, Project
from tests.browser.product import Product
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.browser

SCRIPT_TWICE = '<script src="{0}/static/sdk/patchbay.js"></script><script src="{0}/static/sdk/patchbay.js"></script>'
MODULE = """<script type="module">
import {{ patchbay as sdk }} from "{0}/static/sdk/patchbay.mjs";
globalThis.same = sdk === patchbay;
</script>"""
PLAIN_MODULE = '<script type="module">import "{0}/static/sdk/patchbay.js";</script>'


@pytest.mark.parametrize("head", [SCRIPT_TWICE, MODULE, PLAIN_MODULE])
def test_the_sdk_works_as_script_and_as_module(
    product: Product, user_token: Callable[..., str], server: str, head: str
) -> None:
    product.open(head.format(server)).sign_in(user_token("alice"))

    assert product.call("getUser")["userId"] == "alice"
    expect(product.button).to_have_text("Connect Jira")


def test_the_script_tag_of_the_dashboard_says_why_a_page_is_refused(
    product: Product, jira: Integration, user_token: Callable[..., str]
) -> None:
    Project.objects.update(allowed_origins=[], allow_loopback_origins=False)
    [script, *_] = (snippet.code for snippet in snippets(jira))

    product.page.goto(product.site.add("/", "<!doctype html>" + script.replace("USER_TOKEN", user_token("alice"))))

    expect(product.page.locator("#answer")).to_contain_text("does not allow calls from")


def test_the_button_connects_to_the_site_that_alice_chose(alice: Product) -> None:
    consent = alice.press()
    expect(alice.button).to_have_text("Connecting…")
    expect(alice.button).to_be_disabled()
    consent.connect(site="Globex")

    expect(alice.button).to_have_text("Connected as Ada Park")
    connection = Connection.objects.get()
    assert (connection.user.sub, connection.site_name) == ("alice", "Globex")


def test_install_resolves_with_the_credential_and_tells_the_listeners(alice: Product) -> None:
    alice.page.evaluate(
        "() => patchbay.subscribe('onIntegrationInstall', (e) => (globalThis.heard = e.integrationType))"
    )

    alice.install().connect()

    value = alice.outcome()["value"]
    assert value["integrationType"] == "jira"
    assert value["credentialId"] == value["credential"]["id"] == str(Connection.objects.get().pk)
    assert alice.page.evaluate("() => globalThis.heard") == "jira"


def test_no_token_is_left_in_the_browser(alice: Product) -> None:
    alice.connected()

    assert alice.page.evaluate("() => localStorage.length + sessionStorage.length") == 0
    assert "eyJ" not in alice.page.evaluate("() => JSON.stringify(patchbay.getUser())")


def test_saying_no_is_told_in_words(alice: Product) -> None:
    alice.press().deny()

    expect(alice.status).to_have_text("You did not allow access to Jira. Nothing was connected.")
    expect(alice.button).to_have_text("Connect Jira")
    assert not Connection.objects.exists()


def test_cancelling_at_the_choice_of_a_site_connects_nothing(alice: Product) -> None:
    consent = alice.install()
    consent.allow()
    consent.popup.get_by_role("button", name="Cancel").click()

    assert alice.outcome()["error"]["code"] == "cancelled"
    assert not Grant.objects.exists()


def test_a_closed_window_rejects(alice: Product) -> None:
    alice.install().close()

    error = alice.outcome()["error"]
    assert error["code"] == "popup_closed"
    assert error["message"] == "The window was closed before Jira was connected. Nothing was connected."


def test_a_blocked_window_says_how_to_allow_it(alice: Product) -> None:
    alice.page.evaluate("() => { window.open = () => null; }")

    alice.button.click()

    expect(alice.status).to_contain_text("Allow pop-ups for this page")
    expect(alice.button).to_be_enabled()


def test_a_window_left_open_times_out(alice: Product) -> None:
    consent = alice.install({"oauthTimeout": 1500})

    assert alice.outcome()["error"]["code"] == "timeout"
    assert consent.popup.is_closed()


def test_a_wrong_secret_is_called_that_and_sends_nobody_to_consent_again(
    alice: Product, jira: Integration, sandbox: Sandbox
) -> None:
    use_own_keys(jira.oauth_app, sandbox.keys["DEV_CLIENT_ID"], "wrong")
    consent = alice.press()
    consent.allow()

    expect(alice.status).to_contain_text("client ID or secret")
    expect(consent.popup.get_by_role("alert")).to_contain_text("client ID or secret")
    again = alice.failure("installIntegration", "jira")
    assert again["code"] == "wrong_keys"


def test_a_revoked_grant_asks_for_a_reconnect_that_keeps_the_connection(alice: Product) -> None:
    credential_id = alice.connected()
    Grant.objects.update(status=Grant.Status.NEEDS_RECONNECT, reason="Access was revoked.")
    alice.call("setUserMetadata", {"seen": 1})
    expect(alice.button).to_have_text("Reconnect Jira")

    alice.press().allow()

    expect(alice.button).to_have_text("Connected as Ada Park")
    assert [item["id"] for item in alice.credentials()] == [credential_id]


def test_a_second_account_is_a_connection_of_its_own(alice: Product) -> None:
    first, second = alice.connected(account="Ada Park"), alice.connected(account="Bo Lind")

    assert [item["id"] for item in alice.credentials()] == [first, second]
    names = [
        alice.call("request", "jira", "/rest/api/3/myself", {"selectedCredentialId": one}) for one in (first, second)
    ]
    assert [name["displayName"] for name in names] == ["Ada Park", "Bo Lind"]


def test_an_installed_integration_is_not_installed_twice_by_accident(alice: Product) -> None:
    alice.connected()

    assert alice.failure("installIntegration", "jira")["code"] == "already_connected"


def test_uninstalling_deletes_the_tokens(alice: Product) -> None:
    alice.connected()

    alice.call("uninstallIntegration", "jira")

    assert alice.credentials() == []
    assert not Grant.objects.exists()
    expect(alice.button).to_have_text("Connect Jira")


def test_an_integration_that_is_not_active_is_told_in_words(
    product: Product, jira: Integration, user_token: Callable[..., str]
) -> None:
    Integration.objects.update(is_active=False)

    product.open().sign_in(user_token("alice"))

    expect(product.status).to_have_text("Jira is not active in this project yet.")
    expect(product.button).to_be_disabled()


def test_a_token_that_expired_is_refused_before_anything_is_sent(
    product: Product, user_token: Callable[..., str]
) -> None:
    product.open()

    error = product.failure("authenticate", product.project_id, user_token("alice", iat=1000, exp=2000))

    assert error["code"] == "bad_user_token"


def test_a_strangers_message_is_not_taken_for_the_popup(alice: Product) -> None:
    alice.install()

    alice.page.evaluate("() => window.postMessage({ type: 'patchbay:claim', sessionId: 'x', code: 'forged' }, '*')")

    alice.page.wait_for_timeout(700)
    assert alice.is_pending()


def use_own_keys(app: OAuthApp, client_id: str, secret: str) -> None:
    app.client_id = client_id
    app.set_secret(secret)
    app.save()
