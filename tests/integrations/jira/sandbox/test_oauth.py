"""The rules of Atlassian's OAuth server, which products get wrong when nobody shows them."""

import time

import pytest
import requests

from tests.integrations.jira.sandbox.conftest import ACME, CALLBACK, GLOBEX, SCOPES, App

DEAD = {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}


def authorize_params(app: App) -> dict[str, str]:
    return {
        "audience": "api.atlassian.com",
        "client_id": app.client_id,
        "scope": " ".join(SCOPES),
        "redirect_uri": CALLBACK,
        "state": "s",
        "response_type": "code",
        "prompt": "consent",
    }


def ask(app: App, **changes: str) -> requests.Response:
    return requests.get(f"{app.sandbox.url}/authorize", params=authorize_params(app) | changes, timeout=10)


def decide(app: App, **form: str | list[str]) -> requests.Response:
    address = f"{app.sandbox.url}/authorize"
    return requests.post(address, params=authorize_params(app), data=form, allow_redirects=False, timeout=10)


# Consent ------------------------------------------------------------------------------------------------------------


def test_it_says_who_asks_for_what(app: App) -> None:
    page = ask(app)

    assert page.status_code == 200
    assert "Acme Tasks" in page.text
    assert "View user profiles" in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"redirect_uri": CALLBACK + "/"},
        {"scope": "manage:jira-configuration"},
        {"audience": ""},
        {"response_type": "token"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_it_refuses_before_anyone_is_asked(app: App, change: dict[str, str]) -> None:
    page = ask(app, **change)

    assert page.status_code == 400
    assert 'data-test="accept"' not in page.text


def test_accepting_leads_back_with_a_code(app: App) -> None:
    account = app.sandbox.operate("state", method="GET")["accounts"][0]["account_id"]

    answer = decide(app, account=account, site=[ACME], decision="accept")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{CALLBACK}?code=")
    assert answer.headers["Location"].endswith("&state=s")


def test_denying_leads_back_with_an_error(app: App) -> None:
    answer = decide(app, decision="deny")

    assert answer.headers["Location"].startswith(f"{CALLBACK}?error=access_denied&error_description=")
    assert answer.headers["Location"].endswith("&state=s")


# Codes --------------------------------------------------------------------------------------------------------------


def test_a_code_becomes_tokens_once(app: App) -> None:
    code = app.code()

    first, second = app.exchange(code), app.exchange(code)

    assert first.status_code == 200
    assert first.json()["expires_in"] == 3600
    assert first.json()["scope"] == " ".join(SCOPES)
    assert (second.status_code, second.json()["error"]) == (403, "invalid_grant")


def test_a_code_is_bound_to_its_callback_url(app: App) -> None:
    answer = app.exchange(app.code(), redirect_uri="https://elsewhere.example.com/")

    assert (answer.status_code, answer.json()["error"]) == (403, "invalid_grant")


def test_a_code_expires(app: App) -> None:
    app.sandbox.operate("settings", {"code_seconds": 0})

    answer = app.exchange(app.code())

    assert answer.json()["error"] == "invalid_grant"


def test_there_is_no_refresh_token_without_offline_access(app: App) -> None:
    tokens = app.tokens(scopes=["read:jira-work"])

    assert "refresh_token" not in tokens


def test_a_form_works_as_well_as_json(app: App) -> None:
    params = {"grant_type": "authorization_code", "code": app.code(), "redirect_uri": CALLBACK}
    keys = {"client_id": app.client_id, "client_secret": app.client_secret}

    answer = requests.post(f"{app.sandbox.url}/oauth/token", data=params | keys, timeout=10)

    assert answer.status_code == 200


# Refresh tokens -----------------------------------------------------------------------------------------------------


def test_each_use_returns_another_refresh_token(app: App) -> None:
    first = app.tokens()["refresh_token"]

    second = app.refresh(first).json()["refresh_token"]
    third = app.refresh(second).json()["refresh_token"]

    assert len({first, second, third}) == 3


def test_the_token_before_works_again_within_the_leeway(app: App) -> None:
    first = app.tokens()["refresh_token"]
    app.refresh(first)

    again = app.refresh(first)

    assert again.status_code == 200
    assert app.refresh(again.json()["refresh_token"]).status_code == 200


def test_after_the_leeway_it_looks_like_theft_and_ends_the_grant(app: App) -> None:
    app.sandbox.operate("settings", {"reuse_leeway_seconds": 0.05})
    first = app.tokens()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    time.sleep(0.1)

    answer = app.refresh(first)

    assert (answer.status_code, answer.json()) == (403, DEAD)
    assert app.refresh(second).json() == DEAD
    assert app.sandbox.operate("state", method="GET")["grants"][0]["reuse_detected"] is True


def test_an_older_token_ends_the_grant_even_within_the_leeway(app: App) -> None:
    first = app.tokens()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    third = app.refresh(second).json()["refresh_token"]

    assert app.refresh(first).json() == DEAD
    assert app.refresh(third).json() == DEAD
    assert app.sandbox.operate("state", method="GET")["lost"] == 1


def test_a_wrong_secret_spends_nothing(app: App) -> None:
    token = app.tokens()["refresh_token"]

    answer = app.refresh(token, client_secret="wrong")

    assert (answer.status_code, answer.json()) == (401, {"error": "access_denied", "error_description": "Unauthorized"})
    assert app.refresh(token).status_code == 200


def test_an_unknown_client_is_told_the_same(app: App) -> None:
    answer = app.refresh(app.tokens()["refresh_token"], client_id="nobody")

    assert (answer.status_code, answer.json()["error"]) == (401, "access_denied")


def test_a_new_consent_replaces_the_pair(app: App) -> None:
    old, new = app.tokens()["refresh_token"], app.tokens()["refresh_token"]

    assert app.refresh(old).json() == DEAD
    assert app.refresh(new).status_code == 200


def test_an_idle_token_expires(app: App) -> None:
    token = app.tokens()["refresh_token"]
    app.sandbox.operate("settings", {"inactivity_seconds": 0})

    assert app.refresh(token).json() == DEAD


def test_a_revoked_grant_is_dead_in_the_words_the_operator_chose(app: App) -> None:
    app.sandbox.operate("settings", {"dead_token_answer": "unauthorized_client"})
    token = app.tokens()["refresh_token"]
    app.sandbox.operate("grants/revoke", {"client_id": app.client_id})

    answer = app.refresh(token)

    assert answer.status_code == 403
    assert answer.json() == {"error": "unauthorized_client", "error_description": "refresh_token is invalid"}


# Trouble ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "status"), [("fail", 500), ("rate_limit", 429), ("html", 502)])
def test_the_token_endpoint_fails_on_demand(app: App, mode: str, status: int) -> None:
    token = app.tokens()["refresh_token"]
    app.sandbox.operate("settings", {"token_mode": mode, "fail_next_token_calls": 1})

    assert app.refresh(token).status_code == status


def test_a_lost_answer_can_be_asked_for_again(app: App) -> None:
    token = app.tokens()["refresh_token"]
    app.sandbox.operate("settings", {"token_mode": "lost"})
    with pytest.raises(requests.RequestException):
        app.refresh(token)

    app.sandbox.operate("settings", {"token_mode": "normal"})

    assert app.refresh(token).status_code == 200


# Sites --------------------------------------------------------------------------------------------------------------


def test_a_site_is_listed_once_for_each_product(app: App) -> None:
    headers = {"Authorization": f"Bearer {app.tokens()['access_token']}"}

    sites = requests.get(f"{app.sandbox.url}/oauth/token/accessible-resources", headers=headers, timeout=10).json()

    assert [site["id"] for site in sites].count(ACME) == 2
    assert [site["id"] for site in sites if "read:jira-work" in site["scopes"]] == [ACME, GLOBEX]


def test_sites_add_up_over_consents(app: App) -> None:
    app.tokens(sites=[ACME])
    headers = {"Authorization": f"Bearer {app.tokens(sites=[GLOBEX])['access_token']}"}

    sites = requests.get(f"{app.sandbox.url}/oauth/token/accessible-resources", headers=headers, timeout=10).json()

    assert {site["id"] for site in sites} == {ACME, GLOBEX}


def test_someone_without_a_site_gets_an_empty_list(app: App) -> None:
    headers = {"Authorization": f"Bearer {app.tokens('Dana Reyes')['access_token']}"}

    answer = requests.get(f"{app.sandbox.url}/oauth/token/accessible-resources", headers=headers, timeout=10)

    assert answer.json() == []
