"""The API's own description, for clients and for tests."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse

ERROR = {"$ref": "#/components/responses/Error"}
TEXT = {"type": "string"}
UUID = {"type": "string", "format": "uuid"}
LIST = {"type": "array", "items": {"type": "object"}}
PROJECT = {"name": "projectId", "in": "path", "required": True, "schema": UUID}
CREDENTIAL_HEADER = {
    "name": "X-Paragon-Credential",
    "in": "header",
    "description": "Which connection to use: its id, or your own externalId. Without it the user's first one.",
    "schema": {"type": "string"},
}
PROXY_URL = {
    "name": "X-Paragon-Proxy-Url",
    "in": "header",
    "required": True,
    "description": "An address below the API of the connection's own site.",
    "schema": {"type": "string", "format": "uri"},
}
ANY_BODY: dict[str, Any] = {"content": {"*/*": {"schema": {}}}}
PROVIDERS = {"$ref": "#/components/responses/Provider"}
OURS_OR_PROVIDERS = {"$ref": "#/components/responses/ErrorOrProvider"}
RESPONSES = {
    "Error": {
        "description": "What went wrong, in words.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    },
    "Provider": ANY_BODY | {"description": "The provider's answer, with its own status."},
    "ErrorOrProvider": ANY_BODY
    | {"description": "{code, message, status} of Patchbay's own, or the provider's answer."},
}
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


INTRODUCTION = (
    "Call your users' tools in their name, and look after their connections. What acts for one user takes a user token"
    " that your back end signed; the management API takes an API key of the project, and pages of browsers may not"
    " call it."
)
TAG_USER, TAG_CONNECTING, TAG_CALLS = "The user", "Connecting", "Calls to the provider"
TAGS = {
    TAG_USER: "Who the user is, and what they chose.",
    TAG_CONNECTING: "The consent window: begin, follow, claim.",
    TAG_CALLS: "The provider's own API, in the user's name.",
}
SECURITY_SCHEMES = {
    "userToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT (RS256)",
        "description": "Signed by your back end with a signing key of the project; it speaks for one user.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pbs_…",
        "description": "Made under Settings › API keys. It speaks for the project, as far as its scopes go.",
    },
}


def operation(
    summary: str, *, answer: Any = None, body: Any = None, status: int = 200, extra: Any = (), also: Any = ()
) -> dict[str, Any]:
    """Describe an operation that takes a user token. `also` are statuses beside those that most have."""
    success: dict[str, Any] = {"description": "Done."}
    if answer is not None:
        success["content"] = {"application/json": {"schema": answer}}
    found: dict[str, Any] = {
        "summary": summary,
        "parameters": [PROJECT, *extra],
        "responses": {str(status): success} | dict.fromkeys(sorted({"400", "401", "404", "409", "503", *also}), ERROR),
    }
    if body is not None:
        found["requestBody"] = {"content": {"application/json": {"schema": body}}}
        found["responses"]["413"] = ERROR
    return found


def tagged(tag: str, items: dict[str, Any]) -> dict[str, Any]:
    """Return these paths, each operation among those of the tag."""
    return {path: {method: found | {"tags": [tag]} for method, found in item.items()} for path, item in items.items()}


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def described(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


def named(name: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"} if kind == "uuid" else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def asked(name: str, description: str, *, is_required: bool = False) -> dict[str, Any]:
    found = {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}
    return found | ({"required": True} if is_required else {})


OUTCOMES = ["done", "refused", "failed", "running", "waiting", "uncertain", "cancelled"]
DEED = described(
    *("at", "title", "detail", "outcome"),
    at={"type": "string", "format": "date-time"},
    title=TEXT,
    detail=TEXT,
    outcome={"enum": OUTCOMES},
)
DEEDS = {"type": "array", "items": DEED}


def _forwarded(summary: str, *extra: Any) -> dict[str, Any]:
    forwarded = operation(summary, extra=[CREDENTIAL_HEADER, *extra])
    ours = dict.fromkeys(("400", "401", "404", "409", "411", "413", "502", "503", "504", "507"), OURS_OR_PROVIDERS)
    forwarded["responses"] = {"200": PROVIDERS, "204": {"description": "Done."}} | ours | {"default": PROVIDERS}
    return {
        method: forwarded | ({"requestBody": ANY_BODY} if method in ("post", "put", "patch") else {})
        for method in ("get", "post", "put", "patch", "delete")
    }


def paths() -> dict[str, Any]:
    return {
        **tagged(TAG_USER, _user()),
        **tagged(TAG_CONNECTING, _connecting()),
        **tagged(TAG_CALLS, _calls()),
    }


def _user() -> dict[str, Any]:
    credential = named("credentialId", "uuid")
    return {
        "/projects/{projectId}/sdk/me": {
            "get": operation("Who the user is and what they are connected to", answer=reference("User")),
            "patch": operation(
                "Set the user's metadata", answer=reference("User"), body=described("meta", meta={"type": "object"})
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
            "get": operation("The user's connections", answer={"type": "array", "items": reference("Credential")}),
            "post": operation(
                "Claim a consent, as Paragon's SDK does",
                answer=reference("Credential"),
                body=described("payload", integrationId=TEXT, payload=described("claim", claim=TEXT)),
            ),
        },
        "/projects/{projectId}/sdk/credentials/{credentialId}": {
            "get": operation("One connection", answer=reference("Credential"), extra=[credential]),
            "patch": operation(
                "Replace a connection's settings",
                answer=reference("Credential"),
                body=described("config", config=described(sharedSettings={"type": "object"})),
                extra=[credential],
            ),
            "delete": operation("Disconnect one connection", status=204, extra=[credential]),
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
        "/projects/{projectId}/sdk/activity": {
            "get": operation(
                "What was done in the user's own name, newest first",
                answer=described("items", "next", items=DEEDS, next={"type": ["string", "null"]}),
                extra=[
                    asked("integration", "The integration's type.", is_required=True),
                    asked("after", "The `next` of the page before."),
                    asked("lang", "The language of the titles; the Accept-Language header's without it."),
                ],
            )
        },
        "/projects/{projectId}/triggers": {
            "get": operation("The triggers of an integration", answer=described("triggers", triggers={}))
        },
    }


def _connecting() -> dict[str, Any]:
    return {
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
                    "status",
                    status={"enum": ["open", "returned", "claimed", "failed"]},
                    credential=reference("Credential"),
                ),
                extra=[named("sessionId", "uuid")],
            ),
            "delete": operation("Give an attempt up", status=204, extra=[named("sessionId", "uuid")]),
        },
        "/projects/{projectId}/sdk/connect/claim": {
            "post": operation("Claim a consent", answer=reference("Credential"), body=described("code", code=TEXT))
        },
        "/projects/{projectId}/sdk/actions/build-oauth": {
            "get": operation(
                "Where Paragon's popup goes",
                answer=described("redirectUrl", redirectUrl=TEXT),
                extra=[
                    asked("action", "The integration's type."),
                    asked("integrationId", "Its id, instead of its type."),
                    asked("originForPostMessage", "The origin of the page that opened the popup.", is_required=True),
                    asked("oauthMetaKeyId", "The caller's own name for the attempt.", is_required=True),
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
    }


def _calls() -> dict[str, Any]:
    credential, slug, rest = named("credentialId", "uuid"), named("integrationType"), named("path")
    return {
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


PARTS: list[Callable[[], dict[str, Any]]] = [paths]


def describe(
    more: Callable[[], dict[str, Any]], schemas: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None
) -> None:
    """Add a part of the API to the document. Applications call it while they load."""
    PARTS.append(more)
    SCHEMAS.update(schemas or {})
    TAGS.update(tags or {})


def document(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "openapi": "3.1.0",
            "info": {"title": "Patchbay", "version": "1", "description": INTRODUCTION},
            "servers": [{"url": settings.PUBLIC_URL}],
            "security": [{"userToken": []}],
            "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
            "paths": {path: item for part in PARTS for path, item in part().items()},
            "components": {
                "schemas": SCHEMAS,
                "responses": RESPONSES,
                "securitySchemes": SECURITY_SCHEMES,
            },
        }
    )
