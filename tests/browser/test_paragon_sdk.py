"""Paragon's official npm SDK, unmodified, against this server: what works at Paragon works here, and nothing hangs."""

import json
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from integrations.models import ConnectedUser, Connection, Grant, OAuthApp, Project
from tests.browser import paragon_package
from tests.browser.npm_package import NotFetched
from tests.browser.product import CUT_OFF, Product, Site
from tests.browser.workers import working
from workflows import deploy
from workflows.models import Enablement, Run, Workflow

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, Page, Route

    from integrations.models import Integration

pytestmark = pytest.mark.browser

BASES = ["ZEUS", "HERMES", "WORKER_PROXY", "CONNECT", "API_TRIGGER_KIT", "PASSPORT", "DASHBOARD", "CDN"]
HEAD = """<script>globalThis.module = {{}};</script><script src="/connect-sdk.js"></script>
<script>
  globalThis.paragon = new module.exports.default({0}, {{ skipBootstrapWithLastKnownState: true }});
  paragon.configureGlobal({{ host: "localhost" }}, {0});
</script>"""
FLOW = """(options) => {
    globalThis.outcome = undefined;
    paragon.setHeadless(true);
    const onComplete = (value) => (globalThis.outcome = { value });
    const onError = ({ name, message }, at) => (globalThis.outcome = { error: { name, message, ...at } });
    paragon.installFlow.start("jira", { ...options, onComplete, onError, onNext: () => paragon.installFlow.next() });
}"""


@pytest.fixture(scope="session")
def connect_sdk(tmp_path_factory: pytest.TempPathFactory) -> str:
    try:
        return paragon_package.fetch(tmp_path_factory.mktemp("npm"))
    except NotFetched as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


@pytest.fixture
def paragon(page: "Page", site: Site, server: str, jira: "Integration", connect_sdk: str) -> Product:
    site.add("/connect-sdk.js", connect_sdk, kind="text/javascript")
    return Product(page, site, server, str(jira.project_id), sdk="paragon")


@pytest.fixture
def head(server: str) -> str:
    return HEAD.format(json.dumps({f"{base}_PUBLIC_URL": server for base in BASES}))


@pytest.fixture
def alice(paragon: Product, head: str, user_token: Callable[..., str]) -> Product:
    paragon.open(head).sign_in(user_token("alice"))
    # Nobody clicks within the milliseconds in which the portal's frame goes to its project. A window that is opened
    # just then, by a browser that a test steers, leaves that frame empty about once in two hundred times.
    paragon.portal.frame.locator("body[data-project]").wait_for(state="attached")
    return paragon


@pytest.fixture
def headless(alice: Product) -> Product:
    alice.call("setHeadless", True)
    return alice


@pytest.fixture
def connected(alice: Product) -> Product:
    # The message settles it; the poll that the closed popup started ends a little later.
    with alice.page.expect_request(lambda request: request.method == "DELETE" and "session-id" in request.url):
        alice.install().connect()
        alice.outcome()
    return alice


def test_authenticate_and_get_user(alice: Product) -> None:
    user = alice.call("getUser")

    assert (user["authenticated"], user["userId"]) == (True, "alice")
    assert user["integrations"]["jira"]["enabled"] is False


def test_connect_through_the_portal(alice: Product) -> None:
    alice.start("connect", "jira")
    alice.portal.connect().connect(site="Globex")

    assert alice.outcome()["value"]["integrationType"] == "jira"
    row = alice.portal.frame.get_by_role("list", name="Connected accounts").get_by_role("listitem")
    expect(row).to_contain_text("Globex")


def test_the_portal_disconnects(connected: Product) -> None:
    connected.start("connect", "jira")
    connected.portal.press("Disconnect")
    connected.portal.press("Yes, disconnect")

    expect(connected.portal.frame.get_by_role("button", name="Connect Jira")).to_be_visible()
    assert not Grant.objects.exists()


def test_the_portal_closes(alice: Product) -> None:
    alice.start("connect", "jira")
    alice.portal.press("Close")

    expect(alice.portal.element).to_be_hidden()


def test_the_portal_tells_a_denial_and_stays(alice: Product) -> None:
    alice.start("connect", "jira")
    alice.portal.connect().deny()

    assert alice.outcome()["error"]["message"] == "You did not allow access to Jira. Nothing was connected."
    expect(alice.portal.frame.get_by_role("alert")).to_contain_text("You did not allow access")


def test_install_without_portal(alice: Product) -> None:
    alice.install().connect()

    assert alice.outcome()["value"]["credentialId"] == str(Connection.objects.get().pk)
    assert alice.call("getUser")["integrations"]["jira"]["enabled"] is True


def test_install_headless(headless: Product) -> None:
    headless.install().connect()

    assert headless.outcome()["value"]["credentialId"] == str(Connection.objects.get().pk)


def test_install_flow(headless: Product) -> None:
    headless.popup(lambda: headless.page.evaluate(FLOW, {})).connect()

    assert headless.outcome()["value"]
    assert Connection.objects.get().user.sub == "alice"


@pytest.mark.parametrize(("is_headless", "is_slow"), [(False, False), (True, False), (True, True)])
def test_a_page_that_is_cut_off_from_its_popup_is_told_which_header_to_send(
    paragon: Product, head: str, user_token: Callable[..., str], is_headless: bool, is_slow: bool
) -> None:
    paragon.open(head, headers=CUT_OFF).sign_in(user_token("alice"))
    paragon.call("setHeadless", is_headless)

    consent = paragon.install()
    if is_slow:
        consent.popup.locator("[data-test=accept]").wait_for()
        consent.popup.wait_for_timeout(4000)  # longer than the SDK waits for a window that looks closed
    consent.connect()

    expect(consent.popup.get_by_role("alert")).to_contain_text("same-origin-allow-popups")
    assert not Connection.objects.exists()


def test_request_json_text_empty_and_error(connected: Product) -> None:
    put = {"method": "PUT", "body": {"fields": {"summary": "Disk is full again"}}}
    is_undefined = "async (put) => (await paragon.request('jira', '/rest/api/3/issue/OPS-1', put)) === undefined"

    assert connected.call("request", "jira", "/rest/api/3/myself", {})["displayName"] == "Ada Park"
    assert connected.page.evaluate(is_undefined, put)
    error = connected.failure("request", "jira", "/rest/api/3/issue/NOPE-1", {"method": "GET"})
    assert error["message"].startswith("Issue does not exist")
    assert error["response"]["errorMessages"]


def test_request_text(connected: Product) -> None:
    upload = """async () => {
        const part = ['--edge', 'Content-Disposition: form-data; name="file"; filename="a.txt"',
            'Content-Type: text/plain', '', 'plain words', '--edge--', ''];
        const body = part.join("\\r\\n");
        const headers = { "X-Atlassian-Token": "no-check", "Content-Type": "multipart/form-data; boundary=edge" };
        return paragon.request("jira", "/rest/api/3/issue/OPS-1/attachments", { method: "POST", body, headers });
    }"""

    [file] = connected.page.evaluate(upload)

    assert connected.call("request", "jira", f"/rest/api/3/attachment/content/{file['id']}", {}) == "plain words"


def test_request_without_a_connection(alice: Product) -> None:
    error = alice.failure("request", "jira", "/rest/api/3/myself", {})

    assert error["message"] == "Integration not enabled for user."
    assert alice.call("getUser")["authenticated"] is True


def test_set_user_metadata(alice: Product) -> None:
    alice.call("setUserMetadata", {"name": "Alice Moreau", "plan": "pro"})

    assert ConnectedUser.objects.get(sub="alice").meta == {"Name": "Alice Moreau", "plan": "pro"}


def test_uninstall(connected: Product) -> None:
    connected.call("uninstallIntegration", "jira")

    assert not Grant.objects.exists()
    assert connected.call("getUser")["integrations"]["jira"]["enabled"] is False


@pytest.mark.parametrize("is_headless", [False, True])
def test_a_denial_rejects(alice: Product, is_headless: bool) -> None:
    alice.call("setHeadless", is_headless)

    alice.install().deny()

    assert "You did not allow access to Jira" in alice.outcome()["error"]["message"]
    assert alice.call("getUser")["authenticated"] is True


def test_a_denial_ends_the_install_flow(headless: Product) -> None:
    headless.popup(lambda: headless.page.evaluate(FLOW, {})).deny()

    error = headless.outcome()["error"]
    assert (error["name"], error["stage"]) == ("UnknownError", "oauth")
    assert "You did not allow access to Jira" in error["message"]


def test_a_closed_popup_times_out(headless: Product) -> None:
    headless.install({"oauthTimeout": 2000}).close()

    assert headless.outcome()["error"]["name"] == "OAuthTimeoutError"


@pytest.mark.parametrize("is_headless", [False, True])
def test_an_integration_without_keys_rejects(
    paragon: Product, project: Project, head: str, user_token: Callable[..., str], is_headless: bool
) -> None:
    project.kind = Project.Kind.PRODUCTION  # where development keys do not count
    project.save()
    paragon.open(head).sign_in(user_token("alice"))
    paragon.call("setHeadless", is_headless)

    consent = paragon.install()

    assert "no client ID and secret yet" in paragon.outcome()["error"]["message"]
    expect(consent.popup.get_by_role("alert")).to_contain_text("no client ID and secret yet")


def test_keys_that_were_refused_reject(headless: Product) -> None:
    headless.install().connect()
    headless.outcome()
    headless.call("uninstallIntegration", "jira")
    OAuthApp.objects.filter(project=None).update(refused_at=datetime.now(UTC))

    headless.install()

    assert re.search("client ID or secret", headless.outcome()["error"]["message"])


def test_two_accounts(connected: Product) -> None:
    connected.install({"allowMultipleCredentials": True}).connect(account="Bo Lind")
    connected.outcome()

    assert len(connected.credentials()) == 2


# Workflows ------------------------------------------------------------------------------------------------------------

PROJECT = {"key": "project", "label": "Jira project", "type": "dynamic", "source": "projects", "required": True}
RESPOND = {"id": "respond", "type": "response", "input": {"status": 200, "body": '{"hello": {{trigger.body.name}}}'}}


@pytest.fixture
def deployed(jira: "Integration") -> Callable[..., Workflow]:
    def make(trigger: dict[str, object], *steps: dict[str, object], settings: tuple[object, ...] = ()) -> Workflow:
        draft = {"trigger": trigger, "steps": list(steps), "settings": list(settings)}
        workflow = Workflow.objects.create(project=jira.project, integration=jira, name="Greet", draft=draft)
        deploy.deploy(workflow, "test")
        return workflow

    return make


def again(product: Product, user_token: Callable[..., str]) -> Product:
    """Sign in once more, so that the SDK hears of what was deployed meanwhile."""
    return product.sign_in(user_token("alice"))


def test_a_workflow_is_switched_on_started_and_answered(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    workflow = deployed({"type": "request"}, RESPOND)
    again(connected, user_token).call("enableWorkflow", str(workflow.pk))

    with working():
        answer = connected.call("workflow", str(workflow.pk), {"body": {"name": "Ada"}})

    assert answer == {"hello": "Ada"}
    connected.call("disableWorkflow", str(workflow.pk))
    assert not Enablement.objects.get().is_enabled


def test_an_event_runs_the_workflow(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    values = {"id": "made", "type": "values", "input": {"values": [{"key": "n", "value": "{{trigger.n}}"}]}}
    workflow = deployed({"type": "event", "name": "go"}, values)
    again(connected, user_token).call("enableWorkflow", str(workflow.pk))

    with working():
        connected.call("event", "go", {"n": 7})
        _until(lambda: Run.objects.filter(status=Run.Status.DONE).exists())

    assert Run.objects.get().steps.get().output == {"n": 7}


def test_settings_and_choices_from_the_users_account(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    workflow = deployed({"type": "request"}, RESPOND, settings=(PROJECT,))
    again(connected, user_token)

    options = connected.call(
        "getFieldOptions",
        {
            "integration": "jira",
            "source": {
                "sourceType": "projects",
                "cacheKey": "projects",
                "type": "DYNAMIC_DATA_SOURCE",
                "key": "projects",
            },
            "search": "web",
        },
    )
    result = connected.call("updateWorkflowUserSettings", "jira", str(workflow.pk), {"project": "WEB"})

    assert options["data"] == [{"label": "Website (WEB)", "value": "WEB"}]
    assert result["errors"] in ([], None)
    assert Enablement.objects.get().settings == {"project": "WEB"}
    assert connected.call("updateWorkflowState", {str(workflow.pk): True})["errors"] == []


def test_the_portal_asks_once_for_what_workflows_share(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    workflow = deployed({"type": "request"}, RESPOND, settings=(PROJECT | {"shared": True},))
    again(connected, user_token).start("connect", "jira")
    frame = connected.portal.frame

    frame.get_by_role("switch", name="Greet").click()
    expect(frame.get_by_role("alert").filter(has_text="Jira project is required.")).to_be_visible()
    frame.get_by_label("Jira project").select_option("OPS")
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_role("alert").filter(has_text="Jira project is required.")).to_be_hidden()
    frame.get_by_role("switch", name="Greet").click()

    expect(frame.get_by_role("switch", name="Greet")).to_be_checked()
    _until(lambda: Enablement.objects.filter(workflow=workflow, is_enabled=True).exists())
    assert Connection.objects.get().settings == {"project": "OPS"}


def test_the_portal_tells_what_was_done(connected: Product) -> None:
    connected.call("request", "jira", "/rest/api/3/myself", {"method": "GET"})
    connected.page.wait_for_timeout(1200)  # calls are logged in batches, beside the work
    connected.start("connect", "jira")

    connected.portal.frame.get_by_role("tab", name="Activity").click()

    expect(connected.portal.frame.get_by_text("Looked up whose account this is")).to_be_visible()


def test_the_portal_switches_a_workflow_on_with_its_settings(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    deployed({"type": "request"}, RESPOND, settings=(PROJECT,))
    again(connected, user_token).start("connect", "jira")
    frame = connected.portal.frame

    frame.get_by_role("switch", name="Greet").click()
    expect(frame.get_by_role("alert").filter(has_text="Jira project is required.")).to_be_visible()
    frame.get_by_label("Jira project").select_option("OPS")
    frame.get_by_role("button", name="Save").click()
    frame.get_by_role("switch", name="Greet").click()

    expect(frame.get_by_role("switch", name="Greet")).to_be_checked()
    _until(lambda: Enablement.objects.filter(is_enabled=True, settings={"project": "OPS"}).exists())


def test_the_portal_shows_a_switch_as_it_is_beside_an_answer_from_before(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    deployed({"type": "request"}, RESPOND, settings=(PROJECT,))
    again(connected, user_token).start("connect", "jira")
    frame = connected.portal.frame
    hand_over = _hold_the_first(connected.page, "**/sdk/me")
    frame.get_by_text("Settings", exact=True).click()
    frame.get_by_label("Jira project").select_option("OPS")

    with connected.page.expect_request("**/sdk/me"):
        frame.get_by_role("button", name="Save").click()
    with connected.page.expect_response("**/sdk/workflows/*"):
        frame.get_by_role("switch", name="Greet").click()
    hand_over()

    expect(frame.get_by_role("switch", name="Greet")).to_be_checked()
    expect(frame.get_by_role("switch", name="Greet")).to_be_enabled()


def test_what_is_pressed_in_the_portal_stays_until_it_is_let_go(
    connected: Product, deployed: Callable[..., Workflow], user_token: Callable[..., str]
) -> None:
    deployed({"type": "request"}, RESPOND)
    again(connected, user_token).start("connect", "jira")
    switch = connected.portal.frame.get_by_role("switch", name="Greet")

    switch.hover()
    connected.page.mouse.down()
    connected.page.evaluate("() => paragon.render()")
    connected.page.wait_for_timeout(100)
    connected.page.mouse.up()

    expect(switch).to_be_checked()


def _hold_the_first(page: "Page", pattern: str) -> Callable[[], None]:
    """Keep the first answer back until the returned function hands it over."""
    held: list[tuple[Route, APIResponse]] = []
    page.route(pattern, lambda route: held.append((route, route.fetch())), times=1)

    def hand_over() -> None:
        while not held:
            page.wait_for_timeout(20)
        route, answer = held.pop()
        route.fulfill(response=answer)

    return hand_over


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
