"""The pages about events and about what a connection hears."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Connection, Event, SiteWebhook, Subscription
from tests.triggers.conftest import Listening, Sender, body_of, runs_of, trigger
from workflows import dispatch
from workflows.models import Run


def page(client: Client, view: str, /, *args: Any, **query: str) -> str:
    answer = client.get(reverse(view, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_each_event_says_what_became_of_it(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    sender.deliver_one(body_of())
    sender.deliver_one(body_of("jira:issue_deleted"))

    shown = page(staff, "workflows:events", listener.project_id)

    assert "1 run" in shown
    assert "No trigger is about" in shown
    assert '<span class="wrap">Issue updated</span>' in shown
    assert "<code>issue_updated</code>" in shown


def test_an_event_without_a_name_is_told_by_how_it_came(staff: Client, listener: Connection) -> None:
    dispatch.record(listener.project_id, Event.Source.CONNECTED, "", {}, sub="alice", connection=listener)

    shown = page(staff, "workflows:events", listener.project_id)

    assert '<td data-label="Event">' in shown
    assert "Integration enabled<span" in shown


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"state": "ignored"}, 1),
        ({"state": "dispatched"}, 1),
        ({"source": "webhook"}, 2),
        ({"source": "app"}, 0),
        ({"name": "issue_updated"}, 1),
        ({"user": "alice"}, 2),
        ({"user": "bob"}, 0),
        ({"state": "nonsense"}, 0),
    ],
)
def test_filters(
    staff: Client, sender: Sender, listener: Connection, listening: Listening, query: dict[str, str], count: int
) -> None:
    listening(listener)
    sender.deliver_one(body_of())
    sender.deliver_one(body_of("jira:issue_deleted"))

    shown = page(staff, "workflows:events", listener.project_id, **query)

    assert len(re.findall(r'<td data-label="Event">', shown)) == count


def test_an_event_is_found_by_the_title_that_the_list_shows(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    sender.deliver_one(body_of())
    dispatch.record(listener.project_id, Event.Source.CONNECTED, "", {}, sub="alice", connection=listener)

    by_title = page(staff, "workflows:events", listener.project_id, name="issue Updated")
    by_way = page(staff, "workflows:events", listener.project_id, name="Integration enabled")

    assert "<code>issue_updated</code>" in by_title
    assert "Integration enabled<span" not in by_title
    assert "Integration enabled<span" in by_way
    assert "<code>issue_updated</code>" not in by_way


def test_an_event_of_the_product_leads_to_its_user(staff: Client, listener: Connection) -> None:
    event = dispatch.record(listener.project_id, "app", "task.created", {}, sub="alice")
    address = reverse("dashboard:user", args=[listener.project_id, listener.user_id])

    assert f'href="{address}"' in page(staff, "workflows:events", listener.project_id)
    assert f'href="{address}"' in page(staff, "workflows:event", listener.project_id, event.pk)


def test_an_event_has_its_raw_body_and_its_runs(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    event = sender.deliver_one(body_of())

    shown = page(staff, "workflows:event", listener.project_id, event.pk)

    assert "matchedWebhookIds" in shown
    assert str(runs_of(event)[0].pk) in shown


def test_a_replay_is_a_new_event_with_a_run_of_its_own(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    event = sender.deliver_one(body_of())

    staff.post(reverse("workflows:replay_event", args=[listener.project_id, event.pk]))
    again = Event.objects.get(replay_of=event)
    dispatch.dispatch(again.pk)

    again.refresh_from_db()
    assert again.state == Event.State.DISPATCHED
    assert len(runs_of(again)) == 1


def test_what_was_ignored_is_replayed_when_somebody_listens(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    for number in range(3):
        sender.deliver_one(body_of(change=str(number)))
    listening(listener)

    answer = staff.post(reverse("workflows:replay_events", args=[listener.project_id]), {"state": "ignored"})
    replayed = Event.objects.exclude(replay_of=None)
    dispatch.dispatch(*replayed.values_list("pk", flat=True))

    assert answer.status_code == 302
    assert [event.state for event in replayed.all()] == ["dispatched"] * 3


def test_those_that_had_their_runs_are_not_replayed_together(staff: Client, listener: Connection) -> None:
    staff.post(reverse("workflows:replay_events", args=[listener.project_id]), {"state": "dispatched"})

    assert not Event.objects.exists()


def test_with_a_filter_that_is_none_nothing_is_replayed(staff: Client, sender: Sender, listener: Connection) -> None:
    sender.deliver_one(body_of())
    wanted = {"state": "ignored", "connection": "gone"}

    answer = staff.post(reverse("workflows:replay_events", args=[listener.project_id]), wanted, follow=True)

    assert not Event.objects.exclude(replay_of=None).exists()
    assert "Nothing was replayed" in answer.content.decode()


def test_what_only_repeats_another_is_not_replayed_together(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    sender.deliver_one(body_of())
    again = sender.deliver_one(body_of())
    assert (again.state, again.is_repetition) == (Event.State.IGNORED, True)

    answer = staff.post(
        reverse("workflows:replay_events", args=[listener.project_id]), {"state": "ignored"}, follow=True
    )

    assert "0 events replayed" in answer.content.decode()
    assert "What only repeats another event was left out." in answer.content.decode()
    assert Run.objects.count() == 1


def test_what_ran_of_an_event_that_failed_does_not_run_again(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    event = sender.deliver_one(body_of())
    Event.objects.filter(pk=event.pk).update(state=Event.State.FAILED, reason="1 run began. A filter failed.")
    listening(listener)

    staff.post(reverse("workflows:replay_event", args=[listener.project_id, event.pk]))
    again = Event.objects.get(replay_of=event)
    dispatch.dispatch(again.pk)

    assert Run.objects.count() == 2
    assert len({run.workflow_id for run in Run.objects.all()}) == 2


def test_a_connection_says_how_it_hears(
    staff: Client, sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)
    Subscription.objects.update(way="poll", words="The limit is reached.", every_seconds=60)

    shown = page(staff, "dashboard:connection", listener.project_id, listener.pk)

    assert "By polling" in shown
    assert "The limit is reached." in shown
    assert "Delayed up to 1 minute" in shown
    assert "Nobody listens" in shown  # of projects


def test_checking_now_makes_it_due(staff: Client, listener: Connection, listening: Listening) -> None:
    listening(listener)
    Subscription.objects.update(due_at=None)

    staff.post(reverse("dashboard:look_now", args=[listener.project_id, listener.pk]))

    assert Subscription.objects.due().count() == 1


def test_the_secret_of_a_webhook_made_by_hand_is_shown_once(staff: Client, listener: Connection) -> None:
    address = reverse("dashboard:site_webhook", args=[listener.project_id, listener.pk, "projects"])

    made = staff.post(address).content.decode()
    webhook = SiteWebhook.objects.get()
    again = staff.get(address).content.decode()

    assert webhook.open("secret") in made
    assert webhook.url in made
    assert webhook.url in again
    assert webhook.open("secret") not in again


def test_only_feeds_that_know_them_have_such_webhooks(staff: Client, listener: Connection) -> None:
    address = reverse("dashboard:site_webhook", args=[listener.project_id, listener.pk, "issues"])

    assert staff.get(address).status_code == 404


def test_removing_it_closes_its_address(staff: Client, sender: Sender, listener: Connection) -> None:
    from integrations import remember

    webhook = SiteWebhook(project=listener.project, connection=listener, feed="projects")
    secret = webhook.new_secret()
    webhook.save()

    staff.post(reverse("dashboard:delete_site_webhook", args=[listener.project_id, listener.pk, webhook.pk]))
    remember.forget_everything()

    assert sender.by_hand(webhook, secret, body_of("project_created", hook=None)).status_code == 404


def test_the_builder_knows_the_triggers(staff: Client, listener: Connection, listening: Listening) -> None:
    workflow = listening(listener, trigger(projects="OPS"))

    shown = page(staff, "workflows:build", listener.project_id, workflow.pk)

    assert "Jira: New issue" in shown
    assert "Jira: Issue updated" in page(staff, "workflows:workflows", listener.project_id)
