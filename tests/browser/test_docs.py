"""The manual in a browser: finding a place, reading it by day and by night, and calling the API from it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from integrations.api import keys
from integrations.docs import pages, reference
from integrations.models import ConnectedUser, Integration, Member, Project, User
from tests.browser import axe_package

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
ADDRESSES = ["/docs/", "/docs/search?q=token", "/docs/nothing", "/docs/api", *(page.url for page in pages.written())]
KEPT = "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])"


def address(path: str, method: str) -> str:
    """Return where the reference has an operation."""
    [found] = [each for each in reference.operations() if each.path.endswith(path) and method in each.methods]
    return found.url


def choose(page: "Page", operation: str) -> "Locator":
    """Open the form of an operation of the page."""
    form = page.locator(f"#{operation} [data-try]")
    form.locator("summary").first.click()
    return form


def test_a_place_is_found_by_its_words(page: "Page", server: str) -> None:
    page.goto(f"{server}/docs/")

    page.get_by_role("searchbox", name="Search the docs").fill("behind nginx")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Behind nginx").first.click()

    expect(page).to_have_url(f"{server}/docs/deployment#behind-nginx")
    expect(page.get_by_role("heading", name="Behind nginx")).to_be_in_viewport()


def test_the_chosen_theme_is_kept(page: "Page", server: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{server}/docs/")
    bright = page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    page.get_by_role("button", name="Theme: automatic").click()
    page.get_by_role("button", name="Theme: light").click()
    page.get_by_role("link", name="Concepts").first.click()
    page.wait_for_url("**/docs/concepts")

    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") != bright


def test_code_is_copied(page: "Page", server: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    page.goto(f"{server}/docs/quick-start")

    page.get_by_role("button", name="Copy this code").first.click()

    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == "make run\n"


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_page_is_for_everyone_and_no_wider_than_a_phone(page: "Page", server: str, axe: str, path: str) -> None:
    page.goto(server + path)

    assert axe_package.in_light_and_dark(page, axe) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    expect(page.get_by_text("Docs: all pages and search")).to_be_visible()


def test_the_forms_of_the_reference_are_for_everyone(
    signed_in: "Page", server: str, axe: str, jira: Integration
) -> None:
    signed_in.goto(server + address("/sdk/proxy/{integrationType}/{path}", "GET"))
    choose(signed_in, "any-sdk-proxy-integrationtype-path")

    assert axe_package.in_light_and_dark(signed_in, axe) == []


def test_an_operation_is_tried_with_ones_test_account(signed_in: "Page", server: str, jira: Integration) -> None:
    signed_in.goto(server + address("/sdk/me", "GET"))

    signed_in.get_by_role("button", name="Use my test account").click()
    expect(signed_in.get_by_text("as your own test account for 15 minutes")).to_be_visible()
    form = choose(signed_in, "get-sdk-me")
    form.get_by_role("button", name="Send").click()

    expect(form.locator("[data-answer-status]")).to_contain_text("200")
    expect(form.locator("[data-answer-body]")).to_contain_text('"userId": "patchbay-test-')
    expect(form.locator("[data-answer-time]")).to_contain_text("ms")
    form.get_by_text("Headers").click()
    expect(form.locator("[data-answer-headers]")).to_contain_text("content-type: application/json")


def test_an_operation_is_tried_with_a_token_of_ones_own(
    signed_in: "Page", server: str, jira: Integration, user_token: Callable[..., str]
) -> None:
    signed_in.goto(server + address("/sdk/me", "PATCH"))

    signed_in.get_by_label("User token", exact=True).fill(user_token("alice"))
    form = choose(signed_in, "patch-sdk-me")
    form.get_by_role("button", name="Send").click()
    assert not ConnectedUser.objects.exists()
    form.get_by_role("button", name="Yes, send PATCH").click()

    expect(form.locator("[data-answer-status]")).to_contain_text("200")
    assert ConnectedUser.objects.get().meta == {"name": "Ada Park", "email": "ada@example.com"}


def test_an_operation_for_all_users_is_tried_with_an_api_key(
    signed_in: "Page", server: str, jira: Integration, project: Project
) -> None:
    user = ConnectedUser.objects.create(project=project, sub="alice")
    _, key = keys.make(project, "Reference", ["users:read", "users:write"], None)
    signed_in.goto(server + address("/users/{userId}", "PATCH"))
    expect(signed_in.get_by_role("button", name="Use my test account")).to_have_count(0)
    form = choose(signed_in, "patch-users-userid")
    form.get_by_label("userId").fill("alice")
    form.get_by_role("textbox", name="Body").fill('{"isDisabled": true}')
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("Paste an API key, at the top of this page.")).to_be_visible()

    signed_in.get_by_label("API key").fill(key)
    form.get_by_role("button", name="Send").click()
    form.get_by_role("button", name="Yes, send PATCH").click()

    expect(form.locator("[data-answer-status]")).to_contain_text("200")
    user.refresh_from_db()
    assert user.disabled_at


def test_code_in_the_words_of_the_reference_is_shown_as_code(page: "Page", server: str) -> None:
    page.goto(server + address("/users/{userId}", "PATCH"))

    expect(page.get_by_role("heading", name="Change a connected user")).to_be_visible()
    assert "`" not in page.locator("article, main").first.inner_text()


def test_what_goes_wrong_is_shown_as_the_api_says_it(signed_in: "Page", server: str, jira: Integration) -> None:
    signed_in.goto(server + address("/sdk/proxy/{integrationType}/{path}", "GET"))

    signed_in.get_by_role("button", name="Use my test account").click()
    expect(signed_in.get_by_text("as your own test account")).to_be_visible()
    form = choose(signed_in, "any-sdk-proxy-integrationtype-path")
    form.get_by_role("button", name="Send").click()

    expect(form.locator("[data-answer-status]")).to_contain_text("400")
    expect(form.locator("[data-answer-body]")).to_contain_text("Integration not enabled for user.")


def test_without_a_token_one_is_asked_for_it(signed_in: "Page", server: str, jira: Integration) -> None:
    signed_in.goto(server + address("/sdk/me", "GET"))

    choose(signed_in, "get-sdk-me").get_by_role("button", name="Send").click()

    expect(signed_in.get_by_text("Paste a user token or use your test account")).to_be_visible()
    expect(signed_in.get_by_label("User token", exact=True)).to_be_focused()


def test_a_try_out_keeps_the_token_in_the_page_only(
    signed_in: "Page", server: str, jira: Integration, project: Project, user_token: Callable[..., str]
) -> None:
    token, asked = user_token("alice"), list[str]()
    signed_in.on("request", lambda request: asked.append(request.url))
    signed_in.goto(server + address("/sdk/me", "GET"))
    signed_in.get_by_label("User token", exact=True).fill(token)
    form = choose(signed_in, "get-sdk-me")
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-answer-status]")).to_contain_text("200")

    signed_in.goto(f"{server}/docs/")
    signed_in.go_back()

    expect(signed_in.get_by_label("User token", exact=True)).to_have_value("")
    assert token not in signed_in.evaluate(KEPT)
    assert [url for url in asked if token in url] == []
    assert f"{server}/projects/{project.pk}/sdk/me" in asked


def test_a_pasted_key_stays_for_another_project_and_an_answer_goes(
    signed_in: "Page", server: str, jira: Integration, project: Project
) -> None:
    other = Project.objects.create(name="Another project")
    Member.objects.create(project=other, user=User.objects.get(), role=Member.Role.OWNER)
    _, key = keys.make(other, "Reference", ["users:read"], None)
    signed_in.goto(server + address("/users", "GET"))
    signed_in.get_by_label("Project").select_option(str(project.pk))
    signed_in.get_by_label("API key").fill(key)
    form = choose(signed_in, "get-users")
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-answer-status]")).to_contain_text("401")

    signed_in.get_by_label("Project").select_option(str(other.pk))

    expect(form.locator("[data-answer]")).to_be_hidden()
    form.get_by_role("button", name="Send").click()
    expect(form.locator("[data-answer-status]")).to_contain_text("200")


def test_without_scripts_the_examples_are_there(browser: Any, server: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(server + address("/sdk/me", "GET"))

    expect(page.locator("#get-sdk-me pre").first).to_contain_text('curl "$BASE/projects/$PROJECT/sdk/me"')
    expect(page.get_by_text("Try the operations below")).to_be_hidden()
    context.close()
