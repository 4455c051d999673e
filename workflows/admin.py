"""Workflows in the admin: look at everything; pause, deploy and replay through the same functions as the dashboard."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import audit
from integrations.admin import Audited, EventAdmin, TabularInline
from integrations.admin_lists import Endless, ReadOnly
from integrations.dashboard.names import NameField
from integrations.models import Event
from workflows import deploy, dispatch, runs
from workflows.models import AlertRule, Enablement, ProjectSecret, Run, StepRun, Workflow, WorkflowVersion
from workflows.models.run import TRIGGER_LABELS


class StartsWithFilter(admin.SimpleListFilter):
    title, parameter_name = "starts with", "trigger_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(TRIGGER_LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> QuerySet[Workflow]:
        return queryset.filter(trigger_type=self.value()) if self.value() else queryset


class WorkflowForm(forms.ModelForm):  # type: ignore[type-arg]
    """It knows on which revision it is based, as the builder does: of two who change a workflow, the later is told."""

    class Meta:
        model = Workflow
        fields = ("name", "description", "is_default_on", "is_hidden", "position", "revision")
        field_classes = {"name": NameField}
        widgets = {"revision": forms.HiddenInput}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("revision") != self.initial["revision"]:
            raise ValidationError("This workflow was changed elsewhere meanwhile. Open this page anew to see how.")
        return data


@admin.register(Workflow)
class WorkflowAdmin(Audited):
    """Name, description and switches are changed here; the steps in the builder, which checks them."""

    changed = "workflow changed"
    form = WorkflowForm
    list_display = ("name", "project", "integration", "state", "trigger_type", "is_default_on", "updated_at")
    list_filter = ("is_paused", StartsWithFilter, "is_default_on", "is_hidden")
    list_select_related = ("project", "integration__project", "deployed")
    search_fields = ("name", "project__name")
    fields = (
        *("name", "description", "is_paused", "is_default_on", "is_hidden", "position"),
        *("builder", "definition", "revision"),
    )
    readonly_fields = ("is_paused", "builder", "definition")
    actions = ("pause", "go_on", "undeploy")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        return super().get_queryset(request).filter(action_slug="")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("workflows.delete_workflow")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the workflows only: what goes with them may be a million runs, which nobody could read."""
        names = [f"{workflow}, with its versions and runs" for workflow in objs]
        return names, {"workflows": len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        deploy.delete(obj, request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        for workflow in queryset.select_related("project"):
            deploy.delete(workflow, request.user)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Only what was changed: the draft may be another by now.
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        if changed:
            Workflow.objects.filter(pk=obj.pk).update(**changed, revision=F("revision") + 1, updated_at=Now())
        self.note(request, obj.project, form, obj.name)

    @admin.display(description="State")
    def state(self, workflow: Workflow) -> str:
        if workflow.deployed is None:
            return "Draft"
        return "Paused" if workflow.is_paused else f"Deployed v{workflow.deployed.number}"

    @admin.display(description="Builder")
    def builder(self, workflow: Workflow) -> SafeString:
        url = reverse("workflows:build", args=[workflow.project_id, workflow.pk])
        return format_html('<a href="{}">Open the builder</a>', url)

    @admin.display(description="Deployed definition")
    def definition(self, workflow: Workflow) -> str:
        if workflow.deployed is None:
            return "–"
        text = json.dumps(workflow.deployed.definition, indent=2, ensure_ascii=False)
        return format_html('<pre tabindex="0">{}</pre>', text)

    @admin.action(description="Pause")
    def pause(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self._switch(request, rows, is_paused=True)

    @admin.action(description="Let go on")
    def go_on(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self._switch(request, rows, is_paused=False)

    def _switch(self, request: HttpRequest, rows: QuerySet[Workflow], *, is_paused: bool) -> None:
        count = 0
        for workflow in rows:
            deploy.pause(workflow, request.user, is_paused=is_paused)
            count += 1
        messages.success(request, f"{count} {'paused' if is_paused else 'going on'}.")

    @admin.action(description="Undeploy")
    def undeploy(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        for workflow in rows:
            deploy.undeploy(workflow, request.user)
        messages.success(request, "Undeployed: nothing starts them any more.")


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(ReadOnly):
    list_display = ("workflow", "number", "created_at", "created_by")
    list_select_related = ("workflow", "created_by")
    search_fields = ("workflow__name",)


@admin.register(Enablement)
class EnablementAdmin(ReadOnly):
    list_display = ("workflow", "connection", "is_enabled", "updated_at")
    list_filter = ("is_enabled",)
    list_select_related = ("workflow", "connection__grant")
    search_fields = ("workflow__name", "connection__user__sub")


@admin.register(ProjectSecret)
class ProjectSecretAdmin(ReadOnly):
    list_display = ("name", "project", "set_at")
    list_select_related = ("project",)
    search_fields = ("name", "project__name")
    fields = ("project", "name", "set_at")


@admin.register(AlertRule)
class AlertRuleAdmin(ReadOnly):
    list_display = ("project", "webhook_url", "sent_at", "last_error")
    list_select_related = ("project",)
    search_fields = ("project__name",)
    fields = ("project", "emails", "webhook_url", "sent_at", "last_error")


class StepInline(TabularInline):
    model = StepRun
    extra = 0
    can_delete = False
    fields = ("path", "iteration", "status", "attempts", "milliseconds", "error")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(Endless):
    list_display = ("id", "workflow", "project", "sub", "status", "created_at", "short_reason")
    list_filter = ("status", "is_test")
    list_select_related = ("workflow", "project")
    search_help_text = "A user ID"
    exactly = ("sub",)
    inlines = (StepInline,)
    exclude = ("lease_owner",)
    actions = ("replay", "cancel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        related = ("project", "version", "workflow__deployed", "connection__user", "event")
        return super().get_queryset(request).select_related(*related)

    @admin.display(description="Reason")
    def short_reason(self, run: Run) -> str:
        return run.reason[:80]

    @admin.action(description="Replay")
    def replay(self, request: HttpRequest, rows: QuerySet[Run]) -> None:
        count = 0
        for run in rows[:500]:
            try:
                again = runs.replay(run)
                count += 1
            except runs.RunRefused as refusal:
                messages.error(request, f"{run.pk}: {refusal}")
            else:
                audit.record(run.project, request.user, "run replayed", f"{run.pk} as {again.pk}")
        messages.success(request, f"{count} started again.")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, rows: QuerySet[Run]) -> None:
        for run in rows[:500]:
            if runs.cancel(run):
                audit.record(run.project, request.user, "run cancelled", str(run.pk))
        messages.success(request, "What was not over is being cancelled.")


@admin.register(StepRun)
class StepRunAdmin(ReadOnly):
    """Steps are found by their run, and looked at on its page."""

    sortable_by = ()
    list_display = ("path", "iteration", "type", "status", "attempts", "milliseconds", "error")
    list_filter = ("status",)
    ordering = ("-id",)


@admin.action(description="Replay: dispatch them once more, as new events")
def replay_events(admin_of_events: Any, request: HttpRequest, rows: QuerySet[Event]) -> None:
    for event in rows.select_related("project")[:500]:
        again = dispatch.replay(event)
        audit.record(event.project, request.user, "event replayed", f"{event.pk} as {again.pk}")
    messages.success(request, "They are replayed, and listed as new events.")


EventAdmin.actions = (replay_events,)  # type: ignore[misc]
