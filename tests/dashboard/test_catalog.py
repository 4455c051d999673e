import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import Client

from integrations import providers
from integrations.models import AuditEntry, Connection, Integration, Member, Project
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog of two: Jira, and Telex that is not featured and is in a category of its own."""
    jira = providers.get("jira")
    telex = replace(jira, name="Telex", tagline="Send telexes.", categories=("Ticketing", "Chat & mail"))
    monkeypatch.setattr(providers, "catalog", lambda: [replace(telex, is_featured=False), jira])


def shown(client: Client, project: Project, **query: str) -> list[str]:
    """Return the providers whose cards are not hidden."""
    page = text(client.get(url("catalog", project.pk), query))
    return re.findall(r'data-card="[^"]*">.*?<strong>(\w+)</strong>', page, re.DOTALL)


@pytest.mark.parametrize("slug", providers.SLUGS)
def test_every_provider_has_logo_and_setup_guide(slug: str) -> None:
    provider = providers.get(slug)

    assert finders.find(provider.logo)
    assert get_template(provider.setup_template)
    assert provider.docs_url.startswith("https://")


def test_it_shows_a_card_with_its_state(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("catalog", project.pk))

    assert "Jira" in text(response)
    assert "Not added" in text(response)


def test_the_state_follows(as_alice: Client, project: Project, integration: Integration) -> None:
    assert "Inactive" in text(as_alice.get(url("catalog", project.pk)))

    Integration.objects.update(is_active=True)

    assert "Active" in text(as_alice.get(url("catalog", project.pk)))


@pytest.mark.parametrize("query", ["jira", "JIRA", "ticketing", "issues jira"])
def test_search_finds(query: str, as_alice: Client, project: Project) -> None:
    assert shown(as_alice, project, q=query) == ["Jira"]


@pytest.mark.parametrize("query", ["delete issue", "NEW COMMENT", "ticketing search"])
def test_search_finds_what_a_provider_does(query: str, as_alice: Client, project: Project) -> None:
    assert shown(as_alice, project, q=query) == ["Jira"]


def test_a_card_tells_which_actions_and_triggers_were_meant(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("catalog", project.pk), {"q": "jira comment"})

    assert "<li data-deed>Add comment</li><li data-deed hidden>Delete issue</li>" in text(response)
    assert "<li data-deed>New comment</li>" in text(response)


def test_a_category_is_a_link_with_its_count(two: None, as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("catalog", project.pk)))

    assert '<a href="?category=Chat%20%26%20mail">Chat &amp; mail <span>1</span></a>' in page
    assert '<a href="?category=Ticketing">Ticketing <span>2</span></a>' in page


def test_a_category_shows_its_own_and_keeps_the_search(two: None, as_alice: Client, project: Project) -> None:
    assert shown(as_alice, project, category="Chat & mail") == ["Telex"]
    assert shown(as_alice, project, category="Chat & mail", q="jira") == []
    assert shown(as_alice, project, category="Ticketing", q="telex") == ["Telex"]


def test_a_category_that_is_not_there_is_empty(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("catalog", project.pk), {"category": "<i>Fax"}))

    assert "Nothing in &lt;i&gt;Fax" in page
    assert "Show all integrations" in page


def test_featured_ones_come_first_under_their_own_heading(two: None, as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("catalog", project.pk)))

    order = [
        page.index(words) for words in ("<h2>Featured", ">Jira</strong>", "<h2>All integrations", ">Telex</strong>")
    ]
    assert order == sorted(order)


def test_without_others_there_is_no_second_heading(as_alice: Client, project: Project) -> None:
    assert "<h2>All integrations" not in text(as_alice.get(url("catalog", project.pk)))


def test_search_that_finds_nothing_says_so_and_keeps_the_words(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("catalog", project.pk), {"q": "<b>nope"})

    assert "matches “&lt;b&gt;nope”" in text(response)
    assert 'value="&lt;b&gt;nope"' in text(response)
    assert "data-catalog-empty>" in text(response)
    assert "/docs/contributing#how-to-add-a-provider" in text(response)


def test_what_is_missing_can_be_written_and_the_link_leads_to_how(as_alice: Client, project: Project) -> None:
    assert "Write a provider" in text(as_alice.get(url("catalog", project.pk)))
    assert 'id="how-to-add-a-provider"' in text(as_alice.get("/docs/contributing"))


def test_the_page_tells_what_it_offers(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("provider", project.pk, "jira"))

    assert "Any endpoint" in text(response)
    assert "read:jira-work" in text(response)
    assert providers.get("jira").docs_url in text(response)
    assert "Add to project" in text(response)


def test_the_page_tells_every_action_and_trigger(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("provider", project.pk, "jira")))

    assert "Comment on an issue." in page
    assert "Inputs: Issue, Comment, Text format." in page
    assert "Starts when an issue is created." in page
    assert "Told at once" in page


def test_the_page_tells_what_to_have_and_where_to_read(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("provider", project.pk, "jira")))

    assert providers.get("jira").guides[0].url in page
    assert 'href="/docs/jira"' in page
    assert "A Jira Cloud site of your own to try it on" in page


def test_the_page_has_a_call_to_copy(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("provider", project.pk, "jira")))

    assert f"/projects/{project.pk}/sdk/proxy/jira/rest/api/3/myself" in page
    assert "patchbay.request(&quot;jira&quot;, &quot;/rest/api/3/myself&quot;)" in page


def test_the_page_says_how_it_stands_in_the_project(
    as_alice: Client, project: Project, integration: Integration, connect_user: Callable[..., Connection]
) -> None:
    connect_user(integration, "alice")
    Integration.objects.update(is_active=True)

    page = text(as_alice.get(url("provider", project.pk, "jira")))

    assert "Active: your users can connect. 1 user is connected." in page
    assert url("integration_settings", project.pk, "jira") in page
    assert "Add to project" not in page


def test_support_is_told_who_can_add_it(as_alice: Client, project: Project) -> None:
    Member.objects.update(role=Member.Role.SUPPORT)

    page = text(as_alice.get(url("provider", project.pk, "jira")))

    assert "A developer or admin of this project can add it." in page
    assert "Add to project" not in page


def test_adding_leads_to_its_settings_with_a_redirect_url(as_alice: Client, project: Project) -> None:
    response = as_alice.post(url("add_integration", project.pk, "jira"), follow=True)

    integration = Integration.objects.get(project=project)
    assert response.redirect_chain[-1][0] == url("integration_settings", project.pk, "jira")
    assert integration.oauth_app.callback_url in text(response)
    assert AuditEntry.objects.get().action == "integration added"


def test_adding_twice_keeps_the_first(as_alice: Client, project: Project, integration: Integration) -> None:
    as_alice.post(url("add_integration", project.pk, "jira"))

    assert Integration.objects.get(project=project) == integration


def test_what_is_not_in_the_catalog_cannot_be_added(as_alice: Client, project: Project) -> None:
    assert as_alice.post(url("add_integration", project.pk, "nothing")).status_code == 404
