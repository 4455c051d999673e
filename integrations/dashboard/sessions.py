"""Where somebody is signed in: which browser, from where, since when, and ending it."""

import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from integrations.came_from import client_ip
from integrations.models import User

logger = logging.getLogger(__name__)

SEEN = "seen_at"
SEEN_EVERY_SECONDS = 300
BROWSERS = [
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
]
SYSTEMS = [
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("ChromeOS", r"CrOS"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux|X11"),
]


class LastSeenMiddleware:
    """Notes every few minutes when a session was last used, and from where. Pages that ask for no session have none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.session.accessed and request.session.session_key and request.user.is_authenticated:
            _note(request)
        return response


def _note(request: HttpRequest) -> None:
    now, seen = time.time(), request.session.get(SEEN)
    if seen is None or now - seen < SEEN_EVERY_SECONDS:
        return
    request.session[SEEN] = int(now)
    latest = {"last_seen_at": timezone.now(), "user_agent": request.META.get("HTTP_USER_AGENT", "")[:200]}
    with suppress(ValueError):
        latest["ip"] = str(ip_address(client_ip(request)))
    known = UserSession.objects.filter(session_key=request.session.session_key)
    if not known.update(**latest):
        UserSession.objects.create_from_request(request)  # Django changes a key when SECRET_KEY changes.


def of(request: HttpRequest) -> list[UserSession]:
    """Return where whoever asks is signed in, the last used first; forget what ended by itself or by a new password."""
    user: Any = request.user
    if not UserSession.objects.filter(user=user, session_key=request.session.session_key or "").exists():
        UserSession.objects.create_from_request(request)
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk"))
    stored = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now())
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    valid = {each.pk for each in stored if each.get_decoded().get(HASH_SESSION_KEY) in hashes}
    UserSession.objects.filter(pk__in=[row.pk for row in rows if row.session_key not in valid]).delete()
    return [row for row in rows if row.session_key in valid]


def end_all(user: Any, *, but: str | None = None) -> None:
    """End the sessions of somebody, except the one with this key."""
    ended = UserSession.objects.filter(user=user).exclude(session_key=but or "")
    Session.objects.filter(session_key__in=ended.values_list("session_key", flat=True)).delete()
    ended.delete()


def on_signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    request.session[SEEN] = int(time.time())
    logger.info("user %s signed in from %s", user.pk, client_ip(request))


def on_refused(request: HttpRequest | None, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Note a wrong password. What was typed as the address is not written down: now and then it is a password."""
    named = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email__iexact=named).first()
    whose = f"user {user.pk}" if user else "an address that nobody has"
    logger.warning("a password was refused for %s, from %s", whose, client_ip(request) if request else "here")


def on_user_saved(instance: Any, **kwargs: Any) -> None:
    """End the sessions of somebody who was disabled, so that they do not come back when they are enabled again."""
    if not instance.is_active:
        end_all(instance)


def browser(agent: str) -> str:
    """Return a User-Agent header in words: “Firefox on Linux”."""
    name, system = _first(BROWSERS, agent), _first(SYSTEMS, agent)
    if name and system:
        return f"{name} on {system}"
    return name or system or agent[:40] or "An unknown browser"


def _first(table: list[tuple[str, str]], agent: str) -> str:
    return next((name for name, pattern in table if re.search(pattern, agent)), "")
