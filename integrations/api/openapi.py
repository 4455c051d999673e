"""The management API's part of the OpenAPI document. Parameters are those of the forms that read them."""

from collections.abc import Iterable
from typing import Any

from django import forms

from integrations.api import views
from integrations.api.queries import Moment, Query
from integrations.providers import SLUGS
from integrations.sdk.openapi import ERROR, PROJECT, TEXT, UUID, described, reference

TAG_USERS, TAG_CONNECTIONS, TAG_LOGS = "Connected users", "Connections", "Logs"
TAGS = {
    TAG_USERS: "Management API: find your users and look after them.",
    TAG_CONNECTIONS: "Management API: who is connected to what.",
    TAG_LOGS: "Management API: what was called, and who changed what.",
}
TIME = {"type": "string", "format": "date-time"}
MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
MAYBE_TEXT = {"type": ["string", "null"]}
OBJECT = {"type": "object"}
LINK = {"type": ["string", "null"], "format": "uri", "description": "The next page, null after the last."}
DASHBOARD = {"type": "string", "format": "uri", "description": "Where people see the same."}
USER_ID = {
    "name": "userId",
    "in": "path",
    "required": True,
    "description": "The sub of the user's tokens, percent-encoded.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "user-4711",
}
CONNECTION_ID = {"name": "connectionId", "in": "path", "required": True, "schema": UUID}


def managed(
    scope: str,
    tag: str,
    summary: str,
    description: str = "",
    *,
    answer: Any = None,
    example: Any = None,
    status: int = 200,
    where: Iterable[dict[str, Any]] = (),
    query: type[Query] | None = None,
    body: Any = None,
    body_example: Any = None,
    also: Iterable[str] = (),
) -> dict[str, Any]:
    """Describe an operation that takes an API key with a scope. `also` are statuses beside those that all have."""
    success: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        success["content"] = {"application/json": _with_example({"schema": answer}, example)}
    found: dict[str, Any] = {
        "summary": summary,
        "description": f"{description} Takes the scope `{scope}`.".strip(),
        "tags": [tag],
        "security": [{"apiKey": [scope]}],
        "parameters": [PROJECT, *where, *(parameters(query) if query else [])],
        "responses": {str(status): success} | dict.fromkeys(sorted({"400", "401", "403", "503", *also}), ERROR),
    }
    if where:
        found["responses"]["404"] = ERROR
    if body is not None:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": _with_example({"schema": body}, body_example)},
        }
        found["responses"]["413"] = ERROR
    return found


def _with_example(media: dict[str, Any], example: Any) -> dict[str, Any]:
    return media if example is None else media | {"example": example}


def parameters(query: type[Query]) -> list[dict[str, Any]]:
    """Return what a list may be asked, as OpenAPI has it."""
    return [
        {"name": name, "in": "query", "description": str(field.help_text), "schema": _schema(field)}
        for name, field in query().fields.items()
    ]


def _schema(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return {"type": "string", "enum": [value for value, _ in choices]}
    if isinstance(field, forms.IntegerField):
        return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
    if isinstance(field, forms.UUIDField):
        return UUID
    if isinstance(field, Moment):
        return {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
    assert isinstance(field, forms.CharField)
    return {"type": "string", "maxLength": field.max_length}


def page_of(name: str, schema: str) -> dict[str, Any]:
    rows = {"type": "array", "items": reference(schema)}
    return described(name, "nextLink", **{name: rows, "nextLink": LINK})


SCHEMAS: dict[str, Any] = {
    "ConnectedUser": described(
        "userId",
        "name",
        "meta",
        "isDisabled",
        "dateCreated",
        "connections",
        userId=TEXT | {"description": "The sub of the user's tokens."},
        name=TEXT | {"description": "The name or e-mail of `meta`, else the user ID."},
        meta=OBJECT,
        isDisabled={"type": "boolean", "description": "Nothing is done in a disabled user's name."},
        dateCreated=TIME,
        connections={"type": "array", "items": reference("Connection")},
        dashboardUrl=DASHBOARD,
    ),
    "Connection": described(
        "id",
        "userId",
        "integration",
        "status",
        "reason",
        "account",
        "site",
        "dateCreated",
        id=UUID,
        userId=TEXT,
        integration=TEXT | {"description": "The integration's type."},
        status={"enum": ["connected", "needs_reconnect"]},
        reason=TEXT | {"description": "Why a reconnect is needed."},
        account=described("id", "name", "email", id=TEXT, name=TEXT, email=TEXT),
        site=described("id", "name", "url", id=TEXT, name=TEXT, url=TEXT),
        externalId=MAYBE_TEXT,
        permissions={"type": "array", "items": TEXT},
        settings=OBJECT,
        dateCreated=TIME,
        dateUpdated=TIME,
        dateRefreshed=MAYBE_TIME,
        dashboardUrl=DASHBOARD,
    ),
    "Call": described(
        "id",
        "userId",
        "integration",
        "method",
        "path",
        "status",
        "milliseconds",
        "date",
        id=TEXT,
        userId=TEXT,
        connectionId={"type": ["string", "null"], "format": "uuid"},
        integration=TEXT,
        method=TEXT,
        path=TEXT | {"description": "Without its query."},
        route=TEXT | {"description": "The path, with {} for what differs from call to call."},
        status={"type": "integer"},
        code=MAYBE_TEXT | {"description": "Names an answer of Patchbay's own; null where the provider answered."},
        providerMessage=MAYBE_TEXT | {"description": "What the provider said was wrong, at most 300 characters."},
        milliseconds={"type": "integer"},
        date=TIME,
        dashboardUrl=DASHBOARD,
    ),
    "AuditEntry": described(
        "id",
        "actor",
        "action",
        "detail",
        "date",
        id=TEXT,
        actor=TEXT
        | {
            "description": "A member's e-mail address; “user” and the ID of an end user; “API key” and its name and"
            " beginning; or the part of Patchbay that acted by itself."
        },
        action=TEXT,
        detail=TEXT,
        before={"type": ["object", "null"]},
        after={"type": ["object", "null"]},
        ip=MAYBE_TEXT,
        date=TIME,
    ),
}
PROJECT_PAGE = "https://patchbay.example.com/p/0b7c6a52-3f0e-4a3b-8d11-5f0a7c1e2d33"
CONNECTION = {
    "id": "6f0b2f6e-0f53-4d2c-9c7e-0d2f6a7d9f11",
    "userId": "user-4711",
    "integration": SLUGS[0],
    "status": "needs_reconnect",
    "reason": "The user revoked access.",
    "account": {"id": "5b10a2844c20165700ede21g", "name": "Ada Park", "email": "ada@acme.example"},
    "site": {"id": "11223344-a1b2-4c33-8d44-e1234567890a", "name": "acme", "url": "https://acme.example"},
    "externalId": None,
    "permissions": ["read:work"],
    "settings": {},
    "dateCreated": "2026-03-01T12:00:00+00:00",
    "dateUpdated": "2026-03-02T08:30:00+00:00",
    "dateRefreshed": "2026-03-02T08:00:00+00:00",
    "dashboardUrl": f"{PROJECT_PAGE}/connections/6f0b2f6e-0f53-4d2c-9c7e-0d2f6a7d9f11",
}
USER = {
    "userId": "user-4711",
    "name": "Ada Park",
    "meta": {"Name": "Ada Park", "Email": "ada@acme.example"},
    "isDisabled": False,
    "dateCreated": "2026-03-01T12:00:00+00:00",
    "connections": [CONNECTION],
    "dashboardUrl": f"{PROJECT_PAGE}/users/77aa2f6e-0f53-4d2c-9c7e-0d2f6a7d9f11",
}
PATCH_USER = {
    "type": "object",
    "properties": {"meta": OBJECT, "isDisabled": {"type": "boolean"}},
    "additionalProperties": False,
}


def paths() -> dict[str, Any]:
    return {f"/projects/{{projectId}}/{below}": item for below, item in _below_a_project().items()}


def _below_a_project() -> dict[str, Any]:
    return {
        "users": {
            "get": managed(
                "users:read",
                TAG_USERS,
                "List connected users",
                "Newest first.",
                answer=page_of("users", "ConnectedUser"),
                example={"users": [USER], "nextLink": None},
                query=views.UserQuery,
            )
        },
        "users/{userId}": {
            "get": managed(
                "users:read",
                TAG_USERS,
                "Get a connected user",
                "With metadata and connections.",
                answer=reference("ConnectedUser"),
                example=USER,
                where=[USER_ID],
            ),
            "patch": managed(
                "users:write",
                TAG_USERS,
                "Change a connected user",
                "`meta` replaces the metadata, at most 16 kB. `isDisabled` stops everything that is done in the user's"
                " name, or lets it go on; what they connected is kept. What is not sent stays.",
                answer=reference("ConnectedUser"),
                example=USER,
                where=[USER_ID],
                body=PATCH_USER,
                body_example={"isDisabled": True},
            ),
            "delete": managed(
                "users:delete",
                TAG_USERS,
                "Delete a connected user",
                "Disconnects them and deletes what is kept about them: connections, calls, events, runs. The audit log"
                " keeps what was done. It cannot be undone.",
                status=204,
                where=[USER_ID],
            ),
        },
        "users/{userId}/export": {
            "get": managed(
                "users:export",
                TAG_USERS,
                "Export a connected user",
                "All that is kept about the user, as one JSON file; never a token.",
                answer=described("user", "connections", "calls", "events", user=OBJECT),
                where=[USER_ID],
            )
        },
        "connections": {
            "get": managed(
                "connections:read",
                TAG_CONNECTIONS,
                "List connections",
                "Newest first.",
                answer=page_of("connections", "Connection"),
                example={"connections": [CONNECTION], "nextLink": None},
                query=views.ConnectionQuery,
            )
        },
        "connections/{connectionId}": {
            "get": managed(
                "connections:read",
                TAG_CONNECTIONS,
                "Get a connection",
                answer=reference("Connection"),
                example=CONNECTION,
                where=[CONNECTION_ID],
            ),
            "delete": managed(
                "connections:write",
                TAG_CONNECTIONS,
                "Disconnect",
                "Removes the connection, and the tokens with the last connection that used them.",
                status=204,
                where=[CONNECTION_ID],
            ),
        },
        "calls": {
            "get": managed(
                "calls:read",
                TAG_LOGS,
                "List forwarded calls",
                "Newest first. Never a query string or a body: those are not kept.",
                answer=page_of("calls", "Call"),
                query=views.CallQuery,
            )
        },
        "audit-log": {
            "get": managed(
                "audit:read",
                TAG_LOGS,
                "Read the audit log",
                "Who did what, newest first. To copy it elsewhere, ask with `since` the time of the last entry you"
                " have, and follow nextLink.",
                answer=page_of("entries", "AuditEntry"),
                query=views.AuditQuery,
            )
        },
    }
