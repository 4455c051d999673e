"""Notes from where a request came, for what it may record in the audit log."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from integrations.audit import came_from


class CameFromMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = came_from.set(client_ip(request))
        try:
            return self.get_response(request)
        finally:
            came_from.reset(token)


def client_ip(request: HttpRequest) -> str:
    """Return the address that the request came from; behind a proxy, the one that the proxy itself saw."""
    if settings.BEHIND_PROXY:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", 1)[-1].strip()
        if forwarded:
            return str(forwarded)
    return str(request.META.get("REMOTE_ADDR", ""))
