"""Which pictures docs/screenshots/ holds, and the page that shows them."""

from typing import TYPE_CHECKING

from tests.support.pages import Page, every_page
from tests.support.visitor import ERRORS, PORTALS

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab

    from tests.support.visitor import Visitor

# The admin looks alike for every model: these stand for the others.
OF_THE_ADMIN = ("admin:index", "admin:integrations_project_changelist", "admin:integrations_project_change")
# The portal's own page is empty until a product opens it.
NOTHING_TO_SEE = ("portal:ui",)
TITLES = {
    "dashboard": "Dashboard",
    "workflows": "Workflows and events",
    "portal": "What end users see",
    "account": "Signing in, and one’s own account",
    "admin": "Administration",
    "error": "What cannot be shown",
}
HEAD = """# Every page

In light, in dark, and on a phone; full, empty, and when something is wrong. `make screenshots` takes these pictures,
and leaves those alone that did not change. Fonts are the system's, so they look a little different on yours.
"""


def pages() -> dict[str, Page]:
    """Return what is shown, by the name of its picture."""
    return {page.slug: page for page in every_page() if is_shown(page)}


def is_shown(page: Page) -> bool:
    if page.is_admin:
        return page.route.name in OF_THE_ADMIN
    return page.route.name not in NOTHING_TO_SEE


def names() -> list[str]:
    portals = [f"portal-open-{name}" for name in PORTALS]
    return sorted([*pages(), *portals, *(f"error-{name}" for name in ERRORS)])


def open_one(visitor: "Visitor", name: str) -> "Tab":
    if name.startswith("portal-open-"):
        return visitor.open_portal(name.removeprefix("portal-open-"))
    if name.startswith("error-"):
        return visitor.open_error(name.removeprefix("error-"))
    return visitor.open(pages()[name])


def readme() -> str:
    parts = [HEAD]
    for group, title in [*TITLES.items(), ("", "Other")]:
        found = [name for name in names() if _group(name) == group]
        rows = [f"### {name.replace('-', ' ')}\n\n{_images(name)}\n" for name in found]
        parts += [f"## {title}\n", *rows] if rows else []
    return "\n".join(parts)


def _group(name: str) -> str:
    group = name.split("-", maxsplit=1)[0]
    return group if group in TITLES else ""


def _images(name: str) -> str:
    widths = {"light": 400, "dark": 400, "phone": 140}
    return " ".join(
        f'<img src="{name}-{look}.webp" width="{width}" alt="{name}, {look}">' for look, width in widths.items()
    )
