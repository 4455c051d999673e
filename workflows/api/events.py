"""The ledger for the customer's own tools: what happened, what became of it, and doing it once more."""

import uuid
from typing import Any

from django import forms
from django.http import JsonResponse

from integrations import audit
from integrations.api.door import KeyCaller, needs
from integrations.api.queries import Query, listed, next_link, user_field
from integrations.models import Event
from integrations.sdk.api import ApiError
from workflows import dispatch
from workflows.api import shapes

MOST_RUNS = 50


class EventQuery(Query):
    state = forms.ChoiceField(
        required=False, choices=Event.State.choices, help_text="Only events that ended like this."
    )
    source = forms.ChoiceField(
        required=False, choices=Event.Source.choices, help_text="Only events that came this way."
    )
    name = forms.CharField(required=False, max_length=120, help_text="Only events of this name.")
    userId = user_field()
    connectionId = forms.UUIDField(required=False, help_text="Only events of this connection.")


@needs("events:read")
def list_events(caller: KeyCaller) -> dict[str, Any]:
    wanted = EventQuery(caller.request.GET).wanted()
    found = Event.objects.matching(caller.project, {**wanted, "user": wanted.get("userId")}).defer("payload")
    if "connectionId" in wanted:
        found = found.filter(connection=wanted["connectionId"])
    page = listed(caller.request, found, wanted, "-id")
    return {"events": [shapes.event(row) for row in page.rows], "nextLink": next_link(caller.request, page)}


def _event(caller: KeyCaller, event_id: uuid.UUID) -> Event:
    found = Event.objects.filter(project=caller.project, pk=event_id).first()
    if found is None:
        raise ApiError(404, "no_event", "There is no such event.")
    return found


@needs("events:read")
def read_event(caller: KeyCaller, event_id: uuid.UUID) -> dict[str, Any]:
    found = _event(caller, event_id)
    started = found.runs.values_list("pk", flat=True)[:MOST_RUNS]
    return shapes.event(found) | {"payload": found.payload, "workflowExecutionIds": [str(pk) for pk in started]}


@needs("events:replay")
def replay(caller: KeyCaller, event_id: uuid.UUID) -> JsonResponse:
    """Have an event dispatched once more, as a new one, by what is deployed and switched on now."""
    found = _event(caller, event_id)
    caller.json()
    again = dispatch.replay(found)
    audit.record(caller.project, caller.actor, "event replayed", f"{found.pk} as {again.pk}")
    return JsonResponse(shapes.event(again), status=201)
