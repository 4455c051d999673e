"""Making an API key in a real browser, with and without scripts."""

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from integrations.models import Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def test_a_key_is_made_and_revoked_without_scripts(
    browser: "Browser", signed_in: "Page", server: str, project: Project
) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=signed_in.context.storage_state())
    page = context.new_page()
    page.goto(f"{server}{reverse('dashboard:new_api_key', args=[project.pk])}")
    page.get_by_label("Name").fill("Support desk")
    page.get_by_label("users:read").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator(".copy-value")).to_have_text(re.compile(r"^pbs_\w{57}"))
    page.get_by_role("link", name="I have saved it").click()
    page.get_by_role("link", name="Revoke").click()

    page.get_by_role("button", name="Revoke").click()

    expect(page.get_by_text("No key yet")).to_be_visible()
    context.close()
