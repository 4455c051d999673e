"""The documentation keeps up with the code."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from integrations.api.scopes import SCOPES
from integrations.api.urls import ROUTES as MANAGEMENT_ROUTES
from integrations.sdk.urls import ROUTES
from workflows.api.urls import ROUTES as WORKFLOW_MANAGEMENT_ROUTES
from workflows.sdk.urls import ROUTES as WORKFLOW_ROUTES

ROOT = Path(settings.BASE_DIR)
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]+)?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
READ = re.compile(r"(?:read|count|seconds|flag|words|db_url|email_url)\(\s*\"([A-Z_]+)\"")


def anchors(page: Path) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [((page.parent / path) if path else page, anchor) for path, anchor in LINK.findall(page.read_text())]

    assert [str(target) for target, _ in links if not target.exists()] == []
    assert [anchor for target, anchor in links if anchor and anchor[1:] not in anchors(target)] == []


def test_every_setting_is_described() -> None:
    described = (ROOT / "docs" / "deployment.md").read_text()

    names = set(READ.findall((ROOT / "config" / "settings.py").read_text()))

    assert len(names) > 20
    assert [name for name in sorted(names) if f"`{name}`" not in described] == []


def test_every_system_check_is_described() -> None:
    described = (ROOT / "docs" / "deployment.md").read_text()

    ids = re.findall(r'id="patchbay\.(\w+)"', (ROOT / "integrations" / "checks.py").read_text())

    assert [name for name in ids if name not in described] == []


def test_every_address_of_the_api_is_described() -> None:
    described = (ROOT / "docs" / "http-api.md").read_text()

    routes = [*ROUTES, *WORKFLOW_ROUTES, *MANAGEMENT_ROUTES, *WORKFLOW_MANAGEMENT_ROUTES]
    paths = {re.sub(r"/?<.*", "", path) for path, _, _ in routes}

    assert [path for path in sorted(paths) if f"/{path}" not in described] == []


def test_every_scope_of_api_keys_is_described() -> None:
    described = (ROOT / "docs" / "http-api.md").read_text()

    assert [scope.name for scope in SCOPES if f"`{scope.name}`" not in described] == []


def test_every_error_of_the_api_is_described() -> None:
    described = (ROOT / "docs" / "http-api.md").read_text()
    files = [*(ROOT / "integrations").glob("**/*.py"), *(ROOT / "workflows").glob("**/*.py")]
    code = "".join(path.read_text() for path in files if "sandbox" not in path.parts)

    raised = re.findall(r"(?:ApiError|ProxyError)\(\s*\d+,\s*\"(\w+)\"", code)
    raised += re.findall(r"(?:ConnectError|RunRefused|_failed|fail)\(\s*(?:\w+,\s*)?\"(\w+)\"", code)

    assert len(raised) > 40
    assert [name for name in sorted(set(raised)) if f"`{name}`" not in described] == []
