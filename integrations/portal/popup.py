"""The pages of the popup: opened by an SDK on our origin, sent to the provider, and back.

They have no data of ours to show but the attempt's own; a cookie says which browser began it.
"""

import logging
import re
import secrets
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations import audit, connect
from integrations.connect import ConnectError
from integrations.models import ConnectSession
from integrations.sdk.api import ApiError, check_origin, identify
from integrations.user_tokens import InvalidUserToken

logger = logging.getLogger(__name__)

COOKIE = "__Host-patchbay-connect" if settings.IS_SECURE else "patchbay-connect"
NONCE = re.compile(r"^[\w-]{43}$")
LOST = (
    "The page that opened this window can no longer be reached, so nothing was connected. Its developer should send the"
    " header “Cross-Origin-Opener-Policy: same-origin-allow-popups” with that page."
)
OVER = "This sign-in attempt is no longer valid. Close this window and try again."

View = Callable[..., HttpResponseBase]


def popup(view: View) -> View:
    """Headers of a page in the popup: its opener must reach it, its address must not travel, nothing is kept."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except ConnectError as error:
            response = page(request, "failed", {"code": error.code, "message": str(error)}, status=400)
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"
        # With "no-referrer" the browser would send "Origin: null" with our own forms, which the CSRF check refuses; the
        # one address that holds a token has no form.
        response["Referrer-Policy"] = "no-referrer" if "userToken" in request.GET else "same-origin"
        response["Cache-Control"] = "no-store"
        response.is_final = True  # type: ignore[attr-defined]
        return response

    return wrapped


def page(request: HttpRequest, mode: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, f"portal/{mode}.html", {"mode": mode, **context}, status=status)


def browser_nonce(request: HttpRequest) -> str:
    """Return the browser's nonce, "" when it has none."""
    nonce = request.COOKIES.get(COOKIE, "")
    return nonce if NONCE.match(nonce) else ""


def remember_browser(response: HttpResponseBase, nonce: str) -> None:
    response.set_cookie(  # type: ignore[attr-defined]
        COOKIE, nonce, max_age=int(settings.CONNECT_SECONDS), secure=settings.IS_SECURE, httponly=True, samesite="Lax"
    )


def new_nonce(request: HttpRequest) -> str:
    """Return the nonce of a browser that has one already, so that two popups at once do not end each other."""
    return browser_nonce(request) or secrets.token_urlsafe(32)


def own_session(request: HttpRequest, session_id: uuid.UUID, *, even_failed: bool = False) -> ConnectSession:
    """Return the open attempt that this very browser began; 404 for all others."""
    among = ConnectSession.objects.alive() if even_failed else ConnectSession.objects.open()
    session = (
        among.filter(pk=session_id)
        .select_related("project", "user", "app", "integration__project", "integration__oauth_app", "reconnects__grant")
        .first()
    )
    nonce = browser_nonce(request)
    if session is None or not nonce or not secrets.compare_digest(session.nonce_hash, connect.digest(nonce)):
        raise Http404(OVER)
    return session


# Out ----------------------------------------------------------------------------------------------------------------


@require_GET
@popup
def start(request: HttpRequest, code: str) -> HttpResponseBase:
    """Our own SDK's popup: a one-time address, which binds the browser and goes on to the provider."""
    found = ConnectSession.objects.open().filter(start_hash=connect.digest(code))
    session = found.select_related("project", "user", "integration__project", "integration__oauth_app").first()
    nonce = new_nonce(request)
    used = {"start_hash": "", "nonce_hash": connect.digest(nonce)}
    if session is None or not found.filter(pk=session.pk).update(**used):
        raise ConnectError("start_refused", OVER)
    session.start_hash, session.nonce_hash = used["start_hash"], used["nonce_hash"]
    try:
        response: HttpResponseBase = redirect(connect.provider_address(session))
    except ConnectError as error:
        connect.fail(session, error.code, str(error))
        response = failed(request, session, error)
    remember_browser(response, nonce)
    return response


@require_GET
@popup
def nonce(request: HttpRequest, project_id: uuid.UUID) -> HttpResponseBase:
    """Paragon's popup: it brings the user token in its query, gets its cookie and reports to its opener.

    Where the opener is cut off, the page asks for the provider's address itself and goes there.
    """
    query = request.GET
    try:
        caller = identify(request, project_id, query.get("userToken", ""))
        check_origin(request, caller.project)
        integration = caller.integration(provider_slug=query.get("action", ""))
    except (InvalidUserToken, ApiError) as error:
        return page(request, "failed", {"message": str(error)}, status=getattr(error, "status", 401))
    origin = query.get("originForPostMessage", "")
    if not caller.project.allows_origin(origin):
        raise ConnectError(
            "origin_not_allowed", "The page that opened this window is not among the project's allowed origins."
        )
    browser = new_nonce(request)
    session = connect.join_popup(connect.connected_user(caller.user), integration, origin, browser)
    response = page(request, "nonce", {"session": session, "origin": origin, "provider": integration.provider})
    remember_browser(response, browser)
    return response


@require_GET
def next_address(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Tell a popup without opener where to go, once the SDK's other request has arrived."""
    try:
        address = connect.address_without_opener(own_session(request, session_id, even_failed=True))
    except Http404:
        return JsonResponse({"code": "over", "message": OVER}, status=404)
    except ConnectError as error:
        return JsonResponse({"code": error.code, "message": str(error)}, status=409)
    return JsonResponse({"redirectUrl": address}, headers={"Cache-Control": "no-store"})


# Back ---------------------------------------------------------------------------------------------------------------


@require_GET
@popup
def callback(request: HttpRequest, app_id: uuid.UUID) -> HttpResponseBase:
    """Where the provider sends the browser back to: https://…/oauth/callback/<app id>?code=…&state=…"""
    known = _attempt_of(request, app_id)
    try:
        session = connect.take_callback(app_id, request.GET.dict(), browser_nonce(request))
    except ConnectError as error:
        if known is None:
            raise
        known.refresh_from_db()
        return failed(request, known, error)
    return _go_on(request, session)


def _attempt_of(request: HttpRequest, app_id: uuid.UUID) -> ConnectSession | None:
    """Return the attempt that the state belongs to, if this browser began it: only then may its opener hear of it."""
    state, browser = request.GET.get("state", ""), browser_nonce(request)
    if not state or not browser:
        return None
    return (
        ConnectSession.objects.open()
        .filter(app_id=app_id, state_hash=connect.digest(state), nonce_hash=connect.digest(browser))
        .select_related("project", "user", "integration")
        .first()
    )


def _go_on(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    """Ask what is still open (which site, another account?), then hand over to the opener."""
    changes_account = connect.changes_account(session)
    if not session.site_id or changes_account:
        renewed = connect.connection_to_renew(session) if changes_account else None
        return page(
            request, "choose", {"session": session, "provider": session.integration.provider, "renewed": renewed}
        )
    return _finish(request, session)


def _finish(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    context = {
        "session": session,
        "provider": session.integration.provider,
        "claim": connect.new_claim_code(session),
        "may_confirm": session.project.connect_without_claim,
    }
    return page(request, "finish", context)


@require_POST
@popup
def choose(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    session = own_session(request, session_id)
    if session.status != ConnectSession.Status.RETURNED:
        raise ConnectError("over", OVER)
    if request.POST.get("cancel"):
        error = ConnectError("cancelled", "You cancelled. Nothing was connected.")
        connect.fail(session, error.code, str(error))
        return failed(request, session, error)
    try:
        connect.choose_site(session, request.POST.get("site", ""))
    except ConnectError as error:
        context = {"session": session, "provider": session.integration.provider, "error": str(error)}
        return page(request, "choose", context, status=400)
    return _finish(request, session)


@require_POST
@popup
def lost(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    """The popup has no opener to hand over to, and no return URL is registered: the attempt fails in words."""
    session = own_session(request, session_id)
    connect.fail(session, "opener_gone", LOST)
    return failed(request, session, ConnectError("opener_gone", LOST))


@require_POST
@popup
def confirm(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    """Connect without a claim: only where the project allows it, by a click that names user, project and account."""
    session = own_session(request, session_id)
    if not session.project.connect_without_claim or session.status != ConnectSession.Status.RETURNED:
        raise ConnectError("over", OVER)
    connection = connect.settle(session)
    audit.record(session.project, session.user.sub, "connected without claim", str(connection))
    return page(request, "done", {"connection": connection, "provider": session.integration.provider})


@require_GET
@popup
def problem(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    """Tell a failed attempt's opener, and the person, what went wrong."""
    session = ConnectSession.objects.filter(pk=session_id, status=ConnectSession.Status.FAILED).first()
    if session is None:
        raise ConnectError("over", OVER)
    return failed(request, session, ConnectError(session.error_code, session.error))


def failed(request: HttpRequest, session: ConnectSession, error: ConnectError) -> HttpResponse:
    context = {"session": session, "code": error.code, "message": str(error), "provider": session.integration.provider}
    return page(request, "failed", context, status=200)
