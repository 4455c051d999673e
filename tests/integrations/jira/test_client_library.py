"""An ordinary Jira client library, told Patchbay's raw base URL and a user token instead of Jira's."""

import pytest
from jira import JIRA, JIRAError

from tests.integrations.conftest import Window, alice, jira, window_of

__all__ = ["alice", "jira", "window_of"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(alice: Window, server: str) -> JIRA:
    alice.connect()
    return JIRA(server=f"{server}/projects/{alice.project.pk}/raw/jira", token_auth=alice.token)


def test_it_creates_reads_and_finds_issues(client: JIRA) -> None:
    made = client.create_issue(project="OPS", issuetype={"name": "Task"}, summary="From the library", description="Hi")

    assert client.myself()["displayName"] == "Ada Park"
    assert client.issue(made.key).fields.description == "Hi"
    assert made.key in [issue.key for issue in client.enhanced_search_issues("project = OPS")]


def test_it_sees_jiras_own_errors(client: JIRA) -> None:
    with pytest.raises(JIRAError) as error:
        client.issue("NOPE-1")

    assert error.value.status_code == 404
    assert "does not exist" in error.value.text


def test_it_changes_and_comments(client: JIRA) -> None:
    issue = client.issue("OPS-1")

    issue.update(summary="Disk is full again")
    client.add_comment("OPS-1", "Looking into it")

    again = client.issue("OPS-1")
    assert again.fields.summary == "Disk is full again"
    assert again.fields.comment.comments[-1].body == "Looking into it"
