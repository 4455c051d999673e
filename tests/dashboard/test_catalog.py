import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import Client

from integrations import providers
from integrations.models import AuditEntry, Integration, Project
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


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
    response = as_alice.get(url("catalog", project.pk), {"q": query})

    assert url("provider", project.pk, "jira") in text(response)


def test_search_that_finds_nothing_says_so_and_keeps_the_words(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("catalog", project.pk), {"q": "<b>nope"})

    assert "Nothing in the catalog matches" in text(response)
    assert 'value="&lt;b&gt;nope"' in text(response)


def test_the_page_tells_what_it_offers(as_alice: Client, project: Project) -> None:
    response = as_alice.get(url("provider", project.pk, "jira"))

    assert "Any endpoint" in text(response)
    assert "read:jira-work" in text(response)
    assert providers.get("jira").docs_url in text(response)
    assert "Add to project" in text(response)


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
