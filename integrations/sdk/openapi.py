"""The API's own description, for clients and for tests."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse

ERROR = {"$ref": "#/components/responses/Error"}
PROJECT = {"name": "projectId", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
CREDENTIAL_HEADER = {
    "name": "X-Paragon-Credential",
    "in": "header",
    "description": "Which connection to use: its id, or your own externalId. Without it the user's first one.",
    "schema": {"type": "string"},
}
PROXY_URL = {
    "name": "X-Paragon-Proxy-Url",
    "in": "header",
    "description": "An address below the API of the connection's own site.",
    "schema": {"type": "string", "format": "uri"},
}
ANY_BODY: dict[str, Any] = {"content": {"*/*": {"schema": {}}}}
SCHEMAS: dict[str, Any] = {
    "Error": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "status": {"type": "integer"}},
    },
    "Credential": {
        "type": "object",
        "required": ["id", "integrationId", "status", "providerId", "providerData", "configurations"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "projectId": {"type": "string", "format": "uuid"},
            "integrationId": {"type": "string", "format": "uuid"},
            "integrationType": {"type": "string"},
            "status": {"enum": ["PENDING", "VALID", "INVALID"]},
            "reason": {"type": "string"},
            "providerId": {"type": "string", "description": "The account's id at the provider."},
            "providerData": {"type": "object", "additionalProperties": {"type": "string"}},
            "externalId": {"type": ["string", "null"]},
            "configurations": {"type": "array", "items": {"type": "object"}},
        },
    },
    "User": {
        "type": "object",
        "required": ["authenticated", "userId", "integrations", "meta", "resources", "project"],
        "properties": {
            "authenticated": {"const": True},
            "userId": {"type": "string"},
            "meta": {"type": "object"},
            "resources": {"type": "array"},
            "integrations": {"type": "object", "additionalProperties": {"type": "object"}},
            "project": {"type": "object"},
        },
    },
}


def _operation(
    summary: str, *, answer: Any = None, body: Any = None, status: int = 200, extra: Any = ()
) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        success["content"] = {"application/json": {"schema": answer}}
    found: dict[str, Any] = {
        "summary": summary,
        "parameters": [PROJECT, *extra],
        "responses": {str(status): success, "400": ERROR, "401": ERROR, "404": ERROR, "409": ERROR},
    }
    if body is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return found


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def _named(name: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"} if kind == "uuid" else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _asked(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


TEXT = {"type": "string"}
LIST = {"type": "array", "items": {"type": "object"}}


def _forwarded(summary: str, *extra: Any) -> dict[str, Any]:
    operation = _operation(summary, answer={}, extra=[CREDENTIAL_HEADER, *extra])
    operation["responses"] |= dict.fromkeys(("413", "502", "503", "504"), ERROR)
    return {
        method: operation | ({"requestBody": ANY_BODY} if method in ("post", "put", "patch") else {})
        for method in ("get", "post", "put", "patch", "delete")
    }


def paths() -> dict[str, Any]:
    credential, slug, rest = _named("credentialId", "uuid"), _named("integrationType"), _named("path")
    return {
        "/projects/{projectId}/sdk/me": {
            "get": _operation("Who the user is and what they are connected to", answer=_ref("User")),
            "patch": _operation(
                "Set the user's metadata", answer=_ref("User"), body=_object("meta", meta={"type": "object"})
            ),
        },
        "/projects/{projectId}/sdk/metadata": {"get": _operation("The active integrations", answer=LIST)},
        "/projects/{projectId}/sdk/integrations": {
            "get": _operation("The integrations, as the SDK reads them", answer=LIST)
        },
        "/projects/{projectId}/sdk/integrations/{integrationId}": {
            "delete": _operation(
                "Disconnect the user", status=204, extra=[_named("integrationId", "uuid"), CREDENTIAL_HEADER]
            )
        },
        "/projects/{projectId}/sdk/credentials": {
            "get": _operation("The user's connections", answer={"type": "array", "items": _ref("Credential")}),
            "post": _operation(
                "Claim a consent, as Paragon's SDK does",
                answer=_ref("Credential"),
                body=_object("payload", integrationId=TEXT, payload=_object("claim", claim=TEXT)),
            ),
        },
        "/projects/{projectId}/sdk/credentials/{credentialId}": {
            "get": _operation("One connection", answer=_ref("Credential"), extra=[credential]),
            "patch": _operation(
                "Replace a connection's settings",
                answer=_ref("Credential"),
                body=_object("config", config=_object(sharedSettings={"type": "object"})),
                extra=[credential],
            ),
            "delete": _operation("Disconnect one connection", status=204, extra=[credential]),
        },
        "/projects/{projectId}/sdk/connect": {
            "post": _operation(
                "Begin to connect: send the popup to startUrl, which works once",
                answer=_object("sessionId", "startUrl", sessionId=TEXT, startUrl=TEXT),
                body=_object(
                    "integration",
                    integration=TEXT,
                    origin=TEXT,
                    returnUrl=TEXT,
                    selectedCredentialId=TEXT,
                    allowMultipleCredentials={"type": "boolean"},
                    externalId=TEXT,
                ),
            )
        },
        "/projects/{projectId}/sdk/connect/{sessionId}": {
            "get": _operation(
                "How an attempt to connect goes",
                answer=_object(
                    "status", status={"enum": ["open", "returned", "claimed", "failed"]}, credential=_ref("Credential")
                ),
                extra=[_named("sessionId", "uuid")],
            ),
            "delete": _operation("Give an attempt up", status=204, extra=[_named("sessionId", "uuid")]),
        },
        "/projects/{projectId}/sdk/connect/claim": {
            "post": _operation("Claim a consent", answer=_ref("Credential"), body=_object("code", code=TEXT))
        },
        "/projects/{projectId}/sdk/actions/build-oauth": {
            "get": _operation(
                "Where Paragon's popup goes",
                answer=_object("redirectUrl", redirectUrl=TEXT),
                extra=[
                    _asked("action", "The integration's type."),
                    _asked("integrationId", "Its id, instead of its type."),
                    _asked("originForPostMessage", "The origin of the page that opened the popup."),
                    _asked("oauthMetaKeyId", "The caller's own name for the attempt."),
                    _asked("installOptions", "JSON: {selectedCredentialId, allowMultipleCredentials, externalId}."),
                ],
            )
        },
        "/projects/{projectId}/sdk/actions/session-id/{key}": {
            "get": _operation(
                "How an attempt of Paragon's SDK ended",
                answer=_object(connectCredentialId={"type": "string", "format": "uuid"}),
                extra=[_named("key")],
            ),
            "delete": _operation("Give that attempt up", status=204, extra=[_named("key")]),
        },
        "/projects/{projectId}/sdk/actions": {"post": _operation("Options of a field", answer={}, body={})},
        "/projects/{projectId}/sdk/triggers/{workflowId}": {
            "post": _operation("Start a workflow", answer={}, body={}, extra=[_named("workflowId")])
        },
        "/projects/{projectId}/sdk/workflows/{workflowId}": {
            "post": _operation("Switch a workflow on", answer={}, extra=[_named("workflowId")]),
            "delete": _operation("Switch a workflow off", status=204, extra=[_named("workflowId")]),
        },
        "/projects/{projectId}/triggers": {
            "get": _operation("The triggers of an integration", answer=_object("triggers", triggers={}))
        },
        "/projects/{projectId}/sdk/proxy/{integrationType}": _forwarded(
            "Call an address of the provider that the header X-Paragon-Proxy-Url names in full", slug, PROXY_URL
        ),
        "/projects/{projectId}/sdk/proxy/{integrationType}/{path}": _forwarded(
            "Call the provider's API in the user's name; the answer is {output}", slug, rest
        ),
        "/projects/{projectId}/raw/{integrationType}/{path}": _forwarded(
            "The provider's API as it is, for any client library", slug, rest
        ),
        "/projects/{projectId}/raw/{integrationType}/{credentialId}/{path}": _forwarded(
            "The same through one connection", slug, credential, rest
        ),
        "/projects/{projectId}/sdk/events/trigger": {
            "post": _operation(
                "Tell that something happened", status=201, answer={}, body=_object("name", name=TEXT, payload={})
            )
        },
    }


def document(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "openapi": "3.1.0",
            "info": {"title": "Patchbay", "version": "1", "description": "Call your users' tools in their name."},
            "servers": [{"url": settings.PUBLIC_URL}],
            "security": [{"userToken": []}],
            "paths": paths(),
            "components": {
                "schemas": SCHEMAS,
                "responses": {
                    "Error": {
                        "description": "What went wrong, in words.",
                        "content": {"application/json": {"schema": _ref("Error")}},
                    }
                },
                "securitySchemes": {"userToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT (RS256)"}},
            },
        }
    )
