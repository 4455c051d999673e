"""The demo's tasks: a task and the issue that it became are one, whichever is heard of first."""

from pathlib import Path

import pytest

from integrations.providers.jira.demo.tasks import Tasks

URL = "https://acme.atlassian.test/browse/OPS-9"
ISSUE = {"kind": "issue", "key": "OPS-9", "url": URL, "title": "Checkout fails", "status": "In Progress"}
LINKED = {"kind": "linked", "task": "1", "key": "OPS-9", "url": URL}


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return Tasks(tmp_path / "tasks.json")


@pytest.mark.parametrize("order", [[ISSUE, LINKED], [LINKED, ISSUE]], ids=["the issue first", "the link first"])
def test_a_task_that_became_an_issue_stays_one_task(tasks: Tasks, order: list[dict[str, str]]) -> None:
    before = len(tasks.of("alice")["tasks"])

    for told in order:
        tasks.hear("alice", told)

    found = tasks.of("alice")["tasks"]
    assert len(found) == before
    [task] = [each for each in found if each["key"] == "OPS-9"]
    assert (task["id"], task["title"], task["status"], task["url"]) == ("1", "Checkout fails", "In Progress", URL)


def test_a_link_leads_to_a_page(tasks: Tasks) -> None:
    with pytest.raises(ValueError, match="must be the address of a page"):
        tasks.hear("alice", LINKED | {"url": "javascript:alert(1)"})
