"""The rules of the house hold, and the check that says so would see a breach."""

from pathlib import Path

import pytest

from integrations.providers import SLUGS
from tests.support.import_rule import ROOT, problems


def said_of(root: Path, path: str, text: str) -> list[str]:
    """Write one file into an empty house; return what is said of it."""
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return list(problems(root, ["jira"]))


def test_the_house_keeps_its_rules() -> None:
    assert list(problems(ROOT, SLUGS)) == []


@pytest.mark.parametrize(
    "line",
    [
        "import workflows",
        "import workflows.models as m",
        "from workflows import engine",
        "from workflows.models import Run",
        "def later():\n    from workflows import engine",
        "if TYPE_CHECKING:\n    from workflows.models import Run",
    ],
)
def test_integrations_may_not_import_workflows(tmp_path: Path, line: str) -> None:
    (said,) = said_of(tmp_path, "integrations/tokens.py", line)

    assert "must not import workflows" in said


def test_workflows_may_import_integrations(tmp_path: Path) -> None:
    assert said_of(tmp_path, "workflows/engine.py", "from integrations import tokens\nimport workflows.models") == []


@pytest.mark.parametrize(
    "line",
    [
        'if slug == "jira": pass',
        'URL = "https://example.atlassian.net/jira/"',
        "from integrations.providers import jira",
        "import integrations.providers.jira.oauth",
        "def refresh_jira(): pass",
        "jira_url = 1",
        "settings.JIRA_URL",
        "call(jira=1)",
        'f"{jira}"',
    ],
)
@pytest.mark.parametrize("path", ["integrations/tokens.py", "workflows/engine.py", "config/settings.py"])
def test_no_code_outside_its_folder_names_a_provider(tmp_path: Path, path: str, line: str) -> None:
    said = said_of(tmp_path, path, "\n" + line)

    assert [problem.split(" names")[0] for problem in said][:1] == [f"{path}:2:"]


@pytest.mark.parametrize(
    "text", ['"""As Jira does."""', "x = 1  # jira", 'def f():\n    """Jira."""', 'class A:\n    "jira"', "jiraffe = 1"]
)
def test_comments_and_docstrings_may_give_an_example(tmp_path: Path, text: str) -> None:
    assert said_of(tmp_path, "integrations/tokens.py", text) == []


@pytest.mark.parametrize(
    "path",
    [
        "integrations/providers/__init__.py",
        "integrations/providers/jira/oauth.py",
        "templates/integrations/jira/help.html",
        "static/integrations/jira.svg",
    ],
)
def test_a_provider_may_name_itself(tmp_path: Path, path: str) -> None:
    assert said_of(tmp_path, path, 'NAME = "jira"') == []


@pytest.mark.parametrize("path", ["templates/dashboard/home.html", "static/js/page.js", "static/css/page.css"])
def test_no_page_or_script_names_a_provider(tmp_path: Path, path: str) -> None:
    said = said_of(tmp_path, path, "first\n<b class='jira'>")

    assert said == [f"{path}:2: names a provider; take it from the provider's own data or templates."]


@pytest.mark.parametrize("comment", ["// jira", "/* jira\n jira */", "{# jira #}", "{% comment %}jira{% endcomment %}"])
def test_a_comment_in_a_page_may_name_one(tmp_path: Path, comment: str) -> None:
    assert said_of(tmp_path, "static/page.js", comment) == []
