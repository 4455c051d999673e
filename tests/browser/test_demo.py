"""Acme Tasks, the demo product, from choosing a person to a Jira issue and back."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from integrations import demo
from integrations.models import Connection, Integration, OAuthApp, Project
from tests.browser.product import Consent
from tests.support.processes import MANAGE, free_port, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def demo_project(server: str) -> Project:
    demo.prepare()
    return Project.objects.get(pk=demo.project_id())


@pytest.fixture
def acme(server: str, demo_project: Project, settings: Any) -> Iterator[str]:
    (Path(settings.VAR_DIR) / "acme_tasks.json").unlink(missing_ok=True)
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {"PUBLIC_URL": server, "DJANGO_SETTINGS_MODULE": "config.settings"}
    with running([*MANAGE, "jira_demo", "--port", str(port)], env=environment, answers=f"{url}/healthz"):
        yield url


@pytest.fixture
def jira(demo_project: Project) -> Integration:
    app = OAuthApp.objects.create(project=demo_project, provider="jira")
    return Integration.objects.create(project=demo_project, provider_slug="jira", oauth_app=app, is_active=True)


def connect(page: "Page", acme: str) -> None:
    page.goto(acme)
    page.get_by_role("button", name="Alice").click()
    expect(page.get_by_role("button", name="Connect Jira")).to_be_enabled()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect Jira").click()
    Consent(opened.value).connect()
    expect(page.get_by_role("button", name="Connected as Ada Park")).to_be_visible()


def test_from_the_button_to_an_issue_found_by_jql(acme: str, jira: Integration, page: "Page") -> None:
    connect(page, acme)

    page.get_by_label("Summary").fill("The demo works")
    page.get_by_role("button", name="Create issue").click()

    expect(page.get_by_text("Created OPS-")).to_be_visible()
    expect(page.locator("[data-issues] li").first).to_contain_text("The demo works")
    page.get_by_label("JQL").fill("project = WEB ORDER BY created DESC")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-issues]")).to_contain_text("New pricing page")


def test_a_found_issue_links_to_its_site(acme: str, jira: Integration, page: "Page") -> None:
    connect(page, acme)
    page.get_by_role("button", name="Search").click()

    with page.expect_popup() as opened:
        page.locator("[data-issues] a").first.click()

    expect(opened.value.get_by_role("heading", level=1)).to_be_visible()
    assert "/browse/OPS-" in opened.value.url


def test_a_mistake_in_jql_is_told_in_words(acme: str, jira: Integration, page: "Page") -> None:
    connect(page, acme)

    page.get_by_label("JQL").fill("nonsense = 1")
    page.get_by_role("button", name="Search").click()

    expect(page.locator("[data-found]")).to_contain_text("nonsense")


def test_disconnecting(acme: str, jira: Integration, page: "Page") -> None:
    connect(page, acme)

    page.get_by_role("button", name="Disconnect").click()

    expect(page.get_by_role("button", name="Connect Jira")).to_be_visible()
    expect(page.get_by_text("Disconnected.")).to_be_visible()
    assert not Connection.objects.exists()


def test_without_jira_in_the_project_it_says_where_to_set_it_up(acme: str, server: str, page: "Page") -> None:
    page.goto(acme)
    page.get_by_role("button", name="Bob").click()

    expect(page.get_by_role("alert")).to_contain_text("Jira is not set up and active in Patchbay yet")
    expect(page.get_by_role("link", name="Open the Patchbay dashboard")).to_have_attribute("href", f"{server}/")


def test_it_is_refused_on_a_public_host() -> None:
    public = {"PUBLIC_URL": "https://patchbay.example.com", "DJANGO_SETTINGS_MODULE": "config.settings"}
    environment = os.environ | public
    done = subprocess.run([*MANAGE, "jira_demo"], env=environment, capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert "only on this machine" in done.stderr
