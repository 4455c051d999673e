"""The dashboard's pages about workflows and runs, and the alerts that lead people there."""

import base64
import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from integrations import users
from integrations.models import AuditEntry, Connection, Event, Integration, Member, User
from tests.support.upstream import Upstream, serving
from tests.workflows.conftest import Worker, action, values
from workflows import alerts, deploy
from workflows.models import AlertRule, ProjectSecret, Run, Workflow


@pytest.fixture
def olivia(jira: Integration, client: Client) -> Client:
    """Olivia owns the project, and is signed in."""
    user = User.objects.create_user("olivia@acme.test", "correct horse battery")
    Member.objects.create(project=jira.project, user=user, role=Member.Role.OWNER)
    client.force_login(user)
    return client


@pytest.fixture
def base(jira: Integration) -> str:
    return f"/p/{jira.project_id}"


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


# Workflows ------------------------------------------------------------------------------------------------------------


def test_a_new_workflow_is_made_and_opens_in_the_builder(olivia: Client, base: str, jira: Integration) -> None:
    answer = olivia.post(f"{base}/workflows/new", {"name": "Tasks", "integration": str(jira.pk)})

    workflow = Workflow.objects.get()
    assert answer["Location"] == f"{base}/workflows/{workflow.pk}"
    assert "Add at least one step." in text(olivia.get(answer["Location"]))
    assert AuditEntry.objects.get().action == "workflow made"


def test_without_a_connection_the_builder_leads_to_a_test_account(olivia: Client, base: str, worker: Worker) -> None:
    workflow = worker.workflow(values(a="1"))

    page = text(olivia.get(f"{base}/workflows/{workflow.pk}"))

    assert f'<a href="{base}/integrations/jira#try">Connect a test account</a>' in page


def test_a_draft_is_saved_once_and_the_second_tab_is_told(olivia: Client, base: str, worker: Worker) -> None:
    workflow = worker.workflow(values(a="1"))
    address = f"{base}/workflows/{workflow.pk}/draft"
    body = {"draft": {"steps": [], "trigger": {}}, "name": "New name", "revision": workflow.revision}

    first = olivia.post(address, body, "application/json")
    second = olivia.post(address, body | {"name": "Other"}, "application/json")

    assert (first.status_code, first.json()["revision"], first.json()["has_changes"]) == (
        200,
        workflow.revision + 1,
        True,
    )
    assert (second.status_code, second.json()["revision"]) == (409, workflow.revision + 1)
    assert Workflow.objects.get().name == "New name"


@pytest.mark.parametrize(
    ("change", "status"),
    [({"name": " "}, 400), ({"draft": []}, 400), ({"draft": {"a": "\x00"}}, 400), ({"revision": "1"}, 409)],
)
def test_a_draft_that_cannot_be_saved(olivia: Client, base: str, worker: Worker, change: Any, status: int) -> None:
    workflow = worker.workflow(values(a="1"))
    body = {"draft": workflow.draft, "name": "A", "revision": workflow.revision} | change

    answer = olivia.post(f"{base}/workflows/{workflow.pk}/draft", body, "application/json")

    assert (answer.status_code, "message" in answer.json()) == (status, True)


def test_versions_say_what_changed_and_one_runs_again(olivia: Client, base: str, worker: Worker) -> None:
    workflow = worker.workflow(action("get_issue", issue="OPS-1"))
    workflow.draft = workflow.draft | {"steps": [action("get_issue", issue="OPS-2"), values(a="1")]}
    workflow.save()
    olivia.post(f"{base}/workflows/{workflow.pk}/deploy")

    page = text(olivia.get(f"{base}/workflows/{workflow.pk}/versions"))
    first = workflow.versions.get(number=1)
    olivia.post(f"{base}/workflows/{workflow.pk}/versions/{first.pk}/roll-back")

    assert "<li>Set values (made) added</li>" in page
    assert "<li>Get issue by key (get_issue): issue</li>" in page
    workflow.refresh_from_db()
    assert (workflow.deployed, workflow.draft) == (first, first.definition)


def test_paused_and_undeployed_workflows_start_nothing(
    olivia: Client, base: str, worker: Worker, lent: Connection
) -> None:
    workflow = worker.workflow(values(a="1"))
    worker.switch_on(workflow, lent)

    olivia.post(f"{base}/workflows/{workflow.pk}/pause")
    paused = worker.send(lent)
    olivia.post(f"{base}/workflows/{workflow.pk}/pause")
    going = worker.send(lent)
    assert paused.reason == f"“{workflow.name}” begins with it, and is paused."
    olivia.post(f"{base}/workflows/{workflow.pk}/undeploy")
    undeployed = worker.send(lent)

    assert [event.state for event in (paused, going, undeployed)] == ["ignored", "dispatched", "ignored"]


def test_a_workflow_is_deleted_with_its_runs(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    run = worker.run(values(a="1"), connection=lent)

    olivia.post(f"{base}/workflows/{run.workflow_id}/delete")

    assert not Workflow.objects.exists()
    assert not Run.objects.exists()


def test_it_is_run_now_for_a_connection(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    workflow = worker.workflow(values(a="{{trigger.n}}"))
    address = f"{base}/workflows/{workflow.pk}/run"

    wrong = olivia.post(address, {"connection": str(lent.pk), "payload": "{"})
    answer = olivia.post(address, {"connection": str(lent.pk), "payload": '{"n": 7}'})
    worker.work()

    assert "The payload is not valid JSON" in text(wrong)
    run = Run.objects.get()
    assert answer["Location"] == f"{base}/runs/{run.pk}"
    assert worker.step(run, "made").output == {"a": 7}


# Users ----------------------------------------------------------------------------------------------------------------


def switch(client: Client, base: str, workflow: Workflow, connection: Connection, **form: str) -> str:
    return text(client.post(f"{base}/workflows/{workflow.pk}/users/{connection.pk}", form, follow=True))


def is_on(workflow: Workflow, connection: Connection) -> bool:
    return workflow.enablements.on().filter(connection=connection).exists()


def test_a_workflow_is_switched_for_a_user_from_its_page(
    olivia: Client, base: str, worker: Worker, lent: Connection
) -> None:
    workflow = worker.workflow(values(a="1"))
    before = text(olivia.get(f"{base}/workflows/{workflow.pk}/users"))

    page = switch(olivia, base, workflow, lent, on="yes")

    assert "Switch on" in before
    assert f"{workflow.name} is switched on for {lent.user.display_name}." in page
    assert is_on(workflow, lent)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.detail) == ("workflow switched on", f"{workflow.name} for {lent.user.sub}")

    assert "is switched off for" in switch(olivia, base, workflow, lent)
    assert not is_on(workflow, lent)


def test_what_a_user_must_choose_first_is_said(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    needed = {"key": "project", "label": "Jira project", "type": "text", "required": True}
    workflow = worker.workflow(values(a="{{settings.project}}"), settings=[needed])

    page = switch(olivia, base, workflow, lent, on="yes")

    assert "Jira project is required. They choose it in the portal" in page
    assert '<a href="/docs/sdk#3-methods">by the SDK</a>' in page
    assert not is_on(workflow, lent)


def test_a_draft_is_switched_on_for_nobody(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    workflow = worker.workflow(values(a="1"))
    deploy.undeploy(workflow, "test")

    page = switch(olivia, base, workflow, lent, on="yes")

    assert "is not deployed: there is nothing to switch on" in page
    assert "Deploy it" in text(olivia.get(f"{base}/workflows/{workflow.pk}/run"))
    assert not is_on(workflow, lent)


def test_who_has_it_on_may_switch_it_off_when_it_is_undeployed(
    olivia: Client, base: str, worker: Worker, lent: Connection
) -> None:
    workflow = worker.workflow(values(a="1"))
    worker.switch_on(workflow, lent)
    deploy.undeploy(workflow, "test")

    assert "Switch off" in text(olivia.get(f"{base}/workflows/{workflow.pk}/users"))
    switch(olivia, base, workflow, lent)

    assert not is_on(workflow, lent)


def test_users_are_found_by_their_name(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    address = f"{base}/workflows/{worker.workflow(values(a='1')).pk}/users"

    assert f"/connections/{lent.pk}" in text(olivia.get(address, {"q": lent.user.sub}))
    assert "Nobody like that is connected." in text(olivia.get(address, {"q": "nobody"}))


def test_what_nobody_can_be_called_finds_nobody(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    page = text(olivia.get(f"{base}/workflows/{worker.workflow(values(a='1')).pk}/users", {"q": "a" * 256}))

    assert f"/connections/{lent.pk}" not in page
    assert "at most 255 characters" in page


def test_switching_leads_back_to_the_page_of_the_list(
    olivia: Client, base: str, worker: Worker, lent: Connection
) -> None:
    address = f"{base}/workflows/{worker.workflow(values(a='1')).pk}/users"
    before = f"http://testserver{address}?q={lent.user.sub}"

    there = olivia.post(f"{address}/{lent.pk}", {"on": "yes"}, headers={"Referer": before})
    elsewhere = olivia.post(f"{address}/{lent.pk}", headers={"Referer": "https://evil.test/?q=1"})

    assert there["Location"] == f"{address}?q={lent.user.sub}"
    assert elsewhere["Location"] == address


def test_showing_tests_too_keeps_the_filters(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    Run.objects.filter(pk=worker.run(values(a="1"), connection=lent).pk).update(is_test=True)

    page = olivia.get(f"{base}/runs", {"user": lent.user.sub}).content.decode()

    assert f'href="?user={lent.user.sub}&amp;tests=on"' in page


# Runs -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def runs(worker: Worker, lent: Connection) -> list[Run]:
    """One that is done and one that failed."""
    return [
        worker.run(values(a="1"), connection=lent),
        worker.run(values(a="{{trigger.nothing}}"), connection=lent),
    ]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", 2),
        ("status=failed", 1),
        ("status=bad", 1),
        ("status=active", 0),
        ("user=alice", 2),
        ("user=bob", 0),
        ("error=NOTHING", 1),
        ("since=2020-01-01T00:00", 2),
        ("until=2020-01-01T00:00", 0),
        ("since=soon", 0),
    ],
)
def test_runs_are_filtered(olivia: Client, base: str, runs: list[Run], query: str, shown: int) -> None:
    page = text(olivia.get(f"{base}/runs?{query}"))

    assert page.count('data-label="Workflow"') == shown


def test_the_timeline_shows_each_step_with_input_output_and_error(
    olivia: Client, base: str, runs: list[Run], worker: Worker
) -> None:
    done, failed = (text(olivia.get(f"{base}/runs/{run.pk}")) for run in runs)

    assert "Set values" in done
    assert "&quot;a&quot;: &quot;1&quot;" in done
    assert "trigger has no “nothing”." in failed


def test_a_run_that_goes_on_is_followed(olivia: Client, base: str, worker: Worker, lent: Connection) -> None:
    run = worker.run({"id": "wait", "type": "delay", "input": {"amount": 1, "unit": "hours"}}, connection=lent)

    page = olivia.get(f"{base}/runs/{run.pk}")
    part = olivia.get(f"{base}/runs/{run.pk}", headers={"HX-Request": "true"})

    assert 'data-live="1500"' in text(page)
    assert "<html" not in text(part)


def test_failures_are_replayed_together_once(olivia: Client, base: str, runs: list[Run]) -> None:
    olivia.post(f"{base}/runs/replay", {"status": "bad"})
    olivia.post(f"{base}/runs/replay", {"status": "bad"})

    assert [run.replay_of_id for run in Run.objects.exclude(replay_of=None)] == [runs[1].pk]


def test_why_some_could_not_be_replayed_is_said(olivia: Client, base: str, runs: list[Run], lent: Connection) -> None:
    users.disable(lent.user, "test")

    page = olivia.post(f"{base}/runs/replay", {"status": "failed"}, follow=True).content.decode()

    assert "0 failed runs started again. 1 could not: This user was disabled" in page


def test_of_a_user_who_is_disabled_nothing_is_tested_and_every_list_says_so(
    olivia: Client, base: str, worker: Worker, lent: Connection
) -> None:
    workflow = worker.workflow(values("one", a="1"))
    users.disable(lent.user, "test")
    asked = {"connection": str(lent.pk), "payload": {}}

    answer = olivia.post(f"{base}/workflows/{workflow.pk}/test", asked, content_type="application/json")

    assert (answer.status_code, "is disabled" in answer.json()["message"]) == (400, True)
    for page in (f"{base}/workflows/{workflow.pk}/users", f"{base}/connections/{lent.pk}"):
        assert ">Disabled</span>" in olivia.get(page).content.decode()
    assert "user disabled" in olivia.get(f"{base}/workflows/{workflow.pk}").content.decode()


def test_a_time_that_ends_before_it_begins_is_said(olivia: Client, base: str, runs: list[Run]) -> None:
    page = text(olivia.get(f"{base}/runs?since=2026-07-02T10:00&until=2026-07-02T09:00"))

    assert "This is before what “From” says" in page


def test_with_a_filter_that_is_none_nothing_is_replayed(olivia: Client, base: str, runs: list[Run]) -> None:
    answer = olivia.post(f"{base}/runs/replay", {"status": "bad", "since": "soon"}, follow=True)

    assert not Run.objects.exclude(replay_of=None).exists()
    assert "Nothing was replayed" in text(answer)
    assert "Enter a valid date/time." in text(answer)


def test_an_uncertain_step_is_settled_on_its_page(
    olivia: Client, base: str, worker: Worker, lent: Connection, settings: Any
) -> None:
    with serving() as address:
        settings.OUTBOUND_LOCAL_HOSTS = [address.url.removeprefix("http://")]
        address.replies(502)
        step = {"id": "call", "type": "http", "input": {"method": "POST", "url": address.url}}
        run = worker.run(step, values(n="{{call.body.id}}"), connection=lent)

    page = text(olivia.get(f"{base}/runs/{run.pk}"))
    row = run.steps.get(path="call")
    olivia.post(f"{base}/runs/{run.pk}/resolve", {"step": row.pk, "answer": "done", "output": '{"body": {"id": 7}}'})
    worker.work()

    assert "It happened: go on" in page
    run.refresh_from_db()
    assert (run.status, worker.step(run, "made").output) == ("done", {"n": 7})


def test_a_list_without_tests_says_so(olivia: Client, base: str, runs: list[Run]) -> None:
    before = text(olivia.get(f"{base}/runs"))
    Run.objects.filter(pk=runs[0].pk).update(is_test=True)

    assert "Tests are not among them" not in before
    assert "Tests are not among them" in text(olivia.get(f"{base}/runs"))
    assert "Tests are not among them" not in text(olivia.get(f"{base}/runs", {"tests": "on"}))


def test_an_ignored_event_leads_to_the_run_that_caused_it(
    olivia: Client, base: str, worker: Worker, lent: Connection
) -> None:
    run = worker.run(values(a="1"), connection=lent)
    reason = f"A run of this connection caused it ({run.pk})."
    ignored = Event.objects.create(
        project=lent.project, name="issue_updated", source="webhook", payload={}, state="ignored", reason=reason
    )

    page = text(olivia.get(f"{base}/events/{ignored.pk}"))

    assert f'{reason} <a href="{base}/runs/{run.pk}">Open that run</a>' in page


# Secrets and alerts ---------------------------------------------------------------------------------------------------


def test_a_secret_is_set_replaced_and_deleted(olivia: Client, base: str) -> None:
    for value in ("a-first-value", "a-newer-value"):
        olivia.post(f"{base}/settings/secrets", {"name": "TOKEN", "value": value})

    secret = ProjectSecret.objects.get()
    page = text(olivia.get(f"{base}/settings/secrets"))
    assert (secret.open("value"), "a-newer" in page, "{{secrets.TOKEN}}" in page) == ("a-newer-value", False, True)
    olivia.post(f"{base}/settings/secrets/{secret.pk}/delete")
    assert not ProjectSecret.objects.exists()


def test_a_value_whose_name_is_refused_has_to_be_entered_again(olivia: Client, base: str) -> None:
    page = text(olivia.post(f"{base}/settings/secrets", {"name": "my token", "value": "typed-with-care"}))

    assert "Letters, digits, _ and - only" in page
    assert "enter the value again" in page
    assert "typed-with-care" not in page


def test_before_a_secret_goes_it_says_who_uses_it(olivia: Client, base: str, worker: Worker) -> None:
    for name in ("RUNS", "DRAFTED", "UNUSED"):
        olivia.post(f"{base}/settings/secrets", {"name": name, "value": "a value"})
    workflow = worker.workflow(values(a="{{secrets.RUNS}}"))
    workflow.draft = {"trigger": {}, "steps": [values(half="{{secrets.", whole="{{secrets.DRAFTED}}")]}
    workflow.save()

    asked = {
        secret.name: text(olivia.get(f"{base}/settings/secrets/{secret.pk}/delete"))
        for secret in ProjectSecret.objects.all()
    }

    assert "Flow 0" in asked["RUNS"]
    assert "Flow 0" in asked["DRAFTED"]
    assert "No workflow uses it." in asked["UNUSED"]
    assert ProjectSecret.objects.count() == 3


@pytest.fixture
def receiver(settings: Any) -> Iterator[Upstream]:
    with serving() as upstream:
        settings.OUTBOUND_LOCAL_HOSTS = [upstream.url.removeprefix("http://")]
        yield upstream


def test_a_burst_of_failures_is_one_message_signed_as_the_standard_has_it(
    olivia: Client, base: str, worker: Worker, lent: Connection, receiver: Upstream
) -> None:
    shown = text(olivia.post(f"{base}/settings/alerts", {"emails": "ops@acme.test", "webhook_url": receiver.url}))
    secret = AlertRule.objects.get().open("webhook_secret")
    assert secret in shown
    assert secret not in text(olivia.get(f"{base}/settings/alerts"))

    for _ in range(3):
        worker.run(values(a="{{trigger.nothing}}"), connection=lent)
    AlertRule.objects.update(due_at="2026-01-01T00:00:00Z")
    alerts.send(lent.project_id)
    alerts.send(lent.project_id)

    assert (len(receiver.seen), len(mail.outbox)) == (1, 1)
    told = receiver.last
    signed = f"{told.header('webhook-id')}.{told.header('webhook-timestamp')}.".encode() + told.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert told.header("webhook-signature") == f"v1,{expected}"
    assert json.loads(told.body)["data"]["count"] == 3
    assert "trigger has no “nothing”." in mail.outbox[0].body


def send_what_is_due(connection: Connection) -> None:
    """Do what the sweeper does once the time has come of an alert that is due."""
    AlertRule.objects.filter(due_at__isnull=False).update(due_at="2026-01-01T00:00:00Z")
    alerts.send(connection.project_id)


def test_an_alert_that_reaches_nobody_is_sent_again(
    olivia: Client, base: str, worker: Worker, lent: Connection, receiver: Upstream
) -> None:
    olivia.post(f"{base}/settings/alerts", {"emails": "", "webhook_url": receiver.url})
    worker.run(values(a="{{trigger.nothing}}"), connection=lent)

    receiver.replies(502)
    for _ in range(3):
        send_what_is_due(lent)

    assert [json.loads(each.body)["data"]["count"] for each in receiver.seen] == [1, 1]
    rule = AlertRule.objects.get()
    assert (rule.last_error, rule.due_at) == ("", None)


def test_an_alert_that_reached_somebody_is_not_sent_again(
    olivia: Client, base: str, worker: Worker, lent: Connection, receiver: Upstream
) -> None:
    olivia.post(f"{base}/settings/alerts", {"emails": "ops@acme.test", "webhook_url": receiver.url})
    worker.run(values(a="{{trigger.nothing}}"), connection=lent)

    receiver.replies(502)
    for _ in range(2):
        send_what_is_due(lent)

    assert (len(receiver.seen), len(mail.outbox)) == (1, 1)
    assert "answers 502" in AlertRule.objects.get().last_error


def test_a_test_alert_says_whether_it_left(olivia: Client, base: str, receiver: Upstream) -> None:
    olivia.post(f"{base}/settings/alerts", {"emails": "", "webhook_url": receiver.url})
    receiver.replies(500)

    failed = text(olivia.post(f"{base}/settings/alerts/test", follow=True))
    left = text(olivia.post(f"{base}/settings/alerts/test", follow=True))

    assert "address answers 500." in failed
    assert "The test left." in left


def test_one_mailbox_is_told_once_however_it_is_written(olivia: Client, base: str) -> None:
    olivia.post(f"{base}/settings/alerts", {"emails": "Ops@acme.test\nops@ACME.test\nada@acme.test"})

    assert AlertRule.objects.get().emails == ["Ops@acme.test", "ada@acme.test"]


def test_the_page_says_once_that_the_last_alert_failed(olivia: Client, base: str, jira: Integration) -> None:
    words = "The webhook did not arrive: it was refused."
    AlertRule.objects.create(project=jira.project, webhook_url="https://hooks.test/a", last_error=words)

    page = text(olivia.get(f"{base}/settings/alerts"))

    assert f"The last alert failed. {words}" in page
    assert page.count("did not arrive") == 1


def test_a_server_without_mail_says_where_its_messages_are(olivia: Client, base: str) -> None:
    page = text(olivia.post(f"{base}/settings/alerts", {"emails": "ops@acme.test", "webhook_url": ""}, follow=True))

    sent = text(olivia.post(f"{base}/settings/alerts/test", follow=True))

    assert "This server sends no e-mail" in page
    assert "The test left." not in sent
    assert "the message stands in its output only." in sent


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ftp://acme.test", "Only https addresses may be called"),
        ("http://acme.test/hook", "Only https addresses may be called"),
        ("http://localhost:9000/hook", "Only https addresses may be called"),
        ("https://localhost/hook", "localhost is no address of the open internet"),
        ("https://10.0.0.7/hook", "10.0.0.7 is no address of the open internet"),
        ("https://[::1]/hook", "::1 is no address of the open internet"),
    ],
)
def test_alerts_that_cannot_be_saved(olivia: Client, base: str, address: str, words: str) -> None:
    page = text(olivia.post(f"{base}/settings/alerts", {"emails": "nobody", "webhook_url": address}))

    assert "“nobody” is not an e-mail address." in page
    assert words in page
    assert not AlertRule.objects.exists()
