"""The portal editor: a form, and beside it the portal itself, which the page tells what an SDK would."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.clickjacking import xframe_options_sameorigin

from integrations import clock, language, tokens
from integrations.activity import plain_words
from integrations.dashboard.access import Role, find_integration, form_page, page_for
from integrations.dashboard.portal_form import OfferOrder, PortalForm, arranged, save
from integrations.models import Integration, Portal
from integrations.portal.frame import show
from integrations.portal.look import look_of
from integrations.sdk import shapes


@form_page(Role.DEVELOPER)
def editor(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    """Edit the portal. Only the Save button saves; all else that is posted is a draft, shown as it would look."""
    integration = find_integration(request, project_id, slug)
    portal = Portal.objects.of(integration)
    data = request.POST if request.method == "POST" else None
    is_draft = data is not None and "save" not in data
    form, order = PortalForm(data, instance=portal), OfferOrder(portal, data, is_draft=is_draft)
    form.is_draft = is_draft
    is_good = form.is_valid() and not order.problem
    if "save" in request.POST and is_good:
        save(form, order, request.user)
        messages.success(request, f"Saved. Users see it when they next open {integration.provider.name}’s portal.")
        return redirect("dashboard:portal", project_id, slug)
    with _asked_language(request):
        look, sample = look_of(form.instance), _sample(integration, order)
    context = {
        "project": integration.project,
        "section": "integrations",
        "integration": integration,
        "provider": integration.provider,
        "tab": "portal",
        "form": form,
        "order": order,
        "is_draft": data is not None,
        "look": look,
        "sample": sample,
        "languages": settings.LANGUAGES,
    }
    response = render(request, "dashboard/portal.html", context)
    response._csp_update = {"frame-src": ["'self'"]}  # type: ignore[attr-defined]
    return response


@page_for(Role.DEVELOPER)
@xframe_options_sameorigin
def preview(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    """The portal's own page, for the editor's frame: it listens to the editor as it listens to an SDK elsewhere."""
    integration = find_integration(request, project_id, slug)
    here = f"{request.scheme}://{request.get_host()}"
    with _asked_language(request):
        looks = [look_of(Portal.objects.of(integration))]
        response = show(request, integration.project, looks, origins=[here], preview=True)
    response._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
    return response


def _asked_language(request: HttpRequest) -> translation.override:
    """The language chosen above the preview. The browser's own has no say: its user is no end user."""
    return translation.override(language.known(request.GET.get("lang", "")) or settings.LANGUAGE_CODE)


# What the preview shows -----------------------------------------------------------------------------------------------


def _sample(integration: Integration, order: OfferOrder) -> dict[str, Any]:
    """Return somebody who is connected, as the SDK's messages describe it, and what was done in their name."""
    described = shapes.integration(integration, connected=True, is_full=False)
    values = described["configs"][0]["values"]
    values["workflowMeta"] = arranged(values["workflowMeta"], order.offers)
    now = clock.now()
    return {
        "integration": described,
        "credential": {
            "id": "sample",
            "status": "VALID",
            "providerId": "sample",
            "providerData": {"accountName": "Ada Park", "siteName": "Example", "siteUrl": "https://example.com"},
            "dateCreated": (now - timedelta(days=40)).isoformat(),
            "configurations": [{"sharedSettings": {}, "workflowSettings": _switched(described)}],
        },
        "reason": translation.gettext(tokens.ENDED) % {"provider": integration.provider.name},
        "activity": [
            {"at": (now - timedelta(minutes=3)).isoformat(), "outcome": "done", **_deed(described, 0)},
            {"at": (now - timedelta(hours=5)).isoformat(), "outcome": "refused", **_deed(described, 1)},
            {"at": (now - timedelta(days=1)).isoformat(), "outcome": "done", **_deed(described, 2)},
        ],
    }


def _switched(described: dict[str, Any]) -> dict[str, Any]:
    """The first workflow is on, so that both positions of a switch are to be seen."""
    ids = [workflow["id"] for workflow in described["workflows"]]
    return {key: {"enabled": index == 0, "settings": {}} for index, key in enumerate(ids)}


def _deed(described: dict[str, Any], index: int) -> dict[str, str]:
    names = [workflow["description"] for workflow in described["workflows"]]
    if index == 0 and names:
        return {"title": names[0], "detail": ""}
    return {"title": plain_words(("POST", "GET")[index % 2]), "detail": ""}
