"""The ledger: what happened, what became of it, and doing it once more."""

import json
import re
import uuid
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from integrations import audit, users
from integrations.dashboard.access import Role, action, find_project, of_project, page
from integrations.dashboard.paging import page_of
from integrations.models import Event
from workflows import dispatch
from workflows.dashboard.forms import EventFilterForm
from workflows.models import Run

MOST_REPLAYED = 500
MOST_RUNS = 50
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@page
def events(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = EventFilterForm(request.GET, project=project)
    found = form.find(partial(Event.objects.matching, project)).defer("payload").prefetch_related("runs")
    found = found.select_related("connection__integration")
    shown = page_of(found, request, "-id")
    users.link(project, shown.rows)
    context = {
        "project": project,
        "section": "events",
        "form": form,
        "is_filtered": form.is_filtered,
        "page": shown,
        "can_replay": form.cleaned_data.get("state") in Event.UNHEARD,
    }
    return render(request, "workflows/events.html", context)


def _find(request: HttpRequest, project_id: uuid.UUID, event_id: uuid.UUID) -> Event:
    project = find_project(request, project_id)
    found = Event.objects.visible_to(request.user).select_related(
        "delivery", "replay_of", "connection__user", "connection__grant", "connection__integration__project"
    )
    return of_project(project, get_object_or_404(found, project=project, pk=event_id))


@page
def event(request: HttpRequest, project_id: uuid.UUID, event_id: uuid.UUID) -> HttpResponse:
    found = _find(request, project_id, event_id)
    users.link(found.project, [found])
    payload = {key: value for key, value in found.payload.items() if key != "raw"} if _has_raw(found) else found.payload
    context = {
        "project": found.project,
        "section": "events",
        "event": found,
        "payload": json.dumps(payload, indent=2, ensure_ascii=False),
        "raw": _raw(found),
        "cause": _cause(found),
        "runs": found.runs.select_related("workflow")[:MOST_RUNS],
        "replays": Event.objects.filter(replay_of=found)[:10],
    }
    return render(request, "workflows/event.html", context)


def _cause(found: Event) -> Run | None:
    """Return the run that the reason names: where it caused the event, the event is ignored."""
    named = ID.search(found.reason)
    return found.project.runs.filter(pk=named[0]).first() if named else None


def _has_raw(found: Event) -> bool:
    return isinstance(found.payload, dict) and "raw" in found.payload


def _raw(found: Event) -> str:
    """Return what the provider sent, as it came; else its words in the event."""
    if found.delivery:
        return str(found.delivery.body)
    return json.dumps(found.payload["raw"], indent=2, ensure_ascii=False) if _has_raw(found) else ""


@action(Role.SUPPORT)
def replay(request: HttpRequest, project_id: uuid.UUID, event_id: uuid.UUID) -> HttpResponse:
    """Have an event dispatched once more, as a new one."""
    found = _find(request, project_id, event_id)
    again = dispatch.replay(found)
    audit.record(found.project, request.user, "event replayed", f"{found.pk} as {again.pk}")
    messages.success(request, "This is the replay: a new event, dispatched by what is deployed and switched on now.")
    return redirect("workflows:event", project_id, again.pk)


@action(Role.SUPPORT)
def replay_many(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Replay the events of the list that led to nothing."""
    project = find_project(request, project_id)
    form = EventFilterForm(request.POST, project=project)
    if not form.is_valid():
        messages.error(request, "Nothing was replayed: the filter is not right.")
        return redirect(reverse("workflows:events", args=[project_id]) + form.as_query())
    wanted = form.cleaned_data
    if wanted.get("state") not in Event.UNHEARD:
        messages.error(request, "Choose failed or ignored events first: others have had their runs.")
        return redirect("workflows:events", project_id)
    found = Event.objects.matching(project, wanted).filter(replays=None)
    new = found.exclude(is_repetition=True).order_by("pk")[:MOST_REPLAYED]
    count = len([dispatch.replay(each) for each in new])
    audit.record(project, request.user, "events replayed", f"{count} events")
    words = f"{count} event{'' if count == 1 else 's'} replayed, the oldest first."
    if found.filter(is_repetition=True).exists():
        words += " What only repeats another event was left out."
    messages.success(request, words)
    return redirect("workflows:events", project_id)
