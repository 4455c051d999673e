"""The addresses that providers send to: what is refused before anybody looks at a signature, and how it is answered."""

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import path

from integrations import webhooks
from integrations.errors import PermanentError
from integrations.providers import SLUGS
from integrations.refusals import refusal


def of_app(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    return _take(request, slug, token, by_hand=False)


def of_site(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    return _take(request, slug, token, by_hand=True)


# What is refused unread up to this size is read and thrown away: a sender that is cut off in its middle never learns
# that it was refused, and would repeat it.
DRAINED_BYTES = 256 * 1024


def _take(request: HttpRequest, slug: str, token: str, *, by_hand: bool) -> HttpResponse:
    answer = _answer(request, slug, token, by_hand=by_hand)
    length = request.META.get("CONTENT_LENGTH") or ""
    if answer.status_code >= 400 and length.isdecimal() and int(length) <= DRAINED_BYTES:
        with suppress(UnreadablePostError):
            request.read()
    return answer


def _answer(request: HttpRequest, slug: str, token: str, *, by_hand: bool) -> HttpResponse:
    if request.method != "POST":
        return refusal(405, "method_not_allowed", "Deliveries are sent with POST.", headers={"Allow": "POST"})
    door = webhooks.find_door(slug, token, by_hand=by_hand) if slug in SLUGS else None
    if door is None:
        return refusal(404, "no_such_address", "Nothing is received at this address.")
    try:
        body = _body(request)
    except _Refused as refused:
        return refusal(refused.status, refused.code, str(refused))
    # Headers as the server names them; a delivery has few, and only these tell something.
    headers = {name[5:].lower().replace("_", "-"): value for name, value in request.META.items() if name[:5] == "HTTP_"}
    taken = webhooks.receive(door, headers, body)
    return refusal(taken.status, taken.code, taken.message) if taken.code else HttpResponse(status=taken.status)


class _Refused(PermanentError):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, status=status)
        self.code = code


def _body(request: HttpRequest) -> bytes:
    """Return the body as it was sent. Raises _Refused before reading what is too large or hides its size."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise _Refused(415, "encoded", "The body must not be compressed.")
    if not length.isdecimal():
        raise _Refused(411, "length_required", "The request needs a Content-Length.")
    if int(length) > settings.WEBHOOK_MAX_BYTES:
        raise _Refused(413, "too_large", f"A delivery can have {settings.WEBHOOK_MAX_BYTES:,} bytes at most.")
    body = request.read(int(length))
    if len(body) != int(length):
        raise _Refused(400, "cut_off", "The body is shorter than its Content-Length.")
    return body


app_name = "webhooks"
urlpatterns = [
    path("<slug:slug>/<str:token>", of_app, name="app"),
    path("<slug:slug>/site/<str:token>", of_site, name="site"),
]
