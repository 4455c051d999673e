"""What happened, and how a connection hears of it, as somebody reads it who looks for what went wrong."""

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from integrations.models import Connection, Event
from tests.triggers.conftest import Listening, Sender, app, body_of, listener, listening, sender
from tests.workflows.conftest import worker
from workflows import dispatch
from workflows.models import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["app", "listener", "listening", "sender", "worker"]
pytestmark = pytest.mark.browser


def test_what_was_ignored_is_found_and_replayed(
    signed_in: "Page", server: str, listener: Connection, listening: Listening, sender: Sender
) -> None:
    sender.deliver_one(body_of())
    listening(listener)
    signed_in.goto(f"{server}{reverse('dashboard:integrations', args=[listener.project_id])}")

    signed_in.get_by_role("link", name="Events", exact=True).click()
    signed_in.get_by_label("Outcome").select_option("Ignored")
    signed_in.get_by_role("button", name="Filter").click()
    expect(signed_in.get_by_text("Nobody listens to it.")).to_be_visible()
    signed_in.locator("tbody").get_by_role("link").first.click()
    signed_in.get_by_role("button", name="Replay").click()

    expect(signed_in.get_by_text("Replay of")).to_be_visible()
    dispatch.dispatch(Event.objects.latest("pk").pk)
    signed_in.reload()
    expect(signed_in.get_by_role("link", name=Run.objects.get().workflow.name)).to_be_visible()
