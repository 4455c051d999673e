"""Set a provider up in a project: keys, permissions, on and off. Dashboard and admin both come through here."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import transaction

from integrations import audit, connect, listening, oauth, vault
from integrations.errors import ProviderError, WrongKeys
from integrations.models import Connection, Integration, Member, OAuthApp, Project
from integrations.providers.base import Keys, Provider

BEING_REMOVED = "It is being removed from this project. When that is done, it can be added again."


class SetupRefused(Exception):
    """Why it cannot be done, in words; `field` is the form field to say it at, "" for none."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NeedsConfirmation(Exception):
    """Saving would ask end users to connect again; `users` says how many."""

    def __init__(self, users: int) -> None:
        super().__init__(f"{users} connected users would have to reconnect.")
        self.users = users


@dataclass(frozen=True)
class Wanted:
    """Settings as someone wishes them. No client ID means development keys; no secret keeps the present one."""

    client_id: str
    scopes: list[str]
    secret: str = field(default="", repr=False)
    shared_app: OAuthApp | None = None


@dataclass(frozen=True)
class Plan:
    """What saving would do. `app` is the row to use, None for a new one; `in_use` is what users would connect with."""

    wanted: Wanted
    app: OAuthApp | None
    in_use: OAuthApp | None
    users_to_reconnect: int


# Add, switch on and off ---------------------------------------------------------------------------------------------


def add_integration(project: Project, slug: str, actor: Any) -> Integration:
    """Return the project's integration of a provider, made on first use with an app that has a Redirect URL.

    Raises SetupRefused while one that was there before is still being removed.
    """
    found = Integration.objects.filter(project=project, provider_slug=slug).first()
    if found and found.removed_at:
        raise SetupRefused(BEING_REMOVED)
    if found:
        return found
    with transaction.atomic():
        app = OAuthApp.objects.create(project=project, provider=slug)
        integration = Integration.objects.create(project=project, provider_slug=slug, oauth_app=app)
        app.scopes = integration.provider.recommended_scopes()
        app.save(update_fields=["scopes"])
        audit.record(project, actor, "integration added", integration.provider.name)
    return integration


def activate(integration: Integration, actor: Any) -> None:
    """Let end users connect. Raises SetupRefused while there is nothing to connect with."""
    problem = why_not_active(integration)
    if problem:
        raise SetupRefused(problem)
    _switch(integration, actor, is_active=True)


def deactivate(integration: Integration, actor: Any) -> None:
    """Stop new connections. Those that exist are kept, for when it is activated again."""
    _switch(integration, actor, is_active=False)


def _switch(integration: Integration, actor: Any, *, is_active: bool) -> None:
    if Integration.objects.filter(pk=integration.pk).exclude(is_active=is_active).update(is_active=is_active):
        audit.record(
            integration.project,
            actor,
            "integration activated" if is_active else "integration deactivated",
            integration.provider.name,
        )
    integration.is_active = is_active
    listening.ask_everybody(integration)


def why_not_active(integration: Integration) -> str:
    """Return what has to be done before end users can connect, "" when they can."""
    if integration.removed_at:
        return BEING_REMOVED
    app, name = integration.app_in_use(), integration.provider.name
    if app is None or not app.has_keys:
        return development_refusal(integration) or f"Enter {name}'s client ID and secret in Settings first."
    if app.refused_at:
        return f"{name} refuses the client ID or secret. Correct them in Settings first."
    return ""


def development_refusal(integration: Integration) -> str:
    """Return why development keys cannot be used here, "" when they can."""
    name, slug = integration.provider.name, integration.provider_slug.upper()
    if integration.project.is_production:
        return (
            f"Development keys are for testing only and this is a production project. Enter the client ID and secret of"
            f" your own {name} app."
        )
    if OAuthApp.objects.development(integration.provider_slug) is None:
        return (
            f"This server has no development keys for {name}. Enter the client ID and secret of your own app, or ask"
            f" the operator to set {slug}_DEV_CLIENT_ID and {slug}_DEV_CLIENT_SECRET."
        )
    return ""


# Settings -----------------------------------------------------------------------------------------------------------


def plan(integration: Integration, wanted: Wanted, actor: Any) -> Plan:
    """Return what saving `wanted` would do. Raises SetupRefused at the field that is wrong."""
    wanted = replace(wanted, scopes=_clean_scopes(integration, wanted))
    if wanted.shared_app:
        app: OAuthApp | None = _check_shared(integration, wanted.shared_app, actor)
    else:
        _check_keys_given(integration, wanted)
        app = _own_app(integration, wanted.client_id)
        _check_secret_given(app, wanted)
    is_blank = not wanted.shared_app and not wanted.client_id
    in_use = OAuthApp.objects.development(integration.provider_slug) if is_blank else app
    return Plan(wanted, app, in_use, _users_to_reconnect(integration, wanted.scopes, in_use))


def save_settings(integration: Integration, wanted: Wanted, actor: Any, *, is_confirmed: bool = True) -> list[str]:
    """Save keys and permissions; return what there is to say about it.

    Raises SetupRefused, and NeedsConfirmation unless it is confirmed. Connections stay on the app that issued their
    tokens until their users connect again.
    """
    notes = check(integration, wanted, actor, is_confirmed=is_confirmed)
    with transaction.atomic():
        integration = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
        before, was = integration.oauth_app, _told(integration)
        planned = plan(integration, wanted, actor)
        app = _apply(integration, planned)
        change = audit.Change(was, _told(integration))
        if change.before != change.after:
            audit.record(integration.project, actor, "integration settings changed", integration.provider.name, change)
    if app.pk != before.pk and not wanted.shared_app and wanted.client_id:
        notes.append(
            f"This app has a Redirect URL of its own: {app.callback_url} Set it as the callback URL at"
            f" {integration.provider.name}; users who are connected stay on the former app."
        )
    return notes


def check(integration: Integration, wanted: Wanted, actor: Any, *, is_confirmed: bool) -> list[str]:
    """Return warnings about what `save_settings` would do, asking the provider about new keys. Raises like it."""
    planned = plan(integration, wanted, actor)
    is_new = bool(wanted.secret) and not wanted.shared_app
    warning = _check_with_provider(integration.provider, wanted) if is_new else ""
    if planned.users_to_reconnect and not is_confirmed:
        raise NeedsConfirmation(planned.users_to_reconnect)
    return [warning] if warning else []


def sharable_apps(integration: Integration, actor: Any) -> Any:
    """Return the apps with keys of other projects that this person administers too."""
    apps = OAuthApp.objects.filter(
        provider=integration.provider_slug, project__in=Project.objects.allowing(actor, Member.Role.ADMIN)
    )
    with_keys = apps.exclude(project=integration.project_id).exclude(client_id="").exclude(client_secret_sealed="")
    return with_keys.select_related("project").order_by("project__name", "id")


def _check_shared(integration: Integration, app: OAuthApp, actor: Any) -> OAuthApp:
    if app.pk == integration.oauth_app_id or sharable_apps(integration, actor).filter(pk=app.pk).exists():
        return app
    raise SetupRefused("Choose an app of a project that you administer.", "shared_app")


def _check_keys_given(integration: Integration, wanted: Wanted) -> None:
    if not wanted.client_id and wanted.secret:
        raise SetupRefused("Enter the client ID that this secret belongs to.", "client_id")
    if not wanted.client_id and (refusal := development_refusal(integration)):
        raise SetupRefused(refusal, "client_id")


def _check_secret_given(app: OAuthApp | None, wanted: Wanted) -> None:
    is_known = app is not None and app.client_id == wanted.client_id and app.has_keys
    if wanted.client_id and not wanted.secret and not is_known:
        raise SetupRefused("Enter the secret of this client ID.", "client_secret")


def _check_with_provider(provider: Provider, wanted: Wanted) -> str:
    """Return a warning when the provider could not be asked. Raises SetupRefused when it refuses the keys."""
    try:
        oauth.check_keys(provider, Keys(wanted.client_id, wanted.secret))
    except WrongKeys as error:
        raise SetupRefused(
            f"{provider.name} refuses this client ID and secret. Copy both again from the app's settings.",
            "client_secret",
        ) from error
    except ProviderError as error:
        return f"{provider.name} could not be asked whether the keys are right, so they are not checked yet. {error}"
    return ""


def _clean_scopes(integration: Integration, wanted: Wanted) -> list[str]:
    """Return the wanted scopes in the provider's order, with the required ones.

    What development keys are not registered for can be neither chosen nor given up with them, so it stays as it was.
    """
    if wanted.shared_app:
        return list(wanted.shared_app.scopes)
    known = [scope.name for scope in integration.provider.scopes]
    unknown = [scope for scope in wanted.scopes if scope not in known]
    if unknown:
        raise SetupRefused(f"{integration.provider.name} has no permission “{unknown[0]}”.", "scopes")
    chosen = {*wanted.scopes, *integration.provider.required_scopes()}
    if not wanted.client_id and (development := OAuthApp.objects.development(integration.provider_slug)):
        kept = set(integration.oauth_app.scopes) - set(development.scopes)
        chosen = (chosen & set(development.scopes)) | kept | set(integration.provider.required_scopes())
    return [scope for scope in known if scope in chosen]


def _own_app(integration: Integration, client_id: str) -> OAuthApp | None:
    """Return the project's row for this client ID; None when a new one has to be made.

    The present row is changed only while nobody depends on it: tokens are renewed only by the app that issued them,
    and its callback address is registered at the provider under its client ID.
    """
    present = integration.oauth_app
    is_own = present.project_id == integration.project_id
    if is_own and present.client_id == client_id:
        return present
    own = OAuthApp.objects.filter(project=integration.project_id, provider=integration.provider_slug)
    former = own.filter(client_id=client_id).first()
    if former or (is_own and not _is_depended_on(integration, present)):
        return former or present
    return own.filter(client_id="").first()


def _is_depended_on(integration: Integration, app: OAuthApp) -> bool:
    return app.grants.exists() or app.integrations.exclude(pk=integration.pk).exists()


def _users_to_reconnect(integration: Integration, scopes: list[str], in_use: OAuthApp | None) -> int:
    """Return how many users would have to connect again, 0 when no more than have to already."""
    present = integration.app_in_use()
    asked = connect.wanted_scopes(integration, present) if present else []
    before = connect.users_to_reconnect(integration, asked, present) if present else 0
    if in_use and in_use.is_development:
        scopes = [scope for scope in scopes if scope in in_use.scopes]
    after = connect.users_to_reconnect(integration, scopes, in_use)
    return after if after > before else 0


def _apply(integration: Integration, planned: Plan) -> OAuthApp:
    wanted = planned.wanted
    app = planned.app or OAuthApp(project=integration.project, provider=integration.provider_slug)
    if not wanted.shared_app:
        app.scopes = wanted.scopes
        if app.client_id != wanted.client_id:
            app.client_id, app.client_secret_sealed, app.previous_secret_sealed = wanted.client_id, "", ""
            app.secret_set_at, app.secret_fingerprint = None, ""
            app.refused_at, app.refused_reason = None, ""
        if wanted.secret:
            app.set_secret(wanted.secret)
        app.save()
    integration.oauth_app = app
    integration.save(update_fields=["oauth_app"])
    return app


def _told(integration: Integration) -> dict[str, Any]:
    """Return what the audit log may say of the settings: of the secret only a fingerprint."""
    app = integration.oauth_app
    return {
        "App": f"of {app.project}" if app.project_id != integration.project_id else "own",
        "Client ID": app.client_id or "development keys",
        "Secret": app.secret_fingerprint,
        "Permissions": sorted(app.scopes),
    }


# A secret on its way through a question -------------------------------------------------------------------------------


def hold_secret(integration: Integration, secret: str) -> str:
    """Seal a secret that was typed before "Save anyway" is asked: it is neither typed again nor sent back."""
    return vault.seal(secret, _held(integration)) if secret else ""


def held_secret(integration: Integration, sealed: str) -> str:
    """Return the secret that `hold_secret` sealed for this integration, "" when it can no longer be opened."""
    try:
        return vault.open_sealed(sealed, _held(integration)) if sealed else ""
    except vault.VaultError:
        return ""


def _held(integration: Integration) -> vault.Context:
    return vault.Context(settings.DEPLOYMENT_ID, "session", str(integration.pk), "secret", integration.project_id)


# Production -----------------------------------------------------------------------------------------------------------


def production_obstacles(project: Project) -> list[str]:
    """Return what keeps a project from becoming a production project; nothing when it may."""
    obstacles = [
        f"{integration.provider.name} uses development keys. Enter your own client ID and secret, or deactivate it."
        for integration in project.integrations.active().select_related("oauth_app")
        if integration.uses_development_keys
    ]
    if Connection.objects.filter(project=project, grant__app__project=None).exists():
        obstacles.append("Some users are connected with development keys. Disconnect them, or have them reconnect.")
    if project.allow_loopback_origins:
        obstacles.append("Loopback origins are allowed. Switch that off in Settings › SDK.")
    return obstacles
