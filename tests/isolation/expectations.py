"""What people who have no business there are answered: one entry a route.

An entry names every status that a route may answer, over all methods, to somebody signed out, to a dashboard user of
another project (`stranger`) and, for the SDK's routes, to another end user of the same project (`other_user`).
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
    "dashboard:integrations": member_page(),
    "dashboard:catalog": member_page(),
    "dashboard:provider": member_page(),
    "dashboard:add_integration": member_page(),
    "dashboard:integration": member_page(),
    "dashboard:integration_settings": member_page(),
    "dashboard:activate": member_page(),
    "dashboard:deactivate": member_page(),
    "dashboard:disconnect": member_page(),
    "dashboard:users": member_page(),
    "dashboard:user": member_page(),
    "dashboard:calls": member_page(),
    "dashboard:audit": member_page(),
    "dashboard:sdk_settings": member_page(),
    "dashboard:generate_key": member_page(),
    "dashboard:add_key": member_page(),
    "dashboard:revoke_key": member_page(),
    "dashboard:project_settings": member_page(),
    "dashboard:members": member_page(),
    "dashboard:member_link": member_page(),
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
    "sdk:triggers": end_user(200, 405, query={"integrations": "jira"}),
    "sdk:proxy": end_user(400),
    "sdk:proxy-root": end_user(400),
    "sdk:raw-connection": end_user(400),
    "sdk:raw": end_user(400),
    "sdk:openapi": public(200),
    # Deliveries: their address and their signature say whose they are
    "webhooks:app": public(405, 411),
    "webhooks:site": public(405, 411),
    # Health
    "health:healthz": public(200),
    "health:readyz": public(503),
    # Accounts: about oneself
    "account_login": account({200, 405}, {302}),
    "account_logout": account({SIGN_IN, 405}, {200, SIGN_IN, 405}),
    "account_inactive": public(200, 405),
    "account_signup": account({200}, {302}),
    "account_reauthenticate": account({SIGN_IN}, {200, 405}),
    "account_email": account({SIGN_IN}, {200, 302, 405}),
    "account_email_verification_sent": public(200, 405),
    "account_change_password": account({SIGN_IN}, {200, 405}),
    "account_set_password": account({SIGN_IN}, {302}),
    "account_reset_password": public(200, 405),
    "account_reset_password_done": public(200, 405),
    "account_reset_password_from_key": public(200),
    "account_reset_password_from_key_done": public(200, 405),
    "account_confirm_login_code": account({SIGN_IN}, {302}),
    "account_confirm_email": public(200, 404, 405),
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
