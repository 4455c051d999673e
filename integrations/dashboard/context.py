from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from integrations.models import Project

SWITCHER_LENGTH = 12


@dataclass(frozen=True)
class Section:
    """A page that every project has: its key in a view's context, its title, the name of its address."""

    key: str
    title: str
    url_name: str


# Other applications add theirs while they load.
SECTIONS = [
    Section("integrations", "Integrations", "dashboard:integrations"),
    Section("catalog", "Catalog", "dashboard:catalog"),
    Section("users", "Connected users", "dashboard:users"),
    Section("calls", "Calls", "dashboard:calls"),
    Section("settings", "Settings", "dashboard:sdk_settings"),
    Section("audit", "Audit", "dashboard:audit"),
]
SETTINGS_TABS = [
    Section("sdk", "SDK", "dashboard:sdk_settings"),
    Section("project", "Project", "dashboard:project_settings"),
    Section("members", "Members", "dashboard:members"),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give every page the projects to switch to. Nothing is queried until a template asks for them."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "switcher_projects": Project.objects.visible_to(user)[:SWITCHER_LENGTH],
        "sections": SECTIONS,
        "settings_tabs": SETTINGS_TABS,
    }
