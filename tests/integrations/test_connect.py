"""From the button to the connection: what works, and every way it can go wrong."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from integrations import connect
from integrations.connect import Wish
from integrations.models import AuditEntry, ConnectedUser, Connection, ConnectSession, Grant, Integration, OAuthApp
from tests.integrations.conftest import PAGE, Window, claim_code
from tests.support.sandbox import Sandbox

OTHER_APP = "00000000-0000-4000-8000-000000000001"


def words(response: Any) -> str:
    return str(response.content.decode())


def nothing_is_kept() -> bool:
    return not Grant.objects.exists() and not ConnectSession.objects.exclude(tokens_sealed="").exists()


# It works -----------------------------------------------------------------------------------------------------------


def test_a_consent_that_is_claimed_becomes_a_connection(alice: Window) -> None:
    connection = alice.connect(site="Globex", account="Ada Park")

    assert (connection.user.sub, connection.site_name) == ("alice", "Globex")
    assert (connection.grant.account_name, connection.grant.status) == ("Ada Park", Grant.Status.ACTIVE)
    assert "read:jira-work" in connection.grant.scopes
    assert ConnectSession.objects.get().tokens_sealed == ""


def test_the_state_is_long_random_and_only_its_hash_is_kept(alice: Window) -> None:
    first, second = (parse_qs(urlsplit(alice.go_out(alice.begin())).query)["state"][0] for _ in range(2))

    assert len(first) >= 43
    assert first != second
    assert not ConnectSession.objects.filter(state_hash__in=[first, second]).exists()


def test_the_redirect_uri_is_the_apps_own_whatever_the_host_header_says(alice: Window) -> None:
    start = urlsplit(alice.begin()).path

    answer = alice.client.get(start, headers={"host": "localhost"})

    redirect_uri = parse_qs(urlsplit(answer["Location"]).query)["redirect_uri"][0]
    app = OAuthApp.objects.get(project=None)
    assert redirect_uri == f"{django_settings.PUBLIC_URL}/oauth/callback/{app.pk}"


def test_the_only_site_of_an_account_needs_no_choice(alice: Window) -> None:
    page = alice.come_back(alice.allow(alice.go_out(alice.begin()), "Cleo Marsh"))

    assert alice.claim(claim_code(page)).status_code == 200


def test_a_second_account_is_a_connection_of_its_own_when_asked_for(alice: Window) -> None:
    first = alice.connect()

    second = alice.connect(account="Bo Lind", allowMultipleCredentials=True, externalId="bos-jira")

    assert first.pk != second.pk
    assert second.external_id == "bos-jira"
    assert Grant.objects.count() == 2


def test_two_sites_of_one_account_share_its_tokens(alice: Window) -> None:
    first = alice.connect("Acme")

    second = alice.connect("Globex", allowMultipleCredentials=True)

    assert first.pk != second.pk
    assert Grant.objects.get().connections.count() == 2


# No claim, no connection --------------------------------------------------------------------------------------------


def test_without_a_claim_nothing_is_connected_and_the_tokens_are_deleted(alice: Window) -> None:
    alice.consent()
    ConnectSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    connect.sweep()

    assert not Connection.objects.exists()
    assert not ConnectSession.objects.exists()


def test_a_consent_cannot_be_claimed_by_another_user(alice: Window, mallory: Window) -> None:
    code = mallory.consent()

    answer = alice.claim(code)

    assert (answer.status_code, answer.json()["code"]) == (409, "claim_refused")
    assert nothing_is_kept()
    assert AuditEntry.objects.get(action="claim refused").actor_name == "user alice"


def test_a_claim_code_works_once(alice: Window) -> None:
    code = alice.consent()
    assert alice.claim(code).status_code == 200

    assert alice.claim(code).status_code == 409
    assert Connection.objects.count() == 1


def test_a_claim_that_comes_too_late_is_refused(alice: Window) -> None:
    code = alice.consent()
    ConnectSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert alice.claim(code).json()["code"] == "claim_refused"
    assert not Connection.objects.exists()


def test_a_start_link_works_once(alice: Window, mallory: Window) -> None:
    link = mallory.begin()
    alice.go_out(link)

    answer = mallory.client.get(urlsplit(link).path)

    assert answer.status_code == 400
    assert "no longer valid" in words(answer)


# What may come back at the callback ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["", "unknown", "a" * 5000, "\x00", "'; DROP TABLE--"])
def test_an_unknown_state_is_a_page_that_says_try_again(alice: Window, state: str) -> None:
    callback = alice.allow(alice.go_out(alice.begin()))
    parts = urlsplit(callback)

    answer = alice.client.get(parts.path, {"code": "c", "state": state})

    assert answer.status_code == 400
    assert "try again" in words(answer)
    assert nothing_is_kept()


def test_a_callback_that_is_delivered_twice_makes_one_connection(alice: Window) -> None:
    callback = alice.allow(alice.go_out(alice.begin()))
    alice.come_back(callback)

    again = alice.come_back(callback)

    assert again.status_code == 400
    assert alice.claim(claim_code(alice.choose())).status_code == 200
    assert Connection.objects.count() == 1


def test_an_expired_attempt_is_refused(alice: Window) -> None:
    callback = alice.allow(alice.go_out(alice.begin()))
    ConnectSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert alice.come_back(callback).status_code == 400
    assert nothing_is_kept()


def test_a_consent_that_returns_in_another_browser_is_refused(alice: Window, mallory: Window) -> None:
    callback = mallory.allow(mallory.go_out(mallory.begin()))

    answer = alice.come_back(callback)

    assert "another browser" in words(answer)
    assert nothing_is_kept()
    assert AuditEntry.objects.filter(action="connect refused").exists()


def test_a_browser_of_another_attempt_is_another_browser(alice: Window, mallory: Window) -> None:
    alice.go_out(alice.begin())
    callback = mallory.allow(mallory.go_out(mallory.begin()))

    assert "another browser" in words(alice.come_back(callback))
    assert nothing_is_kept()


def test_a_code_of_one_app_is_refused_at_the_callback_of_another(alice: Window, jira: Integration) -> None:
    callback = urlsplit(alice.allow(alice.go_out(alice.begin())))

    answer = alice.client.get(f"/oauth/callback/{jira.oauth_app_id}?{callback.query}")

    assert answer.status_code == 400
    assert nothing_is_kept()


def test_an_unknown_app_is_refused(alice: Window) -> None:
    callback = urlsplit(alice.allow(alice.go_out(alice.begin())))

    assert alice.client.get(f"/oauth/callback/{OTHER_APP}?{callback.query}").status_code == 400


def test_denial_is_told_in_friendly_words(alice: Window) -> None:
    callback = urlsplit(alice.allow(alice.go_out(alice.begin())))
    state = parse_qs(callback.query)["state"][0]

    answer = alice.client.get(callback.path, {"error": "access_denied", "state": state})

    assert "You did not allow access to Jira. Nothing was connected." in words(answer)
    assert ConnectSession.objects.get().error_code == "access_denied"


def test_markup_in_an_error_of_the_provider_is_escaped(alice: Window) -> None:
    callback = urlsplit(alice.allow(alice.go_out(alice.begin())))
    state = parse_qs(callback.query)["state"][0]
    evil = {"error": "server_error", "error_description": "<script>alert(1)</script>", "state": state}

    answer = alice.client.get(callback.path, evil)

    assert "<script>alert" not in words(answer)
    assert "&lt;script&gt;" in words(answer)


def test_the_popups_address_and_answers_are_kept_by_nobody(alice: Window) -> None:
    answer = alice.come_back(alice.allow(alice.go_out(alice.begin())))

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


# What the consent may lack ------------------------------------------------------------------------------------------


def test_an_account_without_a_site_is_told_to_use_another(alice: Window) -> None:
    answer = alice.come_back(alice.allow(alice.go_out(alice.begin()), "Dana Reyes"))

    assert "no Jira site" in words(answer)
    assert nothing_is_kept()


def test_a_site_outside_the_consent_cannot_be_chosen(alice: Window) -> None:
    alice.come_back(alice.allow(alice.go_out(alice.begin())))
    session = ConnectSession.objects.get()

    answer = alice.client.post(f"/connect/{session.pk}/choose", {"site": "somebody-elses-site"})

    assert "Choose one of the listed sites." in words(answer)
    assert ConnectSession.objects.get().site_id == ""


def test_cancelling_at_the_choice_of_a_site_connects_nothing(alice: Window) -> None:
    alice.come_back(alice.allow(alice.go_out(alice.begin())))
    session = ConnectSession.objects.get()

    answer = alice.client.post(f"/connect/{session.pk}/choose", {"cancel": "1"})

    assert "You cancelled." in words(answer)
    assert nothing_is_kept()


def test_the_site_is_chosen_only_in_the_browser_that_consented(alice: Window, mallory: Window) -> None:
    alice.come_back(alice.allow(alice.go_out(alice.begin())))
    session = ConnectSession.objects.get()

    assert mallory.client.post(f"/connect/{session.pk}/choose", {"cancel": "1"}).status_code == 404
    assert ConnectSession.objects.get().status == ConnectSession.Status.RETURNED


# Wrong keys and an ailing provider ----------------------------------------------------------------------------------


def test_a_wrong_secret_is_called_that_and_nobody_else_is_sent_to_consent(alice: Window, sandbox: Sandbox) -> None:
    consent_url = alice.go_out(alice.begin())
    sandbox.operate("clients/rotate", {"client_id": sandbox.keys["DEV_CLIENT_ID"]})

    answer = alice.come_back(alice.allow(consent_url))

    assert "refuses the client ID or secret" in words(answer)
    again = alice.api("POST", "sdk/connect", {"integration": "jira", "origin": PAGE})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_keys")


def test_a_token_endpoint_in_trouble_asks_to_try_again(alice: Window, sandbox: Sandbox) -> None:
    callback = alice.allow(alice.go_out(alice.begin()))
    sandbox.operate("settings", {"token_mode": "fail"})

    answer = alice.come_back(callback)

    assert "Please try again." in words(answer)
    assert nothing_is_kept()


def test_an_inactive_integration_is_not_connected(alice: Window, jira: Integration) -> None:
    Integration.objects.update(is_active=False)

    answer = alice.api("POST", "sdk/connect", {"integration": "jira", "origin": PAGE})

    assert (answer.status_code, answer.json()["code"]) == (409, "integration_inactive")


def test_development_keys_serve_ten_users(alice: Window, window_of: Callable[[str], Window], settings: Any) -> None:
    settings.DEVELOPMENT_KEYS_USER_LIMIT = 1
    alice.connect()

    answer = window_of("bob").api("POST", "sdk/connect", {"integration": "jira", "origin": PAGE})

    assert answer.json()["code"] == "development_limit"
    assert alice.connect("Globex", allowMultipleCredentials=True)


# Reconnect ----------------------------------------------------------------------------------------------------------


def test_reconnecting_keeps_the_connections_id_and_settings(alice: Window) -> None:
    first = alice.connect("Globex")
    Connection.objects.update(settings={"project": "OPS"})
    Grant.objects.update(status=Grant.Status.NEEDS_RECONNECT, reason="revoked")

    again = alice.connect(selectedCredentialId=str(first.pk))

    assert again.pk == first.pk
    assert (again.site_name, again.settings) == ("Globex", {"project": "OPS"})
    assert again.is_healthy


def test_reconnecting_as_another_account_asks_first(alice: Window) -> None:
    first = alice.connect()

    page = alice.come_back(
        alice.allow(alice.go_out(alice.begin(selectedCredentialId=str(first.pk))), account="Bo Lind")
    )

    assert "Use another account?" in words(page)
    assert "Ada Park" in words(page)
    assert Connection.objects.get().grant.account_name == "Ada Park"


def test_a_confirmed_change_of_account_moves_the_connection_and_drops_the_old_tokens(alice: Window) -> None:
    first = alice.connect()

    again = alice.connect(account="Bo Lind", selectedCredentialId=str(first.pk))

    assert again.pk == first.pk
    assert Grant.objects.get().account_name == "Bo Lind"


def test_a_newer_consent_without_a_site_says_so_at_that_sites_connection(alice: Window, sandbox: Sandbox) -> None:
    acme = alice.connect("Acme")
    globex = alice.connect("Globex", allowMultipleCredentials=True)
    sandbox.operate("grants/revoke", {"all": True})
    alice.consented = {"sites": [acme.site_id]}

    alice.connect("Acme", selectedCredentialId=str(acme.pk))

    globex.refresh_from_db()
    assert globex.status == Connection.Status.NEEDS_RECONNECT
    assert "no longer covers this site" in globex.reason


# Disconnect ---------------------------------------------------------------------------------------------------------


def test_the_tokens_go_with_the_grants_last_connection(alice: Window) -> None:
    acme, globex = alice.connect("Acme"), alice.connect("Globex", allowMultipleCredentials=True)

    connect.disconnect(acme, actor="alice")
    assert Grant.objects.count() == 1
    connect.disconnect(globex, actor="alice")

    assert not Grant.objects.exists()
    assert AuditEntry.objects.filter(action="disconnected").count() == 2


def test_the_other_user_of_one_account_stays_connected(alice: Window, window_of: Callable[[str], Window]) -> None:
    alices, bobs = alice.connect(), window_of("bob").connect()

    connect.disconnect(alices, actor="alice")

    bobs.refresh_from_db()
    assert bobs.is_healthy
    assert bobs.grant.open("refresh_token")


# Origins and return addresses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://app.acme.example.evil.com",
        "http://app.acme.example",
        "",
        "javascript:1",
    ],
)
def test_only_the_projects_origins_may_begin(alice: Window, origin: str) -> None:
    alice.project.allowed_origins, alice.project.allow_loopback_origins = ["https://app.acme.example"], False
    alice.project.save()

    answer = alice.api("POST", "sdk/connect", {"integration": "jira", "origin": origin}, Origin=origin)

    assert (answer.status_code, answer.json()["code"]) == (400, "origin_not_allowed")
    assert not ConnectSession.objects.exists()


@pytest.mark.parametrize(
    "address", ["//evil.example", "javascript:alert(1)", "https://app.acme.example\r\nSet-Cookie: a=b", "/relative"]
)
def test_a_return_url_that_is_not_registered_is_refused(alice: Window, address: str) -> None:
    answer = alice.api("POST", "sdk/connect", {"integration": "jira", "origin": PAGE, "returnUrl": address})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_return_url")


def test_a_registered_return_url_reaches_the_last_page(alice: Window) -> None:
    alice.project.return_urls = [f"{PAGE}/jira/done"]
    alice.project.save()

    page = alice.come_back(alice.allow(alice.go_out(alice.begin(returnUrl=f"{PAGE}/jira/done")), "Cleo Marsh"))

    assert f'data-return-url="{PAGE}/jira/done"' in words(page)


def test_connecting_without_a_claim_is_off_by_default(alice: Window) -> None:
    alice.consent()
    session = ConnectSession.objects.get()

    answer = alice.client.post(f"/connect/{session.pk}/confirm")

    assert answer.status_code == 400
    assert not Connection.objects.exists()


def test_where_it_is_on_a_click_that_names_everyone_connects(alice: Window) -> None:
    alice.project.connect_without_claim = True
    alice.project.save()
    page = words(alice.come_back(alice.allow(alice.go_out(alice.begin()), "Cleo Marsh")))

    answer = alice.client.post(f"/connect/{ConnectSession.objects.get().pk}/confirm")

    assert all(name in page for name in ("alice", "Acme Tasks", "Cleo Marsh"))
    assert "Connected to Jira" in words(answer)
    assert AuditEntry.objects.filter(action="connected without claim").exists()


def test_whoever_is_not_the_one_who_is_named_can_say_so(alice: Window) -> None:
    alice.project.connect_without_claim = True
    alice.project.save()
    page = alice.come_back(alice.allow(alice.go_out(alice.begin()), "Cleo Marsh")).content.decode()
    [address, cancel] = re.findall(r'<button formaction="([^"]+)" name="(cancel)"', page)[0]

    answer = alice.client.post(address, {cancel: "1"})

    assert "Nothing was connected" in words(answer)
    assert not Connection.objects.exists()


# Paragon's two requests ---------------------------------------------------------------------------------------------


@pytest.fixture
def ada(jira: Integration, sandbox: Sandbox) -> ConnectedUser:
    return ConnectedUser.objects.create(project=jira.project, sub="ada")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_popup_and_address_request_meet_when_they_come_at_once(
    jira: Integration, ada: ConnectedUser, attempt: int
) -> None:
    both_ready = Barrier(2)

    def popup() -> None:
        both_ready.wait()
        connect.join_popup(ada, jira, PAGE, "nonce")
        connections.close_all()

    def address() -> None:
        both_ready.wait()
        connect.join_key(ada, jira, PAGE, "key", Wish())
        connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        [done.result() for done in [pool.submit(popup), pool.submit(address)]]

    session = ConnectSession.objects.get()
    assert (session.key, session.nonce_hash) == ("key", connect.digest("nonce"))


def test_an_attempt_left_over_does_not_spoil_the_next(jira: Integration, ada: ConnectedUser) -> None:
    connect.join_key(ada, jira, PAGE, "left over: its popup was blocked", Wish())
    connect.join_popup(ada, jira, PAGE, "nonce")
    second = connect.join_key(ada, jira, PAGE, "second", Wish())
    connect.provider_address(second)

    assert connect._is_from(second, "nonce")
    assert not connect._is_from(second, "another browser's")


def test_a_popup_of_another_user_does_not_count_as_this_browser(
    jira: Integration, ada: ConnectedUser, window_of: Callable[[str], Window]
) -> None:
    bob = ConnectedUser.objects.create(project=jira.project, sub="bob")
    connect.join_popup(bob, jira, PAGE, "bobs-nonce")
    session = connect.join_key(ada, jira, PAGE, "key", Wish())

    assert not connect._is_from(session, "bobs-nonce")


class CutOff:
    """A popup whose page can no longer reach it, so that Paragon's SDK takes it for closed."""

    def __init__(self, window: Window) -> None:
        self.window = window
        query = {"action": "jira", "userToken": window.token, "originForPostMessage": PAGE}
        page = words(window.client.get(f"/projects/{window.project.pk}/sdk/actions/oauth-nonce", query))
        self.next = re.search(r'data-next="([^"]+)"', page)[1]  # type: ignore[index]

    def ask(self) -> dict[str, Any]:
        return dict(self.window.client.get(self.next).json())

    def sdk_asks(self) -> None:
        query = f"?action=jira&oauthMetaKeyId=key&originForPostMessage={PAGE}"
        assert self.window.api("GET", f"sdk/actions/build-oauth{query}").status_code == 200

    def sdk_gives_up(self) -> None:
        assert self.window.api("DELETE", "sdk/actions/session-id/key").status_code == 204


@pytest.mark.parametrize("order", ["asks, gives up", "gives up, asks", "gives up twice"])
def test_a_popup_that_the_sdk_takes_for_closed_comes_back_from_its_consent(alice: Window, order: str) -> None:
    popup = CutOff(alice)
    popup.sdk_asks()
    if order != "asks, gives up":
        popup.sdk_gives_up()
    address = popup.ask()["redirectUrl"]
    if order != "gives up, asks":
        popup.sdk_gives_up()

    assert 'data-mode="choose"' in words(alice.come_back(alice.allow(address)))


def test_a_popup_that_was_closed_is_cancelled(alice: Window) -> None:
    popup = CutOff(alice)
    popup.sdk_asks()
    popup.sdk_gives_up()

    assert ConnectSession.objects.get().error_code == "cancelled"


def test_a_popup_that_asks_too_early_does_not_spoil_the_address_that_is_being_made(
    alice: Window, jira: Integration
) -> None:
    popup = CutOff(alice)
    session = connect.join_key(ConnectedUser.objects.get(), jira, PAGE, "key", Wish())
    early = popup.ask()
    address = connect.provider_address(session)

    assert early == {"redirectUrl": None}
    assert 'data-mode="choose"' in words(alice.come_back(alice.allow(address)))


def test_a_popup_that_asks_after_a_failure_is_told_the_reason(alice: Window, jira: Integration) -> None:
    popup = CutOff(alice)
    Integration.objects.update(is_active=False)
    popup.sdk_asks()

    assert "Activate it in Patchbay" in popup.ask()["message"]


@pytest.mark.parametrize("origin", [PAGE, "https://evil.example"])
def test_the_address_that_holds_the_token_is_told_to_nobody(alice: Window, origin: str) -> None:
    query = {"action": "jira", "userToken": alice.token, "originForPostMessage": origin}

    answer = alice.client.get(f"/projects/{alice.project.pk}/sdk/actions/oauth-nonce", query)

    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    assert alice.token not in words(answer)


def test_a_popup_that_brings_a_wrong_token_says_so_without_showing_it(jira: Integration, sandbox: Sandbox) -> None:
    address = f"/projects/{jira.project_id}/sdk/actions/oauth-nonce"

    answer = Client().get(address, {"action": "jira", "userToken": "eyJwrong", "originForPostMessage": PAGE})

    assert answer.status_code == 401
    assert "eyJwrong" not in words(answer)
    assert "data-origin" not in words(answer)
