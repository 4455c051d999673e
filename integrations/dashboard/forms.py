"""The dashboard's forms. What they may do is decided in setup.py and keys.py; here it is said at the field."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from django import forms
from django.conf import settings as conf
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model, QuerySet
from django.forms.models import model_to_dict
from django.http import QueryDict

from integrations import audit, clock, setup
from integrations.api.scopes import KeyScope, scopes_for
from integrations.call_stats import PERIODS
from integrations.dashboard.keys import clean_public_key
from integrations.dashboard.meanwhile import Meanwhile, MeanwhileModel
from integrations.dashboard.names import AddressField, NameField, as_seen
from integrations.models import Integration, Invitation, Member, OAuthApp, Project, User
from integrations.models.project import LOOPBACK, clean_origin
from integrations.providers import catalog
from integrations.providers.base import Scope

MOST_LINES = 50
Row = TypeVar("Row", bound=Model)

# Only the type checker's ModelForm takes the model's type.
if TYPE_CHECKING:
    ProjectModelForm = forms.ModelForm[Project]
else:
    ProjectModelForm = forms.ModelForm


class ProjectForm(ProjectModelForm):
    class Meta:
        model = Project
        fields = ["name", "kind"]
        field_classes = {"name": NameField}
        widgets = {"kind": forms.RadioSelect, "name": forms.TextInput(attrs={"autocomplete": "off"})}
        help_texts = {
            "name": "What your team calls the product, or this stage of it.",
            "kind": "Development may use development keys and local addresses. Production may use neither.",
        }


class ProjectSettingsForm(MeanwhileModel, ProjectForm):
    class Meta(ProjectForm.Meta):
        fields = ["name", "kind", "call_log_days", "run_log_days"]
        labels = {
            "call_log_days": "Keep the call log for (days)",
            "run_log_days": "Keep runs and events for (days)",
        }
        help_texts = {
            **ProjectForm.Meta.help_texts,
            "call_log_days": "Times, routes and results; bodies are never logged.",
            "run_log_days": "With what each step was given and what it answered. Runs that wait are kept, and events"
            f" for {conf.RUN_LOG_DAYS} days at least, to tell a repetition from what is new.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        defaults = {"call_log_days": conf.CALL_LOG_DAYS, "run_log_days": conf.RUN_LOG_DAYS}
        for name, days in defaults.items():
            # Instead of the column's own, which would say of -5 that it is less than 0, too.
            self.fields[name].validators = [MinValueValidator(1), MaxValueValidator(3650)]
            self.fields[name].widget.attrs |= {"min": 1, "max": 3650, "placeholder": f"{days}, as this server keeps it"}

    def clean_kind(self) -> str:
        kind = str(self.cleaned_data["kind"])
        if kind == Project.Kind.PRODUCTION and "kind" in self.changed_data:
            obstacles = setup.production_obstacles(self.instance)
            if obstacles:
                raise ValidationError(["This project cannot be a production project yet.", *obstacles])
        return kind


class ConfirmForm(forms.Form):
    """Asks for a name before what bears it is deleted."""

    typed = forms.CharField(
        max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # An older name may have characters that nobody can see or type, or nothing else.
        self.name = as_seen(name) or "delete"
        self.fields["typed"].label = f"Type {self.name} to confirm"

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        if as_seen(typed) != self.name:
            raise ValidationError(f"This is not its name. Type {self.name} exactly as it is written here.")
        return typed


class CopyProjectForm(forms.Form):
    target = forms.ModelChoiceField(
        Project.objects.none(),
        label="To",
        empty_label="Choose a project",
        help_text="One of those that you administer. What only it has is left alone.",
    )

    def __init__(self, *args: Any, source: Project, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["target"]
        field.queryset = Project.objects.allowing(actor, Member.Role.ADMIN).exclude(pk=source.pk)


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


class KeysForm(Meanwhile):
    write_only = ("client_secret",)

    def is_meant(self, name: str) -> bool:
        """A secret belongs to the client ID beside which it was typed, never to another that came meanwhile."""
        return name == "client_id" and bool(self.data.get("client_secret"))


class IntegrationSettingsForm(KeysForm, forms.Form):
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

    def untouched(self, name: str) -> Any:
        """A browser sends no box that cannot be ticked, whatever is stored."""
        if name != "scopes":
            return super().untouched(name)
        choices = self._choices(self["scopes"].initial or [], self["client_id"].initial)
        return [choice.scope.name for choice in choices if choice.is_fixed or (choice.is_chosen and not self.shares)]

    def scope_choices(self) -> list[ScopeChoice]:
        return self._choices(self["scopes"].value() or [], self["client_id"].value())

    def _choices(self, chosen: list[str], client_id: str) -> list[ScopeChoice]:
        limit = self._development_scopes(client_id)
        return [
            ScopeChoice(
                scope,
                is_chosen=scope.is_required or (scope.name in chosen and (limit is None or scope.name in limit)),
                is_wanted=scope.name in chosen,
                is_beyond_development=limit is not None and scope.name not in limit and not scope.is_required,
            )
            for scope in self.integration.provider.scopes
        ]

    def _development_scopes(self, client_id: str) -> list[str] | None:
        """Return what the development keys cover, None when the settings on the page do not use them."""
        app = OAuthApp.objects.development(self.integration.provider_slug)
        if app is None or client_id or self.shares or self.integration.project.is_production:
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


class SdkForm(MeanwhileModel, ProjectModelForm):
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

    @classmethod
    def adding(cls, project: Project, origins: list[str], return_urls: list[str]) -> "SdkForm":
        """Return the form as it would be posted with some lines more."""
        data = model_to_dict(project, cls.Meta.fields)
        data["allowed_origins"] = "\n".join([*project.allowed_origins, *origins])
        data["return_urls"] = "\n".join([*project.return_urls, *return_urls])
        return cls(data, instance=project)

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
    name = NameField(
        max_length=80,
        required=False,
        label="Name of the new key",
        widget=forms.TextInput(attrs={"placeholder": "Back end, 2026", "autocomplete": "off"}),
    )


class KeyEndForm(forms.Form):
    """Until when a key that is replaced is still accepted."""

    ENDS = [("1", "1 hour"), ("24", "1 day"), ("168", "7 days"), ("720", "30 days")]
    hours = forms.ChoiceField(
        choices=ENDS, initial="168", label="Accept the old key for another", widget=forms.RadioSelect
    )

    def until(self) -> datetime:
        return clock.now() + timedelta(hours=int(self.cleaned_data["hours"]))


class ChangeEndForm(KeyEndForm):
    """When a key ends that is being replaced already; it may go on after all."""

    hours = forms.ChoiceField(
        choices=[*((hours, f"In {words}") for hours, words in KeyEndForm.ENDS), ("0", "Never: keep both keys")],
        label="The key ends",
        widget=forms.RadioSelect,
    )

    def end(self) -> datetime | None:
        return None if self.cleaned_data["hours"] == "0" else self.until()


class PublicKeyForm(forms.Form):
    key_name = NameField(max_length=80, required=False, label="Name")
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
            forget_private_key(self, "public_key")
            raise


class RotateKeyForm(KeyEndForm):
    name = NameField(max_length=80, label="Name of the new key", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    public_key = forms.CharField(
        label="Public key, if you make the pair yourself",
        required=False,
        max_length=5000,
        help_text="Blank has a pair made here, and its private half shown once.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "-----BEGIN PUBLIC KEY-----"}),
    )
    field_order = ("name", "hours", "public_key")

    def clean_public_key(self) -> str:
        pem = str(self.cleaned_data["public_key"])
        try:
            return clean_public_key(pem) if pem else ""
        except ValidationError:
            forget_private_key(self, "public_key")
            raise


def forget_private_key(form: forms.Form, name: str) -> None:
    """A private key must not be sent back to the browser in the form that refuses it."""
    if "PRIVATE KEY" in str(form.data.get(name, "")):
        form.data = {**form.data.dict(), name: ""} if isinstance(form.data, QueryDict) else {}


class OneWayTextarea(forms.Textarea):
    """Never sends back what was typed into it."""

    def format_value(self, value: Any) -> str:
        return ""


class TokenForm(forms.Form):
    token = forms.CharField(
        label="User token",
        help_text="It is read once: neither stored nor logged, nor sent back to this page. Still, whoever has the token"
        " of a real user can act for them until it expires.",
        widget=OneWayTextarea(
            attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false", "placeholder": "eyJhbGciOiJSUzI1NiIs…"}
        ),
        error_messages={"required": "Paste the token that your back end signed."},
    )

    def clean_token(self) -> str:
        """Return what the API would take from the Authorization header."""
        token = str(self.cleaned_data["token"])
        scheme, _, rest = token.partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else token


class PageForm(forms.Form):
    address = forms.CharField(
        label="Address of a page",
        max_length=2000,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "https://app.example.com/settings"}
        ),
    )


class ApiKeyForm(forms.Form):
    """A new API key. Only scopes are on offer that whoever asks may give away."""

    LIVES = [("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("never", "Never")]
    name = NameField(
        max_length=80,
        label="Name",
        help_text="Where it is used, so that you know what stops when you revoke it.",
        widget=forms.TextInput(attrs={"placeholder": "Support desk", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick what the key is for: without a scope it opens nothing."},
    )
    days = forms.TypedChoiceField(
        choices=LIVES,
        initial="90",
        label="Expires",
        coerce=lambda text: None if text == "never" else int(text),
        help_text="A key that you forget stops by itself. One that never expires is yours to watch.",
    )

    def __init__(self, *args: Any, project: Project, only_reads: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = scopes_for(project)
        choices: Any = self.fields["scopes"]
        choices.choices = [(scope.name, scope.allows) for scope in self.offered]
        self.initial["scopes"] = [scope.name for scope in self.offered if scope.only_reads and only_reads]

    def scope_groups(self) -> list[tuple[str, list[tuple[KeyScope, bool]]]]:
        """Return (title, [(scope, whether it is ticked)]) of what only reads, and of the rest."""
        ticked = self["scopes"].value() or []
        groups = [("It may look up", True), ("It may do", False)]
        return [
            (title, [(scope, scope.name in ticked) for scope in self.offered if scope.only_reads is only_reads])
            for title, only_reads in groups
        ]


class TryForm(forms.Form):
    """A call to make with one's own test account."""

    METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
    method = forms.ChoiceField(choices=[(name, name) for name in METHODS])
    path = forms.CharField(
        max_length=2000,
        label="Path",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    body = forms.CharField(
        required=False,
        max_length=100_000,
        label="Body (JSON)",
        widget=forms.Textarea(attrs={"rows": 7, "spellcheck": "false"}),
    )

    def clean_path(self) -> str:
        path = str(self.cleaned_data["path"])
        if not path.startswith("/"):
            raise ValidationError("Write the path from its first slash on, without scheme and host.")
        return path

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        if body.strip():
            try:
                json.loads(body)
            except (ValueError, RecursionError) as error:
                raise ValidationError(f"This is not JSON: {error}.") from None
        return body


class InvitationForm(forms.Form):
    email = AddressField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        choices=[(role.value, f"{role.label}: {role.may}") for role in Member.Role],
        initial=Member.Role.DEVELOPER,
        widget=forms.RadioSelect,
    )


class ProfileForm(forms.Form):
    name = NameField(
        required=False,
        max_length=150,
        label="Name",
        help_text="The other members of your projects see it beside your e-mail address.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        kwargs["initial"] = {"name": user.get_full_name()}
        super().__init__(*args, **kwargs)

    def save(self) -> None:
        self.user.first_name, self.user.last_name = self.cleaned_data["name"], ""
        self.user.save(update_fields=["first_name", "last_name"])


class JoinForm(forms.Form):
    """Name and password of somebody who is invited and has no account yet."""

    name = NameField(max_length=150, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 10 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        self.invitation = invitation
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self.invitation.email, first_name=self.cleaned_data.get("name", "")))
        return password


class FilterForm(forms.Form):
    """What a list is to show. One that is filled in wrongly asks for nothing, never for everything."""

    def find(self, matching: Callable[[dict[str, Any]], QuerySet[Row]]) -> QuerySet[Row]:
        """Return what `matching` finds for what is wanted; no rows where the form says what is wrong with it."""
        return matching(self.cleaned_data) if self.is_valid() else matching({}).none()

    @property
    def is_filtered(self) -> bool:
        return not self.is_valid() or any(self.cleaned_data.values())

    def as_query(self) -> str:
        """Return the query string of a page that is filtered like this, and says what is wrong."""
        asked = QueryDict(mutable=True)
        asked.update({name: self.data[name] for name in self.fields if self.data.get(name)})
        return f"?{asked.urlencode()}" if asked else ""


class PeriodForm(FilterForm):
    """A filter with `since` and `until`."""

    def clean(self) -> dict[str, Any]:
        wanted = super().clean() or self.cleaned_data
        since, until = wanted.get("since"), wanted.get("until")
        if since and until and until < since:
            self.add_error("until", "This is before what “From” says, so there can be nothing.")
        return wanted


class ByProviderForm(FilterForm):
    provider = forms.ChoiceField(required=False, label="Integration")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["provider"]
        field.choices = [("", "Any integration"), *((provider.slug, provider.name) for provider in catalog())]


class UserSearchForm(FilterForm):
    q = forms.CharField(
        required=False,
        label="User ID, name or e-mail",
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class UserFilterForm(UserSearchForm, ByProviderForm):
    HEALTH = [
        ("", "Any status"),
        ("reconnect", "Needs reconnect"),
        ("connected", "Connected"),
        ("none", "No connection"),
        ("disabled", "Disabled"),
    ]
    health = forms.ChoiceField(required=False, choices=HEALTH, label="Status")
    since = forms.DateField(
        required=False, label="First seen since", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    field_order = ("q", "provider", "health", "since")


def whole(placeholder: str) -> forms.TextInput:
    """A field of a filter that takes a value as a whole."""
    return forms.TextInput(attrs={"type": "search", "placeholder": placeholder})


class CallFilterForm(ByProviderForm):
    STATUS = [("", "Any status"), ("2", "2xx: done"), ("3", "3xx"), ("4", "4xx: refused"), ("5", "5xx: failed")]
    SINCE = [("", "Any time"), ("1", "Last hour"), ("24", "Last 24 hours"), ("168", "Last 7 days")]
    user = forms.CharField(required=False, label="User ID", max_length=255, widget=whole("The whole ID"))
    status = forms.ChoiceField(required=False, choices=STATUS, label="Status")
    since = forms.ChoiceField(required=False, choices=SINCE, label="When")
    route = forms.CharField(
        required=False,
        label="Route",
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "/rest/api/3/issue/{}"}),
    )
    field_order = ("user", "provider", "status", "since", "route")


class HealthForm(ByProviderForm):
    period = forms.ChoiceField(
        required=False, choices=[(name, given[0]) for name, given in PERIODS.items()], label="Period"
    )
    field_order = ("period", "provider")


class AuditFilterForm(PeriodForm):
    DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    who = forms.CharField(required=False, label="Who", max_length=300, widget=whole("The whole address or ID"))
    action = forms.ChoiceField(required=False, label="What")
    since = forms.DateField(required=False, label="From", widget=DAY)
    until = forms.DateField(required=False, label="To", widget=DAY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known, asked = audit.actions(), str(self.data.get("action", ""))
        # What an older version called otherwise is still in the log, and its links lead here.
        others = [asked] if asked not in known and 0 < len(asked) <= 60 and asked.isprintable() else []
        field: Any = self.fields["action"]
        field.choices = [("", "Anything"), *((action, action) for action in [*known, *others])]
