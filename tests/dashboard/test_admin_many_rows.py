"""The admin's lists ask as often for many rows as for a few; what must not be edited there cannot be."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.models import AuditEntry, Call, ConnectedUser, Event, Grant, Integration, Portal, Project, User
from integrations.models.base import CountUpTo
from tests.dashboard.conftest import text
from tests.dashboard.test_many_rows import acme, grow
from tests.isolation.conftest import House
from workflows.models import Workflow

__all__ = ["acme"]
pytestmark = pytest.mark.django_db
OURS = [*apps.get_app_config("integrations").get_models(), *apps.get_app_config("workflows").get_models()]
READ_ONLY = [AuditEntry, Call, ConnectedUser, Event, Grant]


@pytest.fixture
def as_root(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def address(model: Any, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{page}", args=args)


def asked(client: Client, model: Any) -> int:
    client.get(address(model))
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address(model))
    assert response.status_code in (200, 302)
    return len(queries)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_list_asks_no_more_often_for_many_rows(model: Any, as_root: Client, acme: House) -> None:
    grow(acme, 3)
    few = asked(as_root, model)
    grow(acme, 30)

    assert asked(as_root, model) == few <= 10


def test_a_long_list_is_not_counted_to_its_end(as_root: Client, acme: House, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(acme, 12)
    monkeypatch.setattr(CountUpTo, "MOST", 10)

    assert "10+ calls" in text(as_root.get(address(Call)))


def test_users_are_found_by_a_part_of_their_name(as_root: Client, acme: House) -> None:
    ConnectedUser.objects.create(project=acme.project, sub="u-77", meta={"Name": "Zoë Nguyen"})

    assert "u-77" in text(as_root.get(address(ConnectedUser), {"q": "nguyen"}))


def test_calls_are_found_by_their_user(as_root: Client, acme: House) -> None:
    grow(acme, 3)

    page = text(as_root.get(address(Call), {"q": "alice"}))

    assert "alice" in page
    assert "user-0" not in page


def test_users_are_disabled_and_enabled(as_root: Client, acme: House) -> None:
    user = acme.connection.user
    data = {"action": "disable", "_selected_action": [str(user.pk)]}

    as_root.post(address(ConnectedUser), data)
    assert ConnectedUser.objects.get(pk=user.pk).disabled_at

    as_root.post(address(ConnectedUser), data | {"action": "enable"})
    assert not ConnectedUser.objects.get(pk=user.pk).disabled_at


def test_events_are_replayed(as_root: Client, acme: House) -> None:
    as_root.post(address(Event), {"action": "replay_events", "_selected_action": [str(acme.event.pk)]})

    assert Event.objects.filter(replay_of=acme.event).exists()
    assert AuditEntry.objects.filter(action="event replayed").exists()


def test_a_deleted_workflow_is_noted(as_root: Client, acme: House) -> None:
    data = {"action": "delete_selected", "_selected_action": [str(acme.run.workflow_id)], "post": "yes"}

    as_root.post(address(Workflow), data)

    assert not Workflow.objects.filter(pk=acme.run.workflow_id).exists()
    assert AuditEntry.objects.filter(action="workflow deleted", actor_name="root@example.com").exists()


def test_an_app_of_another_project_can_be_chosen(as_root: Client, acme: House, integration: Integration) -> None:
    shared = acme.integration.oauth_app

    as_root.post(
        address(Integration, "change", integration.pk),
        {"shared_app": str(shared.pk), "client_id": "", "client_secret": "", "scopes": [], "confirmed": "on"},
    )

    assert Integration.objects.get(pk=integration.pk).oauth_app == shared


def test_only_what_a_use_case_deletes_or_belongs_to_no_project_is_deleted_here(rf: RequestFactory, root: User) -> None:
    request = rf.get("/admin/")
    request.user = root

    deletable = {model.__name__ for model, page in site._registry.items() if page.has_delete_permission(request)}

    assert deletable == {"User", "Group", "Authenticator", "Member", "Workflow"}


def test_what_is_changed_here_is_noted_with_what_was_before(as_root: Client, acme: House) -> None:
    portal = Portal.objects.get_or_create(integration=acme.integration)[0]
    inline = {"members-TOTAL_FORMS": 0, "members-INITIAL_FORMS": 0}
    name = acme.project.name

    as_root.post(address(Project, "change", acme.project.pk), {"name": "Anew", "kind": acme.project.kind, **inline})
    as_root.post(address(Portal, "change", portal.pk), {"connect_label": "Join", "theme": "dark"})
    as_root.post(address(Workflow, "change", acme.run.workflow_id), renamed(acme.run.workflow))

    noted = {entry.action: entry for entry in AuditEntry.objects.filter(actor_name="root@example.com")}
    assert noted["project changed"].before["Name"] == name
    assert noted["portal changed"].after["Connect button"] == "Join"
    assert noted["workflow changed"].after["Name"] == "Renamed"


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
@pytest.mark.parametrize("page", ["change", "delete"])
def test_what_happened_cannot_be_changed_or_deleted(model: Any, page: str, as_root: Client, acme: House) -> None:
    row = model.objects.first()

    assert as_root.post(address(model, page, row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_an_integration_stays_where_it_is_whatever_is_sent(
    as_root: Client, acme: House, project: Project, integration: Integration
) -> None:
    sent = {"project": str(acme.project.pk), "provider_slug": "other", "is_active": "on", "redirect_url": "https://x"}

    as_root.post(
        address(Integration, "change", integration.pk), {"client_id": "own", "client_secret": "own-secret", **sent}
    )

    found = Integration.objects.select_related("oauth_app").get(pk=integration.pk)
    assert found.oauth_app.client_id == "own"  # what may be edited was saved
    assert (found.project, found.provider_slug, found.is_active) == (project, "jira", False)


def renamed(workflow: Workflow, **more: str) -> dict[str, Any]:
    """What the page of a workflow sends with another name."""
    return {"name": "Renamed", "position": "0", "revision": workflow.revision, **more}


def test_a_builder_that_is_open_is_told_of_what_is_changed_here(as_root: Client, acme: House) -> None:
    workflow = acme.run.workflow
    save = reverse("workflows:save_draft", args=[workflow.project_id, workflow.pk])
    draft = {"name": "Mine", "draft": workflow.draft, "revision": workflow.revision}

    as_root.post(address(Workflow, "change", workflow.pk), renamed(workflow))
    answer = as_root.post(save, draft, content_type="application/json")

    assert answer.status_code == 409
    assert Workflow.objects.get(pk=workflow.pk).name == "Renamed"


def test_what_the_builder_saved_meanwhile_is_not_written_over(as_root: Client, acme: House) -> None:
    workflow = acme.run.workflow
    save = reverse("workflows:save_draft", args=[workflow.project_id, workflow.pk])
    draft = {"name": "Mine", "draft": {"steps": []}, "revision": workflow.revision}

    as_root.post(save, draft, content_type="application/json")
    page = text(as_root.post(address(Workflow, "change", workflow.pk), renamed(workflow)))

    assert "This workflow was changed elsewhere meanwhile" in page
    assert Workflow.objects.get(pk=workflow.pk).name == "Mine"


def test_a_workflow_keeps_its_steps_and_its_project_whatever_is_sent(as_root: Client, acme: House) -> None:
    before = acme.run.workflow
    sent = {"project": "x", "draft": "{}", "deployed": "", "definition": "{}", "integration": "x"}

    as_root.post(address(Workflow, "change", before.pk), renamed(before, **sent))

    found = Workflow.objects.get(pk=before.pk)
    assert found.name == "Renamed"
    assert (found.project, found.draft, found.deployed) == (before.project, before.draft, before.deployed)
