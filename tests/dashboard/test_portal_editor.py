"""The portal editor: what a developer decides, how it would look, and who changed what."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from integrations.dashboard import portal_form
from integrations.models import AuditEntry, Integration, Member, Portal, User
from tests.dashboard.conftest import text, url
from workflows.models import Workflow

pytestmark = pytest.mark.django_db
BLANK = {"short_description": "", "description": "", "connect_label": "", "accent_color": "", "theme": "system"}


def address(integration: Integration) -> str:
    return url("portal", integration.project_id, "jira")


def save(client: Client, integration: Integration, **fields: Any) -> Any:
    return client.post(address(integration), BLANK | {"save": "1"} | fields)


def draft(client: Client, integration: Integration, **fields: Any) -> str:
    return text(client.post(address(integration), BLANK | fields))


def sample(html: str) -> Any:
    found = re.search(r'<script id="sample" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found.group(1))


def offered(client: Client, integration: Integration) -> list[str]:
    html = text(client.get(address(integration)))
    return re.findall(r'<strong class="wrap">(\w+)</strong>', html)


# Words and colours --------------------------------------------------------------------------------------------------


def test_a_blank_editor_shows_what_is_said_without_it(as_alice: Client, integration: Integration) -> None:
    html = text(as_alice.get(address(integration)))

    assert 'placeholder="Let Acme Tasks work with your Jira account."' in html
    assert 'placeholder="#1868db"' in html
    assert not Portal.objects.exists()


def test_what_is_saved_is_what_the_portal_says(as_alice: Client, client: Client, integration: Integration) -> None:
    save(as_alice, integration, short_description="Tasks and issues, side by side.", connect_label="Link Jira")

    html = text(client.get("/ui", {"projectId": str(integration.project_id)}))
    assert 'data-short="Tasks and issues, side by side."' in html
    assert 'data-label="Link Jira"' in html


def test_a_description_reaches_the_portal_as_safe_html(
    as_alice: Client, client: Client, integration: Integration
) -> None:
    save(as_alice, integration, description="# Hello\n\n<script>alert(1)</script> [x](javascript:alert(1))")

    html = text(client.get("/ui", {"projectId": str(integration.project_id)}))
    assert "<h3>Hello</h3>" in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html


def test_a_colour_may_be_written_short(as_alice: Client, integration: Integration) -> None:
    save(as_alice, integration, accent_color=" 0Af ")

    assert Portal.objects.get().accent_color == "#00aaff"


def test_what_is_no_colour_is_said_at_the_field(as_alice: Client, integration: Integration) -> None:
    response = save(as_alice, integration, accent_color="teal;}", short_description="Kept")

    assert "Write a colour as six digits after #, like #1868db." in text(response)
    assert 'value="Kept"' in text(response)
    assert not Portal.objects.exists()


def test_a_pale_colour_is_told_to_be_darkened(as_alice: Client, integration: Integration) -> None:
    html = draft(as_alice, integration, accent_color="#ffcc00")

    assert "Black text on <code>#ffcc00</code>" in html
    assert "Darkened to <code>#856a00</code>, as it would have 1.4 : 1" in html


def test_too_long_a_text_is_said_at_the_field(as_alice: Client, integration: Integration) -> None:
    response = save(as_alice, integration, short_description="x" * 161)

    assert "at most 160 characters" in text(response)


def test_nothing_but_the_save_button_saves(as_alice: Client, integration: Integration) -> None:
    html = draft(as_alice, integration, short_description="Only a draft")

    assert 'data-short="Only a draft"' in html
    assert "Not saved yet" in html
    assert not Portal.objects.exists()


def test_what_the_preview_tells_is_in_that_language_too(as_alice: Client, integration: Integration) -> None:
    sample = as_alice.post(f"{address(integration)}?lang=de", BLANK).context["sample"]

    assert sample["reason"].startswith("Jira hat den Zugriff beendet")
    assert sample["activity"][1]["title"] == "Daten gelesen"


def test_a_draft_is_drawn_in_the_language_above_the_preview(as_alice: Client, integration: Integration) -> None:
    response = as_alice.post(f"{address(integration)}?lang=fr", BLANK)

    assert 'data-label="Connecter Jira"' in text(response)
    assert "What your users see" in text(response)


def test_who_changed_what_is_noted(as_alice: Client, integration: Integration) -> None:
    save(as_alice, integration, theme="dark")

    entry = AuditEntry.objects.get(action="portal changed")
    assert (entry.actor_name, entry.before, entry.after) == (
        "alice@example.com",
        {"Light or dark": "system", "Show users what was done in their name": True},
        {"Light or dark": "dark", "Show users what was done in their name": False},
    )


def test_two_first_saves_at_once_collide_in_nothing(integration: Integration, alice: User) -> None:
    first, second = (
        portal_form.PortalForm(QueryDict(urlencode(BLANK | {"theme": theme})), instance=Portal(integration=integration))
        for theme in ("light", "dark")
    )
    assert first.is_valid()
    assert second.is_valid()
    order = portal_form.OfferOrder(first.instance, None)

    portal_form.save(first, order, alice)
    portal_form.save(second, order, alice)

    assert Portal.objects.get(integration=integration).theme == "dark"


def test_saving_what_is_there_already_is_no_change(as_alice: Client, integration: Integration) -> None:
    save(as_alice, integration, shows_activity="on")

    assert not AuditEntry.objects.filter(action="portal changed").exists()


# Order --------------------------------------------------------------------------------------------------------------


def test_workflows_are_moved_without_a_script(
    as_alice: Client, integration: Integration, workflows: list[Workflow]
) -> None:
    ids = [str(workflow.pk) for workflow in workflows]

    html = draft(as_alice, integration, order=ids, shown=ids, up=ids[2])

    meta = sample(html)["integration"]["configs"][0]["values"]["workflowMeta"]
    assert sorted(ids, key=lambda key: meta[key]["order"]) == [ids[0], ids[2], ids[1]]
    assert offered(as_alice, integration) == ["First", "Second", "Third"]


def test_their_order_and_what_is_hidden_are_saved(
    as_alice: Client, integration: Integration, workflows: list[Workflow]
) -> None:
    ids = [str(workflow.pk) for workflow in workflows]

    save(as_alice, integration, order=ids[::-1], shown=ids[1:])

    assert offered(as_alice, integration) == ["Third", "Second", "First"]
    assert list(Workflow.objects.filter(is_hidden=True)) == [workflows[0]]
    before = {workflow.pk: workflow.revision for workflow in workflows}
    changed = [workflow.pk for workflow in Workflow.objects.all() if workflow.revision != before[workflow.pk]]
    assert changed == [workflows[0].pk], "a builder that shows it otherwise is told; the others need not be"
    assert AuditEntry.objects.get(action="portal changed").after["Offered"] == "Third, Second, First (hidden)"


def test_a_workflow_that_was_made_meanwhile_comes_last_and_stays_shown(
    as_alice: Client, integration: Integration, workflows: list[Workflow]
) -> None:
    ids = [str(workflow.pk) for workflow in workflows]

    save(as_alice, integration, order=ids[1:], shown=ids[1:])

    assert offered(as_alice, integration) == ["Second", "Third", "First"]
    assert not Workflow.objects.filter(is_hidden=True).exists()


def test_a_workflow_of_another_project_is_not_touched(
    as_alice: Client, integration: Integration, workflows: list[Workflow], stranger: User
) -> None:
    from integrations import setup
    from integrations.models import Project

    other = setup.add_integration(Project.objects.create(name="Elsewhere"), "jira", stranger)
    theirs = Workflow.objects.create(project=other.project, integration=other, name="Theirs", position=7)

    save(as_alice, integration, order=[str(theirs.pk)], shown=[])

    theirs.refresh_from_db()
    assert (theirs.position, theirs.is_hidden) == (7, False)


def test_one_that_is_not_deployed_says_so(as_alice: Client, integration: Integration) -> None:
    Workflow.objects.create(project=integration.project, integration=integration, name="Unborn")

    assert "Not deployed yet, so nobody sees it." in text(as_alice.get(address(integration)))


# The preview --------------------------------------------------------------------------------------------------------


def test_the_preview_is_framed_by_the_dashboard_alone(as_alice: Client, integration: Integration) -> None:
    response = as_alice.get(url("portal_preview", integration.project_id, "jira"))

    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert 'data-origins="http://testserver"' in text(response)
    assert " data-preview>" in text(response)


def test_the_editor_may_frame_pages_of_its_own_only(as_alice: Client, integration: Integration) -> None:
    policy = as_alice.get(address(integration))["Content-Security-Policy"]

    assert "frame-src 'self'" in policy


def test_the_page_stays_small_and_asks_little(
    as_alice: Client,
    integration: Integration,
    workflows: list[Workflow],
    django_assert_max_num_queries: Any,
) -> None:
    as_alice.get(address(integration))

    with django_assert_max_num_queries(10):
        response = as_alice.get(address(integration))

    assert len(response.content) < 100_000


# Who may ------------------------------------------------------------------------------------------------------------


def test_a_stranger_cannot_see_that_it_exists(as_stranger: Client, integration: Integration) -> None:
    assert as_stranger.get(address(integration)).status_code == 404
    assert save(as_stranger, integration, theme="dark").status_code == 404
    assert as_stranger.get(url("portal_preview", integration.project_id, "jira")).status_code == 404


def test_support_may_not_change_it(as_bob: Client, integration: Integration) -> None:
    Member.objects.filter(user__email="bob@example.com").update(role=Member.Role.SUPPORT)

    assert save(as_bob, integration, theme="dark").status_code == 403
    assert not Portal.objects.exists()


def test_it_has_a_tab_on_the_integrations_page(as_alice: Client, integration: Integration) -> None:
    html = text(as_alice.get(url("integration", integration.project_id, "jira")))

    assert f'href="{address(integration)}"' in html


def test_a_superuser_changes_it_in_the_admin_by_the_same_rules(
    signed_in: Callable[[User], Client], root: User, integration: Integration
) -> None:
    portal = Portal.objects.create(integration=integration)
    page, as_root = reverse("admin:integrations_portal_change", args=[portal.pk]), signed_in(root)

    refused = as_root.post(page, BLANK | {"accent_color": "teal"})
    as_root.post(page, BLANK | {"accent_color": "#FC0", "shows_activity": "on"})

    assert "Write a colour as six digits" in text(refused)
    portal.refresh_from_db()
    assert portal.accent_color == "#ffcc00"
    assert AuditEntry.objects.get(action="portal changed").after == {"Accent colour": "#ffcc00"}
