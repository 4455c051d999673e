"""Settings › SDK: signing keys, and which pages may use the SDK."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from integrations import audit
from integrations.dashboard import keys
from integrations.dashboard.access import action, find_project, form_page
from integrations.dashboard.forms import NewKeyForm, PublicKeyForm, SdkForm
from integrations.models import Project, SigningKey

REVOKED_SHOWN = 10


@form_page
def sdk_settings(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = SdkForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        if form.has_changed():
            form.save()
            audit.record(project, request.user, "SDK settings changed", _changes(form))
        messages.success(request, "The SDK settings are saved.")
        return redirect("dashboard:sdk_settings", project.pk)
    return _render(request, project, form=form)


@action
def generate_key(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Make a pair and show its private half on this one answer, which no cache may keep (see access.py)."""
    project = find_project(request, project_id)
    form = NewKeyForm(request.POST)
    if not form.is_valid():
        return _render(request, project, new_key_form=form)
    try:
        key, private_pem = keys.generate(project, form.cleaned_data["name"], _user(request))
    except keys.TooManyKeys as error:
        form.add_error(None, str(error))
        return _render(request, project, new_key_form=form)
    audit.record(project, request.user, "signing key generated", str(key))
    context = {"project": project, "section": "settings", "tab": "sdk", "key": key, "private_pem": private_pem}
    return render(request, "dashboard/new_key.html", context)


@action
def add_key(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = PublicKeyForm(request.POST)
    if form.is_valid():
        try:
            key = keys.add(project, form.cleaned_data["key_name"], form.cleaned_data["public_key"], _user(request))
        except keys.TooManyKeys as error:
            form.add_error(None, str(error))
        else:
            audit.record(project, request.user, "signing key added", str(key))
            messages.success(request, f"The key is active. Sign with its private half and the key ID {key.kid}.")
            return redirect("dashboard:sdk_settings", project.pk)
    return _render(request, project, public_key_form=form)


@form_page
def revoke_key(request: HttpRequest, project_id: uuid.UUID, key_id: uuid.UUID) -> HttpResponse:
    """Ask, then revoke: tokens signed with the key stop working within seconds."""
    project = find_project(request, project_id)
    key = get_object_or_404(SigningKey.objects.active(), project=project, pk=key_id)
    if request.method == "POST":
        SigningKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
        audit.record(project, request.user, "signing key revoked", str(key))
        messages.success(request, f"{key.name} is revoked.")
        return redirect("dashboard:sdk_settings", project.pk)
    others = SigningKey.objects.active().filter(project=project).exclude(pk=key.pk).count()
    context = {"project": project, "section": "settings", "tab": "sdk", "key": key, "others": others}
    return render(request, "dashboard/revoke_key.html", context)


def _render(request: HttpRequest, project: Project, **forms: Any) -> HttpResponse:
    all_keys = SigningKey.objects.filter(project=project).select_related("created_by")
    context = {
        "project": project,
        "section": "settings",
        "tab": "sdk",
        "keys": all_keys.active(),
        "revoked_keys": all_keys.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        # Another form on the page failed: this one shows what is stored.
        "form": SdkForm(instance=Project.objects.get(pk=project.pk)),
        "new_key_form": NewKeyForm(),
        "public_key_form": PublicKeyForm(),
        **forms,
    }
    return render(request, "dashboard/sdk_settings.html", context)


def _changes(form: SdkForm) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {form.cleaned_data[name]}" for name in form.changed_data)


def _user(request: HttpRequest) -> Any:
    return request.user
