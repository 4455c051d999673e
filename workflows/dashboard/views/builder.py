"""The builder: one page, and the small JSON calls it makes."""

import json
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from integrations.dashboard.access import Role, action, page_for
from integrations.dashboard.names import require_visible
from integrations.errors import ProviderError
from integrations.models import Connection
from integrations.provider_api import ProviderApi
from integrations.providers.base import Action, Field, Trigger
from workflows import definition as definitions
from workflows import deploy as deploys
from workflows import runs, steps, triggers
from workflows.dashboard.access import find_workflow
from workflows.expressions import FILTERS
from workflows.models import ProjectSecret, Run, Workflow
from workflows.shapes import shape
from workflows.steps.condition import OPERATORS

MOST_DRAFT = 500_000
MOST_CONNECTIONS = 100
REFUSED = "refused_deploy"


class Refused(Exception):
    """What is wrong with a call of the builder; `more` goes into the answer."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.more = status, more


def _in_json(view: Callable[..., Any]) -> Callable[..., JsonResponse]:
    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> JsonResponse:
        try:
            return JsonResponse(view(*args, **kwargs))
        except Refused as refusal:
            return JsonResponse({"message": str(refusal), **refusal.more}, status=refusal.status)

    return answer


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "A JSON object is expected.")
    return found


@page_for(Role.DEVELOPER)
def build(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> HttpResponse:
    workflow = find_workflow(request, project_id, workflow_id)
    refused = _refused(request, workflow)
    context = {
        "project": workflow.project,
        "section": "workflows",
        "workflow": workflow,
        "data": _data(workflow) | ({"problems": refused} if refused else {}),
        "users": workflow.enablements.filter(is_enabled=True).count(),
    }
    return render(request, "workflows/build.html", context)


def show_refused(request: HttpRequest, workflow: Workflow, found: list[definitions.Problem]) -> None:
    """Have the builder mark, when it is opened next, what kept this draft from being deployed. Some of it only the
    provider knows.
    """
    request.session[REFUSED] = {
        "draft": [str(workflow.pk), workflow.revision],
        "problems": [vars(one) for one in found],
    }


def _refused(request: HttpRequest, workflow: Workflow) -> list[dict[str, str]]:
    kept = request.session.pop(REFUSED, None)
    return kept["problems"] if kept and kept["draft"] == [str(workflow.pk), workflow.revision] else []


def _data(workflow: Workflow) -> dict[str, Any]:
    """Return all that the page's script needs to know."""
    provider = workflow.integration.provider
    connections = Connection.objects.filter(integration=workflow.integration_id).select_related("user", "grant")
    address = {"project_id": workflow.project_id, "workflow_id": workflow.pk}
    names = ("save_draft", "options", "more_fields", "check_trigger", "test")
    calls = {name: reverse(f"workflows:{name}", kwargs=address) for name in names}
    return {
        "workflow": {"id": str(workflow.pk), "name": workflow.name, "description": workflow.description},
        "flags": {"is_default_on": workflow.is_default_on, "is_hidden": workflow.is_hidden},
        "draft": workflow.draft,
        "revision": workflow.revision,
        "problems": problems(workflow),
        "provider": {
            "name": provider.name,
            "slug": provider.slug,
            "logo": static(provider.logo),
            "example": provider.example_path,
        },
        "actions": [_action(found) for found in provider.actions],
        "sources": sorted(provider.sources),
        "types": [{"type": kind.type, "title": kind.title} for kind in steps.TYPES.values()],
        "triggers": _starts(workflow),
        "integration_triggers": [_trigger(found, workflow) for found in provider.triggers],
        "operators": [{"value": key, "label": words, "takes": takes} for key, (words, takes, _) in OPERATORS.items()],
        "setting_types": [{"value": key, "label": label} for key, label in definitions.SETTING_TYPES.items()],
        "filters": sorted(FILTERS),
        "secrets": list(ProjectSecret.objects.filter(project=workflow.project_id).values_list("name", flat=True)),
        "samples": workflow.samples,
        "reserved": sorted(definitions.RESERVED),
        "connections": [
            {"id": str(found.pk), "label": f"{found.user.display_name} · {found}", "trouble": _trouble(found)}
            for found in connections[:MOST_CONNECTIONS]
        ],
        "urls": calls,
    }


def _trouble(connection: Connection) -> str:
    """Return why nothing can be tested with it, "" where it can."""
    if connection.user.disabled_at:
        return "user disabled"
    return "" if connection.is_healthy else "needs reconnect"


def _starts(workflow: Workflow) -> list[dict[str, str]]:
    """Return everything that a workflow can begin with; what the provider tells comes first."""
    provider = workflow.integration.provider
    told = [
        {"value": f"{triggers.KIND}:{found.slug}", "label": f"{provider.name}: {found.title}"}
        for found in provider.triggers
    ]
    others = [(key, label) for key, label in definitions.TRIGGERS.items() if key != triggers.KIND]
    return told + [{"value": key, "label": label} for key, label in others]


def _trigger(found: Trigger, workflow: Workflow) -> dict[str, Any]:
    provider, chosen = workflow.integration.provider, workflow.integration.chosen_scopes()
    hard = definitions.hard_scopes(provider, found, {})
    lacking = [scope for scope in found.scopes if scope not in chosen and scope not in hard]
    note = ""
    if lacking:
        note = (
            f"{', '.join(lacking)} is not among the scopes in Settings, so {provider.name} tells nothing: it is polled,"
            " and runs start up to a minute late. Add the scope, and let users reconnect."
        )
    feed = provider.feed_of(found.slug)
    if feed and not feed.registering:
        note = (
            f"{provider.name} tells no app of this at once. A webhook that an administrator makes by hand does (see a"
            " connection's page); else the audit log is read every minute, or what changed is found by comparing every"
            " few minutes. A connection's page says which it is."
        )
    return {
        "slug": found.slug,
        "title": found.title,
        "description": found.description,
        "fields": [described(item) for item in found.fields],
        "shape": shape(found.output),
        "sample": found.sample,
        "note": note,
    }


def problems(workflow: Workflow) -> list[dict[str, str]]:
    found = deploys.problems(workflow)
    return [{"where": item.where, "field": item.field, "message": item.message} for item in found]


def _action(found: Action) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "title": found.title,
        "description": found.description,
        "fields": [described(item) for item in found.fields],
        "has_more": found.more_fields is not None,
        "shape": shape(found.output),
        "sample": found.sample,
    }


def described(item: Field) -> dict[str, Any]:
    """Return a field as the builder draws it."""
    return {
        "key": item.key,
        "label": item.label,
        "kind": item.kind,
        "help": item.help,
        "placeholder": item.placeholder,
        "required": item.is_required,
        "default": item.default,
        "options": [{"value": option.value, "label": option.label} for option in item.options],
        "source": item.source,
        "depends_on": list(item.depends_on),
        "vocabulary": dict(item.vocabulary),
    }


@action(Role.DEVELOPER)
@_in_json
def save_draft(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> dict[str, Any]:
    """Store the draft as long as it is based on what is stored; say so where somebody else was faster."""
    workflow = find_workflow(request, project_id, workflow_id)
    if len(request.body) > MOST_DRAFT:
        raise Refused(413, f"A workflow can have {MOST_DRAFT // 1000} kB at most.")
    body = _body(request)
    draft, name = body.get("draft"), str(body.get("name") or "").strip()
    if not isinstance(draft, dict) or "\\u0000" in json.dumps(draft):
        raise Refused(400, "The draft cannot be stored.")
    if not name or len(name) > 120:
        raise Refused(400, "A workflow needs a name of at most 120 characters.", field="name")
    try:
        require_visible(name)
    except ValidationError as error:
        raise Refused(400, error.messages[0], field="name") from None
    values = {
        "draft": draft,
        "name": name,
        "description": str(body.get("description") or "")[:500],
        "is_default_on": body.get("is_default_on") is True,
        "is_hidden": body.get("is_hidden") is True,
        "revision": F("revision") + 1,
    }
    based_on = body.get("revision")
    mine = Workflow.objects.filter(pk=workflow.pk, revision=based_on if isinstance(based_on, int) else -1)
    if not mine.update(**values):
        raise Refused(
            409,
            "This workflow was changed elsewhere meanwhile, in another tab or by someone else.",
            revision=workflow.revision,
        )
    workflow.refresh_from_db()
    return {"revision": workflow.revision, "problems": problems(workflow), "has_changes": workflow.has_changes}


def _connection(workflow: Workflow, wanted: object) -> Connection:
    try:
        pk = uuid.UUID(str(wanted))
    except ValueError:
        raise Refused(400, "Choose a connection to test with.") from None
    found = Connection.objects.filter(integration=workflow.integration_id, pk=pk)
    connection = found.select_related("integration__project", "grant", "user").first()
    if connection is None:
        raise Refused(400, "This connection does not exist any more. Choose another.")
    if connection.user.disabled_at:
        raise Refused(400, "The user of this connection is disabled. Choose another, or enable them on their page.")
    return connection


@action(Role.DEVELOPER)
@_in_json
def options(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> dict[str, Any]:
    """Return choices from the account of the preview connection."""
    workflow = find_workflow(request, project_id, workflow_id)
    body = _body(request)
    connection = _connection(workflow, body.get("connection"))
    source = workflow.integration.provider.sources.get(str(body.get("source")))
    values = body.get("values") if isinstance(body.get("values"), dict) else {}
    if source is None:
        raise Refused(400, "There are no such choices.")
    try:
        found = source(
            ProviderApi(connection), str(body.get("search") or "")[:200], str(body.get("cursor") or ""), values or {}
        )
    except ProviderError as error:
        raise Refused(400, str(error), fields=error.fields) from error
    return {
        "options": [{"value": item.value, "label": item.label} for item in found.options],
        "cursor": found.cursor,
    }


@action(Role.DEVELOPER)
@_in_json
def more_fields(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> dict[str, Any]:
    """Return the inputs that an action has beyond its own, for the values chosen so far."""
    workflow = find_workflow(request, project_id, workflow_id)
    body = _body(request)
    connection = _connection(workflow, body.get("connection"))
    wanted = workflow.integration.provider.action(str(body.get("action")))
    values = body.get("values") if isinstance(body.get("values"), dict) else {}
    if wanted is None or wanted.more_fields is None:
        return {"fields": []}
    try:
        found = wanted.more_fields(ProviderApi(connection), values or {})
    except ProviderError as error:
        raise Refused(400, str(error), fields=error.fields) from error
    return {"fields": [described(item) for item in found]}


@action(Role.DEVELOPER)
@_in_json
def check_trigger(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> dict[str, Any]:
    """Return what the provider finds wrong with a trigger's filter, by field."""
    workflow = find_workflow(request, project_id, workflow_id)
    body = _body(request)
    connection = _connection(workflow, body.get("connection"))
    found = workflow.integration.provider.trigger(str(body.get("name")))
    given = body.get("input") if isinstance(body.get("input"), dict) else {}
    if found is None:
        raise Refused(400, "There is no such trigger.")
    try:
        return {"fields": found.check(ProviderApi(connection), given or {})}
    except ProviderError as error:
        raise Refused(400, str(error)) from error


# Tests --------------------------------------------------------------------------------------------------------------


@action(Role.DEVELOPER)
@_in_json
def test(request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID) -> dict[str, Any]:
    """Run the draft, or one step of it, with the preview connection."""
    workflow = find_workflow(request, project_id, workflow_id)
    body = _body(request)
    connection = _connection(workflow, body.get("connection"))
    payload, step_id = body.get("payload"), str(body.get("step") or "")
    if step_id and definitions.find_step(workflow.draft, step_id) is None:
        raise Refused(400, "This step is not in the saved draft.")
    if not definitions.steps_of(workflow.draft):
        raise Refused(400, "Add a step first.")
    bad = [item for item in problems(workflow) if not step_id or item["where"] == step_id]
    if bad:
        raise Refused(400, "Mend what is marked first.", problems=bad)
    run = runs.start_by_hand(
        workflow, connection, payload if payload is not None else {}, is_test=True, only_step=step_id
    )
    return {"run": str(run.pk), "url": _test_url(workflow, run)}


def _test_url(workflow: Workflow, run: Run) -> str:
    return reverse("workflows:test_result", args=[workflow.project_id, workflow.pk, run.pk])


@page_for(Role.DEVELOPER)
@_in_json
def test_result(
    request: HttpRequest, project_id: uuid.UUID, workflow_id: uuid.UUID, run_id: uuid.UUID
) -> dict[str, Any]:
    """Return how a test stands: each step's status, input, output, error and time."""
    workflow = find_workflow(request, project_id, workflow_id)
    run = Run.objects.filter(workflow=workflow, pk=run_id).first()
    if run is None:
        raise Refused(404, "There is no such test.")
    rows = [
        {
            "path": row.path,
            "iteration": row.iteration,
            "status": row.status,
            "label": row.get_status_display(),
            "input": row.input,
            "output": row.output,
            "cut": row.output_cut_bytes,
            "error": row.error,
            "fields": row.error_fields,
            "milliseconds": row.milliseconds,
        }
        for row in run.steps.all()[:200]
    ]
    over = run.is_over or run.status in (Run.Status.NEEDS_RECONNECT, Run.Status.WAITING)
    samples = Workflow.objects.values_list("samples", flat=True).get(pk=workflow.pk) if over else {}
    return {
        "status": run.status,
        "label": run.get_status_display(),
        "reason": run.reason,
        "is_over": over,
        "steps": rows,
        "samples": samples,
        "problems": problems(workflow) if over else [],
        "page": reverse("workflows:run", args=[project_id, run.pk]),
    }
