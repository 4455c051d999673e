"""Workflows with our own SDK: what Alice's page and her portal can do about them."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from integrations.models import Integration
from tests.browser import axe_package
from tests.browser.product import Product
from tests.browser.workers import working
from workflows import deploy
from workflows.models import Enablement, Run, Workflow

pytestmark = pytest.mark.browser
PROJECT = {"key": "project", "label": "Jira project", "type": "dynamic", "source": "projects", "required": True}
KIND = {"key": "kind", "label": "Issue type", "type": "dynamic", "source": "issue_types", "depends_on": ["project"]}
SAID = {"id": "respond", "type": "response", "input": {"status": 200, "body": '{"to": {{settings.project}}}'}}


@pytest.fixture
def flow(jira: Integration) -> Workflow:
    draft = {"trigger": {"type": "request"}, "steps": [SAID], "settings": [PROJECT, KIND]}
    workflow = Workflow.objects.create(
        project=jira.project, integration=jira, name="Greet", description="Says hello for you.", draft=draft
    )
    deploy.deploy(workflow, "test")
    return workflow


@pytest.fixture
def connected(flow: Workflow, alice: Product, user_token: Callable[..., str]) -> Product:
    alice.connected()
    return alice.sign_in(user_token("alice"))


def test_a_page_sets_a_workflow_up_and_starts_it(connected: Product, flow: Workflow) -> None:
    config = connected.call("getIntegrationConfig", "jira")
    assert [item["description"] for item in config["availableWorkflows"]] == ["Greet"]
    failure = connected.failure("enableWorkflow", str(flow.pk))
    assert (failure["code"], failure["message"]) == ("settings_missing", "Jira project is required.")

    connected.call("updateWorkflowUserSettings", "jira", str(flow.pk), {"project": "OPS"})
    connected.call("enableWorkflow", str(flow.pk))
    with working():
        answer = connected.call("workflow", str(flow.pk), {"body": {}})

    assert answer == {"to": "OPS"}
    state = connected.call("getUser")["integrations"]["jira"]["workflowSettings"][str(flow.pk)]
    assert state == {"enabled": True, "settings": {"project": "OPS"}}


def test_several_are_switched_at_once_and_each_says_what_went_wrong(connected: Product, flow: Workflow) -> None:
    result = connected.call("updateWorkflowState", {str(flow.pk): True, "nonsense": True})

    assert [error["workflowId"] for error in result["errors"]] == [str(flow.pk), "nonsense"]


def test_the_portal_shows_what_it_does_and_lets_the_user_choose(connected: Product, flow: Workflow) -> None:
    connected.start("connect", "jira")
    frame = connected.portal.frame
    expect(frame.get_by_text("Says hello for you.")).to_be_visible()

    frame.get_by_text("Settings", exact=True).click()
    frame.get_by_label("Jira project").select_option("WEB")
    frame.get_by_label("Issue type").select_option("Story")
    frame.get_by_role("button", name="Save").click()
    _until(lambda: Enablement.objects.filter(settings={"project": "WEB", "kind": "Story"}).exists())
    frame.get_by_role("switch", name="Greet").click()

    expect(frame.get_by_role("switch", name="Greet")).to_be_checked()
    _until(lambda: Enablement.objects.get().is_enabled)


def test_nothing_serious_keeps_anyone_out_of_the_portal(
    alice: Product, flow: Workflow, user_token: Callable[..., str], axe: str
) -> None:
    alice.start("connect", "jira")
    expect(alice.portal.frame.get_by_role("button", name="Connect Jira")).to_be_visible()
    found = axe_package.in_light_and_dark(alice.portal.document(), axe)
    alice.connected()
    alice.sign_in(user_token("alice")).start("connect", "jira")
    frame = alice.portal.frame

    frame.get_by_role("switch", name="Greet").click()
    expect(frame.get_by_role("alert").filter(has_text="Jira project is required.")).to_be_visible()
    expect(frame.get_by_label("Jira project")).to_be_visible()
    found += axe_package.in_light_and_dark(alice.portal.document(), axe)

    assert found == []


def test_install_flow_in_steps(alice: Product) -> None:
    alice.page.evaluate(
        """() => {
            globalThis.stages = [];
            patchbay.installFlow.start("jira", {
                onNext: (state) => stages.push(state.stage),
                onComplete: (value) => (globalThis.outcome = { value }),
                onError: (error) => (globalThis.outcome = { error: { message: error.message } }),
            });
        }"""
    )

    alice.popup(lambda: alice.page.evaluate("() => void patchbay.installFlow.next()")).connect()

    assert alice.outcome()["value"]["integrationType"] == "jira"
    assert alice.page.evaluate("() => stages") == ["oauth"]
    assert not Run.objects.exists()


def _until(is_so: Callable[[], Any]) -> None:
    give_up_at = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
