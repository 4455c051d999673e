"""The audit log: what it tells, to whom, and that nobody can change it unseen."""

import ast
import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from integrations import audit, clock
from integrations.admin import Audited
from integrations.models import AuditEntry, AuditSeal, ConnectedUser, Integration, Member, Project, User
from integrations.seeding import DONE
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


def rows(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def write(sentence: str, *values: object) -> None:
    """Change the database as somebody with its password would."""
    with database.cursor() as cursor:
        cursor.execute(sentence, values)


@pytest.fixture
def long_ago(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let what was noted until now be old enough to be sealed."""
    return lambda: monkeypatch.setattr(audit, "SEALED_AFTER", timedelta(minutes=-1))


# What it tells --------------------------------------------------------------------------------------------------------


def test_it_tells_who_did_what_from_where(as_alice: Client, project: Project) -> None:
    as_alice.post(url("project_settings", project.pk), {"name": "Acme", "kind": "development"}, REMOTE_ADDR="192.0.2.7")

    page = text(as_alice.get(url("audit", project.pk)))

    assert "alice@example.com" in page
    assert "192.0.2.7" in page


def test_a_name_that_somebody_chose_hides_nobody(
    signed_in: Callable[[User], Client], bob: User, project: Project
) -> None:
    as_bob = signed_in(bob)
    as_bob.post(reverse("account_profile"), {"name": "alice@example.com"})

    as_bob.post(url("project_settings", project.pk), {"name": "Acme", "kind": "development"})

    assert AuditEntry.objects.get().actor_name == "bob@example.com"
    assert rows(as_bob.get(url("export_audit", project.pk)))[1][1] == "bob@example.com"
    assert "bob@example.com</a>" in text(as_bob.get(url("audit", project.pk)))


def test_an_end_users_id_is_no_members_address(project: Project) -> None:
    user = ConnectedUser.objects.create(project=project, sub="alice@example.com")

    audit.record(project, user, "connected")

    assert AuditEntry.objects.get().actor_name == "user alice@example.com"


def test_the_longest_user_id_is_told_whole(project: Project) -> None:
    user = ConnectedUser.objects.create(project=project, sub="u" * 255)

    audit.record(project, user, "connected")

    assert AuditEntry.objects.get().actor_name == "user " + "u" * 255


def test_a_filter_that_is_none_shows_and_exports_nothing(as_alice: Client, project: Project) -> None:
    audit.record(project, "user-1", "connected")

    page = text(as_alice.get(url("audit", project.pk), {"since": "soon"}))
    export = as_alice.get(url("export_audit", project.pk), {"since": "soon"})

    assert "Enter a valid date" in page
    assert ">user-1<" not in page
    assert export["Location"] == f"{url('audit', project.pk)}?since=soon"


def test_it_tells_what_was_before_and_after(as_alice: Client, project: Project) -> None:
    as_alice.post(url("project_settings", project.pk), {"name": "Acme <b>", "kind": "development"})

    assert AuditEntry.objects.get().changes == [("Name", "Acme Tasks", "Acme <b>")]
    assert '<ins class="wrap">Acme &lt;b&gt;</ins>' in text(as_alice.get(url("audit", project.pk)))


def test_a_secret_that_was_changed_is_not_told(as_alice: Client, own_keys: Integration) -> None:
    page = url("integration_settings", own_keys.project_id, "jira")

    as_alice.post(
        page, {"client_id": "own-client", "client_secret": "a-new-secret", "scopes": own_keys.oauth_app.scopes}
    )

    change = AuditEntry.objects.first()
    assert change is not None
    assert [name for name, before, after in change.changes if before != after] == ["Secret"]
    assert "a-new-secret" not in f"{change.before}{change.after}{change.detail}"


def test_behind_a_proxy_the_address_is_the_one_that_it_saw(as_alice: Client, project: Project, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    form = {"name": "Acme", "kind": "development"}

    as_alice.post(url("project_settings", project.pk), form, HTTP_X_FORWARDED_FOR="198.51.100.1, 192.0.2.7")

    assert AuditEntry.objects.get().ip == "192.0.2.7"


def test_without_a_proxy_a_forwarded_address_is_not_believed(as_alice: Client, project: Project) -> None:
    form = {"name": "Acme", "kind": "development"}

    as_alice.post(url("project_settings", project.pk), form, HTTP_X_FORWARDED_FOR="198.51.100.1")

    assert AuditEntry.objects.get().ip == "127.0.0.1"


# Filters and export ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"who": "user-1"}, ["one"]),
        ({"action": "disconnected"}, ["two"]),
        ({"since": "2999-01-01"}, []),
        ({"until": "2000-01-01"}, []),
        ({"since": "2000-01-01", "until": "2999-01-01"}, ["two", "one"]),
        ({"until": "9999-12-31"}, ["two", "one"]),
        ({"since": "nonsense"}, []),
    ],
)
def test_filters(query: dict[str, str], details: list[str], as_alice: Client, project: Project) -> None:
    audit.record(project, "user-1", "connected", "one")
    audit.record(project, "user-2", "disconnected", "two")

    page = as_alice.get(url("audit", project.pk), query).context["page"]

    assert [entry.detail for entry in page.rows] == details


def test_a_filter_that_ends_before_it_begins_says_so(as_alice: Client, project: Project) -> None:
    page = as_alice.get(url("audit", project.pk), {"since": "2026-07-02", "until": "2026-07-01"})

    assert "This is before what “From” says" in text(page)
    assert page.context["form"].errors.keys() == {"until"}


def test_a_filter_of_one_day_is_one(as_alice: Client, project: Project) -> None:
    page = as_alice.get(url("audit", project.pk), {"since": "2026-07-01", "until": "2026-07-01"})

    assert not page.context["form"].errors


def test_an_admin_downloads_what_the_filter_finds(as_bob: Client, project: Project) -> None:
    audit.record(project, "user-1", "connected", "one")
    audit.record(project, "user-2", "connected", "two", audit.Change({"a": 1}, {"a": 2}))

    header, *found = rows(as_bob.get(url("export_audit", project.pk), {"who": "user-2"}))

    assert header == ["at", "who", "from", "what", "detail", "before", "after"]
    assert [row[1:] for row in found] == [["user-2", "", "connected", "two", '{"a": 1}', '{"a": 2}']]


def test_what_begins_like_a_formula_is_text_in_a_spreadsheet(as_bob: Client, project: Project) -> None:
    audit.record(project, "=HYPERLINK(1)", "connected")

    assert rows(as_bob.get(url("export_audit", project.pk)))[1][1] == "'=HYPERLINK(1)"


def test_a_developer_reads_it_but_does_not_export_it(
    signed_in: Callable[[User], Client], stranger: User, project: Project
) -> None:
    Member.objects.create(project=project, user=stranger, role=Member.Role.DEVELOPER)
    audit.record(project, "user-1", "connected")

    page = text(signed_in(stranger).get(url("audit", project.pk)))

    assert "user-1" in page
    assert "Export" not in page
    assert signed_in(stranger).get(url("export_audit", project.pk)).status_code == 403


# Nobody changes it unseen ---------------------------------------------------------------------------------------------


def test_entries_cannot_be_changed_or_removed(project: Project) -> None:
    audit.record(project, "user-1", "connected")
    entry = AuditEntry.objects.get()

    for forbidden in (entry.save, entry.delete, AuditEntry.objects.all().delete, AuditEntry.objects.all().update):
        with pytest.raises(PermissionDenied):
            forbidden()


def test_what_was_written_is_in_order(project: Project, long_ago: Callable[[], None]) -> None:
    audit.record(project, "user-1", "connected", change=audit.Change({"a": [1, "é"]}, {"a": None}))
    long_ago()

    assert audit.seal() == 1
    assert audit.seal() == 0
    assert list(audit.broken()) == []


def test_an_entry_that_was_changed_in_the_database_is_found(project: Project) -> None:
    audit.record(project, "user-1", "connected")
    write("UPDATE integrations_auditentry SET actor_name = %s", "user-2")

    assert [found.what for found in audit.broken()] == ["were changed"]


def test_an_entry_that_was_removed_from_the_database_is_missed(project: Project, long_ago: Callable[[], None]) -> None:
    audit.record(project, "user-1", "connected")
    audit.record(project, "user-1", "disconnected")
    long_ago()
    audit.seal()
    write("DELETE FROM integrations_auditentry WHERE action = %s", "connected")

    assert [found.what for found in audit.broken()] == ["were removed or added"]


def test_a_seal_that_was_removed_with_its_entries_is_missed(project: Project, long_ago: Callable[[], None]) -> None:
    long_ago()
    audit.record(project, "user-1", "connected")
    audit.seal()
    audit.record(project, "user-1", "disconnected")
    audit.seal()
    first = AuditSeal.objects.order_by("last_id")[0]
    write("DELETE FROM integrations_auditentry WHERE id <= %s", first.last_id)
    write("DELETE FROM integrations_auditseal WHERE id = %s", first.pk)

    assert [found.what for found in audit.broken()] == ["were removed or added"]


@pytest.mark.parametrize("everything", [False, True], ids=["the newest", "all"])
def test_an_end_that_was_cut_off_is_missed(project: Project, long_ago: Callable[[], None], everything: bool) -> None:
    long_ago()
    audit.record(project, "user-1", "connected")
    audit.seal()
    audit.record(project, "user-1", "disconnected")
    audit.seal()
    kept = 0 if everything else AuditSeal.objects.order_by("last_id")[0].last_id
    write("DELETE FROM integrations_auditentry WHERE id > %s", kept)
    write("DELETE FROM integrations_auditseal WHERE last_id > %s", kept)

    assert [found.what for found in audit.broken()] == ["were removed"]


def test_an_entry_that_was_slipped_in_is_found(project: Project) -> None:
    AuditEntry(project=project, actor_name="user-1", action="connected", at=clock.now(), mark="0" * 64).save()

    assert [found.what for found in audit.broken()] == ["were changed"]


def test_after_a_change_of_the_secret_key_the_old_entries_still_hold(
    project: Project, settings: Any, long_ago: Callable[[], None]
) -> None:
    audit.record(project, "user-1", "connected")
    long_ago()
    audit.seal()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]

    assert list(audit.broken()) == []


# The choice of actions ------------------------------------------------------------------------------------------------


def offered(page: str) -> list[str]:
    return re.findall(r'<option value="([^"]+)"', page)


def test_what_was_done_is_chosen_from_a_list(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("audit", project.pk), {"action": "secret set"}))

    assert {"connected", "user deleted", "workflow deployed"} < set(offered(page))
    assert '<option value="secret set" selected>' in page


def test_what_an_older_version_called_otherwise_is_found_too(as_alice: Client, project: Project) -> None:
    audit.record(project, "user-1", "linked", "one")

    page = text(as_alice.get(url("audit", project.pk), {"action": "linked"}))

    assert '<option value="linked" selected>' in page
    assert "user-1" in page


@pytest.mark.parametrize("action", ["a" * 61, "a\x00b"])
def test_what_no_action_can_be_called_is_said(action: str, as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("audit", project.pk), {"action": action}))

    assert "Select a valid choice." in page


def actions_in(code: ast.AST) -> Iterator[ast.expr]:
    """Yield what is given as the action wherever something is recorded."""
    for node in ast.walk(code):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.record", "audit.noted"):
            action = node.args[2]
            yield from [action.body, action.orelse] if isinstance(action, ast.IfExp) else [action]


def test_the_list_has_every_action_that_the_code_records() -> None:
    code = [path.read_text() for app in ("integrations", "workflows") for path in Path(app).rglob("*.py")]
    given = [action for text in code for action in actions_in(ast.parse(text))]
    spelt_out = {action.value for action in given if isinstance(action, ast.Constant)}
    in_admin = {page.changed for page in admin.site._registry.values() if isinstance(page, Audited)}

    others = {ast.unparse(action) for action in given if not isinstance(action, ast.Constant)}

    assert others == {"self.changed", "DONE[often_the_same(chance, len(DONE))]"}
    assert spelt_out | in_admin | set(DONE) == set(audit.actions())
