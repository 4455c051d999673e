"""The management API's description of runs and events."""

from typing import Any

from integrations.api.openapi import (
    DASHBOARD,
    LINK,
    MAYBE_TEXT,
    MAYBE_TIME,
    PROJECT_PAGE,
    TIME,
    managed,
    page_of,
)
from integrations.models import Event
from integrations.sdk.openapi import TEXT, UUID, described, reference
from workflows.api import events, history, shapes
from workflows.api.urls import EXECUTIONS
from workflows.models import Run

TAG_HISTORY, TAG_EVENTS = "Task history", "Events"
TAGS = {
    TAG_HISTORY: "Management API, in Paragon's shapes: what ran, step by step, and running it again.",
    TAG_EVENTS: "Management API: what happened, and what became of it.",
}
STATUS = {"enum": list(shapes.STATUSES)}
COUNT = {"type": "integer", "minimum": 0}
MAYBE_UUID = {"type": ["string", "null"], "format": "uuid"}
EXECUTION: dict[str, Any] = {
    "id": UUID,
    "userId": TEXT,
    "workflowId": UUID,
    "status": STATUS,
    "state": {"enum": list(Run.Status.values), "description": "The same in Patchbay's finer words."},
    "reason": MAYBE_TEXT,
    "taskCount": COUNT | {"description": "How many steps it did."},
    "runDuration": {"type": ["integer", "null"], "description": "Milliseconds, waiting included; null before its end."},
    "dateStarted": TIME,
    "dateEnded": MAYBE_TIME,
    "replayOf": MAYBE_UUID,
    "dashboardUrl": DASHBOARD,
}
STEP = described(
    *("id", "stepId", "workflowExecutionId", "type", "status", "start", "end", "next", "prev"),
    *("inputSize", "outputSize"),
    id=TEXT,
    stepId=TEXT | {"description": "The step's name in the workflow; trigger for what started it."},
    workflowExecutionId=UUID,
    type=TEXT | {"description": "Such as TRIGGER/CRON or ACTION/REQUEST."},
    status=STATUS,
    start=TIME,
    end=MAYBE_TIME,
    next={"type": "array", "items": TEXT},
    prev=MAYBE_TEXT,
    inputSize=COUNT | {"description": "Characters of JSON."},
    outputSize=COUNT,
    iteration=MAYBE_TEXT | {"description": "Which item of a fan out, counted from 0; 3.0 inside another one."},
    error=MAYBE_TEXT,
)
EVENT: dict[str, Any] = {
    "id": UUID,
    "name": TEXT,
    "source": {"enum": list(Event.Source.values)},
    "state": {"enum": list(Event.State.values)},
    "reason": MAYBE_TEXT,
    "userId": MAYBE_TEXT,
    "connectionId": MAYBE_UUID,
    "date": TIME,
    "dateHappened": MAYBE_TIME,
    "replayOf": MAYBE_UUID,
    "dashboardUrl": DASHBOARD,
}
MORE_OF_AN_EVENT: dict[str, Any] = {"payload": {}, "workflowExecutionIds": {"type": "array", "items": UUID}}
SCHEMAS: dict[str, Any] = {
    "WorkflowExecution": described(*EXECUTION, **EXECUTION),
    "StepExecution": STEP,
    "Event": described(*EVENT, **EVENT),
}
SAMPLE = {
    "id": "019a4c1e-7d00-7aaa-9f00-0d2f6a7d9f11",
    "userId": "user-4711",
    "workflowId": "77aa2f6e-0f53-4d2c-9c7e-0d2f6a7d9f11",
    "status": "FAILED",
    "state": "failed",
    "reason": "Create issue: the project OPS does not exist.",
    "taskCount": 2,
    "runDuration": 412,
    "dateStarted": "2026-03-01T12:00:00+00:00",
    "dateEnded": "2026-03-01T12:00:00.412000+00:00",
    "replayOf": None,
    "dashboardUrl": f"{PROJECT_PAGE}/runs/019a4c1e-7d00-7aaa-9f00-0d2f6a7d9f11",
}
EXECUTION_ID = {
    "name": "executionId",
    "in": "path",
    "required": True,
    "description": "The id of a workflow execution.",
    "schema": UUID,
}
STEP_ID = {
    "name": "stepExecutionId",
    "in": "path",
    "required": True,
    "description": "An id among stepExecutions, or trigger.",
    "schema": TEXT | {"minLength": 1},
}
EVENT_ID = {"name": "eventId", "in": "path", "required": True, "schema": UUID}


def paths() -> dict[str, Any]:
    one, step = f"{EXECUTIONS}/{{executionId}}", "step-executions/{stepExecutionId}"
    found = {
        EXECUTIONS: {"get": _list()},
        one: {"get": _read()},
        f"{one}/{step}": {"get": _step()},
        f"{one}/replay": {"post": _replay()},
        "events": {
            "get": managed(
                "events:read",
                TAG_EVENTS,
                "List events",
                "What happened and what became of it, newest first.",
                answer=page_of("events", "Event"),
                query=events.EventQuery,
            )
        },
        "events/{eventId}": {
            "get": managed(
                "events:read",
                TAG_EVENTS,
                "Get an event",
                "With its payload, and the executions that it started (50 at most).",
                answer=described(*EVENT, *MORE_OF_AN_EVENT, **EVENT, **MORE_OF_AN_EVENT),
                where=[EVENT_ID],
            )
        },
        "events/{eventId}/replay": {
            "post": managed(
                "events:replay",
                TAG_EVENTS,
                "Replay an event",
                "As a new event, dispatched by what is deployed and switched on now. Send no body.",
                status=201,
                answer=reference("Event"),
                where=[EVENT_ID],
                also=["413"],
            )
        },
    }
    return {f"/projects/{{projectId}}/{below}": item for below, item in found.items()}


def _list() -> dict[str, Any]:
    rows = {"type": "array", "items": reference("WorkflowExecution")}
    return managed(
        "runs:read",
        TAG_HISTORY,
        "List workflow executions",
        "100 a page if no limit is given; tests are left out. `total` counts all that the filters let through.",
        answer=described(
            *("workflowExecutions", "nextLink", "total"), workflowExecutions=rows, nextLink=LINK, total=COUNT
        ),
        example={"workflowExecutions": [SAMPLE], "nextLink": None, "total": 1},
        query=history.HistoryQuery,
    )


def _read() -> dict[str, Any]:
    steps = {"type": "array", "items": reference("StepExecution")}
    return managed(
        "runs:read",
        TAG_HISTORY,
        "Get a workflow execution",
        "With its steps in the order in which they ran, and what started it as the first of them.",
        answer=described(*EXECUTION, "stepExecutions", **EXECUTION, stepExecutions=steps),
        where=[EXECUTION_ID],
    )


def _step() -> dict[str, Any]:
    is_large = {"type": "boolean", "description": "Too large to keep whole: what follows is its beginning, as text."}
    return managed(
        "runs:read",
        TAG_HISTORY,
        "Get what a step took and gave",
        "Secrets of the project are replaced by their names.",
        answer=described(
            *("isLargeInput", "isLargeOutput", "input", "output"),
            isLargeInput=is_large,
            isLargeOutput=is_large,
            input={},
            output={},
        ),
        where=[EXECUTION_ID, STEP_ID],
    )


def _replay() -> dict[str, Any]:
    return managed(
        "runs:replay",
        TAG_HISTORY,
        "Replay a workflow execution",
        "From its start and on the same version, as a new execution. What it did happens again. Send no body.",
        status=201,
        answer=reference("WorkflowExecution"),
        example=SAMPLE | {"replayOf": SAMPLE["id"], "status": "EXECUTING", "state": "queued", "reason": None},
        where=[EXECUTION_ID],
        also=["409", "413"],
    )
