"""Being invited: the link, what it offers, and accepting it."""

from typing import Any

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from integrations.dashboard import invitations as offers
from integrations.dashboard.forms import JoinForm
from integrations.models import Invitation


@never_cache
@require_safe
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Take the link's token out of the address, which others may get to see, and show what it is for."""
    found = Invitation.objects.open().with_token(token).first()
    if found is None:
        return render(request, "account/invitation_gone.html", status=410)
    offers.show(request, found)
    return redirect("invitations")


@never_cache
@require_safe
def invitations(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, tried: JoinForm | None = None) -> HttpResponse:
    found = [_offer(request, each, tried) for each in offers.seen_by(request)]
    if not found:
        return render(request, "account/invitation_gone.html", status=410)
    return render(request, "account/invitations.html", {"offers": found})


def _offer(request: HttpRequest, invitation: Invitation, tried: JoinForm | None) -> dict[str, Any]:
    """Return an invitation and what its visitor can do with it: accept, sign in first, or set a password."""
    user: Any = request.user
    is_theirs = user.is_authenticated and user.email.lower() == invitation.email.lower()
    is_new = not user.is_authenticated and offers.account_for(invitation) is None
    form = tried if tried and tried.invitation == invitation else JoinForm(invitation=invitation)
    return {"invitation": invitation, "is_theirs": is_theirs, "form": form if is_new else None}


@never_cache
@require_POST
def join(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Make the account of somebody new, sign them in, and let them into the project."""
    invitation = _seen(request, invitation_id)
    if request.user.is_authenticated or offers.account_for(invitation) or settings.OIDC_ONLY:
        return redirect("invitations")
    form = JoinForm(request.POST, invitation=invitation)
    if not form.is_valid():
        return _show(request, form)
    try:
        user = offers.join(invitation, form.cleaned_data["name"], form.cleaned_data["password"])
    except offers.InvitationRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("invitations")
    messages.success(request, f"Welcome to {invitation.project.name}.")
    response: HttpResponse = perform_login(request, user, redirect_url=_project(invitation))
    return response


@login_required
@never_cache
@require_POST
def accept(request: HttpRequest, invitation_id: int) -> HttpResponse:
    invitation = _seen(request, invitation_id)
    user: Any = request.user
    try:
        offers.accept(invitation, user)
    except offers.InvitationRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("invitations")
    messages.success(request, f"Welcome to {invitation.project.name}.")
    return redirect("invitations" if offers.seen_by(request) else _project(invitation))


@never_cache
@require_POST
def decline(request: HttpRequest, invitation_id: int) -> HttpResponse:
    invitation = _seen(request, invitation_id)
    offers.decline(invitation)
    messages.success(request, f"You declined to join {invitation.project.name}.")
    return redirect("dashboard:home")


def _seen(request: HttpRequest, invitation_id: int) -> Invitation:
    for each in offers.seen_by(request):
        if each.pk == invitation_id:
            return each
    raise Http404


def _project(invitation: Invitation) -> str:
    return reverse("dashboard:overview", args=[invitation.project_id])
