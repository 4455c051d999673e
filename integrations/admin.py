"""The admin as a way to work: it goes through the same functions as the dashboard, and shows no secret.

What has happened (calls, audit, consents) is to be read only. Sealed columns are never among the fields.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations import audit, connect, members, setup
from integrations import users as people
from integrations.admin_lists import (
    Endless,
    ProviderFilter,
    ProviderOfApp,
    ProviderOfIntegration,
    ReadOnly,
    StatusOfGrant,
)
from integrations.api import keys
from integrations.dashboard import second_factor
from integrations.dashboard.forms import IntegrationSettingsForm, KeysForm, ProjectSettingsForm, SdkForm
from integrations.dashboard.names import AddressField, NameField
from integrations.dashboard.portal_form import PortalForm
from integrations.models import (
    AccountSecret,
    ApiKey,
    AuditEntry,
    AuditSeal,
    Call,
    CallHour,
    ConnectedUser,
    Connection,
    ConnectSession,
    DataKey,
    Delivery,
    Erasure,
    Event,
    Grant,
    Heartbeat,
    Integration,
    Invitation,
    Member,
    OAuthApp,
    Portal,
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
    BaseUserChangeForm = UserChangeForm[User]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline
    IntegrationModelForm = forms.ModelForm
    BaseUserAdmin = DjangoUserAdmin
    BaseUserForm = AdminUserCreationForm
    BaseUserChangeForm = UserChangeForm

_has_permission = admin.site.has_permission


def _has_second_factor_too(request: HttpRequest) -> bool:
    return _has_permission(request) and second_factor.may_administrate(request)


def _lead_on(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Go to the admin; or, without the second factor that it needs, to where one is given or set up."""
    if admin.site.has_permission(request):
        return HttpResponseRedirect(get_next_redirect_url(request) or reverse("admin:index"))
    return second_factor.lead(request, second_factor.OF_STAFF)


# The sign-in page with its rate limits serves the admin too.
admin.site.has_permission = _has_second_factor_too  # type: ignore[method-assign]
admin.site.login = secure_admin_login(_lead_on)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Patchbay"
admin.site.index_title = "Everything in this deployment"


class Audited(ModelAdmin):
    """What is changed here is noted in its project as `changed`, with what was before.

    Nothing is deleted, unless by a use case that notes it.
    """

    changed = ""

    def note(self, request: HttpRequest, project: Project, form: Any, detail: str = "") -> None:
        if form.changed_data:
            audit.record(project, request.user, self.changed, detail, audit.change_in(form))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# People and projects --------------------------------------------------------------------------------------------------


class UserForm(BaseUserForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": AddressField}

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("There is an account with this address.")
        return email


class UserChange(BaseUserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes = {"email": AddressField, "first_name": NameField, "last_name": NameField}

    def clean_is_active(self) -> bool:
        is_active = bool(self.cleaned_data["is_active"])
        if self.instance.is_active and not is_active:
            try:
                members.require_other_owners([self.instance])
            except members.LastOwner as refusal:
                raise ValidationError(str(refusal)) from None
        return is_active


@admin.register(User)
class UserAdmin(BaseUserAdmin):
    form = UserChange
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
    actions = ("delete_selected",)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            members.note_switch(obj, request.user)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the accounts and what they are in projects; sessions and factors go with them. Raises LastOwner."""
        users = list(objs)
        members.require_other_owners(users)
        roles = [(member, f"{member.get_role_display()} of {member.project}") for member in members.of_accounts(users)]
        names: list[Any] = []
        for user in users:
            theirs = [words for member, words in roles if member.user_id == user.pk]
            names += [str(user), theirs] if theirs else [str(user)]
        return names, {"accounts": len(users), "memberships": len(roles)}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except members.LastOwner as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:integrations_user_change", args=[object_id]))

    @admin.action(description="Delete selected users", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> Any:
        try:
            return delete_selected(self, request, queryset)
        except members.LastOwner as refusal:
            messages.error(request, str(refusal))
            return None

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        members.delete_accounts([obj], request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        members.delete_accounts(list(queryset), request.user)


# Addresses, apps and tokens that allauth would keep are kept elsewhere, or not at all.
admin.site.unregister([Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken, UserSession])


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly):
    """Somebody who lost theirs gets in again once a superuser deletes it here."""

    fields = ("user", "type", "created_at", "last_used_at")
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")


@admin.register(UserSession)
class UserSessionAdmin(ReadOnly):
    fields = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_display = ("user", "ip", "user_agent", "created_at", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")
    actions = ("end",)

    @admin.action(description="End: they sign in anew", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        for session in queryset:
            session.end()
        messages.success(request, "The sessions are ended.")

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("usersessions.delete_usersession")


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnly):
    fields = ("user", "provider", "uid", "extra_data", "date_joined", "last_login")
    list_display = ("user", "provider", "date_joined", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__email",)


@admin.register(AccountSecret)
class AccountSecretAdmin(ReadOnly):
    fields = ("id", "created_at")
    list_display = ("id", "created_at")


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    fields = ("project", "email", "role", "invited_by", "was_mailed", "created_at", "expires_at")
    list_display = ("email", "project", "role", "invited_by", "created_at", "expires_at")
    list_select_related = ("project", "invited_by")
    search_fields = ("email", "project__name")


@admin.register(Erasure)
class ErasureAdmin(ReadOnly):
    fields = ("project", "sub", "before")
    list_display = ("sub", "project", "before")
    list_select_related = ("project",)
    search_fields = ("sub",)


class ProjectAdminForm(SdkForm, ProjectSettingsForm):
    class Meta:
        model = Project
        fields = [*ProjectSettingsForm.Meta.fields, *SdkForm.Meta.fields]
        field_classes = ProjectSettingsForm.Meta.field_classes
        labels = ProjectSettingsForm.Meta.labels | SdkForm.Meta.labels
        help_texts = ProjectSettingsForm.Meta.help_texts | SdkForm.Meta.help_texts

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("kind") == Project.Kind.PRODUCTION and data.get("allow_loopback_origins"):
            self.add_error("allow_loopback_origins", "A production project cannot allow loopback origins.")
        return data


class MemberInline(TabularInline):
    """To look at; each is changed on a page of its own, by the rules of the dashboard."""

    model = Member
    extra = 0
    show_change_link = True
    fields = readonly_fields = ("user", "role", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        return super().get_queryset(request).select_related("user", "project")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(Audited):
    """What is deleted, and who needs a second factor, is decided where the dashboard says what follows."""

    changed = "project changed"
    form = ProjectAdminForm
    inlines = (MemberInline,)
    list_display = ("name", "kind", "id", "created_at", "in_dashboard")
    list_filter = ("kind", "allow_loopback_origins", "connect_without_claim", "accept_tokens_without_audience")
    search_fields = ("name", "id")
    readonly_fields = ("id", "created_at", "deletion", "factor")
    fieldsets = (
        (None, {"fields": ("name", "kind", "id", "created_at", "call_log_days", "run_log_days", "deletion")}),
        ("Pages that may use the SDK", {"fields": ("allowed_origins", "allow_loopback_origins", "return_urls")}),
        ("Exceptions", {"fields": ("accept_tokens_without_audience", "connect_without_claim")}),
        ("Members", {"fields": ("factor",)}),
    )

    @admin.display(description="Dashboard")
    def in_dashboard(self, project: Project) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse("dashboard:overview", args=[project.pk]))

    @admin.display(description="Deletion")
    def deletion(self, project: Project) -> SafeString | str:
        if project._state.adding:
            return "-"
        if project.deleted_at:
            return "It is deleted; its rows are being cleared away."
        return _asked_there(reverse("dashboard:delete_project", args=[project.pk]), "Delete this project")

    @admin.display(description="Second factor")
    def factor(self, project: Project) -> SafeString | str:
        if project._state.adding:
            return "-"
        words = "Required of owners and admins" if project.require_second_factor else "Require one of owners and admins"
        return _asked_there(reverse("dashboard:members", args=[project.pk]), words)

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            self.note(request, obj, form)
        else:
            audit.record(obj, request.user, "project created", f"{obj.name} ({obj.kind})")
            members.add(obj, request.user, Member.Role.OWNER, request.user)  # type: ignore[arg-type]


def _asked_there(url: str, words: str) -> SafeString:
    return format_html('<a href="{}">{}…</a>', url, words)


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Member
        fields = ("user", "project", "role")

    def clean_role(self) -> str:
        role = str(self.cleaned_data["role"])
        if self.instance.pk and role != Member.Role.OWNER and members.is_last_owner(self.instance):
            raise ValidationError(members.LAST_OWNER)
        return role


@admin.register(Member)
class MemberAdmin(ModelAdmin):
    form = MemberForm
    list_display = ("user", "project", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "project")
    search_fields = ("user__email", "project__name")
    autocomplete_fields = ("user", "project")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("user", "project") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and members.is_last_owner(obj))

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        if change:
            members.change_role(obj, form.cleaned_data["role"], request.user)
        else:
            obj.pk = members.add(obj.project, obj.user, obj.role, request.user).pk

    def delete_model(self, request: HttpRequest, obj: Member) -> None:
        members.remove(obj, request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        for member in queryset.select_related("user", "project"):
            try:
                members.remove(member, request.user)
            except members.LastOwner as refusal:
                messages.error(request, f"{member.user.email} stays in {member.project}. {refusal}")


ENDS = ("last_used_at", "expires_at", "revoked_at")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnly):
    fields = ("id", "project", "name", "kid", "public_pem", "created_at", "created_by", *ENDS)
    list_display = ("name", "kid", "project", "created_at", *ENDS)
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


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    fields = (
        *("id", "project", "name", "prefix", "scopes", "created_at", "created_by"),
        *("expires_at", "last_used_at", "revoked_at"),
    )
    list_display = ("name", "prefix", "project", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), ("expires_at", admin.EmptyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("name", "prefix", "project__name")
    actions = ("revoke",)

    @admin.action(description="Revoke: the next call with them is refused", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.filter(revoked_at=None).select_related("project"):
            keys.revoke(key, request.user)
            messages.success(request, f"{key} is revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_apikey")


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


class IntegrationChangeForm(KeysForm, IntegrationModelForm):
    """The settings of the dashboard, with a tick instead of a page that asks again."""

    actor: Any = None
    shared_app = IntegrationSettingsForm.base_fields["shared_app"]
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
        self._offer_apps()
        self.fields["client_id"].help_text = "Blank, with no secret: development keys, for testing only."
        self.fields["client_secret"].help_text = "Blank keeps the present one. It is never shown."
        self.fields["scopes"].help_text = f"Always asked for: {', '.join(provider.required_scopes())}."

    def _offer_apps(self) -> None:
        """Offer the apps of other projects; the one in use stays chosen, and its client ID is not this project's."""
        app, field = self.instance.oauth_app, self.fields["shared_app"]
        apps = setup.sharable_apps(self.instance, self.actor).values("pk")
        offered: Any = field
        offered.queryset = OAuthApp.objects.filter(Q(pk__in=apps) | Q(pk=app.pk, project__isnull=False))
        offered.queryset = offered.queryset.exclude(project=self.instance.project_id).select_related("project")
        offered.label_from_instance = lambda each: f"{each.project}: {each.client_id[:24]}"
        if app.project_id != self.instance.project_id:
            self.initial["shared_app"], self.initial["client_id"] = app.pk, ""

    def wanted(self) -> setup.Wanted:
        data, shared = self.cleaned_data, self.cleaned_data["shared_app"]
        return setup.Wanted(
            client_id="" if shared else data["client_id"],
            secret="" if shared else data["client_secret"],
            scopes=data["scopes"],
            shared_app=shared,
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
    list_filter = ("is_active", ProviderFilter, "project__kind")
    list_select_related = ("project", "oauth_app")
    search_fields = ("project__name", "provider_slug", "oauth_app__client_id")
    autocomplete_fields = ("project",)
    actions = ("activate", "deactivate")
    CHANGE_FIELDS = (
        "project",
        "provider_slug",
        "is_active",
        "redirect_url",
        "shared_app",
        "client_id",
        "client_secret",
        "secret_state",
        "scopes",
        "confirmed",
        "removal",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = IntegrationChangeForm if change else IntegrationAddForm
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.actor = request.user
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.CHANGE_FIELDS if obj else ("project", "provider_slug")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("project", "provider_slug", "is_active", "redirect_url", "secret_state", "removal") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # As for a project.
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

    @admin.display(description="Removal")
    def removal(self, integration: Integration) -> SafeString | str:
        if integration.removed_at:
            return "It is removed; its connections are being cleared away."
        url = reverse("dashboard:remove_integration", args=[integration.project_id, integration.provider_slug])
        return _asked_there(url, "Remove it from its project")

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


@admin.register(Portal)
class PortalAdmin(Audited):
    """How portals look and what they say. One that nobody has edited has no row: the dashboard's editor makes it.

    To have the defaults again, empty its fields: that is noted, too.
    """

    changed = "portal changed"
    form = PortalForm
    list_display = ("integration", "theme", "accent_color", "shows_activity")
    list_filter = ("theme", "shows_activity")
    list_select_related = ("integration__project",)
    search_fields = ("integration__project__name", "short_description")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Portal, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.note(request, obj.integration.project, form, obj.integration.provider.name)


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
class ConnectedUserAdmin(Endless):
    fields = ("id", "project", "sub", "meta", "disabled_at", "created_at")
    list_display = ("sub", "display_name", "project", "disabled_at", "created_at")
    list_filter = (("disabled_at", admin.EmptyFieldListFilter),)
    list_select_related = ("project",)
    search_help_text = "Part of the user ID, name or e-mail"
    exactly = ("sub",)
    actions = ("disable", "enable")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.named(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    @admin.action(description="Disable: nothing is done in their names", permissions=["switch"])
    def disable(self, request: HttpRequest, queryset: QuerySet[ConnectedUser]) -> None:
        for user in queryset.select_related("project"):
            people.disable(user, request.user)
            messages.success(request, f"{user} is disabled.")

    @admin.action(description="Enable", permissions=["switch"])
    def enable(self, request: HttpRequest, queryset: QuerySet[ConnectedUser]) -> None:
        for user in queryset.select_related("project"):
            people.enable(user, request.user)
            messages.success(request, f"{user} is enabled again.")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_connecteduser")


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
    list_filter = ("status", ("grant__status", StatusOfGrant), ProviderOfIntegration)
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
    list_filter = ("status", ProviderOfApp)
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
class CallAdmin(Endless):
    list_display = ("at", "project", "sub", "provider_slug", "method", "path", "status", "milliseconds")
    list_filter = (ProviderFilter, "at")
    list_select_related = ("project",)
    search_help_text = "A user ID, or a route such as /rest/api/3/issue/{}"
    exactly = ("sub", "route")


@admin.register(CallHour)
class CallHourAdmin(ReadOnly):
    list_display = ("hour", "project", "provider_slug", "method", "route", "calls", "refused", "failed")
    list_filter = (ProviderFilter, "hour")
    list_select_related = ("project",)
    search_fields = ("route", "project__name")


@admin.register(AuditEntry)
class AuditEntryAdmin(Endless):
    list_display = ("at", "project", "actor_name", "ip", "action", "detail")
    list_filter = ("at",)
    list_select_related = ("project",)
    # Ids grow with time, and the primary key is an index of them.
    ordering = ("-id",)
    search_help_text = "Who it was, or what they did, exactly"
    exactly = ("actor_name", "action")


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnly):
    list_display = ("at", "project", "count", "last_id")
    list_select_related = ("project",)
    search_fields = ("project__name",)


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
    list_filter = ("way",)
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
    list_filter = ("state", ProviderFilter)
    list_select_related = ("app",)
    search_fields = ("site",)


@admin.register(RefusedDeliveries)
class RefusedDeliveriesAdmin(ReadOnly):
    list_display = ("app", "count", "last_at", "last_reason")
    list_select_related = ("app",)


@admin.register(Event)
class EventAdmin(Endless):
    """The action that replays events is added by workflows/admin.py: dispatching is its part."""

    list_display = ("created_at", "project", "source", "name", "subject", "sub", "state", "reason")
    list_filter = ("state", "source")
    list_select_related = ("project",)
    search_help_text = "A user ID, or an event’s name, exactly"
    exactly = ("sub", "name")
