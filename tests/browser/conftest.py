"""Patchbay served by granian on the test's rows, a customer's product on another origin, and the SDKs in its page."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as conf
from django.test import Client

from integrations.models import Integration, Member, OAuthApp, Project, User
from tests.browser import axe_package
from tests.browser.npm_package import NotFetched
from tests.browser.product import Product, Site, serving
from tests.support import csp
from tests.support.processes import free_port, granian

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(autouse=True)
def _rows_for_other_processes(transactional_db: None) -> None:
    pass


@pytest.fixture(autouse=True)
def _no_csp_reports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no Content-Security-Policy have anything to refuse, but what `@pytest.mark.csp("frame-ancestors")` names."""
    if "browser" not in request.fixturenames:
        yield
        return
    expected = [name for mark in request.node.iter_markers("csp") for name in mark.args]
    with csp.watching(request.getfixturevalue("browser"), monkeypatch) as reports:
        yield
    assert csp.unexpected(reports, expected) == []
    assert [name for name in expected if not any(name in report for report in reports)] == [], "it was not refused"


@pytest.fixture(scope="session")
def _web(django_db_setup: None, django_db_blocker: Any, _sandbox_process: Any) -> Iterator[str]:
    port = free_port()
    with django_db_blocker.unblock(), granian(port, env=_sandbox_process.environment):
        yield f"http://localhost:{port}"


@pytest.fixture
def server(_web: str, settings: Any, sandbox: Any) -> str:
    """The real server rather than Django's: static files come with the headers that other origins need."""
    settings.PUBLIC_URL = _web
    return _web


@pytest.fixture
def jira(project: Project) -> Integration:
    """Jira in the project, active, with the sandbox's development keys."""
    app = OAuthApp.objects.create(project=project, provider="jira")
    return Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)


@pytest.fixture
def signed_in(page: "Page", server: str, project: Project) -> "Page":
    """Olivia, who owns the project, is signed in to the dashboard."""
    olivia = User.objects.create_user("olivia@acme.test", "correct horse battery")
    Member.objects.create(project=project, user=olivia, role=Member.Role.OWNER)
    client = Client()
    client.force_login(olivia)
    cookie = client.cookies[conf.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": server}])
    return page


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def product(page: "Page", site: Site, server: str, jira: Integration) -> Product:
    return Product(page, site, server, str(jira.project_id))


@pytest.fixture
def alice(product: Product, user_token: Callable[..., str]) -> Product:
    """The product's page with our SDK, where Alice is signed in."""
    return product.open().sign_in(user_token("alice"))


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's script, for axe_package.violations()."""
    try:
        return axe_package.fetch(tmp_path_factory.mktemp("axe"))
    except NotFetched as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
