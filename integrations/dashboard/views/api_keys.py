"""Settings › API keys: for the customer's back ends and tools. A key is shown once, on the page that made it."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations.api import keys
from integrations.api.scopes import SCOPES
from integrations.dashboard.access import Role, find_project, form_page, of_project, page_for
from integrations.dashboard.forms import ApiKeyForm
from integrations.models import ApiKey, Project

REVOKED_SHOWN = 10


@page_for(Role.ADMIN)
def api_keys(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    every = ApiKey.objects.filter(project=project).select_related("created_by")
    context = {
        "keys": every.kept(),
        "revoked_keys": every.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        "most_keys": keys.MOST_KEYS,
    }
    return render(request, "dashboard/api_keys.html", _context(project) | context)


@form_page(Role.ADMIN)
def new_api_key(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """Make a key and show it on this one answer, which no cache may keep (see access.py)."""
    project = find_project(request, project_id)
    only_reads = request.GET.get("for") == "reading"
    form = ApiKeyForm(request.POST or None, project=project, only_reads=only_reads)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            key, text = keys.make(project, wanted["name"], wanted["scopes"], request.user, days=wanted["days"])
        except keys.TooManyKeys as error:
            form.add_error(None, str(error))
        else:
            context = {"key": key, "key_text": text, "curl": _curl(key, text)}
            return render(request, "dashboard/api_key_made.html", _context(project) | context)
    return render(request, "dashboard/new_api_key.html", _context(project) | {"form": form})


def _curl(key: ApiKey, text: str) -> str:
    """Return a first call to try with a key, "" where it may not read anything."""
    example = next((scope.example for scope in SCOPES if scope.name in key.scopes and scope.example), "")
    address = f"{settings.PUBLIC_URL}/projects/{key.project_id}/{example}"
    return f'curl "{address}" \\\n  -H "Authorization: Bearer {text}"' if example else ""


@form_page(Role.ADMIN)
def revoke_api_key(request: HttpRequest, project_id: uuid.UUID, api_key_id: uuid.UUID) -> HttpResponse:
    """Ask, then revoke: the next call with the key is refused."""
    project = find_project(request, project_id)
    key = of_project(project, get_object_or_404(ApiKey.objects.kept(), project=project, pk=api_key_id))
    if request.method == "POST":
        keys.revoke(key, request.user)
        messages.success(request, f"{key.name} is revoked.")
        return redirect("dashboard:api_keys", project.pk)
    return render(request, "dashboard/revoke_api_key.html", _context(project) | {"key": key})


def _context(project: Project) -> dict[str, Any]:
    return {"project": project, "section": "settings", "tab": "api_keys"}
