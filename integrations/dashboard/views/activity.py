"""What was called, and who changed what."""

import csv
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from integrations import call_stats, clock, users
from integrations.advice import advise
from integrations.dashboard import charts
from integrations.dashboard.access import Role, find_project, page, page_for
from integrations.dashboard.forms import AuditFilterForm, CallFilterForm, HealthForm
from integrations.dashboard.paging import page_of
from integrations.models import AuditEntry, Call, CallHour, Connection, Project


@page
def calls(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = CallFilterForm(request.GET)
    context = {**_of_calls(project, "log"), "form": form, "is_filtered": form.is_filtered}
    found = page_of(form.find(partial(_filtered, project)), request, "-at")
    users.link(project, found.rows)
    return render(request, "dashboard/calls.html", {**context, "page": found})


def _filtered(project: Project, wanted: dict[str, Any]) -> QuerySet[Call]:
    found = Call.objects.filter(project=project)
    names = {"user": "sub", "provider": "provider_slug", "route": "route"}
    found = found.filter(**{column: wanted[name] for name, column in names.items() if wanted.get(name)})
    if wanted.get("status"):
        found = found.answered(int(wanted["status"]))
    if wanted.get("since"):
        found = found.filter(at__gte=clock.now() - timedelta(hours=int(wanted["since"])))
    return found


@page
def call(request: HttpRequest, project_id: uuid.UUID, call_id: int) -> HttpResponse:
    project = find_project(request, project_id)
    found = get_object_or_404(Call, project=project, pk=call_id)
    alike = Call.objects.filter(project=project, route=found.route, at__lte=found.at).exclude(pk=found.pk)[:5]
    users.link(project, [found, *alike])
    connections = Connection.objects.filter(project=project).select_related("grant", "user")
    context = {
        **_of_calls(project, "log"),
        "call": found,
        "advice": advise(found),
        "connection": connections.filter(pk=found.connection_id).first() if found.connection_id else None,
        "alike": alike,
    }
    return render(request, "dashboard/call.html", context)


@page
def calls_health(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Charts of errors and latency, and the routes that are slowest and that fail most."""
    project = find_project(request, project_id)
    form = HealthForm(request.GET)
    context = {**_of_calls(project, "health"), "form": form}
    if not form.is_valid():
        return render(request, "dashboard/calls_health.html", {**context, "is_filtered": True})
    period = form.cleaned_data["period"] or "day"
    found = call_stats.report(project, period, form.cleaned_data["provider"])
    context |= {
        "report": found,
        "period": call_stats.PERIODS[period][0],
        "calls_chart": charts.calls_chart(found.slots, found.step),
        "latency_chart": charts.latency_chart(found.slots, found.step),
        "bounds": CallHour.BOUNDS,
    }
    return render(request, "dashboard/calls_health.html", context)


def _of_calls(project: Project, tab: str) -> dict[str, Any]:
    return {"project": project, "section": "calls", "tab": tab}


@page
def audit_log(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = AuditFilterForm(request.GET)
    context = {"project": project, "section": "audit", "form": form, "is_filtered": form.is_filtered}
    found = page_of(form.find(partial(_entries, project)).select_related("actor"), request, "-at")
    return render(request, "dashboard/audit.html", {**context, "page": found})


def _entries(project: Project, wanted: dict[str, Any]) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.filter(project=project)
    if wanted.get("who"):
        found = found.filter(actor_name=wanted["who"])
    if wanted.get("action"):
        found = found.filter(action=wanted["action"])
    if wanted.get("since"):
        found = found.filter(at__gte=datetime.combine(wanted["since"], time.min, UTC))
    if wanted.get("until"):
        found = found.filter(at__lte=datetime.combine(wanted["until"], time.max, UTC))
    return found


@page_for(Role.ADMIN)
def export_audit(request: HttpRequest, project_id: uuid.UUID) -> HttpResponseBase:
    """Download what a filter asks for as CSV; back to the list, which says what is wrong, where it asks for nothing."""
    project = find_project(request, project_id)
    form = AuditFilterForm(request.GET)
    if not form.is_valid():
        return redirect(reverse("dashboard:audit", args=[project.pk]) + form.as_query())
    found = _entries(project, form.cleaned_data)
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingHttpResponse(_csv(found), content_type="text/csv; charset=utf-8", headers=headers)


class _Line:
    """What csv writes to: it hands the line back."""

    def write(self, text: str) -> str:
        return text


def _csv(found: QuerySet[AuditEntry]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(["at", "who", "from", "what", "detail", "before", "after"])
    for each in found.iterator(1000):
        changes = ["" if value is None else json.dumps(value) for value in (each.before, each.after)]
        row = [each.at.isoformat(), each.actor_name, each.ip, each.action, each.detail, *changes]
        # A spreadsheet would run what begins like a formula.
        yield writer.writerow([f"'{text}" if text[:1] in "=+-@\t\r" and text else text for text in row])
