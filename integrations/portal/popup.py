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
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_GET, require_POST

from integrations import audit, connect, language, try_it
from integrations.connect import ConnectError
from integrations.models import ConnectSession, Portal
from integrations.portal.look import look_of
from integrations.refusals import refusal
from integrations.sdk.api import ApiError, check_origin, identify
from integrations.user_tokens import InvalidUserToken

logger = logging.getLogger(__name__)

COOKIE = "__Host-patchbay-connect" if settings.IS_SECURE else "patchbay-connect"
NONCE = re.compile(r"^[\w-]{43}$")
LOST = gettext_noop(
    "The page that opened this window can no longer be reached, so nothing was connected. Its developer should send the"
    " header “Cross-Origin-Opener-Policy: same-origin-allow-popups” with that page."
)
ANEW = "That page was used already, or took too long. Please connect again."  # in the dashboard, which is in English

View = Callable[..., HttpResponseBase]


def popup(view: View) -> View:
    """Headers of a page in the popup: its opener must reach it, its address must not travel, nothing is kept."""

    @language.spoken
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
    session = context.get("session")
    look = look_of(Portal.objects.of(session.integration)) if session else None
    return render(request, f"portal/{mode}.html", {"mode": mode, "look": look, **context}, status=status)


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
        raise Http404(gettext(connect.OVER))
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
        raise ConnectError("start_refused", gettext(connect.OVER))
    session.start_hash, session.nonce_hash = used["start_hash"], used["nonce_hash"]
    try:
        response: HttpResponseBase = redirect(connect.provider_address(session))
    except ConnectError as error:
        connect.fail(session, error.code, str(error))
        response = failed(request, session, error)
    remember_browser(response, nonce)
    language.remember(request, response, int(settings.CONNECT_SECONDS))
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
            "origin_not_allowed",
            gettext("The page that opened this window is not among the project's allowed origins."),
        )
    browser = new_nonce(request)
    session = connect.join_popup(connect.connected_user(caller.user), integration, origin, browser)
    response = page(request, "nonce", {"session": session, "origin": origin, "provider": integration.provider})
    remember_browser(response, browser)
    return response


@require_GET
@language.spoken
def next_address(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Tell a popup without opener where to go, once the SDK's other request has arrived."""
    try:
        address = connect.address_without_opener(own_session(request, session_id, even_failed=True))
    except Http404:
        return refusal(404, "over", gettext(connect.OVER))
    except ConnectError as error:
        return refusal(409, error.code, str(error))
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
        if known is None and (own := _dashboards_own(request, app_id)):
            return failed(request, own, ConnectError(error.code, ANEW))
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


def _dashboards_own(request: HttpRequest, app_id: uuid.UUID) -> ConnectSession | None:
    """Return the attempt that this browser began last, if the dashboard began it, in a tab of its own.

    A page that is loaded anew comes with a state that was used up, so that it alone no longer tells whose it is.
    """
    mine = ConnectSession.objects.alive().filter(app_id=app_id, nonce_hash=connect.digest(browser_nonce(request)))
    last = mine.select_related("project", "user", "integration").order_by("-created_at").first()
    return last if last and last.protocol == ConnectSession.Protocol.DASHBOARD else None


def _go_on(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    """Ask what is still open (which site, another account?), then hand over to the opener."""
    if not session.site_id or connect.changes_account(session):
        return _choice(request, session)
    return _finish(request, session)


def _choice(request: HttpRequest, session: ConnectSession, error: str = "", status: int = 200) -> HttpResponse:
    renewed = connect.connection_to_renew(session)
    context = {
        "session": session,
        "provider": session.integration.provider,
        "renewed": renewed if connect.changes_account(session) else None,
        "current": renewed.site_id if renewed else "",
        "error": error,
    }
    return page(request, "choose", context, status=status)


def _finish(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    if session.protocol == ConnectSession.Protocol.DASHBOARD:
        return _finish_test(request, session)
    context = {
        "session": session,
        "provider": session.integration.provider,
        "claim": connect.new_claim_code(session),
        "may_confirm": session.project.connect_without_claim,
    }
    return page(request, "finish", context)


def _finish_test(request: HttpRequest, session: ConnectSession) -> HttpResponse:
    try:
        connection = try_it.finish(session, request.user)
    except ConnectError as error:
        connect.fail(session, error.code, str(error))
        return failed(request, session, error)
    messages.success(request, f"{connection} is connected as your test account.")
    return _back_to_dashboard(session)


def _back_to_dashboard(session: ConnectSession) -> HttpResponse:
    return redirect("dashboard:integration", session.project_id, session.integration.provider_slug)


@require_POST
@popup
def choose(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    session = own_session(request, session_id)
    if session.status != ConnectSession.Status.RETURNED:
        raise ConnectError("over", gettext(connect.OVER))
    if request.POST.get("cancel"):
        error = ConnectError("cancelled", gettext("You cancelled. Nothing was connected."))
        connect.fail(session, error.code, str(error))
        return failed(request, session, error)
    try:
        connect.choose_site(session, request.POST.get("site", ""))
    except ConnectError as error:
        return _choice(request, session, str(error), status=400)
    return _finish(request, session)


@require_POST
@popup
def lost(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    """The popup has no opener to hand over to, and no return URL is registered: the attempt fails in words."""
    session = own_session(request, session_id)
    words = gettext(LOST)
    connect.fail(session, "opener_gone", words)
    return failed(request, session, ConnectError("opener_gone", words))


@require_POST
@popup
def confirm(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    """Connect without a claim: only where the project allows it, by a click that names user, project and account."""
    session = own_session(request, session_id)
    if not session.project.connect_without_claim or session.status != ConnectSession.Status.RETURNED:
        raise ConnectError("over", gettext(connect.OVER))
    connection = connect.settle(session)
    audit.record(session.project, session.user, "connected without claim", str(connection))
    return page(request, "done", {"connection": connection, "provider": session.integration.provider})


@require_GET
@popup
def problem(request: HttpRequest, session_id: uuid.UUID) -> HttpResponseBase:
    """Tell a failed attempt's opener, and the person, what went wrong."""
    session = ConnectSession.objects.filter(pk=session_id, status=ConnectSession.Status.FAILED).first()
    if session is None:
        raise ConnectError("over", gettext(connect.OVER))
    return failed(request, session, ConnectError(session.error_code, session.error))


def failed(request: HttpRequest, session: ConnectSession, error: ConnectError) -> HttpResponse:
    if session.protocol == ConnectSession.Protocol.DASHBOARD:
        messages.error(request, str(error))
        return _back_to_dashboard(session)
    context = {"session": session, "code": error.code, "message": str(error), "provider": session.integration.provider}
    return page(request, "failed", context, status=200)
