"""Keeping what Jira sends equal to what is wanted, and reading what it did not tell. Jira is the sandbox."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from integrations import clock, connect, listening, setup, users
from integrations.models import Connection, Delivery, Event, Grant, Integration, Registration, SiteWebhook, Subscription
from integrations.providers.jira import issues
from tests.integrations.conftest import Window
from tests.support.sandbox import Sandbox
from tests.triggers.conftest import handle_all, trigger
from tests.workflows.conftest import Worker, values
from workflows import deploy
from workflows import settings as workflow_settings
from workflows.models import Run, Workflow

Way = Subscription.Way


@pytest.fixture(autouse=True)
def _every_scope_and_no_webhook(jira: Integration, sandbox: Sandbox) -> None:
    jira.oauth_app.scopes = [scope.name for scope in jira.provider.scopes if scope.name != "manage:jira-project"]
    jira.oauth_app.save()
    sandbox.operate("settings", {"webhooks_off": True})


def begin(worker: Worker, connection: Connection, name: str = "issue_updated", /, **filters: Any) -> Workflow:
    """Deploy a workflow that begins with a trigger, and switch it on for the connection."""
    workflow = worker.workflow(values(event="{{trigger.event}}"), trigger=trigger(name, **filters))
    workflow_settings.switch(workflow, connection, on=True)
    return workflow


def look(connection: Connection, feed: str = "issues") -> Subscription:
    """What a worker does with a subscription that is due."""
    Subscription.objects.filter(connection=connection, feed=feed).update(due_at=Now())
    listening.tend(Subscription.objects.get(connection=connection, feed=feed).pk)
    return Subscription.objects.get(connection=connection, feed=feed)


def later(subscription: Subscription, minutes: float = 20) -> None:
    """Let it be so long ago that it was looked at, and that it was wanted."""
    past = clock.now() - timedelta(minutes=minutes)
    row = Subscription.objects.get(pk=subscription.pk)
    row.triggers = dict.fromkeys(row.triggers, past.isoformat())
    row.heard_until = row.read_at = past
    row.save()


def registered(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.operate("webhooks", method="GET"))


# Registrations ------------------------------------------------------------------------------------------------------


def test_switching_a_workflow_on_registers_a_webhook(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)

    subscription = look(connection)

    [hook] = registered(sandbox)
    assert (hook["events"], hook["jqlFilter"]) == (["jira:issue_updated"], "project != null")
    assert hook["url"] == connection.grant.app.webhook_url
    assert (subscription.way, subscription.error) == (Way.WEBHOOK, "")
    row = Registration.objects.get()
    assert (row.provider_id, row.connection_id) == (str(hook["id"]), connection.pk)
    assert row.expires_at is not None
    assert row.expires_at > clock.now() + timedelta(days=29)


def test_a_connection_has_one_registration_for_all_that_listens(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection, projects="OPS")
    look(connection)
    begin(worker, connection, "comment_created", projects="WEB")
    look(connection)

    [hook] = registered(sandbox)
    assert set(hook["events"]) == {"jira:issue_updated", "comment_created"}
    assert hook["jqlFilter"] == 'project in ("OPS", "WEB")'


def test_a_widened_registration_is_made_before_the_old_one_goes(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection)
    look(connection)
    first = registered(sandbox)[0]["id"]
    begin(worker, connection, "issue_created")
    look(connection)

    [hook] = registered(sandbox)
    assert hook["id"] == first + 1  # made while the first still stood
    old = Registration.objects.get(provider_id=str(first))
    assert old.ended_at is not None  # what it told may still be on its way


def test_an_unknown_project_does_not_silence_the_others(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection, projects="OPS, GONE")

    subscription = look(connection)
    again = look(connection)

    [hook] = registered(sandbox)
    assert hook["jqlFilter"] == "project != null"
    assert "GONE" in subscription.words
    assert again.way == Way.WEBHOOK
    assert Registration.objects.live().count() == 1


def test_when_nobody_listens_the_registration_goes(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    workflow = begin(worker, connection)
    look(connection)
    workflow_settings.switch(workflow, connection, on=False)

    listening.tend(Subscription.objects.get().pk)

    assert registered(sandbox) == []
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "end", [deploy.undeploy, lambda found, by: deploy.pause(found, by, is_paused=True), deploy.delete]
)
def test_so_it_does_when_the_workflow_ends(worker: Worker, connection: Connection, sandbox: Sandbox, end: Any) -> None:
    workflow = begin(worker, connection)
    look(connection)

    end(workflow, "test")
    listening.tend(Subscription.objects.get().pk)

    assert registered(sandbox) == []


def test_disconnecting_removes_it_first(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)
    look(connection)

    connect.disconnect(connection, actor="test")

    assert registered(sandbox) == []


def test_it_is_renewed_long_before_it_expires(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)
    look(connection)
    sandbox.operate("webhooks/expire", {"all": True})

    look(connection)

    [hook] = registered(sandbox)
    assert hook["expires_at"] > clock.now().timestamp() + 29 * 86400


def test_one_that_was_deleted_behind_our_back_is_back_after_one_look(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection)
    look(connection)
    sandbox.operate("webhooks/delete", {"all": True})

    subscription = look(connection)

    assert len(registered(sandbox)) == 1
    assert "gone" in subscription.gap_reason


def test_strangers_with_our_address_are_removed(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)
    look(connection)
    Registration.objects.all().delete()  # a process died before it stored the ID

    look(connection)

    [hook] = registered(sandbox)
    assert Registration.objects.get().provider_id == str(hook["id"])


def test_what_another_connection_of_the_account_registered_stays(
    worker: Worker, connection: Connection, window_of: Any, sandbox: Sandbox
) -> None:
    other = Connection.objects.get(pk=window_of("bob").connect().pk)
    workflow = begin(worker, connection)
    workflow_settings.switch(workflow, other, on=True)

    look(connection)
    look(other)
    look(connection)

    assert len(registered(sandbox)) == 2
    assert Registration.objects.live().count() == 2


def test_the_limit_of_five_is_told_and_polling_takes_over(
    worker: Worker, connection: Connection, window_of: Any, sandbox: Sandbox
) -> None:
    workflow = begin(worker, connection)
    others = [Connection.objects.get(pk=window_of(f"user {number}").connect().pk) for number in range(5)]
    for other in others:
        workflow_settings.switch(workflow, other, on=True)
        look(other)

    subscription = look(connection)

    assert subscription.way == Way.POLL
    assert "limit of 5" in subscription.words


def test_without_the_scope_it_is_polled_and_says_so(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    Grant.objects.update(scopes=["read:jira-work"])
    begin(worker, connection)

    subscription = look(connection)

    assert subscription.way == Way.POLL
    assert "manage:jira-webhook" in subscription.words
    assert registered(sandbox) == []


def test_a_connection_that_must_reconnect_waits_and_goes_on_when_it_has(
    worker: Worker, connection: Connection, alice: Window, sandbox: Sandbox
) -> None:
    begin(worker, connection)
    Connection.objects.update(status="needs_reconnect", reason="Revoked.")

    assert look(connection).error == "Revoked."

    alice.connect()
    listening.tend(Subscription.objects.get().pk)
    assert Subscription.objects.get().way == Way.WEBHOOK


def test_an_outage_changes_nothing_and_is_tried_again(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)
    look(connection)
    sandbox.operate("settings", {"rate_limit_next": 1, "rate_limit_retry_after": 30})

    subscription = look(connection)

    assert subscription.way == Way.WEBHOOK
    assert subscription.due_at is not None
    assert subscription.due_at < clock.now() + timedelta(seconds=40)


def test_two_looks_at_once_register_one(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)
    subscription = Subscription.objects.get()
    assert Subscription.objects.claim(subscription.pk, "another worker", 60)

    listening.tend(subscription.pk)

    assert registered(sandbox) == []


def test_who_asks_during_a_look_is_heard(worker: Worker, connection: Connection) -> None:
    begin(worker, connection)
    mine = Subscription.objects.claim(Subscription.objects.get().pk, "me", 60)
    assert mine is not None
    listening.ask([connection.pk], "issues")

    mine.release(clock.now() + timedelta(hours=1))

    assert Subscription.objects.due().count() == 1


def test_a_user_who_is_enabled_again_is_heard_at_once(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection)
    look(connection)
    users.disable(connection.user, None)
    listening.tend(Subscription.objects.get().pk)
    assert not Subscription.objects.exists()

    users.enable(connection.user, None)

    assert Subscription.objects.due().get().is_new
    assert look(connection).way == Way.WEBHOOK
    assert not Subscription.objects.get().is_new


def test_an_integration_that_is_activated_again_is_heard_at_once(
    worker: Worker, connection: Connection, jira: Integration, sandbox: Sandbox
) -> None:
    begin(worker, connection)
    look(connection)
    setup.deactivate(jira, None)
    assert look(connection).way == Way.NONE

    setup.activate(jira, None)

    listening.tend(Subscription.objects.due().get().pk)
    assert Subscription.objects.get().way == Way.WEBHOOK


# Gaps ---------------------------------------------------------------------------------------------------------------


def test_what_happened_while_nothing_was_told_arrives_once(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection)
    later(look(connection))
    sandbox.operate("webhooks/delete", {"all": True})
    sandbox.operate("issues/change", {"key": "OPS-1", "status": "Done", "account": "Bo Lind"})

    subscription = look(connection)
    later(subscription)
    look(connection)

    event = Event.objects.get()
    assert (event.source, event.state) == (Event.Source.CATCH_UP, Event.State.DISPATCHED)
    assert event.payload["changes"][0]["to"] == "Done"
    assert event.payload["by"]["name"] == "Bo Lind"
    assert Run.objects.count() == 1
    assert (subscription.gap_events, subscription.gap_until is not None) == (1, True)


@pytest.mark.parametrize("polling", [False, True], ids=["told", "polled"])
def test_any_number_of_changes_of_one_minute_is_read_to_its_end(
    worker: Worker, connection: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, polling: bool
) -> None:
    monkeypatch.setattr(issues, "MOST_ISSUES", 3)
    if polling:
        Grant.objects.update(scopes=["read:jira-work", "read:jira-user"])
    begin(worker, connection, "issue_created")
    later(look(connection))
    sandbox.operate("webhooks/delete", {"all": True})
    made = {sandbox.operate("issues", {"project": "OPS", "summary": f"No. {number}"})["id"] for number in range(10)}

    looks = looks_until_read(connection)

    assert {event.payload["id"] for event in Event.objects.all()} == made
    assert (Event.objects.count(), Run.objects.count()) == (10, 10)
    assert looks > 3
    subscription = Subscription.objects.get()
    assert (subscription.cursor, subscription.unread) == ({}, "")
    assert polling or subscription.gap_events == 10
    later(subscription)
    looks_until_read(connection)
    assert Event.objects.count() == 10


def looks_until_read(connection: Connection) -> int:
    """Look as long as there is more at once, as the sweeper has it; return how often."""
    for number in range(1, 20):
        subscription = look(connection)
        if not subscription.unread:
            return number
        assert subscription.due_at is not None
        assert subscription.due_at <= clock.now()
    raise AssertionError("It has no end.")


def test_what_changed_early_is_told_of_an_issue_that_is_found_late(
    worker: Worker, connection: Connection, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issues, "MOST_ISSUES", 2)
    begin(worker, connection)
    later(look(connection))
    sandbox.operate("webhooks/delete", {"all": True})
    changes = [("OPS-1", "Done"), ("OPS-2", "Done"), ("OPS-3", "In Progress"), ("OPS-1", "To Do")]
    for key, status in changes:
        sandbox.operate("issues/change", {"key": key, "status": status})

    looks_until_read(connection)

    told = [event.payload for event in Event.objects.order_by("happened_at")]
    assert [(each["key"], each["changes"][0]["to"]) for each in told] == changes


def test_a_server_that_has_moved_is_told_at_its_new_address(
    worker: Worker, connection: Connection, sandbox: Sandbox, settings: Any
) -> None:
    begin(worker, connection)
    look(connection)
    [before] = registered(sandbox)
    settings.PUBLIC_URL = "https://elsewhere.example"

    subscription = look(connection)

    [hook] = registered(sandbox)
    assert hook["url"] == connection.grant.app.webhook_url != before["url"]
    assert hook["url"].startswith("https://elsewhere.example/")
    assert subscription.gap_reason == "The address of this server has changed."


def test_a_connection_that_moves_to_another_site_begins_anew_there(
    worker: Worker, alice: Window, jira: Integration, sandbox: Sandbox
) -> None:
    connection = alice.connect()
    begin(worker, connection)
    look(connection)
    begin(worker, connection, "project_created")
    look(connection, "projects")
    Subscription.objects.update(delivered_at=Now())

    alice.connect(site="Globex")

    connection.refresh_from_db()
    assert connection.site_name == "Globex"
    fresh = {each.feed: each for each in connection.subscriptions.all()}
    assert {feed: (each.cursor, each.delivered_at) for feed, each in fresh.items()} == {
        "issues": ({}, None),
        "projects": ({}, None),
    }
    assert registered(sandbox) == []
    look(connection, "projects")
    assert not Event.objects.exclude(source=Event.Source.CONNECTED).exists()


def test_a_webhook_made_by_hand_that_falls_silent_is_noticed_and_nothing_is_lost(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection, "project_updated")
    look(connection, "projects")
    made_by_hand = SiteWebhook(project=connection.project, connection=connection, feed="projects")
    made_by_hand.new_secret()
    made_by_hand.delivered_at = clock.now()
    made_by_hand.save()
    assert look(connection, "projects").way == Way.HAND
    sandbox.operate("projects/change", {"key": "OPS", "name": "Renamed"})
    compare_again()

    found = look(connection, "projects")

    assert Event.objects.get().payload["name"] == "Renamed"
    assert (found.way, found.gap_events, found.alerted_at) == (Way.HAND, 1, None)  # it may be on its way
    SiteWebhook.objects.update(delivered_at=clock.now() - timedelta(minutes=10))
    Subscription.objects.update(gap_until=clock.now() - timedelta(minutes=5))
    silent = look(connection, "projects")
    assert (silent.way, silent.words) == (Way.POLL, listening.SILENT)
    assert silent.alerted_at

    SiteWebhook.objects.update(delivered_at=clock.now())
    assert look(connection, "projects").way == Way.HAND
    SiteWebhook.objects.all().delete()
    assert look(connection, "projects").words == "The audit log is read every minute."


def test_a_description_which_no_webhook_has_does_not_make_one_silent(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection, "project_updated")
    look(connection, "projects")
    made_by_hand = SiteWebhook(project=connection.project, connection=connection, feed="projects")
    made_by_hand.new_secret()
    made_by_hand.delivered_at = clock.now()
    made_by_hand.save()
    sandbox.operate("projects/change", {"key": "OPS", "description": "What it is about"})
    compare_again()

    found = look(connection, "projects")

    assert [change["field"] for change in Event.objects.get().payload["changes"]] == ["description"]
    assert (found.way, found.gap_until) == (Way.HAND, None)


def compare_again() -> None:
    """Let it be long ago that the projects were compared."""
    for row in Subscription.objects.filter(feed="projects"):
        row.cursor["compared_at"] = (clock.now() - timedelta(hours=1)).isoformat()
        row.save()


def test_a_gap_of_all_triggers(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    for name in ("issue_created", "issue_updated", "comment_created"):
        begin(worker, connection, name)
    later(look(connection))
    sandbox.operate("webhooks/delete", {"all": True})
    made = sandbox.operate("issues", {"project": "OPS", "summary": "New one"})
    sandbox.operate("issues/change", {"key": made["key"], "summary": "Renamed"})
    sandbox.operate("issues/change", {"key": made["key"], "priority": "High"})
    sandbox.operate("issues/comment", {"key": made["key"], "text": "First!"})

    look(connection)

    names = sorted(Event.objects.values_list("name", flat=True))
    assert names == ["comment_created", "issue_created", "issue_updated", "issue_updated"]
    assert Run.objects.count() == 4


def test_what_was_told_is_not_read_again(worker: Worker, connection: Connection, sandbox: Sandbox, live: None) -> None:
    begin(worker, connection)
    subscription = look(connection)
    sandbox.operate("settings", {"webhooks_off": False})
    sandbox.operate("issues/change", {"key": "OPS-1", "status": "Done"})
    wait_for_deliveries(1)
    handle_all()
    later(subscription)
    sandbox.operate("webhooks/delete", {"all": True})

    look(connection)

    assert Event.objects.get().source == Event.Source.WEBHOOK
    assert Run.objects.count() == 1


def test_what_is_told_after_it_was_read_counts_once(
    worker: Worker, connection: Connection, sandbox: Sandbox, live: None
) -> None:
    begin(worker, connection)
    later(look(connection))
    sandbox.operate("settings", {"webhooks_off": False, "webhook_delay_ms": 1500})
    sandbox.operate("issues/change", {"key": "OPS-1", "status": "Done"})
    Subscription.objects.update(read_at=clock.now() - timedelta(minutes=20))
    Event.objects.all().delete()
    move_history(sandbox, minutes=5)
    look(connection)

    wait_for_deliveries(1)
    handle_all()

    states = list(Event.objects.order_by("pk").values_list("source", "state"))
    assert states == [("catch_up", "dispatched"), ("webhook", "ignored")]
    assert Run.objects.count() == 1


def test_nothing_from_before_it_was_wanted_is_told(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    sandbox.operate("issues/change", {"key": "OPS-1", "status": "Done"})
    begin(worker, connection)
    look(connection)
    sandbox.operate("webhooks/delete", {"all": True})

    look(connection)

    assert not Event.objects.exists()


def test_a_private_app_that_is_told_nothing_is_polled_and_says_why(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection)
    later(look(connection), minutes=30)
    Registration.objects.update(created_at=clock.now() - timedelta(minutes=30))
    sandbox.operate("issues/change", {"key": "OPS-1", "status": "Done"})
    move_history(sandbox, minutes=10)

    subscription = look(connection)

    assert (subscription.way, Event.objects.count()) == (Way.POLL, 1)
    assert "private app" in subscription.words
    assert look(connection).way == Way.POLL


def test_polling_tells_the_same_as_a_webhook(
    worker: Worker, connection: Connection, sandbox: Sandbox, live: None
) -> None:
    names = ("issue_created", "issue_updated", "comment_created")
    for name in names:
        begin(worker, connection, name)
    subscription = look(connection)
    sandbox.operate("settings", {"webhooks_off": False})
    made = sandbox.operate("issues", {"project": "OPS", "summary": "New one", "description": "Two\nlines"})
    sandbox.operate("issues/change", {"key": made["key"], "priority": "High"})
    sandbox.operate("issues/comment", {"key": made["key"], "text": "First!"})
    wait_for_deliveries(3)
    handle_all()
    told = {event.name: event for event in Event.objects.all()}
    Event.objects.all().delete()
    later(subscription)
    sandbox.operate("webhooks/delete", {"all": True})

    look(connection)

    read = {event.name: event for event in Event.objects.all()}
    assert set(told) == set(read) == set(names)
    for name in names:
        left, right = told[name], read[name]
        assert (left.key, left.subject) == (right.key, right.subject)
        assert left.payload.keys() == right.payload.keys()
    without = ("raw", "status", "priority", "updated")
    for name in ("issue_updated", "comment_created"):
        left, right = told[name], read[name]
        assert {key: value for key, value in left.payload.items() if key not in without} == {
            key: value for key, value in right.payload.items() if key not in without
        }


# Projects -----------------------------------------------------------------------------------------------------------


def test_projects_are_compared(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    for name in ("project_created", "project_updated"):
        begin(worker, connection, name, polling_only="true")
    look(connection, "projects")
    sandbox.operate("projects", {"key": "NEW", "name": "New one"})
    sandbox.operate("projects/change", {"key": "OPS", "name": "Operations and more"})
    compared_long_ago(connection)

    subscription = look(connection, "projects")

    found = {event.name: event.payload for event in Event.objects.all()}
    assert found["project_created"]["key"] == "NEW"
    [change] = found["project_updated"]["changes"]
    assert (change["field"], change["from"], change["to"]) == ("name", "Operations", "Operations and more")
    assert Run.objects.count() == 2
    assert (subscription.way, "compared every 5 minutes" in subscription.words) == (Way.POLL, True)


def test_the_audit_log_says_who_and_when(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    begin(worker, connection, "project_created")
    look(connection, "projects")
    sandbox.operate("projects", {"key": "NEW", "name": "New one", "account": "Bo Lind"})

    subscription = look(connection, "projects")

    event = Event.objects.get()
    assert event.payload["by"]["id"]
    assert "audit log is read" in subscription.words


def test_a_site_without_an_audit_log_is_compared(worker: Worker, connection: Connection, sandbox: Sandbox) -> None:
    sandbox.operate("settings", {"free_plan": True, "webhooks_off": True})
    begin(worker, connection, "project_created")

    subscription = look(connection, "projects")

    assert "paid plan" in subscription.words
    assert subscription.error == ""


def test_projects_demand_a_scope_unless_polling_is_enough(
    worker: Worker, connection: Connection, sandbox: Sandbox
) -> None:
    begin(worker, connection, "project_created")
    Grant.objects.update(scopes=["read:jira-work"])

    subscription = look(connection, "projects")

    assert subscription.way == Way.NONE
    assert "manage:jira-configuration" in subscription.error


# Helpers ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(live_server: Any, settings: Any, connection: Connection) -> None:
    """This server can be reached where it says it is."""
    settings.PUBLIC_URL = live_server.url.replace("127.0.0.1", "localhost")
    sandbox_url = connection.grant.app.webhook_url
    assert sandbox_url.startswith(settings.PUBLIC_URL)


def wait_for_deliveries(count: int) -> None:
    import time

    give_up_at = time.monotonic() + 10
    while Delivery.objects.count() < count:
        assert time.monotonic() < give_up_at, f"{Delivery.objects.count()} of {count} deliveries came"
        time.sleep(0.02)


def compared_long_ago(connection: Connection) -> None:
    row = Subscription.objects.get(connection=connection, feed="projects")
    row.cursor = row.cursor | {"compared_at": "2026-01-01T00:00:00+00:00"}
    row.save()


def move_history(sandbox: Sandbox, minutes: float) -> None:
    """Let what people did be so long ago."""
    sandbox.operate("issues/age", {"seconds": minutes * 60})


def test_a_change_that_was_lost_is_found_though_a_later_one_was_told(
    worker: Worker, connection: Connection, sandbox: Sandbox, live: None
) -> None:
    begin(worker, connection)
    subscription = look(connection)
    sandbox.operate("issues/change", {"key": "OPS-1", "status": "Done"})  # nothing is told of it
    sandbox.operate("settings", {"webhooks_off": False})
    sandbox.operate("issues/change", {"key": "OPS-1", "summary": "Disk is full again"})
    wait_for_deliveries(1)
    handle_all()
    later(subscription)
    sandbox.operate("webhooks/delete", {"all": True})

    look(connection)

    assert sorted(Event.objects.values_list("source", flat=True)) == ["catch_up", "webhook"]
