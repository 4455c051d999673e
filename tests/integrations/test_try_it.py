"""A dashboard user connects an account of their own and calls the provider with it, without a line of code."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from integrations import calls
from integrations.models import Call, ConnectedUser, Connection, ConnectSession, Grant, Integration, Member, User
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia(jira: Integration) -> User:
    user = User.objects.create_user("olivia@acme.test", "correct horse battery")
    Member.objects.create(project=jira.project, user=user, role=Member.Role.OWNER)
    return user


@pytest.fixture
def dashboard(olivia: User) -> Client:
    client = Client()
    client.force_login(olivia)
    return client


def at(name: str, integration: Integration) -> str:
    return reverse(f"dashboard:{name}", args=[integration.project_id, "jira"])


def go_out(client: Client, integration: Integration) -> str:
    """Press the button; return the consent page's address."""
    answer = client.post(at("try_connect", integration))
    assert answer.status_code == 302
    return str(answer["Location"])


def allow(sandbox: Sandbox, consent: str, account: str = "Ada Park") -> str:
    """Consent; return the callback's path and query."""
    back = urlsplit(sandbox.allow(consent, account))
    return f"{back.path}?{back.query}"


def connect(client: Client, integration: Integration, sandbox: Sandbox) -> Any:
    page = client.get(allow(sandbox, go_out(client, integration)))
    session = ConnectSession.objects.get(status=ConnectSession.Status.RETURNED)
    assert page.status_code == 200
    return client.post(f"/connect/{session.pk}/choose", {"site": session.sites[0]["id"]}, follow=True)


def send(client: Client, integration: Integration, path: str, method: str = "GET", body: str = "") -> str:
    answer = client.post(at("try_call", integration), {"method": method, "path": path, "body": body})
    return str(answer.content.decode())


def test_an_account_is_connected_in_the_name_of_whoever_tries(
    dashboard: Client, olivia: User, jira: Integration, sandbox: Sandbox
) -> None:
    page = connect(dashboard, jira, sandbox)

    assert "is connected as your test account" in page.content.decode()
    connection = Connection.objects.get()
    assert connection.user.sub == f"patchbay-test-{olivia.pk}"
    assert connection.user.display_name == "Test account of olivia@acme.test"


def test_a_choice_that_is_loaded_anew_leads_back_to_the_integration(
    dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    address = allow(sandbox, go_out(dashboard, jira))
    dashboard.get(address)

    answer = dashboard.get(address, follow=True)

    assert answer.redirect_chain == [(at("integration", jira), 302)]
    assert "That page was used already, or took too long." in answer.content.decode()


def test_a_call_shows_what_was_answered_and_is_in_the_log(
    dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    connect(dashboard, jira, sandbox)

    page = send(dashboard, jira, "/rest/api/3/myself")

    calls.flush()
    assert "&quot;displayName&quot;: &quot;Ada Park&quot;" in page
    assert "patchbay.request(" in page
    assert Call.objects.get().path == "/rest/api/3/myself"


def test_a_query_and_a_body_go_out_as_they_were_typed(dashboard: Client, jira: Integration, sandbox: Sandbox) -> None:
    connect(dashboard, jira, sandbox)
    example = jira.provider.examples[-1]

    page = send(dashboard, jira, example.path, example.method, example.body)

    assert '<span class="badge badge-good">201</span>' in page
    found = send(dashboard, jira, jira.provider.examples[2].path)
    assert "Made with Patchbay" in found


def test_a_query_may_be_typed_as_it_reads(dashboard: Client, jira: Integration, sandbox: Sandbox) -> None:
    connect(dashboard, jira, sandbox)

    page = send(dashboard, jira, '/rest/api/3/search/jql?fields=key&jql=project = OPS AND summary ~ "é" ORDER BY key')

    assert '<span class="badge badge-good">200</span>' in page


def test_after_a_call_the_examples_still_lead_somewhere(dashboard: Client, jira: Integration, sandbox: Sandbox) -> None:
    connect(dashboard, jira, sandbox)

    page = send(dashboard, jira, "/rest/api/3/myself")

    [address] = re.findall(r'href="([^"]*example=1[^"]*)"', page)
    assert jira.provider.examples[1].path in dashboard.get(address).content.decode()


def test_an_account_that_lost_its_access_says_so_once_beside_the_cure(
    dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    connect(dashboard, jira, sandbox)
    Grant.objects.update(status=Grant.Status.NEEDS_RECONNECT, reason="Access was taken back at the provider.")

    page = dashboard.get(at("integration", jira)).content.decode()

    panel = page[page.index('id="try"') :].split("</section>")[0]
    assert panel.count("Access was taken back at the provider.") == 1
    assert 'class="button button-main">Reconnect</button>' in panel
    assert 'class="button button-main">Send</button>' not in panel


def test_a_removed_endpoint_is_answered_with_what_to_call_instead(
    dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    connect(dashboard, jira, sandbox)

    page = send(dashboard, jira, "/rest/api/3/search?jql=project=OPS")

    assert '<span class="badge badge-warn">410</span>' in page
    assert "/rest/api/3/search/jql" in page


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("rest/api/3/myself", "", "from its first slash on"),
        ("https://evil.example/", "", "from its first slash on"),
        ("/rest/api/3/../../oauth", "", "dotted or doubly encoded"),
        ("/rest/api/3/issue", "{summary: 1}", "This is not JSON"),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_stays(
    path: str, body: str, words: str, dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    connect(dashboard, jira, sandbox)

    page = send(dashboard, jira, path, "POST", body)

    assert words in page
    assert f'value="{path}"' in page


def test_without_an_account_there_is_nothing_to_call_with(dashboard: Client, jira: Integration) -> None:
    send(dashboard, jira, "/rest/api/3/myself")

    calls.flush()
    assert Call.objects.get().status == 400


def test_a_refused_consent_is_told_where_it_began(dashboard: Client, jira: Integration, sandbox: Sandbox) -> None:
    state = parse_qs(urlsplit(go_out(dashboard, jira)).query)["state"][0]

    page = dashboard.get(f"/oauth/callback/{jira.app_in_use().pk}?error=access_denied&state={state}", follow=True)  # type: ignore[union-attr]

    # At the top of the page, where the message is.
    assert page.redirect_chain[-1][0] == at("integration", jira)
    assert "You did not allow access to Jira" in page.content.decode()


def test_an_inactive_integration_says_so(dashboard: Client, jira: Integration) -> None:
    Integration.objects.update(is_active=False)

    page = dashboard.post(at("try_connect", jira), follow=True)

    assert "Jira is not active" in page.content.decode()


def test_another_browser_cannot_bring_the_consent_back(
    dashboard: Client, olivia: User, jira: Integration, sandbox: Sandbox
) -> None:
    back = allow(sandbox, go_out(dashboard, jira))
    elsewhere = Client()
    elsewhere.force_login(olivia)

    elsewhere.get(back)

    assert not Connection.objects.exists()


def test_whoever_signed_in_meanwhile_does_not_get_the_account(
    dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    page = dashboard.get(allow(sandbox, go_out(dashboard, jira)))
    assert page.status_code == 200
    session = ConnectSession.objects.get()
    bob = User.objects.create_user("bob@acme.test", "correct horse battery")
    Member.objects.create(project=jira.project, user=bob)
    dashboard.force_login(bob)

    dashboard.post(f"/connect/{session.pk}/choose", {"site": session.sites[0]["id"]})

    assert not Connection.objects.exists()


def test_somebody_who_was_signed_out_is_told_and_nothing_is_kept(
    dashboard: Client, jira: Integration, sandbox: Sandbox
) -> None:
    dashboard.get(allow(sandbox, go_out(dashboard, jira)))
    session = ConnectSession.objects.get()
    dashboard.cookies.pop("patchbay", None)

    dashboard.post(f"/connect/{session.pk}/choose", {"site": session.sites[0]["id"]})

    session.refresh_from_db()
    assert (session.status, session.tokens_sealed) == ("failed", "")
    assert not Connection.objects.exists()


def test_an_end_user_of_the_product_is_never_called_for(dashboard: Client, jira: Integration) -> None:
    ConnectedUser.objects.create(project=jira.project, sub="alice")

    page = dashboard.get(at("integration", jira)).content.decode()

    assert "Connect a test account" in page
