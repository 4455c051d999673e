"""What Jira offers, and how to get and keep tokens for it."""

from integrations.providers.base import Api, Example, Guide, OAuth2, Provider, Scope
from integrations.providers.jira import actions, api, deeds, fields, issues, oauth, pickers, projects, webhooks

SCOPES = (
    Scope(
        "read:jira-work",
        "Read projects, issues, comments and search",
        "Every Jira action and trigger",
        is_required=True,
    ),
    Scope(
        "write:jira-work", "Create, edit and comment on issues", "Actions: Create, Update and Delete issue, Add comment"
    ),
    Scope(
        "read:jira-user",
        "Know whose account is connected; read people's names",
        "Connecting, and assignee pickers",
        is_required=True,
    ),
    Scope(
        "manage:jira-webhook", "Be told at once when issues change", "Triggers: New issue, Issue updated, New comment"
    ),
    Scope(
        "manage:jira-configuration",
        "Read the audit log; create projects. Needs a Jira administrator",
        "Triggers: Project created and Project updated, for author and exact time",
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

NEW_ISSUE = """{
  "fields": {
    "project": {"key": "OPS"},
    "issuetype": {"name": "Task"},
    "summary": "Made with Patchbay"
  }
}"""
EXAMPLES = (
    Example("Who am I?", "/rest/api/3/myself"),
    Example("Projects", "/rest/api/3/project/search?maxResults=10"),
    Example(
        "What changed this week",
        "/rest/api/3/search/jql?jql=updated%20%3E%3D%20-7d%20ORDER%20BY%20updated&fields=summary,status&maxResults=10",
    ),
    Example("Create an issue", "/rest/api/3/issue", "POST", NEW_ISSUE),
)

provider = Provider(
    slug="jira",
    name="Jira",
    tagline="Create and follow issues in your users' Jira Cloud sites.",
    description="Your product and your users' Jira Cloud sites in step: issues made and changed in each user's own"
    " name, and workflows that begin the moment something changes there. One app at Atlassian serves all your users,"
    " whichever sites they have.",
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
        words=deeds.words,
        request_headers=frozenset({"x-atlassian-token", "x-force-accept-language", "x-experimentalapi"}),
    ),
    offers=(
        ("Any endpoint", "Call the whole Jira Cloud REST API, versions 2 and 3, in your user's name."),
        ("Several sites", "Your users choose the site; one person may connect many accounts and sites."),
        ("Actions for workflows", "Create, update, read, search, comment: with forms that know your users' projects."),
        ("Tokens that last", "Rotating tokens are renewed before they expire, once, however many calls are under way."),
    ),
    is_featured=True,
    prerequisites=(
        "A free Atlassian account, to register one app in Atlassian's developer console. It serves all your users.",
        "A Jira Cloud site of your own to try it on; a free one will do. Jira Data Center is not supported.",
        "Nothing from your users but their consent. Patchbay registers the webhooks of issues and comments by itself.",
    ),
    guides=(
        Guide("Developer console", "https://developer.atlassian.com/console/myapps/"),
        Guide("OAuth 2.0 (3LO) apps", "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/"),
        Guide("Scopes", "https://developer.atlassian.com/cloud/jira/platform/scopes-for-oauth-2-3LO-and-forge-apps/"),
        Guide("Rate limits", "https://developer.atlassian.com/cloud/jira/platform/rate-limiting/"),
    ),
    actions=actions.ACTIONS,
    feeds=(issues.FEED, projects.FEED),
    webhooks=webhooks.WEBHOOKS,
    sources=pickers.SOURCES,
    examples=EXAMPLES,
)
