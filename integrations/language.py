"""The language of the pages and answers that end users read. The dashboard and the admin are in English.

An end user's language is what the SDK asks for (`?lang=de`), else what the browser prefers, among those that have a
catalogue in integrations/locale.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation

from integrations.models import Connection

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def of(request: HttpRequest) -> str:
    """Return the language to answer in; English where no other is asked for that we speak."""
    return known(request.GET.get("lang", "")) or translation.get_language_from_request(request)


def known(wanted: str) -> str:
    """Return the language of ours that comes nearest to a tag such as "de-AT", "" for none."""
    try:
        return translation.get_supported_language_variant(wanted[:20]) if wanted else ""
    except LookupError:
        return ""


def spoken(view: View) -> View:
    """Have a view answer in the end user's language."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override(of(request)):
            return view(request, *args, **kwargs)

    return cast("View", wrapped)


def reason_of(connection: Connection) -> str:
    """Return why a connection has to be made anew, in the language that is active. It is stored in English."""
    name, placeholder = connection.integration.provider.name, "%(provider)s"
    reason = connection.health_reason
    return translation.gettext(reason.replace(name, placeholder)).replace(placeholder, name) if reason else ""


def remember(request: HttpRequest, response: HttpResponseBase, seconds: int) -> None:
    """Let the next pages in this browser speak what this one was asked to: a provider brings no `?lang=` back."""
    wanted = known(request.GET.get("lang", ""))
    if wanted:
        response.set_cookie(  # type: ignore[attr-defined]
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=seconds,
            secure=settings.IS_SECURE,
            httponly=True,
            samesite="Lax",
        )
