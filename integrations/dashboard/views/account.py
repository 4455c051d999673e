"""One's own account: name, sessions, and on to where a second factor was wanted. allauth has the other pages."""

from collections.abc import Callable
from typing import Any

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache

from integrations.dashboard import second_factor
from integrations.dashboard import sessions as signed_in
from integrations.dashboard.access import asking_to_sign_in, taking
from integrations.dashboard.forms import ProfileForm

View = Callable[..., HttpResponseBase]


def _own(*methods: str) -> Callable[[View], View]:
    """A page about whoever asks. It stays open to those who must set up a second factor first."""
    return lambda view: never_cache(asking_to_sign_in(taking(methods, view)))


@_own("GET", "HEAD", "POST")
def profile(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    form = ProfileForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name is saved.")
        return redirect("account_profile")
    memberships = user.memberships.select_related("project").order_by("project__name")[:50]
    is_linked = SocialAccount.objects.filter(user=user).exists()
    return render(request, "account/profile.html", {"form": form, "memberships": memberships, "is_linked": is_linked})


@_own("GET", "HEAD")
def go_on(request: HttpRequest) -> HttpResponse:
    """Go to where somebody was on the way to when a second factor was asked for."""
    wanted = request.session.pop(second_factor.WANTED, None)
    return redirect(wanted["url"] if wanted else "dashboard:home")


@_own("GET", "HEAD")
def sessions(request: HttpRequest) -> HttpResponse:
    found = [
        {
            "row": row,
            "browser": signed_in.browser(row.user_agent),
            "is_this": row.session_key == request.session.session_key,
        }
        for row in signed_in.of(request)
    ]
    return render(request, "account/sessions.html", {"sessions": found})


@_own("POST")
def end_session(request: HttpRequest, usersession_id: int) -> HttpResponse:
    rows = UserSession.objects.filter(user_id=request.user.pk)
    row = get_object_or_404(rows.exclude(session_key=request.session.session_key or ""), pk=usersession_id)
    row.end()
    messages.success(request, f"{signed_in.browser(row.user_agent)} is signed out.")
    return redirect("account_sessions")


@_own("POST")
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    signed_in.end_all(request.user, but=request.session.session_key)
    messages.success(request, "You are signed out everywhere but here.")
    return redirect("account_sessions")
