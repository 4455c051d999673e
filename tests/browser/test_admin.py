"""Django's admin in the same theme as everything else."""

from typing import TYPE_CHECKING

import pytest

from integrations.models import User

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_theme_chosen_in_the_admin_is_the_dashboards_too(signed_in: "Page", server: str) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    signed_in.goto(f"{server}/admin/")

    signed_in.get_by_role("button", name="Toggle theme").first.click()
    chosen = signed_in.locator("html").get_attribute("data-theme")
    signed_in.goto(f"{server}/projects")

    assert chosen in ("light", "dark")
    assert signed_in.locator("html").get_attribute("data-theme") == chosen
