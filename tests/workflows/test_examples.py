"""The workflows that ship as files can be brought in as they are, and what they tell arrives."""

from pathlib import Path

import pytest
from django.core.management import call_command

from integrations.models import Integration, Project
from tests.support.processes import ROOT
from workflows.models import ProjectSecret, Workflow

FILES = sorted((ROOT / "docs" / "examples").glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_brought_in_and_deployed(project: Project, file: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("let me in\n")
    call_command(
        "project", "import", str(project.pk), str(file),
        secret=[f"ACME_TOKEN=@{tmp_path / 'token'}", "ACME_URL=http://127.0.0.1:8002"],
    )  # fmt: skip

    found = list(Workflow.objects.filter(project=project))

    assert found
    assert all(workflow.is_deployed for workflow in found)
    assert ProjectSecret.objects.get(name="ACME_TOKEN").open("value") == "let me in"


def test_both_can_be_in_one_project_and_a_second_time_changes_nothing(project: Project, jira: Integration) -> None:
    for _ in range(2):
        for file in FILES:
            call_command("project", "import", str(project.pk), str(file), secret=["ACME_URL=http://x", "ACME_TOKEN=t"])

    names = [workflow.name for workflow in Workflow.objects.filter(project=project)]
    assert len(names) == len(set(names)) == 7
