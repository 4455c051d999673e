"""Calls to the provider in a user's name."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from integrations import proxy
from integrations.errors import DeadlineError, PermanentError, TemporaryError
from integrations.providers import SLUGS, get
from integrations.proxy import Answer, Call, ProxyError
from integrations.sdk.api import Caller, answer_to, bearer, check_origin, identify

SMALL = 262_144
ACTIVE_CONTENT = "attachment"


@csrf_exempt
def forward(request: HttpRequest, project_id: uuid.UUID, slug: str, path: str = "") -> HttpResponseBase:
    """Paragon's proxy address: {"output": …}, or the provider's own bytes where X-Paragon-Use-Raw-Response is set."""
    is_raw = request.headers.get("X-Paragon-Use-Raw-Response") in ("1", "true") or request.method == "HEAD"
    wanted = request.headers.get("X-Paragon-Credential", "")
    show = _as_it_is if is_raw else _wrapped
    return _proxied(request, project_id, slug, path, wanted=wanted, show=lambda answer: show(slug, answer))


@csrf_exempt
def raw(
    request: HttpRequest, project_id: uuid.UUID, slug: str, path: str = "", connection_id: uuid.UUID | None = None
) -> HttpResponseBase:
    """The provider's API as it is, below another base URL, for any client library."""
    wanted = str(connection_id) if connection_id else request.headers.get("X-Paragon-Credential", "")
    ours = f"{settings.PUBLIC_URL}/projects/{project_id}/raw/{slug}/" + (f"{connection_id}/" if connection_id else "")
    return _proxied(request, project_id, slug, path, wanted=wanted, show=lambda answer: _with_our_links(answer, ours))


def _proxied(
    request: HttpRequest,
    project_id: uuid.UUID,
    slug: str,
    path: str,
    *,
    wanted: str,
    show: Callable[[Answer], HttpResponseBase],
) -> HttpResponseBase:
    try:
        caller = identify(request, project_id, bearer(request))
        check_origin(request, caller.project)
        if slug not in SLUGS:
            raise ProxyError(404, "no_integration", "This project has no such integration.")
        call = _call(caller, slug, path, wanted)
        response = show(proxy.forward(caller.user, slug, call, wanted=wanted[:255]))
    except Exception as error:
        known = answer_to(error)
        if known is None:
            raise
        return known
    # Nothing that a provider answers may run on our origin.
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.is_final = True  # type: ignore[attr-defined]
    return response


def _call(caller: Caller, slug: str, path: str, wanted: str) -> Call:
    request = caller.request
    query = request.META.get("QUERY_STRING", "")
    override = request.headers.get("X-Paragon-Proxy-Url")
    if override:
        _, connection = proxy.find_connection(caller.user, slug, wanted[:255])
        path, query = proxy.inside(get(slug).api.base_url(connection.site_id), override)
    body, length = _body(request)
    return Call(request.method or "GET", path, query, _headers(request, body), body, length)


def _body(request: HttpRequest) -> tuple[Any, int]:
    """Return the body: bytes when it is small enough to be sent twice, else the stream itself."""
    if request.headers.get("Transfer-Encoding"):
        raise ProxyError(411, "length_required", "Send the body with a Content-Length.")
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > settings.PROXY_MAX_BYTES:
        raise ProxyError(413, "too_large", f"The body is larger than {settings.PROXY_MAX_BYTES:,} bytes.")
    if length <= settings.PROXY_RESEND_BYTES:
        body = request.read(length) if length else b""
        if len(body) != length:
            raise ProxyError(400, "cut_off", "The body is shorter than its Content-Length.")
        return body, length
    return request, length


def _headers(request: HttpRequest, body: Any) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if "\r" not in value and "\n" not in value}
    if headers.get("Content-Type", "") in ("", "auto", "text/plain"):
        # Paragon's SDK sends "auto" and means: look at the body.
        headers["Content-Type"] = _guessed_type(body)
    return headers


def _guessed_type(body: Any) -> str:
    try:
        json.loads(body)
    except (TypeError, ValueError, RecursionError):
        return "text/plain; charset=utf-8"
    return "application/json"


def _as_it_is(slug: str, answer: Answer) -> HttpResponseBase:
    return _passed_on(answer, answer.stream())


def _with_our_links(answer: Answer, ours: str) -> HttpResponseBase:
    if "json" not in answer.headers.get("Content-Type", ""):
        return _passed_on(answer, answer.stream())
    return _passed_on(answer, proxy.rebased(answer.stream(), answer.base.encode(), ours.encode()), is_changed=True)


def _passed_on(answer: Answer, body: Iterator[bytes], *, is_changed: bool = False) -> HttpResponseBase:
    """Pass the answer on: a small one whole, so that one which breaks off becomes an error; a large one as it comes."""
    length = answer.response.headers.get("Content-Length", "")
    response: HttpResponseBase
    if length.isdigit() and int(length) <= SMALL:
        response = HttpResponse(_whole(body), status=answer.status, headers=answer.headers)
    else:
        response = StreamingHttpResponse(body, status=answer.status, headers=answer.headers)
        if length.isdigit() and not is_changed and "Content-Encoding" not in answer.response.headers:
            response["Content-Length"] = length
    if "json" not in response.get("Content-Type", "") and "Content-Disposition" not in response:
        response["Content-Disposition"] = ACTIVE_CONTENT
    if answer.hint:
        response["X-Patchbay-Hint"] = answer.hint.encode("ascii", "replace").decode()
    return response


def _whole(body: Iterator[bytes]) -> bytes:
    try:
        return b"".join(body)
    except DeadlineError as error:
        raise ProxyError(504, "timed_out", f"{error} What became of the call is not known.") from error
    except TemporaryError as error:
        raise ProxyError(502, "cut_off", str(error)) from error
    except PermanentError as error:
        raise ProxyError(
            502, "too_large", f"{error} Ask for it with the header X-Paragon-Use-Raw-Response: 1."
        ) from error


def _wrapped(slug: str, answer: Answer) -> HttpResponse:
    body = _whole(answer.response.stream(settings.PROXY_MAX_JSON_BYTES))
    content_type = answer.headers.get("Content-Type", "")
    kept = {name: value for name, value in answer.headers.items() if name not in ("Content-Type", "Etag")}
    kept.pop("Content-Disposition", None)
    if not body:
        return HttpResponse(status=answer.status if answer.status >= 400 else 204, headers=kept)
    try:
        found = proxy.decoded(body, content_type)
    except (ValueError, RecursionError):
        raise ProxyError(
            502, "bad_answer", f"The answer (status {answer.status}) is not the JSON that it claims to be."
        ) from None
    if answer.status < 400:
        return JsonResponse({"output": found}, status=answer.status, headers=kept)
    return JsonResponse(_error(slug, answer, found), status=answer.status, headers=kept)


def _error(slug: str, answer: Answer, found: object) -> dict[str, Any]:
    """The provider's own error body, with what Paragon's SDK reads added: `message`, and our hint."""
    provider = get(slug)
    body = dict(found) if isinstance(found, dict) else {"body": found}
    words = provider.api.message(found) or f"{provider.name} answers {answer.status}."
    body["message"] = f"{words} {answer.hint}".strip() if answer.hint else words
    body.setdefault("status", answer.status)
    if answer.hint:
        body["hint"] = answer.hint
    return body
