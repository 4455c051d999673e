"""Every page, answer, log line and column, searched for secrets that were stored where secrets belong."""

import json
import logging
import re
from base64 import b64encode, urlsafe_b64encode
from binascii import hexlify
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from integrations import audit, connect, setup, tokens
from integrations.dashboard.second_factor import SecondFactorAdapter
from integrations.errors import NeedsReconnect, TemporaryError, WrongKeys
from integrations.models import (
    AuditSeal,
    ConnectSession,
    Event,
    Grant,
    Heartbeat,
    OAuthApp,
    Portal,
    RefusedDeliveries,
    User,
)
from integrations.models.base import sealed_columns
from tests.isolation import canaries
from tests.isolation.canaries import database, found_in
from tests.isolation.conftest import ORIGIN, Answer, House
from tests.isolation.routes import Route, named
from tests.isolation.tries import call

NONCE = "n" * 43
PAGES = [route for route in [*named("dashboard:"), *named("workflows:")] if route.name != "dashboard:home"]
ACCOUNT_PAGES = [*named("mfa_"), *named("account_")]
SDK = [
    route for route in [*named("sdk:"), *named("workflows_sdk:"), *named("portal:")] if "project_id" in route.parameters
]
MODELS = list(admin.site._registry)
PRIVATE_KEY = re.compile(r"-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", re.DOTALL)


class TokenEndpoint:
    """A provider that gives the canaries out, or refuses in words that may repeat what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.body = {
            "access_token": canaries.ACCESS_TOKEN,
            "refresh_token": canaries.REFRESH_TOKEN,
            "expires_in": 3600,
            "scope": "read:jira-work write:jira-work read:jira-user manage:jira-webhook offline_access",
        }

    def refuses(self, status: int, **body: str) -> None:
        self.status, self.body = status, body

    def send(self, method: str, url: str, **kwargs: Any) -> Answer:
        is_for_tokens = "grant_type" in (kwargs.get("json_body") or {})
        return Answer(self.status, json.dumps(self.body if is_for_tokens else {}).encode())


@pytest.fixture(autouse=True)
def token_endpoint(monkeypatch: pytest.MonkeyPatch) -> TokenEndpoint:
    endpoint = TokenEndpoint()
    monkeypatch.setattr("integrations.http.send", endpoint.send)
    return endpoint


@pytest.fixture(autouse=True)
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture
def house(acme: House, settings: Any) -> House:
    """Acme Tasks, its secrets replaced by canaries through the product's own functions."""
    keys = {"DEV_CLIENT_ID": "dev", "DEV_CLIENT_SECRET": canaries.DEVELOPMENT_SECRET, "DEV_SCOPES": "read:jira-work"}
    settings.PROVIDER_SETTINGS = {"jira": keys}
    OAuthApp.objects.development("jira")
    for secret in (canaries.FORMER_SECRET, canaries.CLIENT_SECRET):
        app = acme.integration.oauth_app
        setup.save_settings(acme.integration, setup.Wanted(app.client_id, app.scopes, secret), acme.owner)
    refresh(acme)
    grant = Grant.objects.get(pk=acme.connection.grant_id)
    grant.seal("sibling_token", canaries.SIBLING_TOKEN)
    grant.save()
    acme.session.seal("tokens", json.dumps({"access": canaries.WAITING_TOKEN, "refresh": canaries.WAITING_TOKEN}))
    secret = acme.project.secrets.get()
    secret.seal("value", canaries.PROJECT_SECRET)
    secret.save()
    acme.project.alert_rule.seal("webhook_secret", canaries.ALERT_SECRET)
    acme.project.alert_rule.save()
    acme.site_webhook.seal("secret", canaries.SITE_SECRET)
    acme.site_webhook.save()
    kept = {"secret": SecondFactorAdapter().encrypt(canaries.FACTOR_SECRET)}
    Authenticator.objects.create(user=acme.owner, type=Authenticator.Type.TOTP, data=kept)
    acme.session.nonce_hash = connect.digest(NONCE)
    acme.session.save()
    return acme


def refresh(house: House) -> None:
    Grant.objects.filter(pk=house.connection.grant_id).update(expires_at=datetime.now(UTC) - timedelta(hours=1))
    tokens.access_token(house.connection.grant_id)


@pytest.fixture
def rows(house: House, olivia: User) -> None:
    """A row of every model that the house has none of."""
    Group.objects.create(name="Operators")
    SocialAccount.objects.create(user=olivia, provider="oidc", uid="olivia")
    Heartbeat.objects.beat("sweeper")
    AuditSeal.objects.create(project=house.project, last_id=1, count=1, digest="0" * 64)
    house.project.events.create(source=Event.Source.APP, name="hello", sub="alice")
    site = house.connection.site_url
    Portal.objects.create(integration=house.integration)
    house.connection.subscriptions.create(project=house.project, feed="issues")
    house.connection.registrations.create(app=house.integration.oauth_app, site=site, feed="issues", provider_id="1000")
    house.integration.oauth_app.deliveries.create(provider_slug="jira", key="one", site=site, body="{}")
    RefusedDeliveries.objects.create(
        app=house.integration.oauth_app, count=1, last_at=datetime.now(UTC), last_reason="no signature"
    )
    house.run.steps.create(
        path="get_issue", type="action", status="failed", op_key=uuid4(), generation=1, started_at=datetime.now(UTC)
    )


@pytest.fixture
def as_olivia(signed_in: Callable[[User], Client], house: House) -> Client:
    return signed_in(house.owner)


@pytest.fixture
def as_root(signed_in: Callable[[User], Client], root: User) -> Client:
    return signed_in(root)


@pytest.fixture
def as_alice() -> Client:
    """The browser in which Alice's attempt to connect began."""
    client = Client(raise_request_exception=False)
    client.cookies["patchbay-connect"] = NONCE
    return client


def secrets_in(text: str) -> list[str]:
    """Return the names of all secrets in a text, and of the columns whose sealed values it shows."""
    sealed = {
        f"{model.__name__}.{column} of {row.pk}": getattr(row, column)
        for model, column in sealed_columns()
        for row in model.objects.exclude(**{column: ""})
    }
    return found_in(text) + [name for name, value in sealed.items() if value in text]


def text(response: Any) -> str:
    return f"{response.headers} {response.getvalue().decode()}"


# They are there -------------------------------------------------------------------------------------------------------


def test_the_canaries_are_where_they_belong(house: House) -> None:
    app, grant = OAuthApp.objects.get(project=house.project), Grant.objects.get(pk=house.connection.grant_id)

    assert (app.open("client_secret"), app.open("previous_secret")) == (canaries.CLIENT_SECRET, canaries.FORMER_SECRET)
    assert (grant.open("access_token"), grant.open("refresh_token")) == (canaries.ACCESS_TOKEN, canaries.REFRESH_TOKEN)
    assert grant.open("sibling_token") == canaries.SIBLING_TOKEN
    assert canaries.WAITING_TOKEN in house.session.open("tokens")


@pytest.mark.parametrize(("model", "column"), sealed_columns())
def test_every_sealed_column_holds_one(model: Any, column: str, house: House) -> None:
    assert model.objects.exclude(**{column: ""}).exists()


def test_the_search_finds_a_secret_that_lies_open(house: House) -> None:
    audit.record(house.project, "alice", "leaked", canaries.ACCESS_TOKEN)

    assert found_in(database()) == ["the access token"]


@pytest.mark.parametrize("dress", [b64encode, urlsafe_b64encode, hexlify], ids=lambda dress: dress.__name__)
def test_the_search_knows_a_secret_in_other_clothes(dress: Callable[[bytes], bytes]) -> None:
    assert found_in(f"… {dress(canaries.ACCESS_TOKEN.encode()).decode()} …") == ["the access token"]


# Where they must not be -----------------------------------------------------------------------------------------------


def test_no_column_of_the_database_holds_one(house: House) -> None:
    assert found_in(database()) == []


@pytest.mark.parametrize("route", ACCOUNT_PAGES, ids=str)
def test_no_page_of_an_account_shows_one(route: Route, house: House, as_olivia: Client, logs: Any) -> None:
    page = as_olivia.get(house.address(route), follow=True)

    assert page.status_code in (200, 404, 405)
    assert secrets_in(text(page)) == []
    assert found_in(logs.text) == []


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_no_page_of_the_dashboard_shows_one(route: Route, house: House, as_olivia: Client, logs: Any) -> None:
    page = as_olivia.get(house.address(route), follow=True)

    assert page.status_code in (200, 405)
    assert secrets_in(text(page)) == []
    assert found_in(logs.text) == []


def admin_pages(model: Any) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    yield reverse(f"{name}_changelist")
    yield reverse(f"{name}_changelist") + "?q=canary"
    yield reverse(f"{name}_add")
    for row in model.objects.all():
        yield from (reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history", "delete"))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_page_of_the_admin_shows_one(model: Any, rows: None, as_root: Client, logs: Any) -> None:
    addresses = list(admin_pages(model))

    shown = [secrets_in(text(as_root.get(address, follow=True))) for address in addresses]

    assert len(addresses) > 3, f"There is no {model.__name__} to look at; make one in the fixture “rows”."
    assert shown == [[]] * len(addresses)
    assert found_in(logs.text) == []


@pytest.mark.parametrize("route", SDK, ids=str)
def test_no_answer_of_the_api_shows_one(route: Route, house: House, logs: Any) -> None:
    token = house.token("alice")

    tries = call(house, route, token, methods=["GET"])

    assert secrets_in("".join(tries.bodies)) == []
    assert found_in(logs.text, {"the user token": token.split(".")[2]}) == []
    assert found_in(logs.text) == []


@pytest.mark.parametrize("route", [*named("management:"), *named("workflows_management:")], ids=str)
def test_no_answer_of_the_management_api_shows_one(route: Route, house: House, logs: Any) -> None:
    tries = call(house, route, house.api_key, methods=["GET"])

    assert secrets_in("".join(tries.bodies)) == []
    assert found_in(logs.text, {"the API key": house.api_key}) == []
    assert found_in(logs.text) == []


@pytest.mark.parametrize("page", ["next", "choose", "lost", "confirm", "problem"])
def test_no_page_of_the_popup_shows_one(page: str, house: House, as_alice: Client, logs: Any) -> None:
    address = f"/connect/{house.session.pk}/{page}"

    got, posted = as_alice.get(address), as_alice.post(address, {"site": "site-of-ada"})

    assert secrets_in(text(got) + text(posted)) == []
    assert found_in(logs.text) == []


# When something goes wrong --------------------------------------------------------------------------------------------


def test_a_refused_secret_is_not_sent_back(house: House, as_olivia: Client, token_endpoint: TokenEndpoint) -> None:
    token_endpoint.refuses(401, error="access_denied")
    data = {"client_id": "another", "client_secret": canaries.TYPED_SECRET, "scopes": []}

    page = as_olivia.post(f"/p/{house.project.pk}/integrations/jira/settings", data)

    assert "refuses this client ID and secret" in page.content.decode()
    assert secrets_in(text(page)) == []
    assert found_in(database()) == []


def test_a_secret_typed_before_a_question_is_neither_sent_back_nor_kept_open(
    house: House, as_olivia: Client, logs: Any
) -> None:
    data = {"client_id": "another", "client_secret": canaries.TYPED_SECRET, "scopes": []}

    page = as_olivia.post(f"/p/{house.project.pk}/integrations/jira/settings", data)

    assert "Save anyway" in page.content.decode()
    assert secrets_in(text(page)) == []
    assert found_in(database() + logs.text) == []


def test_the_admin_does_not_send_a_refused_secret_back(
    house: House, as_root: Client, token_endpoint: TokenEndpoint
) -> None:
    token_endpoint.refuses(401, error="access_denied")
    data = {"client_id": "another", "client_secret": canaries.TYPED_SECRET, "scopes": []}

    page = as_root.post(f"/admin/integrations/integration/{house.integration.pk}/change/", data)

    assert page.status_code == 200
    assert secrets_in(text(page)) == []


def test_a_bug_shows_no_secret(house: House, monkeypatch: pytest.MonkeyPatch, logs: Any) -> None:
    monkeypatch.setattr("integrations.proxy.target", lambda *args: 1 / 0)
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {house.token('alice')}"})

    answer = client.get(f"/projects/{house.project.pk}/raw/jira/rest/api/3/myself")

    assert answer.status_code == 500
    assert secrets_in(text(answer)) == []
    assert found_in(logs.text) == []


def test_a_user_token_in_an_address_comes_into_no_log(house: House, client: Client, logs: Any) -> None:
    token = house.token("alice", aud="another project")
    query = {"action": "jira", "originForPostMessage": ORIGIN, "userToken": token}

    page = client.get(f"/projects/{house.project.pk}/sdk/actions/oauth-nonce", query)

    assert page.status_code == 401
    assert found_in(text(page) + logs.text + database(), {"the user token": token.split(".")[2]}) == []


def test_a_user_token_is_kept_nowhere(house: House, client: Client) -> None:
    token = house.token("alice")
    query = {"action": "jira", "originForPostMessage": ORIGIN, "userToken": token}

    page = client.get(f"/projects/{house.project.pk}/sdk/actions/oauth-nonce", query)

    assert page.status_code == 200
    assert found_in(text(page) + database(), {"the user token": token.split(".")[2]}) == []


def test_a_provider_that_repeats_the_refresh_token_does_not_bring_it_into_the_log(
    house: House, token_endpoint: TokenEndpoint, logs: Any
) -> None:
    token_endpoint.refuses(403, error="invalid_grant", error_description=f"{canaries.REFRESH_TOKEN} is unknown.")

    with pytest.raises(NeedsReconnect) as refusal:
        refresh(house)

    assert found_in(f"{refusal.value} {logs.text} {database()}") == []


def test_a_provider_that_repeats_the_client_secret_does_not_bring_it_onto_a_page(
    house: House, token_endpoint: TokenEndpoint, logs: Any
) -> None:
    token_endpoint.refuses(401, error="access_denied", error_description=f"{canaries.CLIENT_SECRET} is wrong.")

    with pytest.raises(WrongKeys) as refusal:
        refresh(house)

    assert found_in(f"{refusal.value} {logs.text} {database()}") == []


def test_a_provider_that_is_down_is_told_without_secrets(
    house: House, token_endpoint: TokenEndpoint, logs: Any
) -> None:
    token_endpoint.refuses(500, refresh_token=canaries.REFRESH_TOKEN)

    with pytest.raises(TemporaryError) as trouble:
        refresh(house)

    assert found_in(f"{trouble.value} {logs.text} {database()}") == []


# Secrets that are shown once ------------------------------------------------------------------------------------------


def test_a_private_key_is_shown_once_and_kept_nowhere(house: House, as_olivia: Client, logs: Any) -> None:
    page = as_olivia.post(f"/p/{house.project.pk}/settings/sdk/keys/generate", {"name": "Back end"})

    shown = PRIVATE_KEY.search(page.content.decode())
    assert shown
    line = {"the private key": shown.group(1).split()[3]}
    again = as_olivia.get(f"/p/{house.project.pk}/settings/sdk")
    assert found_in(text(again) + database() + logs.text, line) == []


def test_an_api_key_is_shown_once_and_kept_nowhere(house: House, as_olivia: Client, logs: Any) -> None:
    asked = {"name": "Reports", "scopes": ["users:read"], "days": "30"}
    page = as_olivia.post(f"/p/{house.project.pk}/settings/api-keys/new", asked)
    shown = page.context["key_text"]

    again = as_olivia.get(f"/p/{house.project.pk}/settings/api-keys")
    Client().get(f"/projects/{house.project.pk}/users", headers={"Authorization": f"Bearer {shown}"})

    assert shown in page.content.decode()
    assert found_in(text(again) + database() + logs.text, {"the API key": shown, "its secret": shown[12:-6]}) == []


def test_a_private_key_pasted_by_mistake_is_neither_kept_nor_sent_back(
    house: House, as_olivia: Client, private_pem: str, logs: Any
) -> None:
    page = as_olivia.post(f"/p/{house.project.pk}/settings/sdk/keys/add", {"public_key": private_pem})

    assert "That is a private key." in page.content.decode()
    line = {"the private key": private_pem.split()[6]}
    assert found_in(text(page) + database() + logs.text, line) == []


def test_what_travels_through_a_browser_is_kept_as_a_hash_only(house: House, client: Client) -> None:
    answer = client.post(
        f"/projects/{house.project.pk}/sdk/connect",
        {"integration": "jira", "origin": ORIGIN},
        "application/json",
        headers={"Authorization": f"Bearer {house.token('alice')}"},
    )
    code = answer.json()["startUrl"].rsplit("/", 1)[1]
    away = client.get(f"/connect/start/{code}")

    state = re.search(r"state=([\w-]+)", away["Location"])
    assert state
    cookie = client.cookies["patchbay-connect"].value
    found = found_in(database(), {"the start code": code, "the state": state.group(1), "the cookie": cookie})
    assert found == []


def test_a_claim_code_is_kept_as_a_hash_only(house: House) -> None:
    code = connect.new_claim_code(house.session)

    assert found_in(database(), {"the claim code": code}) == []


def test_a_claimed_consent_leaves_no_tokens_behind_in_the_attempt(house: House) -> None:
    connect.fail(house.session, "cancelled", "You cancelled.")

    assert ConnectSession.objects.get(pk=house.session.pk).tokens_sealed == ""
