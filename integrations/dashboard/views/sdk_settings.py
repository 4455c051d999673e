"""Settings › SDK: signing keys, what becomes of a token, and which pages may use the SDK."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from integrations import audit, token_playground
from integrations.dashboard import keys, pages_allowed
from integrations.dashboard.access import Role, action, find_project, form_page, of_project
from integrations.dashboard.forms import (
    ChangeEndForm,
    NewKeyForm,
    PageForm,
    PublicKeyForm,
    RotateKeyForm,
    SdkForm,
    TokenForm,
)
from integrations.dashboard.snippets import signing_snippets
from integrations.models import Project, SigningKey

REVOKED_SHOWN = 10


@form_page(Role.ADMIN)
def sdk_settings(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = SdkForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        if form.has_changed():
            form.save()
            audit.record(project, request.user, "SDK settings changed", change=audit.change_in(form))
        messages.success(request, "The SDK settings are saved.")
        return redirect("dashboard:sdk_settings", project.pk)
    return _render(request, project, form=form)


def _render(request: HttpRequest, project: Project, **forms: Any) -> HttpResponse:
    all_keys = SigningKey.objects.filter(project=project).select_related("created_by", "replaced_by")
    active = list(all_keys.active())
    context = {
        **_context(project),
        "keys": active,
        "ending": [key for key in active if key.is_ending],
        "revoked_keys": all_keys.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        "snippets": signing_snippets(project, active),
        # Another form on the page failed: this one shows what is stored.
        "form": SdkForm(instance=Project.objects.get(pk=project.pk)),
        "new_key_form": NewKeyForm(),
        "public_key_form": PublicKeyForm(),
        "page_form": PageForm(),
        **forms,
    }
    return render(request, "dashboard/sdk_settings.html", context)


def _context(project: Project) -> dict[str, Any]:
    return {"project": project, "section": "settings", "tab": "sdk"}


# Signing keys ---------------------------------------------------------------------------------------------------------


@action(Role.ADMIN)
def generate_key(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
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
    return _show_once(request, key, private_pem)


def _show_once(
    request: HttpRequest, key: SigningKey, private_pem: str, replaced: SigningKey | None = None
) -> HttpResponse:
    """Show the private half of a key on this one answer, which no cache may keep (see access.py)."""
    context = {
        **_context(key.project),
        "key": key,
        "private_pem": private_pem,
        "replaced": replaced,
        "snippets": signing_snippets(key.project, [key]),
    }
    return render(request, "dashboard/new_key.html", context)


@action(Role.ADMIN)
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


@form_page(Role.ADMIN)
def rotate_key(request: HttpRequest, project_id: uuid.UUID, key_id: uuid.UUID) -> HttpResponse:
    """Replace a key by a new one; the old one goes on being accepted for a while."""
    key = _active_key(request, project_id, key_id)
    project = key.project
    form = RotateKeyForm(request.POST or None, initial={"name": key.name})
    if request.method == "POST" and form.is_valid():
        name, pem = form.cleaned_data["name"], form.cleaned_data["public_key"]
        try:
            made, private_pem = keys.rotate(key, form.until(), _user(request), name=name, pem=pem)
        except keys.TooManyKeys as error:
            form.add_error(None, str(error))
        else:
            key.refresh_from_db()
            if private_pem:
                return _show_once(request, of_project(project, made), private_pem, replaced=key)
            messages.success(request, f"{made.name} is active. Have your back end sign with the key ID {made.kid}.")
            return redirect("dashboard:sdk_settings", project_id)
    return render(request, "dashboard/rotate_key.html", {**_context(project), "key": key, "form": form})


@form_page(Role.ADMIN)
def end_key(request: HttpRequest, project_id: uuid.UUID, key_id: uuid.UUID) -> HttpResponse:
    """Change when a key ends that is being replaced."""
    key = _active_key(request, project_id, key_id)
    form = ChangeEndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        keys.end(key, form.end(), _user(request))
        messages.success(request, f"The end of {key.name} is changed.")
        return redirect("dashboard:sdk_settings", project_id)
    return render(request, "dashboard/end_key.html", {**_context(key.project), "key": key, "form": form})


@form_page(Role.ADMIN)
def revoke_key(request: HttpRequest, project_id: uuid.UUID, key_id: uuid.UUID) -> HttpResponse:
    """Ask, then revoke: tokens signed with the key stop working within seconds."""
    key = _active_key(request, project_id, key_id)
    if request.method == "POST":
        SigningKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
        audit.record(key.project, request.user, "signing key revoked", str(key))
        messages.success(request, f"{key.name} is revoked.")
        return redirect("dashboard:sdk_settings", project_id)
    others = SigningKey.objects.active().filter(project=key.project).exclude(pk=key.pk).count()
    return render(request, "dashboard/revoke_key.html", {**_context(key.project), "key": key, "others": others})


def _active_key(request: HttpRequest, project_id: uuid.UUID, key_id: uuid.UUID) -> SigningKey:
    project = find_project(request, project_id)
    found = SigningKey.objects.active().select_related("replaced_by")
    return of_project(project, get_object_or_404(found, project=project, pk=key_id))


def _user(request: HttpRequest) -> Any:
    return request.user


# What becomes of a token ----------------------------------------------------------------------------------------------


@sensitive_variables()
@sensitive_post_parameters("token")
@form_page(Role.DEVELOPER)
def check_token(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Say of a pasted token what every call would: it is read once, and neither stored nor shown as it was."""
    project = find_project(request, project_id)
    form = TokenForm(request.POST or None)
    context: dict[str, Any] = {**_context(project), "tab": "token", "form": form}
    if request.method == "POST" and form.is_valid():
        context["report"] = token_playground.examine(project, form.cleaned_data["token"], request.user)
    return render(request, "dashboard/check_token.html", context)


# Pages ----------------------------------------------------------------------------------------------------------------


@action(Role.ADMIN)
def test_page(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Say whether the page at an address may use the SDK, and what would have to be added."""
    project = find_project(request, project_id)
    form = PageForm(request.POST)
    verdict = None
    if form.is_valid():
        try:
            verdict = pages_allowed.judge(project, form.cleaned_data["address"])
        except ValidationError as error:
            form.add_error("address", error)
    return _render(request, project, page_form=form, verdict=verdict)


@action(Role.ADMIN)
def allow_page(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Add a line to the allowed origins, to the return URLs, or to both."""
    project = find_project(request, project_id)
    form = SdkForm.adding(project, request.POST.getlist("origin"), request.POST.getlist("return_url"))
    if not form.is_valid():
        return _render(request, project, form=form)
    if form.has_changed():
        form.save()
        audit.record(project, request.user, "SDK settings changed", change=audit.change_in(form))
    messages.success(request, "It is added, and counts within seconds.")
    return redirect("dashboard:sdk_settings", project.pk)
