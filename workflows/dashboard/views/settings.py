"""Settings › Secrets and Settings › Alerts."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations import audit
from integrations.dashboard.access import Role, action, find_project, form_page
from integrations.dashboard.accounts import can_mail
from workflows import alerts as alerting
from workflows import masking
from workflows.dashboard.forms import AlertForm, SecretForm
from workflows.models import AlertRule, ProjectSecret, Workflow


@form_page(Role.ADMIN)
def secrets(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    form = SecretForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        ProjectSecret.objects.keep(project, name, form.cleaned_data["value"])
        audit.record(project, request.user, "secret set", name)
        messages.success(request, f"{name} is set. Use it as {{{{secrets.{name}}}}}.")
        return redirect("workflows:secrets", project.pk)
    context = {"project": project, "section": "settings", "tab": "secrets", "form": form}
    return render(
        request, "workflows/secrets.html", {**context, "secrets": ProjectSecret.objects.filter(project=project)}
    )


@form_page(Role.ADMIN)
def delete_secret(request: HttpRequest, project_id: uuid.UUID, secret_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    secret = get_object_or_404(ProjectSecret, project=project, pk=secret_id)
    if request.method != "POST":
        workflows = Workflow.objects.filter(project=project).select_related("deployed")
        used_by = [each for each in workflows if secret.name in masking.names_in(_written(each))]
        context = {"project": project, "section": "settings", "tab": "secrets", "secret": secret}
        return render(request, "workflows/delete_secret.html", {**context, "used_by": used_by})
    secret.delete()
    audit.record(project, request.user, "secret deleted", secret.name)
    messages.success(request, f"{secret.name} is deleted. Steps that use it fail from now on.")
    return redirect("workflows:secrets", project.pk)


def _written(workflow: Workflow) -> list[Any]:
    """Return what may run: the draft, and what is deployed."""
    return [workflow.draft, workflow.deployed.definition if workflow.deployed else {}]


@form_page(Role.ADMIN)
def alerts(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    rule = AlertRule.objects.filter(project=project).first() or AlertRule(project=project)
    form = AlertForm(request.POST or None, instance=rule)
    context = {"project": project, "section": "settings", "tab": "alerts", "form": form, "rule": rule}
    context["can_mail"] = can_mail()
    if request.method == "POST" and form.is_valid():
        change = audit.change_in(form, hidden=["webhook_url"])  # in many products the address is the secret
        rule = form.save()
        if rule.webhook_url and (not rule.webhook_secret_sealed or "new_secret" in request.POST):
            shown_once = alerting.new_secret()
            rule.seal("webhook_secret", shown_once)
            rule.save(update_fields=["webhook_secret_sealed"])
            context |= {"secret": shown_once, "form": AlertForm(instance=rule)}
        audit.record(project, request.user, "alerts changed", change=change)
        messages.success(request, "The alerts are saved.")
        if "secret" not in context:
            return redirect("workflows:alerts", project.pk)
    return render(request, "workflows/alerts.html", context)


@action(Role.ADMIN)
def test_alert(request: HttpRequest, project_id: uuid.UUID) -> HttpResponse:
    project = find_project(request, project_id)
    rule = get_object_or_404(AlertRule.objects.select_related("project"), project=project)
    try:
        alerting.deliver(rule, alerting.test_message(rule))
    except alerting.AlertFailed as failure:
        messages.error(request, str(failure))
    else:
        if rule.webhook_url or can_mail():
            messages.success(request, "The test left. It should arrive in a moment.")
        if rule.emails and not can_mail():
            messages.warning(request, "This server sends no e-mail: the message stands in its output only.")
    return redirect("workflows:alerts", project.pk)
