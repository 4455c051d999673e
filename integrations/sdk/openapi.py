"""The API's own description, for clients and for tests."""

from collections.abc import Callable
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


def operation(
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


def described(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def named(name: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"} if kind == "uuid" else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def asked(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


TEXT = {"type": "string"}
LIST = {"type": "array", "items": {"type": "object"}}


def _forwarded(summary: str, *extra: Any) -> dict[str, Any]:
    forwarded = operation(summary, answer={}, extra=[CREDENTIAL_HEADER, *extra])
    forwarded["responses"] |= dict.fromkeys(("413", "502", "503", "504"), ERROR)
    return {
        method: forwarded | ({"requestBody": ANY_BODY} if method in ("post", "put", "patch") else {})
        for method in ("get", "post", "put", "patch", "delete")
    }


def paths() -> dict[str, Any]:
    credential, slug, rest = named("credentialId", "uuid"), named("integrationType"), named("path")
    return {
        "/projects/{projectId}/sdk/me": {
            "get": operation("Who the user is and what they are connected to", answer=_ref("User")),
            "patch": operation(
                "Set the user's metadata", answer=_ref("User"), body=described("meta", meta={"type": "object"})
            ),
        },
        "/projects/{projectId}/sdk/metadata": {"get": operation("The active integrations", answer=LIST)},
        "/projects/{projectId}/sdk/integrations": {
            "get": operation("The integrations, as the SDK reads them", answer=LIST)
        },
        "/projects/{projectId}/sdk/integrations/{integrationId}": {
            "delete": operation(
                "Disconnect the user", status=204, extra=[named("integrationId", "uuid"), CREDENTIAL_HEADER]
            )
        },
        "/projects/{projectId}/sdk/credentials": {
            "get": operation("The user's connections", answer={"type": "array", "items": _ref("Credential")}),
            "post": operation(
                "Claim a consent, as Paragon's SDK does",
                answer=_ref("Credential"),
                body=described("payload", integrationId=TEXT, payload=described("claim", claim=TEXT)),
            ),
        },
        "/projects/{projectId}/sdk/credentials/{credentialId}": {
            "get": operation("One connection", answer=_ref("Credential"), extra=[credential]),
            "patch": operation(
                "Replace a connection's settings",
                answer=_ref("Credential"),
                body=described("config", config=described(sharedSettings={"type": "object"})),
                extra=[credential],
            ),
            "delete": operation("Disconnect one connection", status=204, extra=[credential]),
        },
        "/projects/{projectId}/sdk/connect": {
            "post": operation(
                "Begin to connect: send the popup to startUrl, which works once",
                answer=described("sessionId", "startUrl", sessionId=TEXT, startUrl=TEXT),
                body=described(
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
            "get": operation(
                "How an attempt to connect goes",
                answer=described(
                    "status", status={"enum": ["open", "returned", "claimed", "failed"]}, credential=_ref("Credential")
                ),
                extra=[named("sessionId", "uuid")],
            ),
            "delete": operation("Give an attempt up", status=204, extra=[named("sessionId", "uuid")]),
        },
        "/projects/{projectId}/sdk/connect/claim": {
            "post": operation("Claim a consent", answer=_ref("Credential"), body=described("code", code=TEXT))
        },
        "/projects/{projectId}/sdk/actions/build-oauth": {
            "get": operation(
                "Where Paragon's popup goes",
                answer=described("redirectUrl", redirectUrl=TEXT),
                extra=[
                    asked("action", "The integration's type."),
                    asked("integrationId", "Its id, instead of its type."),
                    asked("originForPostMessage", "The origin of the page that opened the popup."),
                    asked("oauthMetaKeyId", "The caller's own name for the attempt."),
                    asked("installOptions", "JSON: {selectedCredentialId, allowMultipleCredentials, externalId}."),
                ],
            )
        },
        "/projects/{projectId}/sdk/actions/session-id/{key}": {
            "get": operation(
                "How an attempt of Paragon's SDK ended",
                answer=described(connectCredentialId={"type": "string", "format": "uuid"}),
                extra=[named("key")],
            ),
            "delete": operation("Give that attempt up", status=204, extra=[named("key")]),
        },
        "/projects/{projectId}/sdk/actions": {
            "post": operation(
                "Choices for a field, from the user's own account",
                answer=described(
                    "output", output=described("records", records=LIST, nextPageCursor={"type": ["string", "null"]})
                ),
                body=described(
                    "action",
                    "sourceKey",
                    action=TEXT,
                    sourceKey=TEXT,
                    parameters=LIST,
                    paginationParameters={"type": "object"},
                ),
                extra=[CREDENTIAL_HEADER],
            )
        },
        "/projects/{projectId}/triggers": {
            "get": operation("The triggers of an integration", answer=described("triggers", triggers={}))
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
    }


# Other applications add their part of the API while they load.
PARTS: list[Callable[[], dict[str, Any]]] = [paths]


def document(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "openapi": "3.1.0",
            "info": {"title": "Patchbay", "version": "1", "description": "Call your users' tools in their name."},
            "servers": [{"url": settings.PUBLIC_URL}],
            "security": [{"userToken": []}],
            "paths": {path: item for part in PARTS for path, item in part().items()},
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
