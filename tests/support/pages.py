"""Every page that a person can open, and the ways it can look.

The routes come from the URL configuration. One that is in neither list below fails tests/pages/test_declared.py, and is
walked through as it looks in a full project until somebody says in which states it should be looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from integrations.docs.reference import groups
from tests.isolation.routes import Route, every_route
from tests.support.stories import (
    Street,
    account_of,
    allowed,
    call_of,
    chosen,
    consented,
    event_of,
    member_named,
    passkey_of,
    refused,
    run_of,
    workflow_named,
)

Form = Mapping[str, str]


@dataclass(frozen=True)
class State:
    """One way a page looks: in which project, to whom, with which query, or after a form was sent.

    `rows` returns what stands in its address instead of the project's first rows, `at` the whole address; both may make
    what is looked at.
    """

    name: str = "full"
    house: str = "full"
    who: str = "olivia"
    query: str = ""
    form: Form | None = None
    status: int = 200
    rows: Callable[[Any], Mapping[str, object]] = field(default=lambda house: {}, compare=False)
    at: Callable[[Street], str] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Page:
    """A page in one of its states."""

    route: Route
    state: State

    def __str__(self) -> str:
        return f"{self.route.name}-{self.state.name}"

    @property
    def is_admin(self) -> bool:
        return self.route.name.startswith("admin:")

    @property
    def slug(self) -> str:
        """Return a name for files."""
        return str(self).replace(":", "-").replace("_", "-")

    def address(self, street: Street) -> str:
        if self.state.at:
            return self.state.at(street)
        house = street.houses[self.state.house]
        return house.address(self.route, **self.state.rows(house)) + self.state.query


FULL = State()
EMPTY = State("empty", "empty")
FAILING = State("failing", "failing")
NOTHING_FOUND = "?q=nobody&user=nobody&who=nobody&error=nobody"


def refusing(**form: str) -> State:
    """The page after a form was sent that is refused."""
    return State("refused", form=form)


def filtered(query: str) -> State:
    return State("nothing-found", query=query)


def signed_out(name: str = "full", **more: Any) -> State:
    return State(name, who="nobody", **more)


TOO_LONG = "x" * 600
INVITED = {"email": "ines@acme.test", "role": "developer"}
UNSIGNED = "eyJhbGciOiJIUzI1NiJ9.e30.e30"

PAGES: dict[str, list[State]] = {
    # Projects
    "dashboard:projects": [FULL, State("empty", who="newcomer")],
    "dashboard:new_project": [FULL, refusing(name="", kind="development")],
    "dashboard:overview": [FULL, EMPTY, FAILING, State("tried", "tried"), State("support", who="sam")],
    # Integrations
    "dashboard:integrations": [FULL, EMPTY],
    "dashboard:catalog": [FULL, filtered("?q=nothing+like+it")],
    "dashboard:provider": [FULL, State("empty", "empty")],
    "dashboard:integration": [FULL, State("bare", "bare"), FAILING],
    "dashboard:portal": [FULL, refusing(save="yes", accent_color="nothing", short_description=TOO_LONG)],
    "dashboard:portal_preview": [FULL],
    "dashboard:integration_settings": [
        FULL,
        State("bare", "bare"),
        FAILING,
        refusing(client_id="new", client_secret=""),
        State("confirm", form={"client_id": "another-client", "client_secret": "new", "scopes": "read:jira-work"}),
    ],
    "dashboard:try_call": [
        State("answered", "tried", form={"method": "GET", "path": "/rest/api/3/myself", "body": ""}),
        State("refused", form={"method": "GET", "path": "nowhere", "body": ""}),
    ],
    # Users
    "dashboard:users": [FULL, EMPTY, filtered(NOTHING_FOUND)],
    "dashboard:user": [FULL, FAILING],
    "dashboard:connection": [FULL, FAILING],
    "dashboard:site_webhook": [FULL, State("made", form={})],
    "dashboard:disconnect": [FULL],
    "dashboard:delete_user": [FULL, refusing(sub="someone else")],
    # Calls
    "dashboard:calls": [FULL, EMPTY, filtered(NOTHING_FOUND)],
    "dashboard:calls_health": [FULL, EMPTY],
    "dashboard:call": [State(rows=call_of(502)), FAILING],
    # Audit
    "dashboard:audit": [FULL, EMPTY, filtered(NOTHING_FOUND)],
    # Settings
    "dashboard:sdk_settings": [FULL, EMPTY, refusing(allowed_origins="not an origin", return_urls=TOO_LONG)],
    "dashboard:generate_key": [State("made", form={"name": "Back end"}), refusing(name=TOO_LONG)],
    "dashboard:add_key": [refusing(key_name="Mine", public_key="not a key")],
    "dashboard:revoke_key": [FULL],
    "dashboard:project_settings": [FULL, refusing(name="", kind="production", call_log_days="100000")],
    "dashboard:copy_project": [FULL, refusing(target="")],
    "dashboard:delete_project": [FULL, refusing(typed="another")],
    "dashboard:remove_integration": [FULL, refusing(typed="another")],
    "dashboard:members": [FULL, State("support", who="sam")],
    "dashboard:invite": [
        refusing(email="nobody", role="owner"),
        State("made", form={"email": "ines@acme.test", "role": "developer"}),
    ],
    "dashboard:api_keys": [FULL, EMPTY],
    "dashboard:new_api_key": [
        FULL,
        refusing(name="", days="30"),
        State("made", form={"name": "Support desk", "days": "90", "scopes": "users:read"}),
    ],
    "dashboard:revoke_api_key": [FULL],
    "dashboard:rotate_key": [FULL, refusing(name="", hours="24", public_key="not a key")],
    "dashboard:end_key": [FULL],
    "dashboard:check_token": [
        FULL,
        refusing(token=""),
        State("failing", form={"token": "eyJhbGciOiJIUzI1NiJ9.e30.e30"}),
    ],
    "dashboard:test_page": [State("made", form={"address": "https://elsewhere.test/settings"})],
    "dashboard:remove_member": [FULL],
    # Workflows
    "workflows:workflows": [FULL, State("bare", "bare"), EMPTY],
    "workflows:new_workflow": [FULL, refusing(name="")],
    "workflows:build": [State(rows=workflow_named("New tasks become issues")), FAILING],
    "workflows:versions": [FULL, State("empty", rows=workflow_named("A draft of mine"))],
    "workflows:users": [
        State(rows=workflow_named("New tasks become issues")),
        State("empty", rows=workflow_named("A draft of mine"), query="?q=nobody"),
    ],
    "workflows:run_now": [FULL, refusing(payload="{not JSON")],
    "workflows:delete": [FULL],
    "workflows:runs": [FULL, EMPTY, filtered(NOTHING_FOUND)],
    "workflows:run": [State(rows=run_of("done")), State("failed", rows=run_of("failed")), FAILING],
    "workflows:events": [FULL, EMPTY, filtered(NOTHING_FOUND)],
    "workflows:event": [State(rows=event_of("dispatched")), FAILING],
    "workflows:secrets": [FULL, EMPTY, refusing(name="not a name", value="")],
    "workflows:delete_secret": [FULL],
    "workflows:alerts": [
        FULL,
        EMPTY,
        FAILING,
        refusing(emails="nobody", webhook_url="nowhere"),
        State("saved", "empty", form={"emails": "", "webhook_url": "https://hooks.example.com/a", "new_secret": "on"}),
    ],
    # The consent window
    "portal:start": [signed_out("refused", status=400)],
    "portal:callback": [signed_out("choosing", at=allowed), signed_out("refused", status=400)],
    "portal:choose": [
        signed_out("chosen", form={"site": "site-1"}, rows=consented),
        signed_out("cancelled", form={"cancel": "yes"}, rows=consented),
        signed_out("refused", form={"site": "elsewhere"}, status=400, rows=consented),
    ],
    "portal:confirm": [signed_out("connected", form={}, at=chosen)],
    "portal:lost": [signed_out("failing", form={}, rows=consented)],
    "portal:problem": [signed_out("failing", rows=refused)],
    "portal:ui": [signed_out()],
    # Accounts
    "account_login": [signed_out(), signed_out("refused", form={"login": "nobody@acme.test", "password": "wrong"})],
    "account_signup": [signed_out()],
    "account_logout": [FULL],
    "account_inactive": [signed_out()],
    "account_reset_password": [signed_out(), signed_out("refused", form={"email": "nobody"})],
    "account_reset_password_done": [signed_out()],
    "account_reset_password_from_key": [signed_out("failing")],
    "account_reset_password_from_key_done": [signed_out()],
    "account_reauthenticate": [State(who="sam")],
    "account_change_password": [FULL, refusing(oldpassword="wrong", password1="a", password2="b")],
    "account_profile": [FULL, refusing(name=TOO_LONG)],
    "account_sessions": [FULL],
    "mfa_authenticate": [State(who="nils"), State("refused", who="nils", form={"code": "000000"})],
    "mfa_index": [FULL, State("set-up", who="mira")],
    "mfa_activate_totp": [State(who="newcomer"), State("refused", who="newcomer", form={"code": "000000"})],
    "mfa_deactivate_totp": [State(who="mira")],
    "mfa_view_recovery_codes": [State(who="mira")],
    "mfa_generate_recovery_codes": [State(who="mira")],
    "mfa_list_webauthn": [State(who="mira"), State("empty", who="newcomer")],
    "mfa_add_webauthn": [State(who="newcomer")],
    "mfa_edit_webauthn": [State(who="mira", rows=passkey_of("mira"))],
    "mfa_remove_webauthn": [State(who="mira", rows=passkey_of("mira"))],
    "mfa_reauthenticate": [State(who="mira")],
    "mfa_reauthenticate_webauthn": [State(who="mira")],
    "invitations": [State(who="ines"), State("gone", who="newcomer", status=410)],
    "open_invitation": [signed_out("gone", status=410)],
    # The manual
    "docs:index": [FULL, signed_out("public")],
    "docs:page": [
        State(rows=lambda house: {"slug": "quick-start"}),
        State("of-tables", rows=lambda house: {"slug": "security/asvs"}),
        State("long", rows=lambda house: {"slug": "deployment"}),
    ],
    "docs:search": [State(query="?q=webhook"), State("nothing-found", query="?q=nothinglikeit")],
    "docs:reference": [FULL],
    "docs:reference_group": [State(rows=lambda house: {"slug": groups()[0].slug})],
    # The admin
    "admin:index": [State(who="root")],
    "admin:app_list": [State(who="root")],
    "admin:*_changelist": [State(who="root")],
    "admin:*_change": [State(who="root")],
    "admin:*_history": [State(who="root")],
    "admin:auth_group_add": [State(who="root")],
    "admin:integrations_user_add": [State(who="root")],
    "admin:integrations_project_add": [State(who="root")],
    "admin:integrations_member_add": [State(who="root")],
    "admin:integrations_integration_add": [State(who="root")],
    "admin:auth_group_delete": [State(who="root")],
    "admin:integrations_user_delete": [State(who="root", rows=account_of("sam@acme.test"))],
    "admin:integrations_member_delete": [State(who="root", rows=member_named("sam@acme.test"))],
    "admin:mfa_authenticator_delete": [State(who="root")],
    "admin:workflows_workflow_delete": [State(who="root")],
    "admin:password_change": [State(who="root")],
    "admin:password_change_done": [State(who="root")],
    "admin:auth_user_password_change": [State(who="root")],
}

# What nobody looks at: buttons, downloads, redirects, the HTTP API.
NOT_PAGES = [
    *("sdk:*", "workflows_sdk:*", "webhooks:*", "health:*"),
    *("dashboard:home", "dashboard:settings", "dashboard:add_integration", "dashboard:activate"),
    *("dashboard:deactivate", "dashboard:look_now", "dashboard:delete_site_webhook", "dashboard:try_connect"),
    *("dashboard:disable_user", "dashboard:enable_user", "dashboard:export_user", "dashboard:export_audit"),
    *("dashboard:change_role", "dashboard:send_invitation_again", "dashboard:withdraw_invitation"),
    *("dashboard:require_second_factor", "dashboard:test_token", "dashboard:allow_page"),
    *("management:*", "workflows_management:*", "docs:start"),
    *("workflows:save_draft", "workflows:options", "workflows:more_fields", "workflows:check_trigger"),
    *("workflows:test", "workflows:test_result", "workflows:deploy", "workflows:undeploy", "workflows:pause"),
    *("workflows:duplicate", "workflows:roll_back", "workflows:replay_many", "workflows:cancel", "workflows:replay"),
    *("workflows:resolve", "workflows:replay_event", "workflows:replay_events", "workflows:switch"),
    *("workflows:test_alert",),
    *("portal:next", "portal:nonce", "portal:v2-nonce"),
    *("account_set_password", "second_factor_done", "mfa_login_webauthn"),
    *("oidc_login", "oidc_callback", "socialaccount_login_cancelled"),  # there only with an identity provider
    *("join", "accept_invitation", "decline_invitation", "end_session", "end_other_sessions"),
    *("admin:login", "admin:logout", "admin:autocomplete", "admin:jsi18n", "admin:view_on_site"),
    *("admin:*_add", "admin:*_delete"),  # of what is only looked at there
    *("admin/*/<path:object_id>/", "admin/(?P<url>.[*])$"),
]


def declared(route: Route) -> list[str]:
    """Return the entries that speak of a route, of both lists, the exact one first."""
    found = [entry for entry in [*PAGES, *NOT_PAGES] if fnmatchcase(route.name, entry)]
    return sorted(found, key=lambda entry: entry != route.name)


def states(route: Route) -> list[State]:
    found = declared(route)
    return PAGES.get(found[0], []) if found else [FULL]


def every_page() -> list[Page]:
    return [Page(route, state) for route in every_route() for state in states(route)]
