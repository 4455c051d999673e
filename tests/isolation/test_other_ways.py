"""Ways to somebody else's data that no address shows: names in bodies, in cookies, and in what was remembered."""

import json
from typing import Any

import pytest
from django.test import Client

from integrations import connect
from integrations.models import Connection, ConnectSession
from tests.isolation.conftest import EXTERNAL_ID, MARKERS, ORIGIN, House, Provider
from tests.isolation.tries import NAMING, filled


def api(house: House, method: str, path: str, token: str, body: object = None, **headers: str) -> Any:
    return Client().generic(
        method,
        f"/projects/{house.project.pk}/{path}",
        json.dumps(body or {}),
        "application/json",
        headers={"Authorization": f"Bearer {token}", **headers},
    )


@pytest.mark.parametrize("path", ["sdk/proxy/jira/rest/api/3/myself", "raw/jira/rest/api/3/myself"])
@pytest.mark.parametrize("header", NAMING, ids=str)
def test_a_call_of_alices_a_moment_ago_opens_nothing_to_mallory(
    path: str, header: dict[str, str], acme: House, provider: Provider
) -> None:
    named = {name: filled(text, acme) for name, text in header.items()}
    assert api(acme, "GET", path, acme.token("alice"), **named).status_code == 200
    provider.asked.clear()

    answer = api(acme, "GET", path, acme.token("mallory"), **named)

    assert answer.json()["message"] == "Integration not enabled for user."
    assert provider.asked == []


def test_mallory_cannot_reconnect_alices_connection(acme: House) -> None:
    body = {"integration": "jira", "origin": ORIGIN, "selectedCredentialId": str(acme.connection.pk)}

    answer = api(acme, "POST", "sdk/connect", acme.token("mallory"), body)

    assert ConnectSession.objects.get(pk=answer.json()["sessionId"]).reconnects is None


def test_mallory_cannot_reconnect_by_alices_own_name_for_it(acme: House) -> None:
    body = {"integration": "jira", "origin": ORIGIN, "selectedCredentialId": EXTERNAL_ID}

    answer = api(acme, "POST", "sdk/connect", acme.token("mallory"), body)

    assert ConnectSession.objects.get(pk=answer.json()["sessionId"]).reconnects is None


def test_alices_consent_cannot_be_claimed_by_mallory(acme: House) -> None:
    code = connect.new_claim_code(acme.session)

    answer = api(acme, "POST", "sdk/connect/claim", acme.token("mallory"), {"code": code})

    assert answer.status_code == 409
    assert not Connection.objects.filter(user__sub="mallory").exists()


def test_alices_consent_cannot_be_claimed_by_the_alice_of_another_project(acme: House, elsewhere: House) -> None:
    code = connect.new_claim_code(acme.session)
    before = acme.rows()

    answer = api(elsewhere, "POST", "sdk/connect/claim", elsewhere.token("alice"), {"code": code})

    assert answer.status_code == 409
    assert acme.rows() == before


def test_mallory_does_not_learn_that_alice_has_an_attempt_under_way(acme: House) -> None:
    known = api(acme, "GET", f"sdk/actions/session-id/{acme.session.key}", acme.token("mallory"))
    unknown = api(acme, "GET", "sdk/actions/session-id/0000000000000", acme.token("mallory"))

    assert known.content == unknown.content


def test_mallorys_list_is_her_own(acme: House) -> None:
    answer = api(acme, "GET", "sdk/credentials", acme.token("mallory"))

    assert answer.json() == []


def test_mallory_does_not_learn_that_alices_connection_exists(acme: House) -> None:
    known = api(acme, "GET", f"sdk/credentials/{acme.connection.pk}", acme.token("mallory"))
    unknown = api(acme, "GET", f"sdk/credentials/{acme.project.pk}", acme.token("mallory"))

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_the_cookie_of_another_browser_does_not_open_alices_popup(acme: House) -> None:
    mallory = Client()
    mallory.cookies["patchbay-connect"] = "m" * 43

    answer = mallory.post(f"/connect/{acme.session.pk}/choose", {"site": "site-of-ada"})

    assert answer.status_code == 404


def test_a_failed_attempt_shows_nothing_of_alice_to_who_knows_its_address(acme: House, client: Client) -> None:
    connect.fail(acme.session, "cancelled", "You cancelled.")

    page = client.get(f"/connect/{acme.session.pk}/problem").content.decode()

    assert "You cancelled." in page
    assert [marker for marker in MARKERS if marker in page] == []


def test_a_stranger_cannot_take_the_app_of_another_project(acme: House, elsewhere: House, as_stranger: Client) -> None:
    wanted = {"shared_app": str(acme.integration.oauth_app_id), "client_id": "", "client_secret": "", "scopes": []}

    page = as_stranger.post(f"/p/{elsewhere.project.pk}/integrations/jira/settings", wanted)

    assert page.status_code == 200
    elsewhere.integration.refresh_from_db()
    assert elsewhere.integration.oauth_app.project == elsewhere.project


def test_the_project_of_the_last_visit_is_left_when_one_is_no_longer_a_member(
    acme: House, elsewhere: House, as_stranger: Client
) -> None:
    member = acme.project.members.create(user=elsewhere.owner)
    as_stranger.get(f"/p/{acme.project.pk}/")
    member.delete()

    home = as_stranger.get("/")

    assert home["Location"] == f"/p/{elsewhere.project.pk}/"
