"""A call to any public address, without the user's tokens."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from integrations import http
from integrations.errors import PermanentError, RateLimited, TemporaryError
from integrations.models import Integration
from workflows import expressions
from workflows.steps.base import Context, StepFailed
from workflows.steps.request import CallStep, body_problems, pairs, rendered_body

BODIES = ("none", "json", "form", "text")
AUTHS = ("none", "bearer", "basic")
MOST_ANSWER = 5_000_000
REFUSED_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "cookie"}


class Http(CallStep):
    type, title = "http", "HTTP request"

    def problems(self, step: Mapping[str, Any], integration: Integration) -> Iterator[tuple[str, str]]:
        yield from super().problems(step, integration)
        given = step.get("input") or {}
        url = str(given.get("url") or "").strip()
        if not url:
            yield "url", "Write the address, such as https://api.example.com/items."
        elif "{{" not in url.split("/", 3)[0] and urlsplit(url.split("{{")[0]).scheme not in ("https", "http"):
            yield "url", "The address begins with https://."
        if given.get("body_type", "none") not in BODIES:
            yield "body_type", f"Choose one of {', '.join(BODIES)}."
        if given.get("auth", "none") not in AUTHS:
            yield "auth", f"Choose one of {', '.join(AUTHS)}."
        if given.get("body_type") == "json":
            yield from body_problems(given.get("body"))

    def sample(self, step: Mapping[str, Any], integration: Integration) -> Any:
        return {"status": 200, "headers": None, "body": None}

    def prepare(self, step: Mapping[str, Any], context: Context) -> Any:
        given = step.get("input") or {}
        body_type, auth = str(given.get("body_type", "none")), str(given.get("auth", "none"))
        url = expressions.as_text(context.render(given.get("url") or "")).strip()
        query = pairs(context.render(given.get("query")), "query")
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query, doseq=True)
        body = rendered_body(given.get("body"), context) if body_type == "json" else context.render(given.get("body"))
        return {
            "method": given.get("method", "GET"),
            "url": url,
            "headers": pairs(context.render(given.get("headers")), "headers"),
            "body_type": body_type,
            "body": pairs(body, "body") if body_type == "form" else body,
            "auth": auth,
            "token": context.render(given.get("token") or "") if auth == "bearer" else "",
            "username": context.render(given.get("username") or "") if auth == "basic" else "",
            "password": context.render(given.get("password") or "") if auth == "basic" else "",
        }

    def run(self, step: Mapping[str, Any], prepared: Any, context: Context) -> Any:
        headers, body = _headers(prepared, context), _body(prepared)
        answer = http.send_out(
            prepared["method"], prepared["url"], headers=headers, body=body, deadline_seconds=context.seconds_left()
        )
        text = answer.body(MOST_ANSWER)
        found = {"status": answer.status, "headers": _kept(answer.headers), "body": _decoded(text, answer.headers)}
        if answer.status == 429 or (answer.status == 503 and http.retry_after(answer.headers) is not None):
            raise RateLimited(
                f"The address answers {answer.status}.", retry_after=http.retry_after(answer.headers) or 10
            )
        if answer.status >= 500:
            raise TemporaryError(f"The address answers {answer.status}.", was_sent=None)
        if answer.status >= 300:
            said = expressions.as_text(found["body"])[:200]
            raise StepFailed(f"The address answers {answer.status}: {said}".strip(": "), output=found)
        return found


def _headers(prepared: Mapping[str, Any], context: Context) -> dict[str, str]:
    from base64 import b64encode

    headers = {
        name: expressions.as_text(value)
        for name, value in prepared["headers"].items()
        if name.lower() not in REFUSED_HEADERS
    }
    types = {
        "json": "application/json",
        "form": "application/x-www-form-urlencoded",
        "text": "text/plain; charset=utf-8",
    }
    if prepared["body_type"] in types and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = types[prepared["body_type"]]
    if prepared["auth"] == "bearer":
        headers["Authorization"] = f"Bearer {prepared['token']}"
    if prepared["auth"] == "basic":
        pair = f"{prepared['username']}:{prepared['password']}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    if prepared["method"] != "GET":
        headers.setdefault("Idempotency-Key", str(context.op_key))
    return headers


def _body(prepared: Mapping[str, Any]) -> bytes | None:
    kind, body = prepared["body_type"], prepared["body"]
    if kind == "json":
        return json.dumps(body).encode()
    if kind == "form":
        return urlencode(body, doseq=True).encode()
    return expressions.as_text(body).encode() if kind == "text" else None


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() != "set-cookie"}


def _decoded(text: bytes, headers: Mapping[str, str]) -> Any:
    if "json" in headers.get("Content-Type", ""):
        try:
            return json.loads(text or b"null")
        except (ValueError, RecursionError):
            raise PermanentError("The address answers with JSON that cannot be read.", was_sent=None) from None
    return text.decode("utf-8", "replace").replace("\x00", "")
