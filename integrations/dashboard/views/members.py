"""Settings › Members: who may what, who is invited, and whether a second factor is asked for."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations import audit
from integrations import members as membership
from integrations.dashboard import invitations as offers
from integrations.dashboard import second_factor
from integrations.dashboard.access import Role, action, find_project, form_page, of_project, page
from integrations.dashboard.accounts import can_mail
from integrations.dashboard.forms import InvitationForm
from integrations.dashboard.paging import page_of
from integrations.models import Invitation, Member, Project

OWN_FACTOR_FIRST = "Set up a second factor for yourself first: without one you would lock yourself out."


@page
def members(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    return _members(request, find_project(request, project_id), InvitationForm())


def _members(request: HttpRequest, project: Project, form: InvitationForm) -> HttpResponse:
    found = second_factor.with_factor(project.members.select_related("user"))
    context = {
        "project": project,
        "section": "settings",
        "tab": "members",
        "form": form,
        "page": page_of(found, request, "created_at"),
        "invitations": project.invitations.select_related("invited_by") if project.role.may_own else [],
        "can_mail": can_mail(),
        "roles": list(Member.Role),
    }
    return render(request, "dashboard/members.html", context)


# Invitations ----------------------------------------------------------------------------------------------------------


@action(Role.OWNER)
def invite(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _members(request, project, form)
    try:
        invitation, link = offers.invite(
            project, form.cleaned_data["email"].lower(), form.cleaned_data["role"], request.user
        )
    except offers.InvitationRefused as refusal:
        form.add_error("email", str(refusal))
        return _members(request, project, form)
    return _handed_out(request, invitation, link)


@action(Role.OWNER)
def send_invitation_again(request: HttpRequest, project_id: uuid.UUID, invitation_id: int) -> HttpResponse:
    invitation = _invitation(request, project_id, invitation_id)
    return _handed_out(request, invitation, offers.send_again(invitation, request.user))


@action(Role.OWNER)
def withdraw_invitation(request: HttpRequest, project_id: uuid.UUID, invitation_id: int) -> HttpResponse:
    invitation = _invitation(request, project_id, invitation_id)
    offers.withdraw(invitation, request.user)
    messages.success(request, f"{invitation.email} is no longer invited.")
    return redirect("dashboard:members", project_id)


def _handed_out(request: HttpRequest, invitation: Invitation, link: str) -> HttpResponse:
    """Say that it was mailed; or show the link, this once, to be handed over."""
    if not link:
        messages.success(request, f"The invitation is on its way to {invitation.email}.")
        return redirect("dashboard:members", invitation.project_id)
    context = {
        "project": invitation.project,
        "section": "settings",
        "tab": "members",
        "invitation": invitation,
        "link": link,
        "can_mail": can_mail(),
    }
    return render(request, "dashboard/invitation_link.html", context)


def _invitation(request: HttpRequest, project_id: uuid.UUID, invitation_id: int) -> Invitation:
    project = find_project(request, project_id)
    return of_project(project, get_object_or_404(Invitation, project=project, pk=invitation_id))


# Second factors -------------------------------------------------------------------------------------------------------


@action(Role.OWNER)
def require_second_factor(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Switch on or off that owners and admins need a second factor."""
    project = find_project(request, project_id)
    user: Any = request.user
    is_wanted = request.POST.get("required") == "on"
    if is_wanted and not user.has_second_factor():
        messages.error(request, OWN_FACTOR_FIRST)
    elif is_wanted != project.require_second_factor:
        Project.objects.filter(pk=project.pk).update(require_second_factor=is_wanted)
        change = audit.Change({"Required": not is_wanted}, {"Required": is_wanted})
        audit.record(
            project, request.user, "second factor required" if is_wanted else "second factor optional", change=change
        )
        messages.success(
            request,
            "Owners and admins need a second factor from now on."
            if is_wanted
            else "Nobody needs a second factor for this project any more.",
        )
    return redirect("dashboard:members", project_id)


# Members --------------------------------------------------------------------------------------------------------------


@action(Role.OWNER)
def change_role(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> HttpResponse:
    member = _member(request, project_id, member_id)
    role = request.POST.get("role", "")
    if role not in Member.Role.values:
        messages.error(request, "Choose one of the roles.")
        return redirect("dashboard:members", project_id)
    try:
        membership.change_role(member, role, request.user)
        messages.success(request, f"{member.user.email}: {Member.Role(role).label} from now on.")
    except membership.LastOwner as refusal:
        messages.error(request, str(refusal))
    return redirect("dashboard:members", project_id)


@form_page(Role.OWNER)
def remove_member(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> HttpResponse:
    member = _member(request, project_id, member_id)
    if request.method != "POST":
        if membership.is_last_owner(member):
            messages.error(request, membership.LAST_OWNER)
            return redirect("dashboard:members", project_id)
        context = {"project": member.project, "section": "settings", "tab": "members", "member": member}
        return render(request, "dashboard/remove_member.html", context)
    try:
        membership.remove(member, request.user)
    except membership.LastOwner as refusal:
        messages.error(request, str(refusal))
        return redirect("dashboard:members", project_id)
    messages.success(request, f"{member.user.email} is no longer a member.")
    if member.user_id == request.user.pk:
        return redirect("dashboard:home")
    return redirect("dashboard:members", project_id)


def _member(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> Member:
    project = find_project(request, project_id)
    return of_project(project, get_object_or_404(Member.objects.select_related("user"), project=project, pk=member_id))
