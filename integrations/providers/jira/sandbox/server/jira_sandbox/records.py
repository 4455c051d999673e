"""What the sandbox remembers. Every record is a dataclass that becomes JSON in the store."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}


@dataclass
class Account:
    """A person. `sites` holds the cloud ids they may use."""

    account_id: str
    name: str
    email: str
    sites: list[str] = field(default_factory=list)
    time_zone: str = "Europe/London"
    is_admin: bool = False


@dataclass
class Client:
    """An OAuth app. The development client has no callback URL: any loopback one below /oauth/callback/ will do."""

    client_id: str
    secret: str
    name: str
    callback_url: str
    scopes: list[str]

    @property
    def is_development(self) -> bool:
        return not self.callback_url

    def accepts(self, redirect_uri: str) -> bool:
        if not self.is_development:
            return redirect_uri == self.callback_url
        parts = urlsplit(redirect_uri)
        return (
            parts.scheme == "http"
            and parts.hostname in LOOPBACK_NAMES
            and parts.path.startswith("/oauth/callback/")
            and not parts.fragment
        )


@dataclass
class Grant:
    """One account's consent to one client.

    `family` counts consents and `generation` counts refreshes within one; both are written into each refresh token.
    Times are seconds since the epoch. Access tokens issued at or before `access_expired_at` no longer work.
    """

    id: str
    client_id: str
    account_id: str
    sites: list[str]
    scopes: list[str]
    family: int = 0
    generation: int = 0
    rotated_at: float = 0.0
    used_at: float = 0.0
    access_expired_at: float = 0.0
    revoked: bool = False
    reuse_detected: bool = False


@dataclass
class Project:
    """A project. `access` says who may "edit" or only "browse"; "*" is everyone else on the site."""

    id: str
    site: str
    key: str
    name: str
    description: str
    lead: str
    access: dict[str, str]
    last_number: int = 0

    def access_of(self, account_id: str) -> str | None:
        return self.access.get(account_id, self.access.get("*"))


@dataclass
class Issue:
    """An issue. `fields` holds ids and ADF; `represent` turns them into Jira's shapes."""

    id: str
    site: str
    project: str
    number: int
    creator: str
    created: float
    updated: float
    fields: dict[str, Any]
    comments: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    attachments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.project}-{self.number}"


@dataclass
class Webhook:
    """What an app registered in a user's name. Ids are unique at a site only. `expires_at` is in seconds."""

    id: int
    client_id: str
    account_id: str
    site: str
    url: str
    events: list[str]
    jql: str
    fields: list[str]
    expires_at: float

    @property
    def owner(self) -> tuple[str, str, str]:
        return self.client_id, self.account_id, self.site


@dataclass
class AdminWebhook:
    """What an administrator made by hand in the site's settings. It never expires."""

    id: str
    site: str
    url: str
    secret: str
    events: list[str]


@dataclass
class Settings:
    """How the sandbox behaves. An operator changes these to see what a product does about trouble."""

    access_token_seconds: int = 3600
    reuse_leeway_seconds: float = 600
    inactivity_seconds: float = 90 * 24 * 3600
    code_seconds: float = 600
    omit_refresh_token: bool = False
    dead_token_answer: str = "invalid_grant"
    token_mode: str = "normal"
    token_mode_seconds: float = 30
    fail_next_token_calls: int = 0
    token_latency_ms: list[float] = field(default_factory=lambda: [0, 0])
    api_latency_ms: float = 0
    rate_limit_next: int = 0
    rate_limit_retry_after: float | None = 5
    rate_limit_reason: str = "jira-burst-based"
    # Of the next so many writing calls: do what they ask and lose the answer, or fail them before anything is done.
    lose_next: int = 0
    fail_next: int = 0
    search_lag_seconds: float = 0
    # Webhooks: none at all; late, and said to be; lost, twice or in the wrong order; again after so many seconds.
    webhooks_off: bool = False
    webhook_delay_ms: float = 0
    webhook_secondary: bool = False
    webhook_lose_next: int = 0
    webhook_duplicate_next: int = 0
    webhook_shuffle: bool = False
    webhook_retry_seconds: list[float] = field(default_factory=lambda: [300, 900])
    # Apps are told of their owner's sites only; the audit log is for paid plans.
    private_apps: bool = False
    private_owner: str = ""
    free_plan: bool = False


TOKEN_MODES = {
    "normal": "Answer normally",
    "fail": "500 with an error body",
    "rate_limit": "429, too many requests",
    "html": "502 with an HTML page",
    "hang": "Hang, then answer",
    "drop": "Drop the connection before doing anything",
    "lost": "Rotate the token, then lose the answer",
}
