"""Acme Tasks and Jira, kept in step both ways by workflows that ship as files."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from integrations import demo
from integrations.models import Integration
from tests.browser.test_demo import acme, connect, demo_project, jira
from tests.browser.workers import working
from tests.support.processes import free_port, granian
from tests.support.sandbox import Sandbox
from workflows.models import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["acme", "demo_project", "jira"]
pytestmark = pytest.mark.browser


@pytest.fixture
def server(transactional_db: None, sandbox: Sandbox, settings: Any) -> Iterator[str]:
    """A server of this test's own: the demo's project has the same ID in every test, and the one that serves them all
    remembers its data key.
    """
    with granian(port := free_port(), env=sandbox.environment):
        settings.PUBLIC_URL = f"http://localhost:{port}"
        yield settings.PUBLIC_URL


@pytest.fixture
def in_step(acme: str, jira: Integration, settings: Any) -> Iterator[None]:
    """The workflows that ship as files are deployed, and worked by someone."""
    settings.OUTBOUND_LOCAL_HOSTS = [*settings.OUTBOUND_LOCAL_HOSTS, acme.removeprefix("http://")]
    secrets = [f"ACME_URL={acme}", f"ACME_TOKEN={demo.hook_token()}"]
    for name in ("tasks-to-jira", "jira-to-tasks"):
        call_command("project", "import", str(jira.project_id), f"docs/examples/{name}.json", secret=secrets)
    with working():
        yield


def test_tasks_and_issues_are_kept_in_step(acme: str, in_step: None, sandbox: Sandbox, page: "Page") -> None:
    connect(page, acme)
    expect(page.locator("[data-tasks] li")).to_have_count(4)
    wait_for(lambda: len(sandbox.operate("webhooks", method="GET")) == 1)

    sandbox.operate("issues/comment", {"key": "OPS-3", "text": "Nobody told of me yet", "account": "Bo Lind"})
    unknown = page.locator("[data-tasks] li", has_text="Bo Lind: Nobody told of me yet")
    expect(unknown.get_by_role("link", name="OPS-3")).to_be_visible()
    sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Changed in Jira", "account": "Bo Lind"})
    changed = page.locator("[data-tasks] li", has_text="Changed in Jira")
    expect(changed.get_by_role("link", name="OPS-1")).to_be_visible()
    sandbox.operate("issues/comment", {"key": "OPS-1", "text": "Looks better", "account": "Bo Lind"})
    expect(changed).to_contain_text("Bo Lind: Looks better")
    sandbox.operate("issues", {"project": "OPS", "summary": "New in Jira"})
    expect(page.locator("[data-tasks]")).to_contain_text("New in Jira")

    page.get_by_label("New task").fill("New in Acme")
    page.get_by_role("button", name="Add task").click()
    made = page.locator("[data-tasks] li", has_text="New in Acme")
    expect(made.get_by_role("link", name="OPS-")).to_be_visible()
    made.get_by_label("Status").select_option("Done")
    wait_for(lambda: "status" in str(sandbox.operate("state", method="GET")["ledger"][-1]))
    expect(page.locator("[data-tasks] li")).to_have_count(8)


def test_a_task_that_is_sent_to_jira_stays_one_task(acme: str, in_step: None, sandbox: Sandbox, page: "Page") -> None:
    connect(page, acme)
    wait_for(lambda: len(sandbox.operate("webhooks", method="GET")) == 1)
    every = page.locator("[data-tasks] li")
    task = every.filter(has_text="Checkout fails for saved cards")
    expect(task).to_be_visible()
    before = every.count()

    task.get_by_role("button", name="Send to Jira").click()
    page.get_by_role("button", name="Create issue").click()

    expect(task.get_by_role("link", name="OPS-")).to_be_visible()
    wait_for(Run.objects.filter(status=Run.Status.DONE).exists)
    expect(every).to_have_count(before)


def wait_for(is_true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 15
    while not is_true():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
