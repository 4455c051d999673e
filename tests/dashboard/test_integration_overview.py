import ast
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.test import Client

from integrations import setup
from integrations.dashboard import keys
from integrations.dashboard.snippets import snippets
from integrations.models import AuditEntry, Connection, Grant, Integration, Project, SigningKey, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db
Connect = Callable[..., Connection]


def test_it_shows_the_values_to_copy(as_alice: Client, project: Project, integration: Integration) -> None:
    response = as_alice.get(url("integration", project.pk, "jira"))

    assert f'data-copy="{project.pk}"' in text(response)
    assert 'data-copy="jira"' in text(response)


def test_snippets_are_filled_in(integration: Integration, signing_key: SigningKey, settings: Any) -> None:
    script, npm, python = (snippet.code for snippet in snippets(integration))

    assert f'<script src="{settings.PUBLIC_URL}/static/sdk/patchbay.js"></script>' in script
    assert 'patchbay.request("jira", "/rest/api/3/myself")' in script
    assert f'"{integration.project_id}"' in npm
    assert f'const base = "{settings.PUBLIC_URL}";' in npm
    assert signing_key.kid in python
    assert [code for code in (npm, python) if "Integration not enabled for user." not in code] == []


def test_the_python_snippet_runs(
    integration: Integration, alice: User, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, private_pem = keys.generate(integration.project, "", alice)
    (tmp_path / f"{key.kid}.pem").write_text(private_pem)
    monkeypatch.chdir(tmp_path)
    asked: list[tuple[str, str]] = []

    class Answer:
        status_code, text = 200, ""

        def json(self) -> dict[str, Any]:
            return {"output": {}}

    def get(address: str, headers: dict[str, str], timeout: int) -> Answer:
        asked.append((address, headers["Authorization"].removeprefix("Bearer ")))
        return Answer()

    monkeypatch.setattr("requests.get", get)
    code = snippets(integration)[2].code
    exec(compile(ast.parse(code), "snippet", "exec"), {})

    address, token = asked[0]
    claims = jwt.decode(token, key.public_pem, algorithms=["RS256"], audience=str(integration.project_id))
    assert address.endswith(f"/projects/{integration.project_id}/sdk/proxy/jira/rest/api/3/myself")
    assert claims["sub"] == "user-1"
    assert jwt.get_unverified_header(token)["kid"] == key.kid


def test_snippets_on_the_page_are_text_not_markup(as_alice: Client, integration: Integration) -> None:
    response = as_alice.get(url("integration", integration.project_id, "jira"))

    assert "&lt;button data-patchbay-connect=&quot;jira&quot;&gt;" in text(response)


def test_it_shows_connections_with_health_and_reason(
    as_bob: Client, integration: Integration, connect_user: Connect
) -> None:
    connect_user(integration, "user-well")
    connect_user(integration, "user-lost", status=Grant.Status.NEEDS_RECONNECT, reason="The consent was withdrawn.")

    response = as_bob.get(url("integration", integration.project_id, "jira"))

    assert "user-well" in text(response)
    assert "The consent was withdrawn." in text(response)
    assert "acme" in text(response)


def test_without_connections_it_says_what_happens_next(as_alice: Client, integration: Integration) -> None:
    assert "Nobody is connected yet" in text(as_alice.get(url("integration", integration.project_id, "jira")))


def test_many_connections_are_paged_by_key(as_alice: Client, integration: Integration, connect_user: Connect) -> None:
    for number in range(51):
        connect_user(integration, f"user-{number:02}")

    first = as_alice.get(url("integration", integration.project_id, "jira"))
    second = as_alice.get(url("integration", integration.project_id, "jira") + first.context["page"].next)

    assert len(first.context["page"].rows) == 50
    assert [str(row.user) for row in second.context["page"].rows] == ["user-00"]
    assert second.context["page"].next == ""


@pytest.mark.parametrize("after", ["x", "eyJ9", "WyJhIiwgImIiXQ", "bnVsbA"])
def test_a_made_up_page_is_the_first(after: str, as_alice: Client, integration: Integration) -> None:
    response = as_alice.get(url("integration", integration.project_id, "jira"), {"after": after})

    assert response.status_code == 200


# On and off -----------------------------------------------------------------------------------------------------------


def test_it_is_activated_with_development_keys(as_alice: Client, integration: Integration) -> None:
    as_alice.post(url("activate", integration.project_id, "jira"))

    integration.refresh_from_db()
    assert integration.is_active
    assert AuditEntry.objects.first().action == "integration activated"  # type: ignore[union-attr]


def test_without_any_keys_it_is_refused_with_advice(as_alice: Client, integration: Integration, settings: Any) -> None:
    settings.PROVIDER_SETTINGS = {}

    response = as_alice.post(url("activate", integration.project_id, "jira"), follow=True)

    assert "JIRA_DEV_CLIENT_ID" in text(response)
    integration.refresh_from_db()
    assert not integration.is_active


def test_a_production_project_is_refused_without_own_keys(as_alice: Client, integration: Integration) -> None:
    Project.objects.update(kind=Project.Kind.PRODUCTION)

    response = as_alice.post(url("activate", integration.project_id, "jira"), follow=True)

    assert "for testing only and this is a production project" in text(response)


def test_refused_keys_cannot_be_activated(as_alice: Client, own_keys: Integration) -> None:
    own_keys.oauth_app.refuse("Jira refuses the client ID or secret.")

    response = as_alice.post(url("activate", own_keys.project_id, "jira"), follow=True)

    assert "Correct them in Settings first" in text(response)


def test_deactivating_keeps_the_connections(as_alice: Client, integration: Integration, connect_user: Connect) -> None:
    setup.activate(integration, "alice")
    connect_user(integration)

    as_alice.post(url("deactivate", integration.project_id, "jira"))

    integration.refresh_from_db()
    assert not integration.is_active
    assert Connection.objects.count() == 1


def test_pressing_twice_is_noted_once(as_alice: Client, integration: Integration) -> None:
    as_alice.post(url("activate", integration.project_id, "jira"))
    as_alice.post(url("activate", integration.project_id, "jira"))

    assert AuditEntry.objects.filter(action="integration activated").count() == 1


# Disconnect -----------------------------------------------------------------------------------------------------------


def test_disconnecting_asks_first(as_alice: Client, integration: Integration, connect_user: Connect) -> None:
    connection = connect_user(integration)

    response = as_alice.get(url("disconnect", integration.project_id, connection.pk))

    assert "Disconnect Jira?" in text(response)
    assert Connection.objects.exists()


def test_disconnecting_deletes_the_tokens_and_tells_where_to_revoke(
    as_alice: Client, integration: Integration, connect_user: Connect
) -> None:
    connection = connect_user(integration)

    response = as_alice.post(url("disconnect", integration.project_id, connection.pk), follow=True)

    assert not Grant.objects.exists()
    assert integration.provider.oauth.manage_url in text(response)
    entry = AuditEntry.objects.get(action="disconnected")
    assert (entry.actor_name, entry.actor) == ("alice@example.com", User.objects.get(email="alice@example.com"))


def test_disconnecting_twice_is_not_found(as_alice: Client, integration: Integration, connect_user: Connect) -> None:
    connection = connect_user(integration)
    address = url("disconnect", integration.project_id, connection.pk)
    as_alice.post(address)

    assert as_alice.post(address).status_code == 404


def test_no_secret_is_on_the_page(as_alice: Client, own_keys: Integration, connect_user: Connect) -> None:
    connection = connect_user(own_keys)
    connection.grant.seal("access_token", "access-token-in-clear")
    connection.grant.save()

    for address in ("integration", "integration_settings"):
        page = text(as_alice.get(url(address, own_keys.project_id, "jira")))
        assert "own-secret" not in page
        assert own_keys.oauth_app.client_secret_sealed not in page
        assert "access-token-in-clear" not in page
        assert json.dumps(connection.grant.access_token_sealed) not in page
