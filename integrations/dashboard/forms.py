"""The dashboard's forms. What they may do is decided in setup.py and keys.py; here it is said at the field."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from integrations import setup
from integrations.dashboard.keys import clean_public_key
from integrations.models import Integration, Member, OAuthApp, Project
from integrations.models.project import LOOPBACK, clean_origin
from integrations.providers import catalog
from integrations.providers.base import Scope

MOST_LINES = 50

# Only the type checker's ModelForm takes the model's type.
if TYPE_CHECKING:
    ProjectModelForm = forms.ModelForm[Project]
else:
    ProjectModelForm = forms.ModelForm


class ProjectForm(ProjectModelForm):
    class Meta:
        model = Project
        fields = ["name", "kind"]
        widgets = {"kind": forms.RadioSelect, "name": forms.TextInput(attrs={"autocomplete": "off"})}
        help_texts = {
            "name": "What your team calls the product, or this stage of it.",
            "kind": "Development may use development keys and local addresses. Production may use neither.",
        }


class ProjectSettingsForm(ProjectForm):
    class Meta(ProjectForm.Meta):
        fields = ["name", "kind", "call_log_days"]
        labels = {"call_log_days": "Keep the call log for (days)"}
        help_texts = {
            **ProjectForm.Meta.help_texts,
            "call_log_days": "Blank keeps it as long as the operator of this server has set. Bodies are never logged.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["call_log_days"].validators += [MinValueValidator(1), MaxValueValidator(3650)]
        self.fields["call_log_days"].widget.attrs |= {"min": 1, "max": 3650}

    def clean_kind(self) -> str:
        kind = str(self.cleaned_data["kind"])
        if kind == Project.Kind.PRODUCTION and "kind" in self.changed_data:
            obstacles = setup.production_obstacles(self.instance)
            if obstacles:
                raise ValidationError(["This project cannot be a production project yet.", *obstacles])
        return kind


@dataclass(frozen=True)
class ScopeChoice:
    """A row of the permissions: what it is for, and why it can or cannot be changed.

    It may be wanted and yet not chosen: when development keys, which are in use, do not cover it.
    """

    scope: Scope
    is_chosen: bool
    is_wanted: bool
    is_beyond_development: bool

    @property
    def is_fixed(self) -> bool:
        return self.scope.is_required


class IntegrationSettingsForm(forms.Form):
    shared_app = forms.ModelChoiceField(
        OAuthApp.objects.none(),
        required=False,
        label="App",
        empty_label="This project’s own app",
        help_text="A project can use the app of another project that you administer. Both then share its Redirect URL.",
    )
    client_id = forms.CharField(
        label="Client ID",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    client_secret = forms.CharField(
        label="Client Secret",
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    scopes = forms.MultipleChoiceField(required=False, label="Permissions")

    def __init__(self, *args: Any, integration: Integration, actor: Any, **kwargs: Any) -> None:
        self.integration, self.actor, self.notes = integration, actor, list[str]()
        app = integration.oauth_app
        self.shares = app.project_id != integration.project_id
        kwargs.setdefault("initial", {}).update(
            client_id="" if self.shares else app.client_id,
            scopes=app.scopes or integration.provider.recommended_scopes(),
            shared_app=app.pk if self.shares else None,
        )
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["scopes"]
        choices.choices = [(scope.name, scope.name) for scope in integration.provider.scopes]
        self._offer_shared_apps()

    def _offer_shared_apps(self) -> None:
        """An app that is shared already stays on offer, even to someone who could not choose it anew."""
        field: Any = self.fields["shared_app"]
        apps = setup.sharable_apps(self.integration, self.actor)
        field.queryset = apps | OAuthApp.objects.filter(pk=self.integration.oauth_app_id) if self.shares else apps
        field.queryset = OAuthApp.objects.filter(pk__in=field.queryset.values("pk")).select_related("project")
        field.label_from_instance = lambda app: f"{app.project}: {app.client_id[:24]}"
        if not self.shares and not apps.exists():
            del self.fields["shared_app"]

    def clean_client_id(self) -> str:
        return _without_spaces(self.cleaned_data["client_id"], "client ID")

    def clean_client_secret(self) -> str:
        return _without_spaces(self.cleaned_data["client_secret"], "client secret")

    def wanted(self) -> setup.Wanted:
        data = self.cleaned_data
        shared = data.get("shared_app")
        return setup.Wanted(
            client_id="" if shared else data["client_id"],
            secret="" if shared else data["client_secret"],
            scopes=data["scopes"],
            shared_app=shared,
        )

    def save(self, *, is_confirmed: bool) -> bool:
        """Save and return True, or say at the field why not. `notes` is what to tell. Raises NeedsConfirmation."""
        try:
            self.notes = setup.save_settings(self.integration, self.wanted(), self.actor, is_confirmed=is_confirmed)
        except setup.SetupRefused as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
        return not self.errors

    def scope_choices(self) -> list[ScopeChoice]:
        chosen = self["scopes"].value() or []
        limit = self._development_scopes()
        return [
            ScopeChoice(
                scope,
                is_chosen=scope.is_required or (scope.name in chosen and (limit is None or scope.name in limit)),
                is_wanted=scope.name in chosen,
                is_beyond_development=limit is not None and scope.name not in limit and not scope.is_required,
            )
            for scope in self.integration.provider.scopes
        ]

    def _development_scopes(self) -> list[str] | None:
        """Return what the development keys cover, None when the settings on the page do not use them."""
        app = OAuthApp.objects.development(self.integration.provider_slug)
        if app is None or self["client_id"].value() or self.shares or self.integration.project.is_production:
            return None
        return list(app.scopes)


def _without_spaces(text: str, name: str) -> str:
    if re.search(r"\s", text):
        raise ValidationError(f"A {name} has no spaces or line breaks in it. Copy it again.")
    return text


class LinesField(forms.CharField):
    """One entry a line; every line that is wrong is named."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
    most_lines = MOST_LINES

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean_line(self, line: str) -> str:
        return line

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != _lines(data or "")

    def clean(self, value: Any) -> Any:
        lines = _lines(super().clean(value))
        if len(lines) > self.most_lines:
            raise ValidationError(f"At most {self.most_lines} lines are accepted.")
        found: list[str] = []
        errors: list[str] = []
        for number, line in enumerate(lines, start=1):
            try:
                found.append(self.clean_line(line))
            except ValidationError as error:
                errors.append(f"Line {number}: {error.messages[0]}")
        if errors:
            raise ValidationError(errors)
        return list(dict.fromkeys(found))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class OriginsField(LinesField):
    def clean_line(self, line: str) -> str:
        try:
            return clean_origin(line)
        except ValueError:
            raise ValidationError(f"“{line}” is not an origin. Write something like https://app.example.com") from None


class ReturnUrlsField(LinesField):
    def clean_line(self, line: str) -> str:
        try:
            parts = urlsplit(line)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
            origin = clean_origin(f"{parts.scheme}://{parts.netloc}") if is_web else ""
        except ValueError:
            origin = ""
        if not origin or len(line) > 500 or parts.fragment:
            raise ValidationError(f"“{line}” is not a page address. Write one like https://app.example.com/connected")
        if not origin.startswith("https://") and not LOOPBACK.fullmatch(origin):
            raise ValidationError(f"“{line}” must begin with https://")
        return origin + line.partition("://")[2][len(parts.netloc) :]


class SdkForm(ProjectModelForm):
    allowed_origins = OriginsField(
        required=False,
        help_text="One a line: the pages that may use the SDK and frame the portal, such as https://app.example.com",
    )
    return_urls = ReturnUrlsField(
        required=False,
        label="Return URLs",
        help_text="One a line: where the popup may end when the page that opened it is gone. Each must be on an"
        " allowed origin.",
    )

    class Meta:
        model = Project
        fields = [
            "allowed_origins",
            "allow_loopback_origins",
            "return_urls",
            "accept_tokens_without_audience",
            "connect_without_claim",
        ]
        labels = {
            "allow_loopback_origins": "Also allow every localhost and 127.0.0.1 address",
            "accept_tokens_without_audience": "Accept user tokens without an audience",
            "connect_without_claim": "Connect without a claim",
        }
        help_texts = {
            "allow_loopback_origins": "For development on your own machine. Refused in a production project.",
            "accept_tokens_without_audience": "Only while you migrate: a token that names no audience, signed with the"
            " same key for another service, would be accepted here too.",
            "connect_without_claim": "Only where the page that opened the popup cannot claim the result. An end user is"
            " then asked to confirm by a click, and may be talked into connecting someone else’s account.",
        }

    def clean_allow_loopback_origins(self) -> bool:
        allow = bool(self.cleaned_data["allow_loopback_origins"])
        if allow and self.instance.is_production:
            raise ValidationError("A production project cannot allow addresses of a developer’s own machine.")
        return allow

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        origins, returns = data.get("allowed_origins"), data.get("return_urls")
        if origins is None or returns is None:
            return data
        trial = Project(allowed_origins=origins, allow_loopback_origins=data.get("allow_loopback_origins", False))
        for url in returns:
            if not trial.allows_origin(_origin(url)):
                self.add_error("return_urls", f"“{url}” is on no allowed origin. Add {_origin(url)} above first.")
        return data


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class NewKeyForm(forms.Form):
    name = forms.CharField(
        max_length=80,
        required=False,
        label="Name of the new key",
        widget=forms.TextInput(attrs={"placeholder": "Back end, 2026", "autocomplete": "off"}),
    )


class PublicKeyForm(forms.Form):
    key_name = forms.CharField(max_length=80, required=False, label="Name")
    public_key = forms.CharField(
        label="Public key",
        max_length=5000,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "placeholder": "-----BEGIN PUBLIC KEY-----"}),
    )

    def clean_public_key(self) -> str:
        try:
            return clean_public_key(self.cleaned_data["public_key"])
        except ValidationError:
            self._forget("public_key")
            raise

    def _forget(self, name: str) -> None:
        """A private key must not be sent back to the browser in the form that refuses it."""
        if "PRIVATE KEY" in str(self.data.get(name, "")):
            self.data = {**self.data.dict(), name: ""} if isinstance(self.data, QueryDict) else {}


class MemberForm(forms.Form):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Member.Role.choices, initial=Member.Role.ADMIN)


class UserFilterForm(forms.Form):
    HEALTH = [
        ("", "Any health"),
        ("reconnect", "Needs reconnect"),
        ("connected", "Connected"),
        ("none", "No connection"),
    ]
    q = forms.CharField(
        required=False,
        label="User ID, name or e-mail begins with",
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    health = forms.ChoiceField(required=False, choices=HEALTH, label="Health")


class CallFilterForm(forms.Form):
    STATUS = [("", "Any status"), ("2", "2xx: done"), ("3", "3xx"), ("4", "4xx: refused"), ("5", "5xx: failed")]
    user = forms.CharField(
        required=False, label="User ID", max_length=255, widget=forms.TextInput(attrs={"type": "search"})
    )
    provider = forms.ChoiceField(required=False, label="Integration")
    status = forms.ChoiceField(required=False, choices=STATUS, label="Status")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["provider"]
        field.choices = [("", "Any integration"), *((provider.slug, provider.name) for provider in catalog())]
