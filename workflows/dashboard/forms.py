import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from integrations import http
from integrations.dashboard.forms import FilterForm, LinesField, PeriodForm, whole
from integrations.dashboard.meanwhile import MeanwhileModel
from integrations.dashboard.names import NameField, clean_address
from integrations.errors import PermanentError
from integrations.models import Connection, Event, Integration, Project
from workflows.models import AlertRule, ProjectSecret, Run, Workflow

# Only the type checker's ModelForm takes the model's type.
if TYPE_CHECKING:
    AlertModelForm = forms.ModelForm[AlertRule]
else:
    AlertModelForm = forms.ModelForm
SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]{0,59}")
NAME_RULE = "Letters, digits, _ and - only, and no digit at its beginning."
MOST_SECRETS = 100


class NewWorkflowForm(forms.Form):
    name = NameField(max_length=120, label="Name", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    integration = forms.ModelChoiceField(queryset=Integration.objects.none(), label="Integration", empty_label=None)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["integration"]
        field.queryset = Integration.objects.filter(project=project).select_related("project")
        field.label_from_instance = lambda integration: integration.provider.name


STATUS_FILTERS = [
    ("", "Any status"),
    ("bad", "Failed or uncertain"),
    ("active", "Under way"),
    *[(value, label) for value, label in Run.Status.choices],
]


class RunFilterForm(PeriodForm):
    status = forms.ChoiceField(choices=STATUS_FILTERS, required=False)
    workflow = forms.ModelChoiceField(queryset=Workflow.objects.none(), required=False, empty_label="Any workflow")
    integration = forms.ModelChoiceField(
        queryset=Integration.objects.none(), required=False, empty_label="Any integration"
    )
    user = forms.CharField(required=False, label="User ID", max_length=255, widget=whole("The whole ID"))
    since = forms.DateTimeField(
        required=False, label="From (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        required=False, label="To (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    error = forms.CharField(required=False, label="Text in the error", max_length=100)
    tests = forms.BooleanField(required=False, label="Tests too")

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        workflow: Any = self.fields["workflow"]
        workflow.queryset = Workflow.objects.written().filter(project=project)
        integration: Any = self.fields["integration"]
        integration.queryset = Integration.objects.filter(project=project).select_related("project")
        integration.label_from_instance = lambda found: found.provider.name


class EventFilterForm(FilterForm):
    state = forms.ChoiceField(required=False, choices=[("", "Any outcome"), *Event.State.choices], label="Outcome")
    source = forms.ChoiceField(required=False, choices=[("", "Any way"), *Event.Source.choices], label="Came by")
    name = forms.CharField(required=False, label="Event", max_length=120, widget=whole("Its whole name"))
    user = forms.CharField(required=False, label="User ID", max_length=255, widget=whole("The whole ID"))
    # Set by links of a connection's page, and kept by the filter.
    connection = forms.ModelChoiceField(
        queryset=Connection.objects.none(), required=False, widget=forms.HiddenInput, label=""
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        connection: Any = self.fields["connection"]
        connection.queryset = Connection.objects.filter(project=project)

    def clean(self) -> dict[str, Any]:
        """Take an event by the title that the list shows, too."""
        found = self.cleaned_data
        wanted = str(found.get("name") or "").casefold()
        if not wanted:
            return found
        by_way = {label.casefold(): value for value, label in Event.Source.choices}
        if wanted in by_way and not found.get("source"):
            return found | {"name": "", "source": by_way[wanted]}
        return found | {"name": self._names().get(wanted, found["name"])}

    def _names(self) -> dict[str, str]:
        providers = [integration.provider for integration in Integration.objects.filter(project=self.project)]
        return {trigger.title.casefold(): trigger.slug for provider in providers for trigger in provider.triggers}


class SecretForm(forms.Form):
    # The browser checks the name, too: a value that was refused with it would have to be typed again.
    name = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"pattern": SECRET_NAME.pattern, "title": NAME_RULE, "spellcheck": "false"}),
        help_text="As it is used in workflows: {{secrets.NAME}}",
    )
    value = forms.CharField(
        max_length=8000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
        help_text="Nobody can read it again. Saving a name that exists replaces its value.",
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        self.project = project
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not SECRET_NAME.fullmatch(name):
            raise ValidationError(NAME_RULE)
        mine = ProjectSecret.objects.filter(project=self.project)
        if mine.count() >= MOST_SECRETS and not mine.filter(name=name).exists():
            raise ValidationError(f"A project can have {MOST_SECRETS} secrets at most.")
        return name


class EmailsField(LinesField):
    most_lines = 20

    def clean_line(self, line: str) -> str:
        return clean_address(line)

    def clean(self, value: Any) -> Any:
        """No mail server tells capitals from small letters, so two that differ in nothing else are one mailbox."""
        first: dict[str, str] = {}
        for address in super().clean(value):
            first.setdefault(address.lower(), address)
        return list(first.values())


class AlertForm(MeanwhileModel, AlertModelForm):
    emails = EmailsField(required=False, label="E-mail addresses", help_text="One a line.")

    class Meta:
        model = AlertRule
        fields = ["emails", "webhook_url"]
        labels = {"webhook_url": "Webhook address"}
        help_texts = {"webhook_url": "Called with a signed POST (Standard Webhooks) when runs fail."}

    def clean_webhook_url(self) -> str:
        url = str(self.cleaned_data["webhook_url"]).strip()
        if url:
            try:
                http.check_open(url)
            except PermanentError as error:
                raise ValidationError(str(error)) from None
        return url
