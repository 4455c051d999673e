"""The API's description of workflows, actions and runs."""

from typing import Any

from integrations import providers
from integrations.sdk.openapi import CREDENTIAL_HEADER, LIST, TEXT, described, named, operation, tagged
from workflows.sdk.views import action_name

TAG = "Workflows and actions"
TAGS = {TAG: "Start workflows, do single actions, tell what happened in your product."}
STILL_RUNNING = {"description": "The workflow still runs after 55 seconds. The body has its run's id."}


def paths() -> dict[str, Any]:
    workflow = named("workflowId", "uuid")
    start = operation(
        "Start a workflow with a request trigger", answer={}, body={}, extra=[workflow, CREDENTIAL_HEADER]
    )
    start["responses"] |= {"202": {"description": "Accepted: it has no Response step."}, "542": STILL_RUNNING}
    action = {"type": "string", "examples": [_some_action()]}
    act = operation(
        "Do one action for the user, and wait for its output",
        answer=described("id", "output", id=TEXT, output={}),
        body=described("action", "parameters", action=action, parameters={"type": "object"}),
        extra=[CREDENTIAL_HEADER],
    )
    act["responses"] |= {"542": STILL_RUNNING}
    event = operation(
        "Tell that something happened",
        status=201,
        answer=described("id", id=TEXT),
        body=described(
            "name",
            name={"type": "string", "examples": ["task.created"]},
            payload={"examples": [{"title": "Disk is full", "priority": "high"}]},
        ),
        extra=[CREDENTIAL_HEADER],
    )
    switch_on = operation("Switch a workflow on", answer={}, extra=[workflow, CREDENTIAL_HEADER])
    switch_off = operation("Switch a workflow off", status=204, extra=[workflow, CREDENTIAL_HEADER])
    status = described(
        "id", "status", id=TEXT, workflowId=TEXT, status=TEXT, reason=TEXT, response={}, dateStarted={}, dateEnded={}
    )
    found = {
        "/projects/{projectId}/sdk/events/trigger": {"post": event},
        "/projects/{projectId}/sdk/triggers/{workflowId}": {"post": start},
        "/projects/{projectId}/sdk/workflows/{workflowId}": {"post": switch_on, "delete": switch_off},
        "/projects/{projectId}/actions": {
            "get": operation(
                "What can be done for the user, as tools with JSON Schemas",
                answer=described("actions", actions={"type": "object", "additionalProperties": LIST}, errors=LIST),
                extra=[
                    {
                        "name": "integrations",
                        "in": "query",
                        "description": "Only these integration types, with commas.",
                        "schema": TEXT,
                    }
                ],
            ),
            "post": act,
        },
        "/projects/{projectId}/runs/{runId}": {
            "get": operation("How one of the user's runs stands", answer=status, extra=[named("runId", "uuid")])
        },
    }
    return tagged(TAG, found)


def _some_action() -> str:
    """Return an action that changes nothing and needs no input, for the example."""
    return next(
        action_name(provider.slug, action.slug)
        for provider in providers.catalog()
        for action in provider.actions
        if action.effect == "none" and not any(field.is_required for field in action.fields)
    )
