"""The one guard in front of the sandbox, which has no log-in."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase


def guard(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Refuse other host names (DNS rebinding) and forms posted from other sites: only this machine may operate it."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        try:
            host = request.get_host()
        except DisallowedHost:
            return HttpResponse("The sandbox answers to localhost only.", status=400, content_type="text/plain")
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin and not request.path.startswith(("/oauth/", "/ex/")):
            if urlsplit(origin).netloc != host:
                return HttpResponse("That form was sent from another site.", status=403, content_type="text/plain")
        return get_response(request)

    return handle
