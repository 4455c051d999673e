import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as conf
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html

from integrations import connect, setup, try_it
from integrations.dashboard.access import Role, action, find_integration, find_project, form_page, page
from integrations.dashboard.forms import IntegrationSettingsForm, TryForm
from integrations.dashboard.paging import page_of
from integrations.dashboard.snippets import snippets
from integrations.models import Connection, Integration
from integrations.providers import SLUGS


@page
def integrations(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    """The project's integrations; one row a provider, so there are never more than the catalog has."""
    project = find_project(request, project_id)
    found = Integration.objects.filter(project=project, provider_slug__in=SLUGS).select_related("oauth_app", "project")
    context = {"project": project, "section": "integrations", "integrations": found.with_counts()}
    return render(request, "dashboard/integrations.html", context)


@page
def overview(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    integration = find_integration(request, project_id, slug)
    return render_overview(request, integration, try_form=_example_form(request, integration))


def _example_form(request: HttpRequest, integration: Integration) -> TryForm:
    """Return the form of Try it, filled in with the example that the address asks for."""
    examples, wanted = integration.provider.examples, request.GET.get("example", "")
    index = int(wanted) if wanted.isdecimal() and len(wanted) < 3 else 0
    example = examples[index if index < len(examples) else 0]
    return TryForm(initial={"method": example.method, "path": example.path, "body": example.body})


def render_overview(
    request: HttpRequest, integration: Integration, *, try_form: TryForm, attempt: try_it.Attempt | None = None
) -> HttpResponse:
    connections = integration.connections.select_related("grant__app", "user")
    context = {
        **_context(integration, "overview"),
        **to_try(request, integration),
        "snippets": snippets(integration),
        "problem": setup.why_not_active(integration),
        "page": page_of(connections, request, "-created_at"),
        "try_form": try_form,
        "attempt": attempt,
    }
    response = render(request, "dashboard/integration.html", context)
    return may_go_to_consent(response, integration)


def to_try(request: HttpRequest, integration: Integration) -> dict[str, Any]:
    """Return what “Try it” shows: the form of a call, and one's own test account."""
    staff: Any = request.user
    return {
        "integration": integration,
        "provider": integration.provider,
        "try_form": _example_form(request, integration),
        "test_connection": try_it.connection_of(integration, staff),
    }


def may_go_to_consent(response: HttpResponse, integration: Integration) -> HttpResponse:
    """Let a page have the button that connects a test account: it posts here and is sent on to the provider."""
    consent = urlsplit(integration.provider.oauth.authorize_url())
    response._csp_update = {"form-action": [f"{consent.scheme}://{consent.netloc}"]}  # type: ignore[attr-defined]
    return response


@action(Role.DEVELOPER)
def activate(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    integration = find_integration(request, project_id, slug)
    try:
        setup.activate(integration, request.user)
    except setup.SetupRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("dashboard:integration_settings", project_id, slug)
    messages.success(request, f"{integration.provider.name} is active: your users can connect.")
    return redirect("dashboard:integration", project_id, slug)


@action(Role.DEVELOPER)
def deactivate(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    integration = find_integration(request, project_id, slug)
    setup.deactivate(integration, request.user)
    messages.success(request, f"{integration.provider.name} is inactive. Its connections are kept for later.")
    return redirect("dashboard:integration", project_id, slug)


@form_page(Role.DEVELOPER)
def settings(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    integration = find_integration(request, project_id, slug)
    form = IntegrationSettingsForm(_posted(request, integration), integration=integration, actor=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            is_saved = form.save(is_confirmed="confirmed" in request.POST)
        except setup.NeedsConfirmation as question:
            return _ask(request, form, question.users)
        if is_saved:
            _say_saved(request, form)
            if _then(request):
                return activate(request, project_id, slug)
            return redirect("dashboard:integration_settings", project_id, slug)
    context = {
        **_context(integration, "settings"),
        "form": form,
        "app": integration.oauth_app,
        "development_limit": conf.DEVELOPMENT_KEYS_USER_LIMIT,
        "development_refusal": setup.development_refusal(integration),
    }
    return render(request, "dashboard/integration_settings.html", context)


def _posted(request: HttpRequest, integration: Integration) -> QueryDict | None:
    """Return the form's data; a secret that was typed before "Save anyway" was asked comes from the session."""
    held = request.session.pop(_held_name(integration), None)
    if request.method != "POST":
        return None
    data = request.POST.copy()
    if held and "confirmed" in data and not data.get("client_secret") and data.get("client_id") == held["client_id"]:
        data["client_secret"] = setup.held_secret(integration, held["sealed"])
    return data


def _then(request: HttpRequest) -> str:
    """Return what to do once the settings are saved: "activate", or "" for nothing more."""
    return "activate" if request.POST.get("then") == "activate" else ""


def _ask(request: HttpRequest, form: IntegrationSettingsForm, users: int) -> HttpResponse:
    integration, data = form.integration, form.cleaned_data
    sealed = setup.hold_secret(integration, data["client_secret"])
    request.session[_held_name(integration)] = {"client_id": data["client_id"], "sealed": sealed}
    context = {**_context(integration, "settings"), "form": form, "users": users, "then": _then(request)}
    return render(request, "dashboard/integration_confirm.html", context)


def _say_saved(request: HttpRequest, form: IntegrationSettingsForm) -> None:
    messages.success(request, f"The settings of {form.integration.provider.name} are saved.")
    for note in form.notes:
        messages.warning(request, note)


def _held_name(integration: Integration) -> str:
    return f"secret:{integration.pk}"


def _context(integration: Integration, tab: str) -> dict[str, object]:
    return {
        "project": integration.project,
        "section": "integrations",
        "integration": integration,
        "provider": integration.provider,
        "tab": tab,
    }


@form_page(Role.DEVELOPER)
def disconnect(request: HttpRequest, project_id: uuid.UUID, connection_id: uuid.UUID) -> HttpResponse:
    """Ask, then remove one connection."""
    project = find_project(request, project_id)
    connections = Connection.objects.visible_to(request.user).filter(project=project)
    connection = get_object_or_404(
        connections.select_related("integration", "grant", "user", "project"), pk=connection_id
    )
    provider = connection.integration.provider
    if request.method == "POST":
        user_id = connection.user_id
        actor: Any = request.user
        connect.disconnect(connection, actor=actor)
        messages.success(
            request,
            format_html(
                'Disconnected. {} itself still remembers the consent; the user can remove it at <a href="{}">{}</a>',
                provider.name,
                provider.oauth.manage_url,
                provider.oauth.manage_url,
            ),
        )
        return redirect("dashboard:user", project.pk, user_id)
    context = {"project": project, "section": "users", "connection": connection, "provider": provider}
    return render(request, "dashboard/disconnect.html", context)
