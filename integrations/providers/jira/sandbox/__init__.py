"""The Jira sandbox: try and test everything without an Atlassian account.

Nothing here loads Django or the server; the server itself lives in `server/` and runs as a process of its own.
"""

from pathlib import Path

from .server.jira_sandbox.store import Store

DEFAULT_STATE = Path("var/jira_sandbox.sqlite3")
DEVELOPMENT_SCOPES = (
    "read:jira-work write:jira-work read:jira-user manage:jira-webhook manage:jira-configuration offline_access"
)


def environment(port: int, state: Path = DEFAULT_STATE) -> dict[str, str]:
    """Return the environment variables that point Patchbay at the sandbox on this port.

    The development client is created in the state file when it is missing, so the answer stays the same until the
    file is deleted, whether or not the sandbox is running.
    """
    url = f"http://localhost:{port}"
    with Store(state) as store:
        client = store.development_client()
    return {
        "JIRA_AUTH_URL": url,
        "JIRA_API_URL": url,
        "JIRA_DEV_CLIENT_ID": client["client_id"],
        "JIRA_DEV_CLIENT_SECRET": client["secret"],
        "JIRA_DEV_SCOPES": DEVELOPMENT_SCOPES,
        "OUTBOUND_LOCAL_HOSTS": f"localhost:{port}",
        "SANDBOX_URL": url,
    }
