"""A project's workflows in a file: out, into another project, and what an import would change."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Connection, Integration, Portal, Project
from tests.workflows.conftest import Worker, action, values
from workflows.models import Workflow


def manage(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command("project", *arguments, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def file(worker: Worker, tmp_path: Path) -> Path:
    worker.workflow(values(a="1"), action("get_issue", issue="{{made.a}}"))
    path = tmp_path / "acme.json"
    manage("export", str(worker.integration.project.pk), str(path))
    return path


def test_out_and_into_another_project(file: Path, jira: Integration) -> None:
    other = Project.objects.create(name="Staging")

    said = manage("import", "Staging", str(file))

    copied = Workflow.objects.get(project=other)
    assert (copied.name, copied.is_deployed) == ("Flow 0", True)
    assert "add jira (inactive until somebody activates it)" in said
    assert manage("export", "Staging") == file.read_text()


def test_the_portal_comes_along(file: Path, jira: Integration) -> None:
    Portal.objects.create(integration=jira, short_description="Tasks and Jira in step", accent_color="#0b7a3b")
    manage("export", str(jira.project.pk), str(file))
    other = Project.objects.create(name="Staging")

    first, second = manage("import", "Staging", str(file)), manage("import", "Staging", str(file))

    assert "Jira: the look and the words of its portal change" in first
    assert second == "Nothing to change.\n"
    portal = Portal.objects.get(integration__project=other)
    assert portal.decided == {"short_description": "Tasks and Jira in step", "accent_color": "#0b7a3b"}


def test_what_a_file_does_not_name_is_undecided_again(file: Path, jira: Integration) -> None:
    Portal.objects.create(integration=jira, short_description="Tasks and Jira in step", shows_activity=False)
    found = json.loads(file.read_text())
    found["integrations"]["jira"]["portal"] = {"theme": "dark"}
    file.write_text(json.dumps(found))

    manage("import", str(jira.project.pk), str(file))

    assert Portal.objects.get().decided == {"theme": "dark"}


@pytest.mark.parametrize(
    ("portal", "words"),
    [
        ({"accent_color": "green"}, "jira: portal: accent_color: Write a colour as six digits"),
        ({"theme": "sepia"}, "jira: portal: theme: "),
        ({"font": "Arial"}, "jira: portal: there is no “font”"),
        ({"short_description": "x" * 161}, "jira: portal: short_description: "),
        ("blue", "The portal of “jira” must be an object."),
    ],
)
def test_a_portal_that_cannot_be_is_refused(file: Path, jira: Integration, portal: Any, words: str) -> None:
    found = json.loads(file.read_text())
    found["integrations"]["jira"]["portal"] = portal
    file.write_text(json.dumps(found))

    with pytest.raises(CommandError, match=words):
        manage("import", str(jira.project.pk), str(file))

    assert not Portal.objects.exists()


def test_the_same_file_twice_changes_nothing(file: Path, jira: Integration) -> None:
    assert manage("import", str(jira.project.pk), str(file)) == "Nothing to change.\n"
    assert Workflow.objects.get().versions.count() == 1


def test_a_dry_run_says_what_would_change(file: Path, jira: Integration) -> None:
    found = json.loads(file.read_text())
    found["integrations"]["jira"]["workflows"][0]["definition"]["steps"][1]["input"]["issue"] = "OPS-2"
    file.write_text(json.dumps(found))

    said = manage("import", str(jira.project.pk), str(file), dry_run=True)

    assert "Flow 0: Get issue by key (get_issue): issue" in said
    assert "this was a dry run" in said
    assert Workflow.objects.get().versions.count() == 1


def test_scopes_are_added_and_those_that_the_file_does_not_name_stay(file: Path, jira: Integration) -> None:
    app = jira.oauth_app
    app.scopes = ["read:jira-user", "read:jira-work", "write:jira-work", "manage:jira-configuration"]
    app.save()
    found = json.loads(file.read_text())
    found["integrations"]["jira"]["scopes"] = ["read:jira-work", "manage:jira-webhook"]
    file.write_text(json.dumps(found))

    said = manage("import", str(jira.project.pk), str(file))

    app.refresh_from_db()
    assert app.scopes == [
        "manage:jira-configuration",
        "manage:jira-webhook",
        "read:jira-user",
        "read:jira-work",
        "write:jira-work",
    ]
    assert "jira: add the scope manage:jira-webhook" in said


def test_what_cannot_run_is_not_brought_in_at_all(file: Path, jira: Integration) -> None:
    found = json.loads(file.read_text())
    workflow = found["integrations"]["jira"]["workflows"][0]
    workflow["definition"]["steps"][1]["input"]["issue"] = "{{nothing.there}}"
    found["integrations"]["jira"]["workflows"].append(
        workflow | {"name": "Good", "definition": {"steps": []}, "deployed": False}
    )
    file.write_text(json.dumps(found))

    with pytest.raises(CommandError, match="There is no “nothing” before this step"):
        manage("import", str(jira.project.pk), str(file))

    assert [item.name for item in Workflow.objects.all()] == ["Flow 0"]


def test_a_filter_that_the_provider_refuses_is_named(file: Path, jira: Integration, connection: Connection) -> None:
    found = json.loads(file.read_text())
    workflow = found["integrations"]["jira"]["workflows"][0]
    trigger = {"type": "integration", "name": "issue_updated", "input": {"jql": "priority = = High"}}
    workflow["definition"] = {"trigger": trigger, "steps": [values(a="1")]}
    file.write_text(json.dumps(found))

    with pytest.raises(CommandError, match="Flow 0: trigger: "):
        manage("import", str(jira.project.pk), str(file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "This is not JSON"),
        ("[]", "This is not an export of Patchbay"),
        ('{"patchbay": 1, "integrations": {"fax": {}}}', "There is no integration “fax”"),
        ('{"patchbay": 1, "integrations": {"jira": {"workflows": [{}]}}}', "Workflow 1 of “jira” has no name."),
        ('{"patchbay": 1, "integrations": {"jira": {"workflows": [{"name": "A"}]}}}', "“A” has no definition."),
        ('{"patchbay": 1, "integrations": {"jira": {"scopes": ["fly"]}}}', "there is no scope fly"),
    ],
)
def test_a_file_that_is_none(text: str, words: str, jira: Integration, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)

    with pytest.raises(CommandError, match=words):
        manage("import", str(jira.project.pk), str(path))


def test_a_project_that_does_not_exist(db: None) -> None:
    with pytest.raises(CommandError, match="There is no project “Nowhere”"):
        manage("export", "Nowhere")
