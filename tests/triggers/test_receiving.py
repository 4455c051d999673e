"""At the door: who may deliver, what is taken, and that it is stored before it is answered."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from integrations import clock, remember, webhooks
from integrations.models import Connection, Delivery, Event, OAuthApp, RefusedDeliveries, SiteWebhook
from tests.triggers.conftest import SECRET, Listening, Sender, body_of, handle_all, runs_of, trigger
from workflows import housekeeping
from workflows.models import Run

OTHER = "another secret that is long enough to sign with it too"


def test_a_delivery_is_stored_before_it_is_answered(sender: Sender, listener: Connection) -> None:
    answer = sender.post(body_of())

    assert answer.status_code == 200
    assert Delivery.objects.waiting().count() == 1


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "a.b.c",
        "e30.e30.",
        "x" * 9000,
        "eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_without_a_good_signature_nothing_is_stored(sender: Sender, listener: Connection, token: str) -> None:
    answer = sender.post(body_of(), token=token)

    assert answer.status_code == 401
    assert not Delivery.objects.exists()
    assert RefusedDeliveries.objects.get(app=sender.app).count == 1


def test_each_of_many_refused_at_once_is_counted(sender: Sender, listener: Connection) -> None:
    for _ in range(7):
        sender.post(body_of(), token="nonsense")

    webhooks._refusals.flush()

    assert RefusedDeliveries.objects.get(app=sender.app).count == 7


def test_another_apps_secret_opens_no_door(sender: Sender, listener: Connection) -> None:
    assert sender.post(body_of(), token=sender.token(OTHER)).status_code == 401


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_exactly_one_algorithm_is_taken(sender: Sender, listener: Connection, algorithm: str) -> None:
    import jwt

    token = jwt.encode({"exp": time.time() + 60}, SECRET, algorithm=algorithm)

    assert sender.post(body_of(), token=token).status_code == 401


def test_times_are_checked_with_a_minute_of_patience(sender: Sender, listener: Connection) -> None:
    now = int(time.time())

    assert sender.post(body_of(), token=sender.token(exp=now - 30)).status_code == 200
    assert sender.post(body_of(), token=sender.token(exp=now - 90)).status_code == 401
    assert sender.post(body_of(), token=sender.token(nbf=now + 90)).status_code == 401


def test_claims_that_nobody_documents_are_not_required(sender: Sender, listener: Connection) -> None:
    assert sender.post(body_of(), token=sender.token(iss=None, iat=None, exp=None)).status_code == 200
    assert sender.post(body_of(), token=sender.token(aud="anything", sub="anyone")).status_code == 200


def test_the_secret_before_is_taken_for_a_day_after_a_change(sender: Sender, listener: Connection) -> None:
    sender.app.set_secret(OTHER)
    sender.app.save()
    remember.forget_everything()

    assert sender.post(body_of()).status_code == 200
    assert sender.post(body_of(), token=sender.token(OTHER)).status_code == 200

    OAuthApp.objects.update(secret_set_at="2026-01-01T00:00:00Z")
    remember.forget_everything()
    assert sender.post(body_of()).status_code == 401
    assert sender.post(body_of(), token=sender.token(OTHER)).status_code == 200


def test_an_app_without_a_secret_takes_nothing(sender: Sender, listener: Connection) -> None:
    OAuthApp.objects.update(client_secret_sealed="")

    assert sender.post(body_of(), token=sender.token()).status_code == 401


# By hand ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def by_hand(listener: Connection) -> tuple[SiteWebhook, str]:
    webhook = SiteWebhook(project=listener.project, connection=listener, feed="projects")
    secret = webhook.new_secret()
    webhook.save()
    return webhook, secret


def test_a_webhook_made_by_hand_has_its_own_address_and_secret(
    sender: Sender, by_hand: tuple[SiteWebhook, str]
) -> None:
    assert len(by_hand[1]) == 64  # 256 bits
    assert sender.by_hand(*by_hand, body_of("project_created", hook=None)).status_code == 200
    assert sender.by_hand(by_hand[0], "0" * 64, body_of("project_created", hook=None)).status_code == 401


def test_the_documented_signature_is_taken() -> None:
    from integrations.providers.jira.webhooks import is_from_site

    header = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"

    assert is_from_site({"x-hub-signature": header}, b"Hello World!", "It's a Secret to Everybody")
    assert not is_from_site({"x-hub-signature": header}, b"Hello World?", "It's a Secret to Everybody")
    assert not is_from_site({"x-hub-signature": header[:40]}, b"Hello World!", "It's a Secret to Everybody")
    assert not is_from_site({}, b"Hello World!", "It's a Secret to Everybody")


def test_a_mistyped_secret_of_a_webhook_by_hand_is_counted_and_shown(
    sender: Sender, by_hand: tuple[SiteWebhook, str], staff: Client
) -> None:
    webhook = by_hand[0]
    for _ in range(3):
        sender.by_hand(webhook, "0" * 64, body_of("project_created", hook=None))
    webhooks._refusals.flush()

    webhook.refresh_from_db()
    page = staff.get(reverse("dashboard:connection", args=[webhook.project_id, webhook.connection_id]))
    assert (webhook.refused_count, webhook.is_refused) == (3, True)
    assert "(3 so far): its signature is missing or wrong." in page.content.decode()


def test_neither_kind_of_signature_opens_the_others_door(sender: Sender, by_hand: tuple[SiteWebhook, str]) -> None:
    import hashlib
    import hmac

    webhook, _ = by_hand
    of_app = sender.post(body_of(), url=f"/webhooks/jira/site/{webhook.token}")
    signature = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
    of_site = sender.post(b"{}", token="", **{"X-Hub-Signature": f"sha256={signature}"})

    assert (of_app.status_code, of_site.status_code) == (401, 401)


def test_the_address_of_one_kind_is_none_of_the_other(sender: Sender, by_hand: tuple[SiteWebhook, str]) -> None:
    assert sender.post(body_of(), url=f"/webhooks/jira/{by_hand[0].token}").status_code == 404
    assert sender.post(body_of(), url=f"/webhooks/jira/site/{sender.app.webhook_token}").status_code == 404


# What is sent -------------------------------------------------------------------------------------------------------


def test_only_posts_are_taken(sender: Sender) -> None:
    answer = Client().get(f"/webhooks/jira/{sender.app.webhook_token}")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.json()["message"]


def test_an_unknown_address_costs_no_query(
    sender: Sender, listener: Connection, django_assert_num_queries: Any
) -> None:
    sender.post(body_of())

    with django_assert_num_queries(0):
        answers = [sender.post(body_of(), url=f"/webhooks/jira/{number:043}") for number in range(50)]

    assert {answer.status_code for answer in answers} == {404}


def test_an_address_of_another_provider_is_unknown(sender: Sender) -> None:
    assert sender.post(body_of(), url=f"/webhooks/acme/{sender.app.webhook_token}").status_code == 404


def test_one_byte_too_much_is_refused_before_it_is_read(sender: Sender, listener: Connection, settings: Any) -> None:
    settings.WEBHOOK_MAX_BYTES = 1000

    assert sender.post(b"x" * 1001).status_code == 413
    assert sender.post(b"x" * 1000).status_code == 400  # not JSON, but taken in
    assert Delivery.objects.count() == 1


def test_a_compressed_body_is_refused(sender: Sender, listener: Connection) -> None:
    assert sender.post(body_of(), **{"Content-Encoding": "gzip"}).status_code == 415


def test_a_body_of_unknown_length_is_refused(sender: Sender, listener: Connection) -> None:
    answer = sender.client.generic("POST", f"/webhooks/jira/{sender.app.webhook_token}", b"{}", CONTENT_LENGTH="")

    assert answer.status_code == 411


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1e400}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{\x00}",
        b'{"n": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_cannot_be_read_is_kept_and_told_so(
    sender: Sender, listener: Connection, project: Any, body: bytes
) -> None:
    answer = sender.post(body)
    handle_all()

    assert answer.status_code == 400
    assert "cannot be read" in answer.json()["message"]
    event = Event.objects.get()
    assert event.state == Event.State.FAILED
    assert "cannot be read" in event.reason
    assert event.delivery is not None


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"42",
        b'"text"',
        b'{"webhookEvent": 7, "issue": [], "user": "x", "matchedWebhookIds": {}}',
        b'{"matchedWebhookIds": [true, null, {}, -1, 1e300, "1000"]}',
        b'{"webhookEvent": "jira:issue_created", "webhookEvent": "x", "timestamp": "\\u0000\\ud800"}',
    ],
)
def test_any_other_json_ends_with_a_reason(sender: Sender, listener: Connection, body: bytes) -> None:
    [event] = sender.deliver(body)

    assert event.state == Event.State.IGNORED
    assert event.reason


# Once ---------------------------------------------------------------------------------------------------------------


def test_a_repetition_is_answered_and_counts_once(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener)

    [event] = sender.deliver(body_of(), identifier="one")
    again = sender.post(body_of(), identifier="one", **{"X-Atlassian-Webhook-Retry": "1"})
    handle_all()

    assert again.status_code == 200
    assert Event.objects.count() == 1
    assert len(runs_of(event)) == 1


def test_a_repetition_after_29_days_counts_once(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener)
    [event] = sender.deliver(body_of(), identifier="one")
    long_ago = clock.now() - timedelta(days=29)
    Delivery.objects.update(created_at=long_ago)
    Event.objects.update(created_at=long_ago)
    Run.objects.update(created_at=long_ago)
    webhooks.prune()
    housekeeping.prune()

    again = sender.post(body_of(), identifier="one")
    renamed = sender.deliver_one(body_of(), identifier="two")

    assert again.status_code == 200
    assert (renamed.state, runs_of(renamed)) == (Event.State.IGNORED, [])
    assert list(Event.objects.exclude(pk=renamed.pk)) == [event]
    assert len(runs_of(event)) == 1


def test_late_ones_and_those_in_the_wrong_order_run_and_show_when_it_happened(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)

    earlier, later = ({"updated": f"2026-11-24T10:00:0{second}.000+0000"} for second in (0, 1))
    second = sender.deliver_one(body_of(change="2", fields=later), **{"X-Atlassian-Webhook-Flow": "Secondary"})
    first = sender.deliver_one(body_of(change="1", fields=earlier))

    assert second.created_at < first.created_at
    assert first.happened_at
    assert second.happened_at
    assert first.happened_at < second.happened_at
    assert [len(runs_of(event)) for event in (first, second)] == [1, 1]


def test_the_same_identifier_of_another_site_is_another_delivery(sender: Sender, listener: Connection) -> None:
    sender.post(body_of(), identifier="one")
    sender.post(body_of(site="https://globex.atlassian.net"), identifier="one")

    assert Delivery.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_deliveries_at_once_make_one_run(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)

    def send(number: int) -> int:
        try:
            return Sender(sender.app).post(body_of(), identifier="one").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(50)))
    handle_all()

    assert set(answers) == {200}
    event = Event.objects.get()
    assert len(runs_of(event)) == 1


def test_what_two_ways_tell_counts_once(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener)

    first = sender.deliver_one(body_of(), identifier="one")
    second = sender.deliver_one(body_of(), identifier="two")

    assert first.state == Event.State.DISPATCHED
    assert second.state == Event.State.IGNORED
    assert "told before" in second.reason


def test_what_was_told_before_is_found_by_its_key_not_among_all_of_a_connection(listener: Connection) -> None:
    project = listener.integration.project
    Event.objects.bulk_create(
        Event(project=project, connection=listener, source=Event.Source.WEBHOOK, key=f"issue:1:{number}")
        for number in range(2000)  # with a few it would not matter to PostgreSQL which index it takes
    )

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE integrations_event")
        plan = Event.objects.telling([listener.pk], ["issue:1:2", "issue:1:3"]).explain()

    assert "one_event_a_key" in plan, plan


def test_a_faster_delivery_waits_for_its_registration(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    from integrations.models import Registration

    listening(listener)
    Registration.objects.update(provider_id="")

    sender.post(body_of())
    handle_all()
    assert not Event.objects.exists()

    Registration.objects.update(provider_id="1000")
    handle_all()
    assert len(runs_of(Event.objects.get())) == 1


def test_the_projects_events_are_told_by_hand(
    sender: Sender, by_hand: tuple[SiteWebhook, str], listener: Connection, listening: Listening
) -> None:
    listening(listener, trigger("project_created"))

    sender.by_hand(*by_hand, body_of("project_created", hook=None))
    handle_all()

    event = Event.objects.get()
    assert (event.source, event.state) == (Event.Source.HAND, Event.State.DISPATCHED)
    assert runs_of(event)[0].payload["name"] == "Operations"


def test_a_webhook_made_by_hand_speaks_for_its_own_site_only(
    sender: Sender, by_hand: tuple[SiteWebhook, str], listener: Connection, listening: Listening
) -> None:
    listening(listener, trigger("project_created"))

    sender.by_hand(*by_hand, body_of("project_created", hook=None, site="https://globex.atlassian.net"))
    handle_all()

    event = Event.objects.get()
    assert event.state == Event.State.IGNORED
    assert "another site" in event.reason


def test_an_old_delivery_by_hand_may_be_a_repetition(
    sender: Sender, by_hand: tuple[SiteWebhook, str], listener: Connection, listening: Listening
) -> None:
    listening(listener, trigger("project_created"))
    long_ago = int((time.time() - 31 * 24 * 3600) * 1000)

    sender.by_hand(*by_hand, body_of("project_created", hook=None, timestamp=long_ago))
    handle_all()

    event = Event.objects.get()
    assert (event.state, runs_of(event)) == (Event.State.IGNORED, [])
    assert "may be a repetition" in event.reason
