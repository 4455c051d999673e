from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from integrations.dashboard import oidc
from integrations.models import Member, Project

SWITCHER_LENGTH = 12


@dataclass(frozen=True)
class Section:
    """A page that every project has: its key in a view's context, title, the name of its address, whom it is for.

    In the sidebar the pages of one `group` stand together.
    """

    key: str
    title: str
    url_name: str
    needs: Member.Role = Member.Role.SUPPORT
    group: str = "Manage"


# Other applications add theirs while they load.
SECTIONS = [
    Section("overview", "Overview", "dashboard:overview", group=""),
    Section("integrations", "Integrations", "dashboard:integrations", group="Build"),
    Section("catalog", "Catalog", "dashboard:catalog", group="Build"),
    Section("users", "Connected users", "dashboard:users", group="Watch"),
    Section("calls", "Calls", "dashboard:calls", group="Watch"),
    Section("settings", "Settings", "dashboard:settings"),
    Section("audit", "Audit", "dashboard:audit"),
]
SETTINGS_TABS = [
    Section("sdk", "SDK", "dashboard:sdk_settings", Member.Role.ADMIN),
    Section("token", "Check a token", "dashboard:check_token", Member.Role.DEVELOPER),
    Section("api_keys", "API keys", "dashboard:api_keys", Member.Role.ADMIN),
    Section("project", "Environment", "dashboard:project_settings", Member.Role.ADMIN),
    Section("members", "Members", "dashboard:members"),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give every page the projects to switch to. Nothing is queried until a template asks for them."""
    user = getattr(request, "user", None)
    sign_in = {"oidc_name": settings.OIDC_NAME if oidc.is_on() else "", "oidc_only": settings.OIDC_ONLY}
    if user is None or not user.is_authenticated:
        return sign_in
    return sign_in | {
        "switcher_projects": getattr(request, "switcher_projects", Project.objects.visible_to(user)[:SWITCHER_LENGTH]),
        "sections": SECTIONS,
        "settings_tabs": SETTINGS_TABS,
    }
