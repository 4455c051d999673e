"""What people who have no business there are answered: one entry a route.

An entry names every status that a route may answer, over all methods, to somebody signed out, to a dashboard user of
another project (`stranger`), for the SDK's routes to another end user of the same project (`other_user`), and for the
management API's to an API key of the project without the scope (`without_scope`).
A name may hold * for the routes that the admin has for each model. Addresses below /v2 expect what the others do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import pytest

from tests.isolation.routes import Route

SIGN_IN = "asked to sign in"
Outcome = int | str


@dataclass(frozen=True)
class Expected:
    """`query` and `body` make a request good enough to reach the rows; {…} in them are rows of the victim."""

    signed_out: frozenset[Outcome]
    stranger: frozenset[Outcome]
    other_user: frozenset[Outcome] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)
    without_scope: frozenset[Outcome] | None = None


def member_page(stranger: set[Outcome] | None = None) -> Expected:
    """A page of one project: to a stranger it does not exist."""
    return Expected(frozenset({SIGN_IN}), frozenset(stranger or {404, 405}))


def public(*statuses: Outcome) -> Expected:
    """The same for everyone, and about nobody."""
    return Expected(frozenset(statuses), frozenset(statuses))


def account(signed_out: set[Outcome], stranger: set[Outcome]) -> Expected:
    return Expected(frozenset(signed_out), frozenset(stranger))


def superusers() -> Expected:
    return Expected(frozenset({SIGN_IN}), frozenset({SIGN_IN}))


def end_user(
    *other_user: int, query: Mapping[str, str] | None = None, body: Mapping[str, object] | None = None
) -> Expected:
    """A route that takes a user token, and nothing else that says who one is."""
    refused: frozenset[Outcome] = frozenset({401, 405} if 405 in other_user else {401})
    return Expected(refused, refused, frozenset(other_user), query or {}, body or {})


def back_end(*, body: Mapping[str, object] | None = None) -> Expected:
    """A route that takes an API key of the project, and of that only what its scopes cover."""
    refused: frozenset[Outcome] = frozenset({401, 405})
    return Expected(refused, refused, without_scope=frozenset({403, 405}), body=body or {})


CONNECT = {"integration": "jira", "origin": "{origin}", "selectedCredentialId": "{connection}"}
BUILD_OAUTH = {
    "action": "jira",
    "originForPostMessage": "{origin}",
    "oauthMetaKeyId": "{key}",
    "installOptions": '{"selectedCredentialId": "{connection}"}',
}
POPUP = {"action": "jira", "originForPostMessage": "{origin}", "userToken": "{token}"}

EXPECTATIONS = {
    # The dashboard
    "dashboard:home": member_page({302, 405}),
    "dashboard:projects": member_page({200, 405}),
    "dashboard:new_project": member_page({200, 405}),
    "dashboard:overview": member_page(),
    "dashboard:invite": member_page(),
    "dashboard:send_invitation_again": member_page(),
    "dashboard:withdraw_invitation": member_page(),
    "dashboard:require_second_factor": member_page(),
    "dashboard:settings": member_page(),
    "dashboard:integrations": member_page(),
    "dashboard:try_connect": member_page(),
    "dashboard:try_call": member_page(),
    "dashboard:test_token": member_page(),
    "dashboard:catalog": member_page(),
    "dashboard:provider": member_page(),
    "dashboard:add_integration": member_page(),
    "dashboard:integration": member_page(),
    "dashboard:integration_settings": member_page(),
    "dashboard:portal": member_page(),
    "dashboard:portal_preview": member_page(),
    "dashboard:activate": member_page(),
    "dashboard:deactivate": member_page(),
    "dashboard:disconnect": member_page(),
    "dashboard:users": member_page(),
    "dashboard:disable_user": member_page(),
    "dashboard:enable_user": member_page(),
    "dashboard:export_user": member_page(),
    "dashboard:delete_user": member_page(),
    "dashboard:call": member_page(),
    "dashboard:calls_health": member_page(),
    "dashboard:user": member_page(),
    "dashboard:calls": member_page(),
    "dashboard:audit": member_page(),
    "dashboard:export_audit": member_page(),
    "dashboard:sdk_settings": member_page(),
    "dashboard:generate_key": member_page(),
    "dashboard:add_key": member_page(),
    "dashboard:revoke_key": member_page(),
    "dashboard:rotate_key": member_page(),
    "dashboard:delete_project": member_page(),
    "dashboard:remove_integration": member_page(),
    "dashboard:end_key": member_page(),
    "dashboard:check_token": member_page(),
    "dashboard:test_page": member_page(),
    "dashboard:allow_page": member_page(),
    "dashboard:api_keys": member_page(),
    "dashboard:new_api_key": member_page(),
    "dashboard:revoke_api_key": member_page(),
    "dashboard:project_settings": member_page(),
    "dashboard:copy_project": member_page(),
    "dashboard:members": member_page(),
    "dashboard:change_role": member_page(),
    "dashboard:remove_member": member_page(),
    "workflows:workflows": member_page(),
    "workflows:new_workflow": member_page(),
    "workflows:build": member_page(),
    "workflows:save_draft": member_page(),
    "workflows:options": member_page(),
    "workflows:more_fields": member_page(),
    "workflows:check_trigger": member_page(),
    "workflows:test": member_page(),
    "workflows:test_result": member_page(),
    "workflows:deploy": member_page(),
    "workflows:undeploy": member_page(),
    "workflows:pause": member_page(),
    "workflows:delete": member_page(),
    "workflows:duplicate": member_page(),
    "workflows:versions": member_page(),
    "workflows:roll_back": member_page(),
    "workflows:run_now": member_page(),
    "workflows:users": member_page(),
    "workflows:switch": member_page(),
    "workflows:runs": member_page(),
    "workflows:replay_many": member_page(),
    "workflows:run": member_page(),
    "workflows:cancel": member_page(),
    "workflows:replay": member_page(),
    "workflows:resolve": member_page(),
    "workflows:events": member_page(),
    "workflows:event": member_page(),
    "workflows:replay_event": member_page(),
    "workflows:replay_events": member_page(),
    "dashboard:connection": member_page(),
    "dashboard:look_now": member_page(),
    "dashboard:site_webhook": member_page(),
    "dashboard:delete_site_webhook": member_page(),
    "workflows:secrets": member_page(),
    "workflows:delete_secret": member_page(),
    "workflows:alerts": member_page(),
    "workflows:test_alert": member_page(),
    # The portal and the popup: a browser's cookie says whose attempt it is
    "portal:ui": public(200, 405),
    "portal:start": public(400, 405),
    "portal:next": public(404, 405),
    "portal:choose": public(404, 405),
    "portal:lost": public(404, 405),
    "portal:confirm": public(404, 405),
    "portal:problem": public(400, 405),
    "portal:callback": public(400, 405),
    "portal:nonce": end_user(200, 405, query=POPUP),
    # The SDK's API
    "sdk:me": end_user(200, 405),
    "sdk:integrations": end_user(200, 405),
    "sdk:uninstall": end_user(204, 404, 405),
    "sdk:metadata": end_user(200, 405),
    "sdk:credentials": end_user(400, 404, 405, query={"integration": "jira"}),
    "sdk:credential": end_user(404, 405, body={"config": {"sharedSettings": {"note": "taken"}}}),
    "sdk:build-oauth": end_user(200, 405, query=BUILD_OAUTH),
    "sdk:session-by-key": end_user(200, 204, 405),
    "sdk:connect": end_user(200, 405, body=CONNECT),
    "sdk:claim": end_user(409, 405, body={"code": "a-guessed-code"}),
    "sdk:connect-session": end_user(404, 405),
    "sdk:options": end_user(400, 404, 405, body={"action": "jira", "sourceKey": "projects"}),
    "workflows_sdk:event": end_user(201, 404, 405, body={"name": "hello"}),
    "workflows_sdk:trigger-workflow": end_user(400, 404, 405),
    "workflows_sdk:workflow": end_user(400, 404, 405),
    "workflows_sdk:actions": end_user(
        200, 400, 404, 405, body={"action": "JIRA_GET_ISSUE", "parameters": {"issue": "OPS-1"}}
    ),
    "workflows_sdk:run": end_user(404, 405),
    "sdk:activity": end_user(200, 405, query={"integration": "jira"}),
    "sdk:triggers": end_user(200, 405, query={"integrations": "jira"}),
    "sdk:proxy": end_user(400),
    "sdk:proxy-root": end_user(400),
    "sdk:raw-connection": end_user(400),
    "sdk:raw": end_user(400),
    "sdk:openapi": public(200),
    # The management API: an API key says which project
    "management:users": back_end(),
    "management:user": back_end(body={"meta": {"Team": "taken"}}),
    "management:export-user": back_end(),
    "management:connections": back_end(),
    "management:connection": back_end(),
    "management:calls": back_end(),
    "management:audit-log": back_end(),
    "workflows_management:executions": back_end(),
    "workflows_management:execution": back_end(),
    "workflows_management:step-execution": back_end(),
    "workflows_management:replay-execution": back_end(),
    "workflows_management:events": back_end(),
    "workflows_management:event": back_end(),
    "workflows_management:replay-event": back_end(),
    # Deliveries: their address and their signature say whose they are
    "webhooks:app": public(405, 411),
    "webhooks:site": public(405, 411),
    # Health
    "health:healthz": public(200),
    "health:readyz": public(503),
    # The manual
    "docs:start": public(301),
    "docs:index": public(200, 405),
    "docs:search": public(200, 405),
    "docs:reference": public(200, 405),
    "docs:reference_group": public(404, 405),
    "docs:page": public(200, 405),
    # Accounts: about oneself
    "account_login": account({200, 405}, {302}),
    "account_logout": account({SIGN_IN, 405}, {200, SIGN_IN, 405}),
    "account_inactive": public(200, 405),
    "account_signup": account({200}, {302}),
    "account_reauthenticate": account({SIGN_IN}, {302}),
    "account_change_password": account({SIGN_IN}, {200, 405}),
    "account_set_password": account({SIGN_IN}, {302}),
    "account_reset_password": public(200, 405),
    "account_reset_password_done": public(200, 405),
    "account_reset_password_from_key": public(200),
    "account_reset_password_from_key_done": public(200, 405),
    "account_profile": account({SIGN_IN}, {200, 405}),
    "account_sessions": account({SIGN_IN}, {200, 405}),
    "end_session": account({SIGN_IN}, {404, 405}),
    "end_other_sessions": account({SIGN_IN}, {302, 405}),
    "second_factor_done": account({SIGN_IN}, {302, 405}),
    "mfa_index": account({SIGN_IN}, {200, 405}),
    "mfa_authenticate": account({SIGN_IN}, {302}),
    "mfa_reauthenticate": account({SIGN_IN}, {302}),
    "mfa_activate_totp": account({SIGN_IN}, {302}),
    "mfa_deactivate_totp": account({SIGN_IN}, {302}),
    "mfa_view_recovery_codes": account({SIGN_IN}, {302}),
    "mfa_generate_recovery_codes": account({SIGN_IN}, {302}),
    "mfa_list_webauthn": account({SIGN_IN}, {200, 405}),
    "mfa_add_webauthn": account({SIGN_IN}, {302}),
    "mfa_edit_webauthn": account({SIGN_IN}, {302}),
    "mfa_remove_webauthn": account({SIGN_IN}, {302}),
    "mfa_login_webauthn": account({SIGN_IN, 405}, {302}),
    "mfa_reauthenticate_webauthn": account({SIGN_IN}, {200, SIGN_IN, 405}),
    "oidc_login": account({404, 405}, {302, 405}),
    "oidc_callback": public(404, 405),
    "socialaccount_login_cancelled": account({SIGN_IN, 405}, {SIGN_IN, 405}),
    "open_invitation": public(410, 405),
    "invitations": public(410, 405),
    "join": public(404, 405),
    "accept_invitation": account({SIGN_IN}, {404, 405}),
    "decline_invitation": public(404, 405),
    # The admin
    "admin:index": superusers(),
    "admin:login": account({SIGN_IN}, {403}),
    "admin:logout": public(302),
    "admin:password_change": superusers(),
    "admin:password_change_done": superusers(),
    "admin:autocomplete": superusers(),
    "admin:jsi18n": superusers(),
    "admin:view_on_site": superusers(),
    "admin:auth_user_password_change": superusers(),
    "admin:app_list": superusers(),
    "admin:*_changelist": superusers(),
    "admin:*_add": superusers(),
    "admin:*_change": superusers(),
    "admin:*_history": superusers(),
    "admin:*_delete": superusers(),
    "admin/*/<path:object_id>/": superusers(),
    "admin/(?P<url>.*)$": superusers(),
}


def names_for(route: Route) -> list[str]:
    """Return the entries that speak of this route, the exact one first."""
    name = route.name.replace(":v2-", ":")
    return [name] if name in EXPECTATIONS else [entry for entry in EXPECTATIONS if fnmatchcase(name, entry)]


def of(route: Route) -> Expected:
    found = names_for(route)
    if not found:
        pytest.fail(
            f"Nobody has said who may be answered what at {route.name} ({route.pattern})."
            " Add it to EXPECTATIONS in tests/isolation/expectations.py."
        )
    return EXPECTATIONS[found[0]]
