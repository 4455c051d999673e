"""What Jira offers, and how to get and keep tokens for it."""

from integrations.providers.base import Api, OAuth2, Provider, Scope
from integrations.providers.jira import actions, api, fields, issues, oauth, pickers, projects, webhooks

SCOPES = (
    Scope(
        "read:jira-work",
        "Read projects, issues, comments and search",
        "Every Jira action and trigger",
        is_required=True,
    ),
    Scope("write:jira-work", "Create, edit and comment on issues", "Create issue, Update issue, Add comment"),
    Scope(
        "read:jira-user",
        "Know whose account is connected; read people's names",
        "Connecting, and assignee pickers",
        is_required=True,
    ),
    Scope(
        "manage:jira-webhook", "Be told at once when issues change", "Triggers: New Issue, Issue Updated, New Comment"
    ),
    Scope(
        "manage:jira-configuration",
        "Read the audit log; create projects. Needs a Jira administrator",
        "Author and exact time of Project Created and Project Updated",
        is_recommended=False,
    ),
    Scope(
        "manage:jira-project",
        "Change project settings, versions and components",
        "Your own API calls",
        is_recommended=False,
    ),
    Scope("offline_access", "Stay connected while the user is away", "Everything", is_required=True),
)

provider = Provider(
    slug="jira",
    name="Jira",
    tagline="Create and follow issues in your users' Jira Cloud sites.",
    categories=("Project management", "Ticketing"),
    docs_url="https://developer.atlassian.com/cloud/jira/platform/rest/v3/",
    brand_color="#1868DB",
    scopes=SCOPES,
    oauth=OAuth2(
        authorize_url=oauth.authorize_url,
        token_url=oauth.token_url,
        authorize_params={"audience": "api.atlassian.com", "prompt": "consent"},
        refusal=oauth.refusal,
        account=oauth.account,
        sites=oauth.sites,
        manage_url="https://id.atlassian.com/manage-profile/apps",
    ),
    api=Api(
        base_url=api.base_url,
        means_expired=api.means_expired,
        message=api.message,
        hint=api.hint,
        field_errors=fields.error_fields,
        request_headers=frozenset({"x-atlassian-token", "x-force-accept-language", "x-experimentalapi"}),
    ),
    offers=(
        ("Any endpoint", "Call the whole Jira Cloud REST API, versions 2 and 3, in your user's name."),
        ("Several sites", "Your users choose the site; one person may connect many accounts and sites."),
        ("Actions for workflows", "Create, update, read, search, comment: with forms that know your users' projects."),
        ("Tokens that last", "Rotating tokens are renewed before they expire, once, however many calls are under way."),
    ),
    actions=actions.ACTIONS,
    feeds=(issues.FEED, projects.FEED),
    webhooks=webhooks.WEBHOOKS,
    sources=pickers.SOURCES,
    example_path="/rest/api/3/myself",
)
