"""The portal editor in a browser: what is typed on the left is what the portal on the right says."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import FrameLocator, expect

from integrations.models import Integration, Portal
from workflows import deploy
from workflows.models import Workflow

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def editor(signed_in: "Page", jira: Integration, server: str) -> "Page":
    step = {"id": "made", "type": "values", "input": {"values": [{"key": "n", "value": "1"}]}}
    draft = {"trigger": {"type": "event", "name": "go"}, "steps": [step], "settings": []}
    for name in ("First", "Second"):
        workflow = Workflow.objects.create(project=jira.project, integration=jira, name=name, draft=draft)
        deploy.deploy(workflow, "test")
    signed_in.goto(f"{server}/p/{jira.project_id}/integrations/jira/portal")
    expect(preview(signed_in).get_by_role("dialog")).to_be_visible()
    return signed_in


def preview(page: "Page") -> FrameLocator:
    return page.frame_locator("iframe[data-preview]")


def test_what_is_typed_is_shown_and_nothing_is_saved(editor: "Page") -> None:
    editor.get_by_label("Short description").fill("Tasks and issues, side by side.")
    editor.get_by_label("Overview").fill("# Hello")

    expect(preview(editor).get_by_text("Tasks and issues, side by side.")).to_be_visible()
    expect(editor.get_by_label("Overview")).to_be_focused()
    preview(editor).get_by_role("tab", name="Overview").click()
    expect(preview(editor).get_by_role("heading", name="Hello")).to_be_visible()
    expect(editor.get_by_text("Not saved yet")).to_be_visible()
    assert not Portal.objects.exists()


def test_a_colour_is_shown_with_its_contrast(editor: "Page") -> None:
    editor.get_by_label("Accent colour (optional)").fill("#ffcc00")

    expect(editor.get_by_role("table")).to_contain_text("Black text on #ffcc00")
    expect(editor.get_by_label("Pick the accent colour")).to_have_value("#ffcc00")
    selected = preview(editor).get_by_role("tab", selected=True)
    expect(selected).to_have_css("border-bottom-color", "rgb(133, 106, 0)")


def test_workflows_change_places_in_both(editor: "Page") -> None:
    switches = preview(editor).get_by_role("switch")
    expect(switches).to_have_text(["First", "Second"])

    editor.get_by_role("button", name="Move Second up").click()

    expect(switches).to_have_text(["Second", "First"])
    expect(editor.get_by_role("button", name="Move Second down")).to_be_focused()
    editor.get_by_role("checkbox", name="First").uncheck()
    expect(switches).to_have_text(["Second"])
    editor.get_by_role("button", name="Save").last.click()
    expect(editor.get_by_role("status").first).to_contain_text("Saved.")
    assert [workflow.name for workflow in Workflow.objects.filter(is_hidden=False)] == ["Second"]


def test_the_preview_can_be_tried_out(editor: "Page") -> None:
    frame = preview(editor)
    frame.get_by_role("switch", name="Second").click()
    expect(frame.get_by_role("switch", name="Second")).to_be_checked()

    frame.get_by_role("button", name="Disconnect", exact=True).click()
    frame.get_by_role("button", name="Yes, disconnect").click()
    frame.get_by_role("button", name="Connect Jira").click()

    expect(frame.get_by_text("Ada Park", exact=True)).to_be_visible()


def test_it_is_shown_in_another_language_and_as_a_lost_connection(editor: "Page") -> None:
    editor.get_by_label("User", exact=False).and_(editor.get_by_role("combobox")).select_option("lost")
    expect(preview(editor).get_by_role("button", name="Reconnect")).to_be_visible()

    editor.get_by_label("Language").select_option("de")

    expect(preview(editor).get_by_role("button", name="Neu verbinden")).to_be_visible()
    expect(preview(editor).get_by_text("Lassen Sie Acme Tasks mit Ihrem Jira-Konto arbeiten.")).to_be_visible()


def test_enter_in_a_field_saves(editor: "Page") -> None:
    editor.get_by_label("Connect button").fill("Link Jira")
    editor.get_by_label("Connect button").press("Enter")

    expect(editor.get_by_role("status").first).to_contain_text("Saved.")
    assert Portal.objects.get().connect_label == "Link Jira"


def test_two_tabs_take_nothing_back_from_each_other(editor: "Page") -> None:
    other = editor.context.new_page()
    other.goto(editor.url)
    other.get_by_label("Overview").fill("# Tasks\n\nBoth ways.")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Saved. Users see it")).to_be_visible()

    editor.get_by_label("Connect button").fill("Link Jira")
    editor.get_by_role("button", name="Move Second up").click()
    editor.get_by_role("button", name="Save").click()

    expect(editor.get_by_text("Saved. Users see it")).to_be_visible()
    expect(editor.get_by_label("Overview")).to_have_value("# Tasks\n\nBoth ways.")
    other.get_by_label("Overview").fill("# Issues\n\nBoth ways.")
    other.get_by_label("Connect button").fill("Connect")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Now it is “Link Jira”.")).to_be_visible()
    expect(other.get_by_label("Connect button")).to_be_focused()
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Saved. Users see it")).to_be_visible()
    portal = Portal.objects.get()
    assert (portal.connect_label, portal.description) == ("Connect", "# Issues\r\n\r\nBoth ways.")
    assert [found.name for found in Workflow.objects.order_by("position")] == ["Second", "First"]


def test_on_a_phone_nothing_sticks_out(editor: "Page") -> None:
    editor.set_viewport_size({"width": 390, "height": 844})

    assert editor.evaluate("() => document.documentElement.scrollWidth") == 390
