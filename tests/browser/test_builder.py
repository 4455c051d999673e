"""Building a workflow in the dashboard, as somebody does who has read nothing but the page."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as conf
from playwright.sync_api import expect

from integrations.models import Connection, Integration
from tests.browser import axe_package
from tests.browser.workers import working
from tests.integrations.conftest import Window
from tests.support.sandbox import Sandbox
from workflows.models import Workflow

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def worker(server: str) -> Iterator[None]:
    with working():
        yield


@pytest.fixture
def connection(jira: Integration, sandbox: Sandbox, user_token: Callable[..., str]) -> Connection:
    """Alice has connected Ada Park's account at Acme."""
    return Window(jira.project, user_token("alice"), sandbox).connect()


class Builder:
    """What a person sees and does in the builder."""

    def __init__(self, page: "Page", address: str) -> None:
        self.page, self.address = page, address

    def open(self) -> "Builder":
        self.page.goto(self.address)
        expect(self.page.locator(".card-head").first).to_be_visible()
        return self

    def head(self, title: str) -> "Locator":
        return self.page.locator(".card-head", has_text=title).first

    def box(self, label: str) -> "Locator":
        return self.page.get_by_role("combobox", name=label, exact=True)

    def add(self, title: str, gap: int = -1) -> None:
        gaps = self.page.get_by_label("Add a step here")
        (gaps.last if gap < 0 else gaps.nth(gap)).click()
        self.page.locator(".gap-add[open]").get_by_role("button", name=title).first.click()

    def pick(self, label: str, typed: str, *, clear: bool = False) -> None:
        """Type until the menu shows the value, and take it with Enter."""
        self.box(label).click()
        if clear:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.press("Delete")
        self.page.keyboard.type(typed)
        expect(self.page.locator(".expression-menu:visible [role=option]").first).to_be_visible()
        self.page.keyboard.press("Enter")

    def choose(self, label: str, option: str) -> None:
        self.box(label).click()
        self.page.get_by_role("option", name=option).first.click()

    def saved(self) -> None:
        expect(self.page.locator("#save-state")).to_have_text("Saved")

    def deploy(self) -> None:
        self.saved()
        self.page.get_by_role("button", name="Deploy").click()


@pytest.fixture
def builder(signed_in: "Page", server: str, jira: Integration, connection: Connection) -> Builder:
    draft = {
        "trigger": {"type": "event", "name": "task.created", "sample": {"title": "Disk is full", "priority": "high"}},
        "steps": [],
        "settings": [],
    }
    workflow = Workflow.objects.create(project=jira.project, integration=jira, name="Tasks to issues", draft=draft)
    return Builder(signed_in, f"{server}/p/{jira.project_id}/workflows/{workflow.pk}")


# What has the focus and is covered by the bar, with its label; "" where nothing is.
COVERED = """() => {
    const bar = document.querySelector(".builder-bar");
    const focused = document.activeElement;
    if (bar.contains(focused) || !focused.closest("#flow")) return "";
    const shown = focused.closest(".field") ?? focused;
    const isBelow = shown.getBoundingClientRect().top >= bar.getBoundingClientRect().bottom;
    return isBelow ? "" : focused.outerHTML.slice(0, 120);
}"""


@pytest.fixture(params=[1280, 390])
def long_one(builder: Builder, request: pytest.FixtureRequest) -> Builder:
    """A workflow with a long name and more steps than the window shows."""
    workflow = Workflow.objects.get()
    step = {"type": "delay", "input": {"amount": "1", "unit": "minutes"}}
    workflow.draft["steps"] = [{"id": f"wait_{number}", **step} for number in range(9)]
    workflow.name = "Tasks become issues " * 6
    workflow.save()
    builder.page.set_viewport_size({"width": request.param, "height": 600})
    return builder.open()


def test_a_new_step_is_shown_with_its_title(long_one: Builder) -> None:
    long_one.add("Create issue", gap=4)

    expect(long_one.box("Project")).to_be_focused()
    expect(long_one.head("Create issue").locator(".card-title")).to_be_in_viewport(ratio=1)
    assert long_one.page.evaluate(COVERED) == ""


def test_the_bar_covers_nothing_on_the_way_up(long_one: Builder) -> None:
    long_one.add("Create issue", gap=4)
    long_one.page.get_by_label("Add a step here").last.focus()
    covered = []

    for _ in range(50):
        long_one.page.keyboard.press("Shift+Tab")
        covered.append(long_one.page.evaluate(COVERED))

    assert [each for each in covered if each] == []


def test_from_nothing_to_an_issue_that_an_event_made(
    signed_in: "Page", server: str, jira: Integration, connection: Connection, sandbox: Sandbox, user_token: Any
) -> None:
    page = signed_in
    page.goto(f"{server}/p/{jira.project_id}/workflows")
    page.get_by_role("link", name="Build the first one").click()
    page.get_by_label("Name").fill("Tasks to issues")
    page.get_by_role("button", name="Build it").click()
    expect(page.locator(".card-head").first).to_be_visible()
    builder = Builder(page, page.url)
    page.get_by_label("Name of the event").fill("task.created")
    page.get_by_label("Example of its payload").fill('{"title": "Disk is full", "priority": "high"}')
    builder.add("Create issue")
    builder.choose("Project", "Operations")
    builder.choose("Issue type", "Task")
    builder.pick("Summary", "{{title")
    builder.add("Condition")
    builder.pick("Value to look at", "{{prio")
    builder.box("Compare with").fill("high")
    builder.add("Add comment", gap=2)
    builder.pick("Issue", "{{create_issue.key")
    builder.box("Comment").fill("Urgent, says **Acme**")
    builder.saved()

    page.get_by_role("button", name="Test the workflow").click()
    expect(page.locator("#test-result")).to_contain_text("Done")
    expect(builder.head("Add comment")).to_contain_text("Done")
    builder.deploy()
    expect(page.get_by_text("Version 1 is deployed.")).to_be_visible()

    alice = Window(jira.project, user_token("alice"), sandbox)
    workflow = Workflow.objects.get()
    assert alice.api("POST", f"sdk/workflows/{workflow.pk}").status_code == 200
    alice.api(
        "POST",
        "sdk/events/trigger",
        {"name": "task.created", "payload": {"title": "From the event", "priority": "high"}},
    )

    page.get_by_role("navigation", name="Project").get_by_role("link", name="Runs").click()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Done")
    expect(page.locator(".timeline")).to_contain_text("Add comment")
    made = [row for row in sandbox.operate("state", method="GET")["ledger"] if row["effect"] == "comment_created"]
    assert len(made) == 2


def test_the_menu_shows_what_the_last_test_sent(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.box("Summary").click()
    builder.page.keyboard.type("{{tit")

    first = builder.page.locator(".expression-menu:visible [role=option]").first
    expect(first).to_contain_text("trigger.title")
    expect(first).to_contain_text("Disk is full")
    expect(builder.box("Summary")).to_have_attribute("aria-activedescendant", re.compile("menu-"))
    builder.page.keyboard.press("Escape")
    expect(builder.page.locator(".expression-menu:visible")).to_have_count(0)


def test_before_any_test_the_menu_shows_what_such_a_step_returns(builder: Builder, jira: Integration) -> None:
    action = jira.provider.action("create_issue")
    assert action
    builder.open().add("Create issue")
    builder.add("Add comment")
    builder.box("Issue").click()
    builder.page.keyboard.type("{{create_issue.key")

    first = builder.page.locator(".expression-menu:visible [role=option]").first
    expect(first).to_contain_text("create_issue.key")
    expect(first).to_contain_text(action.sample["key"])


def test_a_chip_is_deleted_and_opened_by_keyboard(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.pick("Summary", "A {{title")
    expect(builder.box("Summary").locator(".chip")).to_have_text("trigger.title")

    builder.page.keyboard.press("F2")
    builder.page.keyboard.type(" | upper")
    builder.page.keyboard.press("End")
    builder.head("Create issue").focus()
    expect(builder.box("Summary").locator(".chip")).to_have_text("trigger.title | upper")
    builder.saved()
    assert Workflow.objects.get().draft["steps"][0]["input"]["summary"] == "A {{trigger.title | upper}}"

    builder.box("Summary").click()
    builder.page.keyboard.press("Control+End")
    builder.page.keyboard.press("Backspace")
    expect(builder.box("Summary").locator(".chip")).to_have_count(0)


def test_a_path_that_nothing_has_is_marked_and_not_deployed(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.choose("Project", "Operations")
    builder.choose("Issue type", "Task")
    builder.box("Summary").click()
    builder.page.keyboard.type("{{trigger.nope}}")

    expect(builder.box("Summary").locator(".chip-unknown")).to_have_text("trigger.nope")
    builder.deploy()
    expect(builder.page.get_by_text("Not deployed: 1 problem to mend first.")).to_be_visible()
    expect(builder.page.locator("#problem-list")).to_contain_text("trigger has no “nope”.")
    # The step at fault is open, with the words where they belong.
    expect(builder.box("Summary")).to_be_visible()
    expect(builder.page.locator(".field-error")).to_have_text("trigger has no “nope”.")


def test_what_jira_refuses_at_the_deploy_is_marked_until_it_is_mended(builder: Builder) -> None:
    trigger = {"type": "integration", "name": "issue_updated", "input": {"jql": "nonsense is here"}}
    made = {"id": "made", "type": "values", "input": {"values": [{"key": "a", "value": "1"}]}}
    Workflow.objects.update(draft={"trigger": trigger, "steps": [made], "settings": []})
    builder.open().deploy()

    refusal = builder.page.get_by_text("Not deployed: 1 problem to mend first.")
    expect(refusal).to_be_visible()
    expect(builder.page.locator("#problem-list")).to_contain_text("nonsense")
    expect(builder.page.locator('[data-field="jql"] .field-error')).to_contain_text("nonsense")

    builder.box("JQL").click()
    builder.page.keyboard.press("Control+A")
    builder.page.keyboard.type("priority = High")
    expect(refusal).to_have_count(0)
    expect(builder.page.locator("#problems")).to_be_hidden()
    builder.deploy()
    expect(builder.page.get_by_text("Version 1 is deployed.")).to_be_visible()


def test_json_that_is_not_whole_is_kept_and_marked(builder: Builder) -> None:
    example = builder.open().page.get_by_label("Example of its payload")
    example.fill('{"title": "Disk')
    builder.head("Trigger").click()
    builder.saved()

    builder.open().head("Trigger")
    expect(example).to_have_value('{"title": "Disk')
    builder.head("Trigger").click()
    builder.head("Trigger").click()
    expect(builder.page.locator('[data-field="sample"] .field-error')).to_contain_text("This is not valid JSON.")

    example.fill('{"title": "Disk"}')
    builder.saved()
    assert Workflow.objects.get().draft["trigger"]["sample"] == {"title": "Disk"}


def test_nothing_in_a_new_step_is_called_wrong_until_it_was_left(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.saved()

    expect(builder.page.locator("#problem-list")).to_contain_text("Create issue")
    expect(builder.page.locator(".field-wrong")).to_have_count(0)

    builder.head("Trigger").click()
    expect(builder.head("Create issue")).to_contain_text("to mend")
    builder.head("Create issue").click()
    expect(builder.page.locator(".field-error").first).to_be_visible()


def test_fields_that_the_chosen_type_asks_for_appear(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.choose("Project", "Website")
    builder.choose("Issue type", "Story")
    builder.box("Summary").click()

    builder.choose("Team", "Support")
    builder.saved()

    assert Workflow.objects.get().draft["steps"][0]["input"]["fields"] == {"customfield_10050": "Support"}


def test_what_jira_refuses_stands_at_its_field(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.choose("Project", "Website")
    builder.choose("Issue type", "Story")
    builder.pick("Summary", "{{title")
    builder.saved()

    builder.page.get_by_role("button", name="Test this step").click()

    expect(builder.page.locator('[data-field="fields.customfield_10050"]')).to_contain_text("Team is required.")


def test_a_press_that_leaves_a_field_is_a_click_however_slow(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.head("Trigger").click()
    builder.head("Create issue").click()
    builder.box("Summary").click()

    builder.page.get_by_role("button", name="Test this step").click(delay=150)

    expect(builder.page.locator("#test-result")).to_contain_text("Mend what is marked first.")


def test_the_other_button_of_the_mouse_holds_nothing_back(builder: Builder) -> None:
    builder.open().add("Create issue")
    builder.head("Trigger").click()
    builder.head("Create issue").click()
    expect(builder.head("Create issue")).to_contain_text("3 to mend")

    builder.page.mouse.down(button="right")
    builder.box("Summary").focus()
    builder.page.keyboard.type("Disk is full")

    expect(builder.head("Create issue")).to_contain_text("2 to mend")


def test_steps_move_are_copied_and_come_back(builder: Builder) -> None:
    builder.open().add("Set values")
    builder.add("Delay")
    titles = builder.page.locator(".flow .card-title")
    expect(titles).to_have_text(["Set values", "Delay"])

    builder.page.get_by_role("button", name="Move up: Delay").click()
    expect(titles).to_have_text(["Delay", "Set values"])
    builder.page.get_by_role("button", name="Duplicate: Delay").click()
    expect(titles).to_have_text(["Delay", "Delay", "Set values"])
    builder.page.get_by_role("button", name="Delete: Set values").click()
    expect(titles).to_have_text(["Delay", "Delay"])
    builder.page.get_by_role("button", name="Undo").click()
    expect(titles).to_have_text(["Delay", "Delay", "Set values"])
    builder.page.get_by_role("button", name="Redo").click()
    expect(titles).to_have_text(["Delay", "Delay"])
    builder.saved()


def test_a_step_moves_into_a_branch(builder: Builder) -> None:
    builder.open().add("Set values")
    builder.add("Condition")
    builder.page.get_by_role("button", name="Move elsewhere: Set values").click()

    builder.page.locator("section[aria-label^='Else']").get_by_role("button", name="Move it here").click()
    builder.saved()

    [check] = Workflow.objects.get().draft["steps"]
    assert [step["type"] for step in check["else"]] == ["values"]


def test_a_copy_has_names_of_its_own_inside_and_out(builder: Builder) -> None:
    workflow = Workflow.objects.get()
    inner = [
        {"id": "made", "type": "values", "input": {"values": [{"key": "a", "value": "{{item}}"}]}},
        {"id": "made_2", "type": "values", "input": {"values": [{"key": "b", "value": "{{made.a}}"}]}},
    ]
    each = {"id": "each", "type": "fan_out", "input": {"over": "{{trigger.items}}"}, "steps": inner}
    Workflow.objects.filter(pk=workflow.pk).update(draft=workflow.draft | {"steps": [each]})

    builder.open().page.get_by_role("button", name="Duplicate: For each").click()
    builder.saved()

    _, copy = Workflow.objects.get().draft["steps"]
    assert [copy["id"], *(step["id"] for step in copy["steps"])] == ["each_2", "made_3", "made_4"]
    assert copy["steps"][1]["input"]["values"][0]["value"] == "{{made_3.a}}"


def test_the_second_tab_is_told_and_nothing_is_lost(builder: Builder) -> None:
    builder.open()
    other = Builder(builder.page.context.new_page(), builder.address).open()
    builder.add("Delay")
    builder.saved()

    other.page.get_by_label("Name", exact=True).fill("From the other tab")

    expect(other.page.get_by_role("alert")).to_contain_text("changed elsewhere")
    assert Workflow.objects.get().name == "Tasks to issues"
    other.page.get_by_role("button", name="Keep mine").click()
    other.saved()
    assert Workflow.objects.get().name == "From the other tab"


def test_what_was_typed_without_a_connection_survives_a_reload(builder: Builder) -> None:
    builder.open()
    builder.page.route("**/draft", lambda route: route.abort())
    builder.page.get_by_label("Name", exact=True).fill("Typed on a train")
    expect(builder.page.locator("#save-state")).to_contain_text("no connection to the server")

    builder.page.unroute("**/draft")
    builder.page.on("dialog", lambda dialog: dialog.accept())
    builder.page.reload()

    expect(builder.page.get_by_label("Name", exact=True)).to_have_value("Typed on a train")
    builder.saved()
    assert Workflow.objects.get().name == "Typed on a train"


def test_what_was_typed_while_signed_out_is_saved_after_signing_in_again(builder: Builder) -> None:
    page = builder.open().page
    cookies = page.context.cookies()
    page.context.clear_cookies(name=conf.SESSION_COOKIE_NAME)
    page.get_by_label("Name", exact=True).fill("Typed too late")
    expect(page.locator("#save-state")).to_have_text(
        "You are signed out. Sign in in another tab; your changes are kept here."
    )

    # Signing in makes a new token, and those that open pages have in their forms are worth nothing.
    page.context.clear_cookies(name=conf.CSRF_COOKIE_NAME)
    page.context.add_cookies([each for each in cookies if each["name"] == conf.SESSION_COOKIE_NAME])

    builder.saved()
    assert Workflow.objects.get().name == "Typed too late"


def test_the_whole_builder_by_keyboard(builder: Builder) -> None:
    page = builder.open().page

    def go_to(locator: "Locator", key: str = "Tab") -> None:
        for _ in range(80):
            if locator.evaluate("(element) => element === document.activeElement"):
                return
            page.keyboard.press(key)
        raise AssertionError("the keyboard does not get there")

    go_to(page.get_by_label("Add a step here").first)
    page.keyboard.press("Enter")
    go_to(page.locator(".gap-add[open]").get_by_role("button", name="Get issue by key"))
    page.keyboard.press("Enter")
    expect(builder.box("Issue")).to_be_focused()
    page.keyboard.type("OPS-1")
    go_to(page.get_by_label("Connection"), "Tab")
    go_to(page.get_by_role("button", name="Test the workflow"))
    builder.saved()
    page.keyboard.press("Enter")
    expect(page.locator("#test-result")).to_contain_text("Done")
    go_to(page.get_by_role("button", name="Deploy"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Version 1 is deployed.")).to_be_visible()


# What people can use ------------------------------------------------------------------------------------------------


def test_nothing_serious_keeps_anyone_out(builder: Builder, axe: str, jira: Integration) -> None:
    page = builder.page
    builder.open().add("Create issue")
    builder.pick("Summary", "{{title")
    builder.box("Summary").click()
    page.keyboard.type("{{")
    expect(page.get_by_role("heading", name="3 to mend before a deploy")).to_be_visible()
    found = axe_package.in_light_and_dark(page, axe)
    page.keyboard.press("Escape")
    builder.choose("Project", "Operations")
    builder.choose("Issue type", "Task")
    builder.pick("Summary", "{{title", clear=True)
    builder.add("Condition")
    builder.pick("Value to look at", "{{prio")
    builder.box("Compare with").fill("high")
    builder.add("Add comment", gap=2)
    builder.pick("Issue", "{{create_issue.key")
    builder.box("Comment").fill("Hello")
    builder.saved()
    page.get_by_role("button", name="Test the workflow").click()
    expect(page.locator("#test-result")).to_contain_text("Done")
    found += axe_package.in_light_and_dark(page, axe)

    assert found == []


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(builder: Builder, width: int, jira: Integration, server: str) -> None:
    page = builder.page
    page.set_viewport_size({"width": width, "height": 800})
    builder.open().add("Search issues")
    builder.page.get_by_role("button", name="Add condition").click()

    for address in (builder.address, f"{server}/p/{jira.project_id}/workflows", f"{server}/p/{jira.project_id}/runs"):
        page.goto(address)
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, address
