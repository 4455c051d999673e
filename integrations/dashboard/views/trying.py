"""Try it: connect an account of one's own, and call the provider with it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from integrations import audit, test_tokens, try_it
from integrations.connect import ConnectError
from integrations.dashboard.access import Role, action, find_integration, find_project
from integrations.dashboard.forms import TryForm
from integrations.dashboard.views.integrations import render_overview
from integrations.portal import popup


@action(Role.DEVELOPER)
def connect_test_account(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    """Go to the provider's consent page in this window; the callback comes back to the integration's page."""
    integration = find_integration(request, project_id, slug)
    nonce = popup.new_nonce(request)
    try:
        response = redirect(try_it.begin(integration, _user(request), nonce))
    except ConnectError as error:
        messages.error(request, str(error))
        return redirect("dashboard:integration", project_id, slug)
    popup.remember_browser(response, nonce)
    return response


@action(Role.DEVELOPER)
def call(request: HttpRequest, project_id: uuid.UUID, slug: str) -> HttpResponse:
    integration = find_integration(request, project_id, slug)
    form = TryForm(request.POST)
    attempt = None
    if form.is_valid():
        given = form.cleaned_data
        attempt = try_it.call(integration, _user(request), given["method"], given["path"], given["body"])
    return render_overview(request, integration, try_form=form, attempt=attempt)


@action(Role.DEVELOPER)
def test_token(request: HttpRequest, project_id: uuid.UUID) -> JsonResponse:
    """Give a user token for one's own test account, to try the API with from the manual."""
    project = find_project(request, project_id)
    audit.record(project, request.user, "test token made")
    return JsonResponse({"token": test_tokens.issue(project, _user(request)), "seconds": test_tokens.SECONDS})


def _user(request: HttpRequest) -> Any:
    return request.user
