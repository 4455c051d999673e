"""Bodies that Jira really sent: each yields the trigger that its name says, or is ignored with a reason.

They lie in the reference folder (see tests/support/reference.py); without it there is nothing to send.
"""

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import Connection, Event
from integrations.providers.base import NotHeard
from integrations.providers.jira import happenings, triggers
from tests.support.reference import FOLDER, captured
from tests.triggers.conftest import SITE, Listening, Sender, body_of, runs_of, trigger

BODIES = captured("jira-webhooks")
TRIGGERS = {"issue_created", "issue_updated", "comment_created"}
FILES = [
    pytest.param(name, id=name) for name in BODIES
] or [pytest.param("", marks=pytest.mark.skip(reason=f"{FOLDER}/jira-webhooks is not here."))]  # fmt: skip
CAPTURED_AT = "https://acme-test.atlassian.net"


def as_delivered(name: str) -> Any:
    """Return a captured body as it would have come for the live registration at its site."""
    text = json.dumps(BODIES[name]).replace(CAPTURED_AT, SITE)
    return json.loads(text) | {"matchedWebhookIds": [1000]}


@pytest.mark.parametrize("name", FILES)
def test_it_yields_the_trigger_that_its_name_says(
    sender: Sender, listener: Connection, listening: Listening, name: str
) -> None:
    wanted = name.partition("__")[0]
    for slug in TRIGGERS:
        listening(listener, trigger(slug))

    event = sender.deliver_one(as_delivered(name))

    if wanted in TRIGGERS:
        assert (event.name, event.state) == (wanted, Event.State.DISPATCHED)
        [run] = runs_of(event)
        assert run.payload["event"] == wanted
        assert run.payload["raw"]["webhookEvent"] == BODIES[name]["webhookEvent"]
    else:
        assert event.state == Event.State.IGNORED
        assert "No trigger is about" in event.reason


@pytest.mark.parametrize("name", FILES)
def test_unchanged_it_is_for_no_registration(
    sender: Sender, listener: Connection, listening: Listening, name: str
) -> None:
    for slug in TRIGGERS:
        listening(listener, trigger(slug))

    event = sender.deliver_one(BODIES[name])

    assert event.state == Event.State.IGNORED
    assert "no registration" in event.reason


@pytest.mark.parametrize("name", FILES)
def test_it_has_the_shape_that_is_published(name: str) -> None:
    try:
        found = happenings.read(BODIES[name])
    except NotHeard:
        return

    declared = next(
        each for each in (*triggers.ISSUE_TRIGGERS, *triggers.PROJECT_TRIGGERS) if each.slug == found.trigger
    )
    assert set(found.payload) == set(declared.output["properties"])
    assert set(declared.sample) == set(found.payload)
    assert json.loads(json.dumps(found.payload)) == found.payload


@pytest.mark.parametrize("name", FILES)
def test_without_any_one_of_its_fields_it_never_fails(name: str) -> None:
    for path in paths(BODIES[name]):
        for value in (None, [], {}, "", 7, "text", [None]):
            with suppress(NotHeard):
                happenings.read(replaced(BODIES[name], path, value))


def paths(value: Any, depth: int = 0) -> list[tuple[Any, ...]]:
    """Return the way to every value, three levels deep, and a little below in the fields of an issue."""
    if not isinstance(value, dict) or depth > 3:
        return []
    found = [(key,) for key in value]
    return found + [(key, *rest) for key, item in value.items() for rest in paths(item, depth + 1)][:80]


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
PARTS = st.fixed_dictionaries(
    {"webhookEvent": st.sampled_from([*happenings.NAMES, "x"]) | JSON, "timestamp": st.integers() | JSON},
    optional=dict.fromkeys(("issue", "comment", "project", "user", "changelog", "issue_event_type_name"), JSON),
)


@given(PARTS | JSON)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_comes_is_told_or_ignored(body: Any) -> None:
    with suppress(NotHeard):
        found = happenings.read(body)

        assert found.key
        assert found.at.tzinfo is not None


def test_an_issue_that_was_moved_keeps_its_id(sender: Sender, listener: Connection, listening: Listening) -> None:
    listening(listener)
    body = body_of(issue_event_type_name="issue_moved")
    body["changelog"]["items"].append({"field": "Key", "fromString": "OLD-7", "toString": "OPS-1"})

    event = sender.deliver_one(body)

    assert (event.subject, event.state) == ("issue:10001", Event.State.DISPATCHED)


def test_a_comment_without_its_issue_is_told_with_what_there_is(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener, trigger("comment_created"))
    body = body_of("comment_created")
    del body["issue"]

    event = sender.deliver_one(body)

    [run] = runs_of(event)
    assert run.payload["issue"]["id"] == "10001"  # from the comment's own address
    assert run.payload["issue"]["key"] is None


def test_a_comment_that_comes_as_a_change_of_its_issue_is_no_change(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)

    event = sender.deliver_one(body_of(issue_event_type_name="issue_commented", changelog=None))

    assert (event.state, "New Comment" in event.reason) == (Event.State.IGNORED, True)


def test_a_change_without_a_changelog_counts_by_its_time(
    sender: Sender, listener: Connection, listening: Listening
) -> None:
    listening(listener)

    first = sender.deliver_one(body_of(changelog=None))
    same = sender.deliver_one(body_of(changelog=None))
    later = sender.deliver_one(body_of(changelog=None, fields={"updated": "2026-11-24T10:00:01.000+0000"}))

    assert [event.state for event in (first, same, later)] == ["dispatched", "ignored", "dispatched"]
