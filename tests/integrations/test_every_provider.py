"""What every provider of the catalog must have and do. A new one gets these tests by being listed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from integrations import oauth, tokens
from integrations.errors import NeedsReconnect, TemporaryError, WrongKeys
from integrations.models import Grant, Integration, OAuthApp, Project
from integrations.providers import SLUGS, catalog, get
from integrations.providers.base import Keys, Provider
from tests.integrations.conftest import Window
from tests.support import sandbox as sandboxes
from tests.support.sandbox import Sandbox

each_provider = pytest.mark.parametrize("provider", catalog(), ids=SLUGS)


def test_the_catalog_is_sorted_and_each_provider_has_its_folder() -> None:
    folder = Path(django_settings.BASE_DIR) / "integrations" / "providers"

    assert sorted(set(SLUGS)) == SLUGS
    assert all((folder / slug / "provider.py").is_file() for slug in SLUGS)


@each_provider
def test_it_can_be_shown(provider: Provider) -> None:
    logo = finders.find(provider.logo)

    assert provider.slug in SLUGS
    assert logo
    assert "<svg" in Path(str(logo)).read_text()
    assert provider.name
    assert provider.tagline.endswith(".")
    assert provider.description.endswith(".")
    assert provider.categories
    assert provider.offers
    assert provider.docs_url.startswith("https://")
    assert provider.prerequisites
    assert all(each.endswith(".") for each in provider.prerequisites)
    assert all(guide.title and guide.url.startswith("https://") for guide in provider.guides)
    assert len(provider.brand_color) == len("#rrggbb")


@each_provider
def test_its_setup_is_explained(provider: Provider, project: Project) -> None:
    app = OAuthApp.objects.create(project=project, provider=provider.slug)

    page = render_to_string(provider.setup_template, {"app": app, "provider": provider})

    assert app.callback_url in page
    assert "https://" in page


@each_provider
def test_every_scope_says_what_it_is_for(provider: Provider) -> None:
    assert provider.required_scopes()
    assert set(provider.required_scopes()) <= set(provider.recommended_scopes())
    assert len({scope.name for scope in provider.scopes}) == len(provider.scopes)
    assert all(scope.purpose and scope.needed_for for scope in provider.scopes)


@each_provider
def test_it_is_called_over_https_unless_an_operator_says_otherwise(provider: Provider) -> None:
    addresses = [provider.oauth.authorize_url(), provider.oauth.token_url(), provider.api.base_url("a site/../x")]

    assert all(address.startswith("https://") for address in addresses)
    assert provider.oauth.manage_url.startswith("https://")
    assert provider.api.base_url("site").endswith("/")
    assert "/../" not in provider.api.base_url("a site/../x")


@each_provider
@pytest.mark.parametrize("body", [None, [], "text", 7, {}, {"errors": None}, {"message": None}, {"errorMessages": 7}])
def test_an_error_of_any_shape_becomes_text(provider: Provider, body: object) -> None:
    assert isinstance(provider.api.message(body), str)


@each_provider
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_an_error_it_does_not_know_ends_nobodys_consent(provider: Provider, status: int) -> None:
    assert provider.oauth.refusal(status, {}) == ""
    assert provider.oauth.refusal(status, {"error": 7, "error_description": None}) == ""


# With its sandbox ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _sandbox_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Sandbox]]:
    """Each provider's sandbox, started when its first test asks."""
    running: dict[str, Any] = {}

    def sandbox(slug: str) -> Sandbox:
        if slug not in running:
            context = sandboxes.started(tmp_path_factory.mktemp(slug), slug)
            running[slug] = (context, context.__enter__())
        found: Sandbox = running[slug][1]
        return found

    yield sandbox
    for context, _ in running.values():
        context.__exit__(None, None, None)


@pytest.fixture(params=SLUGS)
def window(
    request: pytest.FixtureRequest,
    _sandbox_of: Callable[[str], Sandbox],
    settings: Any,
    project: Project,
    user_token: Callable[..., str],
) -> Window:
    """Alice's browser in a project where the provider is set up with its sandbox's development keys."""
    sandbox = _sandbox_of(request.param)
    sandbox.reset()
    sandbox.use_in(settings)
    app = OAuthApp.objects.create(project=project, provider=sandbox.slug)
    Integration.objects.create(project=project, provider_slug=sandbox.slug, oauth_app=app, is_active=True)
    return Window(project, user_token("alice"), sandbox, sandbox.slug)


@pytest.fixture
def account(window: Window) -> str:
    accounts = window.sandbox.operate("state", method="GET")["accounts"]
    return str(accounts[0]["name"])


@pytest.fixture
def expired(window: Window, account: str) -> Grant:
    grant = window.connect("", account).grant
    window.sandbox.operate("tokens/expire", {"all": True})
    Grant.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    return grant


def test_connect_and_call(window: Window, account: str) -> None:
    connection = window.connect("", account)

    answer = window.api("GET", f"sdk/proxy/{window.slug}{get(window.slug).example_path}")

    assert connection.grant.account_name == account
    assert answer.status_code == 200
    assert answer.json()["output"]


def test_the_required_permissions_are_enough_to_connect(window: Window, account: str) -> None:
    required = get(window.slug).required_scopes()
    OAuthApp.objects.filter(project=window.project).update(scopes=required)

    connection = window.connect("", account)

    assert set(connection.grant.scopes) <= set(required)


def test_cancel(window: Window, account: str) -> None:
    path, _, query = window.allow(window.go_out(window.begin()), account).partition("?")
    state = query.rpartition("state=")[2]

    answer = window.client.get(
        path.removeprefix(django_settings.PUBLIC_URL), {"error": "access_denied", "state": state}
    )

    assert "Nothing was connected." in answer.content.decode()
    assert not Grant.objects.exists()


def test_refresh(expired: Grant) -> None:
    assert tokens.access_token(expired.pk).text

    expired.refresh_from_db()
    assert expired.is_fresh(60)


def test_revoked(expired: Grant, window: Window) -> None:
    window.sandbox.operate("grants/revoke", {"all": True})

    with pytest.raises(NeedsReconnect):
        tokens.access_token(expired.pk)

    assert Grant.objects.get().reason


def test_an_outage_is_no_revocation(expired: Grant, window: Window) -> None:
    window.sandbox.operate("settings", {"token_mode": "fail"})

    with pytest.raises(TemporaryError):
        tokens.access_token(expired.pk)

    assert Grant.objects.get().status == Grant.Status.ACTIVE


def test_a_wrong_secret_is_known_before_anyone_connects(window: Window) -> None:
    client_id = window.sandbox.keys["DEV_CLIENT_ID"]

    with pytest.raises(WrongKeys):
        oauth.check_keys(get(window.slug), Keys(client_id, "not the secret"))


def test_the_right_secret_is_recognised(window: Window) -> None:
    keys = Keys(window.sandbox.keys["DEV_CLIENT_ID"], window.sandbox.keys["DEV_CLIENT_SECRET"])

    oauth.check_keys(get(window.slug), keys)
