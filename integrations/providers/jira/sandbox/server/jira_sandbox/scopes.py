"""The scopes the sandbox knows, in words for the consent page and the console."""

OFFLINE = "offline_access"

SCOPES = {
    "read:jira-work": "View Jira issue data: projects, issues, fields and comments",
    "write:jira-work": "Create and manage issues, comments and attachments",
    "read:jira-user": "View user profiles",
    "manage:jira-webhook": "Manage dynamic webhooks",
    "manage:jira-project": "Manage project settings",
    "manage:jira-configuration": "Manage Jira global settings",
    "read:me": "View your Atlassian profile",
    "read:account": "View the details of your Atlassian account",
    OFFLINE: "Stay connected while you are away",
}
JIRA_SCOPES = [scope for scope in SCOPES if ":jira-" in scope]
CONFLUENCE_SCOPES = ["read:confluence-space.summary", "search:confluence"]
