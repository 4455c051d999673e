"""The admin as a way to work: it goes through the same functions as the dashboard, and shows no secret.

What has happened (calls, audit, consents) is to be read only. Sealed columns are never among the fields.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import audit, connect, setup
from integrations.dashboard.forms import IntegrationSettingsForm, ProjectSettingsForm, SdkForm
from integrations.models import (
    AuditEntry,
    Call,
    ConnectedUser,
    Connection,
    ConnectSession,
    DataKey,
    Delivery,
    Event,
    Grant,
    Heartbeat,
    Integration,
    Member,
    OAuthApp,
    Project,
    RefusedDeliveries,
    Registration,
    SigningKey,
    SiteWebhook,
    Subscription,
    User,
)
from integrations.providers import catalog

# Only the type checker's classes take the model's type.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    IntegrationModelForm = forms.ModelForm[Integration]
    BaseUserAdmin = DjangoUserAdmin[User]
    BaseUserForm = AdminUserCreationForm[User]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    IntegrationModelForm = forms.ModelForm
    BaseUserAdmin = DjangoUserAdmin
    BaseUserForm = AdminUserCreationForm

# The sign-in page with its rate limits serves the admin too.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Patchbay"
admin.site.index_title = "Everything in this deployment"


class ReadOnly(ModelAdmin):
    """Rows to look at: they say what happened, or belong to the machinery."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# People and projects --------------------------------------------------------------------------------------------------


class UserForm(BaseUserForm):
    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("There is an account with this address.")
        return email


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    add_form = UserForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_superuser", "is_active", "last_login")
    list_filter = ("is_superuser", "is_staff", "is_active")
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Name", {"fields": ("first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


class ProjectAdminForm(SdkForm, ProjectSettingsForm):
    class Meta:
        model = Project
        fields = [*ProjectSettingsForm.Meta.fields, *SdkForm.Meta.fields]
        labels = ProjectSettingsForm.Meta.labels | SdkForm.Meta.labels
        help_texts = ProjectSettingsForm.Meta.help_texts | SdkForm.Meta.help_texts

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("kind") == Project.Kind.PRODUCTION and data.get("allow_loopback_origins"):
            self.add_error("allow_loopback_origins", "A production project cannot allow loopback origins.")
        return data


class MemberInline(TabularInline):
    model = Member
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(ModelAdmin):
    form = ProjectAdminForm
    inlines = (MemberInline,)
    list_display = ("name", "kind", "id", "created_at", "in_dashboard")
    list_filter = ("kind", "allow_loopback_origins", "connect_without_claim", "accept_tokens_without_audience")
    search_fields = ("name", "id")
    readonly_fields = ("id", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "kind", "id", "created_at", "call_log_days")}),
        ("Pages that may use the SDK", {"fields": ("allowed_origins", "allow_loopback_origins", "return_urls")}),
        ("Exceptions", {"fields": ("accept_tokens_without_audience", "connect_without_claim")}),
    )

    @admin.display(description="Dashboard")
    def in_dashboard(self, project: Project) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse("dashboard:integrations", args=[project.pk]))

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            audit.record(obj, request.user, "project changed" if change else "project created", _changes(form))


def _changes(form: Any) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {form.cleaned_data.get(name)}" for name in form.changed_data)


@admin.register(Member)
class MemberAdmin(ModelAdmin):
    list_display = ("user", "project", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "project")
    search_fields = ("user__email", "project__name")
    autocomplete_fields = ("user", "project")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnly):
    fields = ("id", "project", "name", "kid", "public_pem", "created_at", "created_by", "revoked_at")
    list_display = ("name", "kid", "project", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("project",)
    search_fields = ("name", "kid", "project__name")
    actions = ("revoke",)

    @admin.action(description="Revoke: their tokens are refused within seconds", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[SigningKey]) -> None:
        for key in queryset.filter(revoked_at=None).select_related("project"):
            SigningKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
            audit.record(key.project, request.user, "signing key revoked", str(key))
            messages.success(request, f"{key} is revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_signingkey")


# Integrations ---------------------------------------------------------------------------------------------------------


class IntegrationAddForm(IntegrationModelForm):
    provider_slug = forms.ChoiceField(label="Integration")

    class Meta:
        model = Integration
        fields = ["project", "provider_slug"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["provider_slug"]
        choices.choices = [(provider.slug, provider.name) for provider in catalog()]


class IntegrationChangeForm(IntegrationModelForm):
    """The settings of the dashboard, with a tick instead of a page that asks again."""

    actor: Any = None
    client_id = IntegrationSettingsForm.base_fields["client_id"]
    client_secret = IntegrationSettingsForm.base_fields["client_secret"]
    scopes = forms.MultipleChoiceField(required=False, label="Permissions", widget=forms.CheckboxSelectMultiple)
    confirmed = forms.BooleanField(required=False, label="Save although users must reconnect")

    class Meta:
        model = Integration
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider, app = self.instance.provider, self.instance.oauth_app
        choices: Any = self.fields["scopes"]
        choices.choices = [(scope.name, f"{scope.name}: {scope.purpose}") for scope in provider.scopes]
        self.initial["client_id"], self.initial["scopes"] = app.client_id, app.scopes
        self.fields["client_id"].help_text = "Blank, with no secret: development keys, for testing only."
        self.fields["client_secret"].help_text = "Blank keeps the present one. It is never shown."
        self.fields["scopes"].help_text = f"Always asked for: {', '.join(provider.required_scopes())}."

    def wanted(self) -> setup.Wanted:
        data, app = self.cleaned_data, self.instance.oauth_app
        is_shared = app.project_id != self.instance.project_id and data["client_id"] == app.client_id
        return setup.Wanted(
            client_id=data["client_id"],
            secret=data["client_secret"],
            scopes=data["scopes"],
            shared_app=app if is_shared and not data["client_secret"] else None,
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return data
        try:
            setup.check(self.instance, self.wanted(), self.actor, is_confirmed=data["confirmed"])
        except setup.SetupRefused as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, str(refusal))
        except setup.NeedsConfirmation as question:
            self.add_error("confirmed", f"{question} Tick this to save anyway, and enter the secret once more.")
        return data


@admin.register(Integration)
class IntegrationAdmin(ModelAdmin):
    list_display = ("provider_name", "project", "is_active", "keys", "created_at", "in_dashboard")
    list_filter = ("is_active", "provider_slug", "project__kind")
    list_select_related = ("project", "oauth_app")
    search_fields = ("project__name", "provider_slug", "oauth_app__client_id")
    autocomplete_fields = ("project",)
    actions = ("activate", "deactivate")
    CHANGE_FIELDS = (
        "project",
        "provider_slug",
        "is_active",
        "redirect_url",
        "client_id",
        "client_secret",
        "secret_state",
        "scopes",
        "confirmed",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = IntegrationChangeForm if change else IntegrationAddForm
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.CHANGE_FIELDS if obj else ("project", "provider_slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("project", "provider_slug", "is_active", "redirect_url", "secret_state") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # It would take every connection with it. Deactivate it instead.
        return False

    def save_model(self, request: HttpRequest, obj: Integration, form: Any, change: bool) -> None:
        if not change:
            obj.__dict__.update(setup.add_integration(obj.project, obj.provider_slug, request.user).__dict__)
            return
        for note in setup.save_settings(obj, form.wanted(), request.user):
            messages.warning(request, note)
        obj.refresh_from_db()

    def response_add(
        self, request: HttpRequest, obj: Integration, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the settings: an integration without keys is of no use yet."""
        messages.success(request, f"{obj} is added. Enter its keys, then activate it.")
        return HttpResponseRedirect(reverse("admin:integrations_integration_change", args=[obj.pk]))

    @admin.display(description="Integration")
    def provider_name(self, integration: Integration) -> str:
        return integration.provider.name

    @admin.display(description="Keys")
    def keys(self, integration: Integration) -> str:
        app = integration.oauth_app
        if not app.client_id:
            return "Development keys"
        return "Refused by the provider" if app.refused_at else app.client_id[:24]

    @admin.display(description="Redirect URL")
    def redirect_url(self, integration: Integration) -> str:
        return integration.oauth_app.callback_url

    @admin.display(description="Present secret")
    def secret_state(self, integration: Integration) -> str:
        app = integration.oauth_app
        if not app.secret_set_at:
            return "None"
        return f"Set on {app.secret_set_at:%Y-%m-%d %H:%M}, fingerprint {app.secret_fingerprint}"

    @admin.display(description="Dashboard")
    def in_dashboard(self, integration: Integration) -> SafeString:
        url = reverse("dashboard:integration", args=[integration.project_id, integration.provider_slug])
        return format_html('<a href="{}">Open</a>', url)

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Integration]) -> None:
        for integration in queryset.select_related("project", "oauth_app"):
            try:
                setup.activate(integration, request.user)
            except setup.SetupRefused as refusal:
                messages.error(request, f"{integration}: {refusal}")
            else:
                messages.success(request, f"{integration} is active.")

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Integration]) -> None:
        for integration in queryset.select_related("project", "oauth_app"):
            setup.deactivate(integration, request.user)
            messages.success(request, f"{integration} is inactive.")


@admin.register(OAuthApp)
class OAuthAppAdmin(ReadOnly):
    fields = (
        "id",
        "project",
        "provider",
        "name",
        "client_id",
        "callback_url",
        "scopes",
        "secret_set_at",
        "secret_fingerprint",
        "refused_at",
        "refused_reason",
        "created_at",
    )
    list_display = ("provider", "client_id", "project", "secret_set_at", "refused_at")
    list_filter = ("provider", ("refused_at", admin.EmptyFieldListFilter), ("project", admin.EmptyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("client_id", "name", "project__name")


# Connections ----------------------------------------------------------------------------------------------------------


@admin.register(ConnectedUser)
class ConnectedUserAdmin(ReadOnly):
    fields = ("id", "project", "sub", "meta", "created_at")
    list_display = ("sub", "display_name", "project", "created_at")
    list_select_related = ("project",)
    search_fields = ("sub", "project__name")


@admin.register(Connection)
class ConnectionAdmin(ReadOnly):
    fields = (
        "id",
        "project",
        "integration",
        "user",
        "grant",
        "site_name",
        "site_url",
        "external_id",
        "status",
        "health_reason",
        "settings",
        "created_at",
        "updated_at",
    )
    list_display = ("user", "integration", "grant", "site_name", "status", "health_reason", "created_at")
    list_filter = ("status", "grant__status", "integration__provider_slug")
    list_select_related = ("user", "integration__project", "grant", "project")
    search_fields = ("user__sub", "grant__account_name", "grant__account_email", "site_name", "project__name")
    actions = ("disconnect",)

    @admin.action(description="Disconnect: delete the connections and their tokens", permissions=["disconnect"])
    def disconnect(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        actor: Any = request.user
        for connection in queryset.select_related("user", "integration", "grant", "project"):
            words = f"{connection.user}: {connection}"
            manage_url = connection.integration.provider.oauth.manage_url
            connect.disconnect(connection, actor=actor)
            messages.success(request, f"Disconnected {words}. The user can revoke the consent itself at {manage_url}")

    def has_disconnect_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.delete_connection")


@admin.register(Grant)
class GrantAdmin(ReadOnly):
    fields = (
        "id",
        "project",
        "app",
        "account_id",
        "account_name",
        "account_email",
        "scopes",
        "status",
        "reason",
        "expires_at",
        "refreshed_at",
        "consented_at",
        "failures",
        "version",
        "created_at",
    )
    list_display = ("account_name", "account_email", "app", "project", "status", "expires_at", "refreshed_at")
    list_filter = ("status", "app__provider")
    list_select_related = ("app", "project")
    search_fields = ("account_id", "account_name", "account_email", "project__name")


@admin.register(ConnectSession)
class ConnectSessionAdmin(ReadOnly):
    fields = (
        "id",
        "project",
        "integration",
        "user",
        "protocol",
        "status",
        "opener_origin",
        "error_code",
        "error",
        "created_at",
        "expires_at",
    )
    list_display = ("user", "integration", "status", "error", "created_at", "expires_at")
    list_filter = ("status", "protocol")
    list_select_related = ("user", "integration__project")
    search_fields = ("user__sub", "project__name", "error")


# What happened --------------------------------------------------------------------------------------------------------


@admin.register(Call)
class CallAdmin(ReadOnly):
    list_display = ("at", "project", "sub", "provider_slug", "method", "path", "status", "milliseconds")
    list_filter = ("provider_slug", "method", "at")
    list_select_related = ("project",)
    search_fields = ("sub", "path", "project__name")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("at", "project", "actor_name", "action", "detail")
    list_filter = ("action", "at")
    list_select_related = ("project",)
    search_fields = ("actor_name", "action", "detail", "project__name")


@admin.register(DataKey)
class DataKeyAdmin(ReadOnly):
    fields = ("id", "project", "is_current", "created_at")
    list_display = ("id", "project", "is_current", "created_at")
    list_filter = ("is_current",)
    list_select_related = ("project",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ("name", "at", "owner", "until")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly):
    list_display = ("connection", "feed", "way", "words", "error", "delivered_at", "heard_until", "due_at")
    list_filter = ("feed", "way")
    list_select_related = ("connection__grant",)
    search_fields = ("=connection__user__sub", "project__name")
    actions = ("look_now",)

    @admin.action(description="Look at them now", permissions=["look"])
    def look_now(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        count = Subscription.objects.filter(pk__in=queryset.values("pk")).ask()
        messages.success(request, f"{count} will be looked at within seconds.")

    def has_look_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_subscription")


@admin.register(Registration)
class RegistrationAdmin(ReadOnly):
    list_display = ("provider_id", "site", "connection", "filter", "expires_at", "verified_at", "ended_at")
    list_filter = ("feed",)
    list_select_related = ("connection__grant",)
    search_fields = ("=provider_id", "site", "=connection__user__sub")


@admin.register(SiteWebhook)
class SiteWebhookAdmin(ReadOnly):
    fields = ("id", "project", "connection", "feed", "delivered_at", "created_at")
    list_display = ("connection", "feed", "delivered_at", "created_at")
    list_select_related = ("connection__grant",)
    search_fields = ("=connection__user__sub", "project__name")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = ("created_at", "provider_slug", "app", "site", "repetition", "state")
    list_filter = ("state", "provider_slug")
    list_select_related = ("app",)
    search_fields = ("site",)


@admin.register(RefusedDeliveries)
class RefusedDeliveriesAdmin(ReadOnly):
    list_display = ("app", "count", "last_at", "last_reason")
    list_select_related = ("app",)


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("created_at", "project", "source", "name", "subject", "sub", "state", "reason")
    list_filter = ("state", "source")
    list_select_related = ("project",)
    search_fields = ("=sub", "name", "=subject")
