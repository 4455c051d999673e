"""The server itself: its pages, its guard, what a restart keeps, and a real client library against it."""

from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from jira import JIRA

from tests.integrations.jira.sandbox.conftest import ACME, App, Jira
from tests.support.sandbox import Sandbox, started


def test_it_is_refused_in_production(settings: Any) -> None:
    settings.IS_LOCAL = False

    with pytest.raises(CommandError, match="lets anyone in"):
        call_command("jira_sandbox", port=1)


def test_it_says_when_its_port_is_taken(sandbox_server: Sandbox, settings: Any) -> None:
    settings.IS_LOCAL = True
    port = int(sandbox_server.url.rpartition(":")[2])

    with pytest.raises(CommandError, match=f"Port {port} is taken"):
        call_command("jira_sandbox", port=port)


def test_a_restart_keeps_accounts_issues_and_tokens(tmp_path: Path) -> None:
    with started(tmp_path, "jira") as before:
        keys = before.operate("clients", {"name": "A", "callback_url": "https://a.example.com/", "scopes": []})
        made = before.operate("grants/bulk", {"client_id": before.keys["DEV_CLIENT_ID"], "count": 1})[0]
        issue = before.operate("issues", {"project": "OPS", "summary": "Kept"})

    with started(tmp_path, "jira") as after:
        jira = Jira(after.url, made["access_token"])
        assert jira("GET", f"issue/{issue['key']}").json()["fields"]["summary"] == "Kept"
        assert after.keys["DEV_CLIENT_ID"] == before.keys["DEV_CLIENT_ID"]
        assert after.operate("clients/rotate", {"client_id": keys["client_id"]})["client_secret"]


def test_another_host_name_is_refused(sandbox_server: Sandbox) -> None:
    answer = requests.get(sandbox_server.url, headers={"Host": "evil.example.com"}, timeout=10)

    assert answer.status_code == 400


def test_a_form_from_another_site_is_refused(sandbox_server: Sandbox) -> None:
    headers = {"Origin": "https://evil.example.com"}

    assert requests.post(f"{sandbox_server.url}/reset", headers=headers, timeout=10).status_code == 403


@pytest.mark.parametrize("path", ["/", "/console", "/sites/acme/browse/OPS-1"])
def test_every_page_says_that_this_is_not_atlassian(sandbox_server: Sandbox, path: str) -> None:
    page = requests.get(sandbox_server.url + path, timeout=10)

    assert page.status_code == 200
    assert "Not Atlassian" in page.text


def test_the_console_shows_a_secret_once(sandbox_server: Sandbox) -> None:
    form = {
        "action": "create",
        "name": "My app",
        "callback_url": "https://app.example.com/",
        "scopes": "read:jira-work",
    }

    made = requests.post(f"{sandbox_server.url}/console", data=form, timeout=10)
    later = requests.get(f"{sandbox_server.url}/console", timeout=10)

    assert "SANDBOX" in made.text
    assert "My app" in later.text
    assert "SANDBOX" not in later.text


def test_a_rotated_secret_replaces_the_old_one(app: App) -> None:
    token = app.tokens()["refresh_token"]

    new = app.sandbox.operate("clients/rotate", {"client_id": app.client_id})["client_secret"]

    assert app.refresh(token).status_code == 401
    assert app.refresh(token, client_secret=new).status_code == 200


def test_the_jira_library_works_with_it(jira: Jira) -> None:
    client = JIRA(server=f"{jira.url}/ex/jira/{ACME}", token_auth=jira.access_token)

    made = client.create_issue(project="OPS", issuetype={"name": "Task"}, summary="From the library", description="Hi")

    assert client.myself()["displayName"] == "Ada Park"
    assert client.issue(made.key).fields.description == "Hi"
    assert made.key in [issue.key for issue in client.enhanced_search_issues("project = OPS")]
