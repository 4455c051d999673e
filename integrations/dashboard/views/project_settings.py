"""Settings › Project and Settings › Members."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations import audit
from integrations.dashboard.access import action, find_project, form_page, is_owner
from integrations.dashboard.accounts import add_member, mail_invitation, may_hand_out_link, set_password_link
from integrations.dashboard.forms import MemberForm, ProjectSettingsForm
from integrations.dashboard.paging import page_of
from integrations.models import Member, Project

LAST_OWNER = "A project needs an owner. Make someone else an owner first."


@form_page
def project_settings(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = ProjectSettingsForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        if form.has_changed():
            form.save()
            changes = "; ".join(f"{name}: {form.cleaned_data[name]}" for name in form.changed_data)
            audit.record(project, request.user, "project changed", changes)
        messages.success(request, "The project is saved.")
        return redirect("dashboard:project_settings", project.pk)
    # A refused name or kind is shown in the form, not in the rest of the page.
    context = {"project": Project.objects.get(pk=project.pk), "section": "settings", "tab": "project", "form": form}
    return render(request, "dashboard/project_settings.html", context)


@form_page
def members(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """List the members; owners add one here."""
    project = find_project(request, project_id)
    form = MemberForm(request.POST or None)
    if request.method == "POST":
        _only_owners(request, project)
        if form.is_valid():
            try:
                member, is_new = add_member(project, form.cleaned_data["email"].lower(), form.cleaned_data["role"])
            except IntegrityError:
                form.add_error("email", "This person is a member already.")
            else:
                audit.record(project, request.user, "member added", f"{member.user.email} as {member.role}")
                if is_new:
                    return _show_link(request, member)
                messages.success(request, f"{member.user} is a member now, and signs in as before.")
                return redirect("dashboard:members", project.pk)
    return _members(request, project, form)


def _members(request: HttpRequest, project: Project, form: MemberForm) -> HttpResponse:
    context = {
        "project": project,
        "section": "settings",
        "tab": "members",
        "form": form,
        "is_owner": is_owner(request, project),
        "page": page_of(project.members.select_related("user"), request, "created_at"),
        "roles": Member.Role.choices,
    }
    return render(request, "dashboard/members.html", context)


def _show_link(request: HttpRequest, member: Member) -> HttpResponse:
    link = set_password_link(member.user)
    context = {
        "project": member.project,
        "section": "settings",
        "tab": "members",
        "member": member,
        "link": link,
        "was_mailed": mail_invitation(member.user, member.project, link),
    }
    return render(request, "dashboard/member_link.html", context)


@action
def member_link(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> HttpResponse:
    """Make another set-password link for someone who never signed in."""
    member = _member(request, project_id, member_id)
    if not may_hand_out_link(request.user, member.user):
        messages.error(request, f"{member.user} resets the password on the sign-in page.")
        return redirect("dashboard:members", project_id)
    audit.record(member.project, request.user, "set-password link made", member.user.email)
    return _show_link(request, member)


@action
def change_role(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> HttpResponse:
    member = _member(request, project_id, member_id)
    role = request.POST.get("role", "")
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=member.project_id)
        if role not in Member.Role.values:
            messages.error(request, "Choose owner or admin.")
        elif role != Member.Role.OWNER and _is_last_owner(member):
            messages.error(request, LAST_OWNER)
        else:
            Member.objects.filter(pk=member.pk).update(role=role)
            audit.record(member.project, request.user, "member role changed", f"{member.user.email} is {role}")
            messages.success(request, f"{member.user}: {Member.Role(role).label} from now on.")
    return redirect("dashboard:members", project_id)


@form_page
def remove_member(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> HttpResponse:
    member = _member(request, project_id, member_id)
    if request.method != "POST":
        context = {"project": member.project, "section": "settings", "tab": "members", "member": member}
        return render(request, "dashboard/remove_member.html", context)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=member.project_id)
        if _is_last_owner(member):
            messages.error(request, LAST_OWNER)
            return redirect("dashboard:members", project_id)
        member.delete()
        audit.record(member.project, request.user, "member removed", member.user.email)
    messages.success(request, f"{member.user} is no longer a member.")
    if member.user_id == request.user.pk:
        return redirect("dashboard:home")
    return redirect("dashboard:members", project_id)


def _member(request: HttpRequest, project_id: uuid.UUID, member_id: int) -> Member:
    project = find_project(request, project_id)
    _only_owners(request, project)
    return get_object_or_404(Member.objects.select_related("user", "project"), project=project, pk=member_id)


def _only_owners(request: HttpRequest, project: Project) -> None:
    if not is_owner(request, project):
        raise PermissionDenied("Only an owner of the project decides who is a member.")


def _is_last_owner(member: Member) -> bool:
    owners = Member.objects.filter(project=member.project_id, role=Member.Role.OWNER)
    return member.role == Member.Role.OWNER and not owners.exclude(pk=member.pk).exists()
