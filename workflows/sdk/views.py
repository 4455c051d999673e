"""Starting workflows and actions for an end user, and switching workflows on and off."""

import uuid
from typing import Any

from django.http import HttpResponse, JsonResponse

from integrations.models import Connection
from integrations.proxy import NOT_CONNECTED
from integrations.refusals import refusal
from integrations.sdk.api import ApiError, Caller, api, enabled
from workflows import dispatch, runs, settings
from workflows.models import Enablement, Run, Workflow
from workflows.runs import RunRefused

STILL_RUNNING = 542


def _workflow(caller: Caller, workflow_id: str) -> Workflow:
    try:
        wanted = uuid.UUID(workflow_id)
    except ValueError:
        wanted = uuid.UUID(int=0)
    found = Workflow.objects.deployed().filter(project=caller.project, pk=wanted)
    workflow = found.select_related("deployed", "integration").first()
    if workflow is None:
        raise ApiError(404, "no_workflow", "This project has no such workflow.")
    return workflow


def _connection(caller: Caller, integration_id: uuid.UUID) -> Connection:
    """Return the connection that the header names, else the user's first to this integration."""
    wanted = caller.selected()
    if wanted:
        connection = caller.connection(wanted)
        if connection.integration_id != integration_id:
            raise ApiError(400, "wrong_credential", "This connection belongs to another integration.")
        return enabled(connection)
    found: Connection | None = caller.connections().filter(integration=integration_id).first()
    if found is None:
        raise ApiError(400, "not_connected", NOT_CONNECTED)
    return enabled(found)


@api("POST")
def event(caller: Caller) -> HttpResponse:
    """Take an app event: stored before it is answered, whether anything listens or not."""
    body = caller.json()
    name = body.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 120:
        raise ApiError(400, "bad_event", "An event needs a name of at most 120 characters.")
    connection = caller.connection(caller.selected()) if caller.selected() else None
    payload = body.get("payload", {})
    found = dispatch.record(caller.project.pk, "app", name.strip(), payload, sub=caller.user.sub, connection=connection)
    return JsonResponse({"id": str(found.pk)}, status=201)


@api("POST", "DELETE")
def workflow(caller: Caller, workflow_id: str) -> Any:
    """Switch a workflow on (POST) or off (DELETE) for the user."""
    found = _workflow(caller, workflow_id)
    connection = _connection(caller, found.integration_id)
    is_on = caller.request.method == "POST"
    if is_on and (wrong := settings.lacking(found, connection)):
        raise ApiError(400, "settings_missing", " ".join(wrong.values()), fields=wrong)
    settings.switch(found, connection, on=is_on)
    return {"workflowId": str(found.pk), "enabled": True} if is_on else None


@api("POST")
def start_workflow(caller: Caller, workflow_id: str) -> HttpResponse:
    """Start a workflow with a request trigger: 202 at once, or what its Response step says within 55 seconds."""
    found = _workflow(caller, workflow_id)
    connection = _connection(caller, found.integration_id)
    if found.trigger_type != "request":
        raise ApiError(400, "not_a_request", "This workflow is not started by requests.")
    row = Enablement.objects.on().filter(workflow=found, connection=connection)
    enablement = row.select_related("workflow__deployed", "connection__user").first()
    if enablement is None:
        raise ApiError(400, "not_enabled", "This workflow is not switched on for the user.")
    payload = {"body": _body(caller), "query": caller.request.GET.dict(), "headers": _headers(caller)}
    try:
        run = runs.start_by_request(enablement, payload)
    except RunRefused as refusal:
        raise ApiError(409, refusal.code, str(refusal)) from refusal
    if not _responds(found):
        return JsonResponse({"id": str(run.pk), "status": "accepted"}, status=202)
    return _answer(runs.wait_for(run.pk, runs.RESPONSE_SECONDS))


def _body(caller: Caller) -> Any:
    return caller.json() if caller.request.META.get("CONTENT_LENGTH") not in (None, "", "0") else {}


def _headers(caller: Caller) -> dict[str, str]:
    """Return the caller's own headers. What identifies people or machines does not go into a run."""
    return {name: value for name, value in caller.request.headers.items() if name.lower().startswith("x-app-")}


def _responds(found: Workflow) -> bool:
    from workflows.definition import steps_of, walk

    return found.deployed is not None and any(
        step.get("type") == "response" for step in walk(steps_of(found.deployed.definition))
    )


def _answer(run: Run) -> HttpResponse:
    if run.response is not None:
        body = run.response.get("body")
        if body is None:
            return HttpResponse(status=run.response["status"], content_type="application/json")
        return JsonResponse(body, status=run.response["status"], safe=False)
    if run.status == Run.Status.DONE:
        return JsonResponse({"id": str(run.pk), "status": "done"}, status=200)
    return _no_answer(run)


def _no_answer(run: Run) -> HttpResponse:
    """Say how a run stands that did not come to its answer."""
    if run.status in Run.CLAIMABLE:
        return _problem(run, STILL_RUNNING, "still_running", "The workflow is still running. Ask for its run later.")
    if run.status == Run.Status.NEEDS_RECONNECT:
        words = f"{run.reason} The run goes on once the user has connected again: do not send it again."
        return _problem(run, 400, "needs_reconnect", words)
    row = run.steps.filter(status__in=["failed", "uncertain"]).order_by("-pk").first()
    more = {"fields": row.error_fields} if row and row.error_fields else {}
    words = row.error if row and row.error else run.reason or f"The run ended as {run.status}."
    code = "needs_reconnect" if _lacks_consent(run) else f"run_{run.status}"
    return _problem(run, 400, code, words, **more)


def _lacks_consent(run: Run) -> bool:
    """Did it fail for want of a consent? Then nothing of it happened, nor will."""
    is_over = run.is_asked_for and run.status == Run.Status.FAILED
    return is_over and run.connection is not None and not run.connection.is_healthy


def _problem(run: Run, status: int, code: str, message: str, **more: Any) -> JsonResponse:
    return refusal(status, code, message, id=str(run.pk), **more)


# Actions ------------------------------------------------------------------------------------------------------------


@api("GET", "POST")
def actions(caller: Caller) -> HttpResponse:
    """List what can be done for this user (GET), or do one thing (POST {"action", "parameters"})."""
    return _run_action(caller) if caller.request.method == "POST" else JsonResponse(_tools(caller))


def action_name(provider_slug: str, slug: str) -> str:
    """Return an action's name in the API, as Paragon's ActionKit forms them: ACME_CREATE_TASK."""
    return f"{provider_slug}_{slug}".upper().replace("-", "_")


def _tools(caller: Caller) -> dict[str, Any]:
    wanted = [name for name in caller.request.GET.get("integrations", "").split(",") if name]
    found = {}
    for integration in caller.integrations().active():
        if not wanted or integration.provider_slug in wanted:
            found[integration.provider_slug] = [
                {
                    "type": "function",
                    "function": {
                        "name": action_name(integration.provider_slug, action.slug),
                        "description": action.description,
                        "parameters": action.input(),
                        "output": action.output,
                    },
                }
                for action in integration.provider.actions
            ]
    return {"actions": found, "errors": []}


def _run_action(caller: Caller) -> HttpResponse:
    body = caller.json()
    name, given = body.get("action") or body.get("tool"), body.get("parameters", {})
    if not isinstance(name, str) or not isinstance(given, dict):
        raise ApiError(400, "bad_action", "Send {“action”: a name from the list, “parameters”: an object}.")
    for integration in caller.integrations().active():
        for action in integration.provider.actions:
            if action_name(integration.provider_slug, action.slug) == name.upper():
                connection = _connection(caller, integration.pk)
                try:
                    run = runs.start_action(integration, connection, action.slug, given)
                except RunRefused as refusal:
                    raise ApiError(409, refusal.code, str(refusal)) from refusal
                return _action_answer(runs.wait_for(run.pk, runs.RESPONSE_SECONDS, for_end=True))
    raise ApiError(404, "no_action", f"This project has no action “{name[:80]}”.")


def _action_answer(run: Run) -> HttpResponse:
    if run.status != Run.Status.DONE:
        return _no_answer(run)
    row = run.steps.get(path="action", iteration="")
    if row.output_cut_bytes:
        words = f"The answer is {row.output_cut_bytes:,} bytes, too large to keep. Ask for fewer fields or items."
        return _problem(run, 400, "too_large", words)
    return JsonResponse({"id": str(run.pk), "output": row.output})


@api("GET")
def run(caller: Caller, run_id: uuid.UUID) -> dict[str, Any]:
    """How one of the user's own runs stands."""
    found = Run.objects.filter(project=caller.project, sub=caller.user.sub, pk=run_id).first()
    if found is None:
        raise ApiError(404, "no_run", "There is no such run.")
    return {
        "id": str(found.pk),
        "workflowId": str(found.workflow_id),
        "status": found.status,
        "reason": found.reason,
        "response": found.response,
        "dateStarted": found.started_at.isoformat() if found.started_at else None,
        "dateEnded": found.ended_at.isoformat() if found.ended_at else None,
    }
