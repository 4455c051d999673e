"""The state of the one server process: Python objects under one lock, written through to the store."""

import shutil
import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.conf import settings

from . import seed
from .records import Account, AdminWebhook, Client, Grant, Issue, Project, Settings, Webhook
from .scopes import SCOPES
from .store import Store

KINDS = ["account", "client", "grant", "project", "issue", "settings", "ledger", "webhook", "admin_webhook", "audit"]


class State:
    """Everything the sandbox knows. Hold `lock` to read several things or to change anything."""

    def __init__(self, store: Store) -> None:
        self.lock = threading.RLock()
        self.store = store
        self.signing_key = store.signing_key().encode()
        self.files = store.path.with_suffix(".files")
        self._load()

    def _load(self) -> None:
        store = self.store
        self.accounts = {key: Account(**row) for key, row in store.all("account")}
        self.clients = {key: Client(**row) for key, row in store.all("client")}
        self.grants = {key: Grant(**row) for key, row in store.all("grant")}
        self.projects = {key: Project(**row) for key, row in store.all("project")}
        self.issues = {key: Issue(**row) for key, row in store.all("issue")}
        self.ledger: list[dict[str, Any]] = [row for _, row in store.all("ledger")]
        self.webhooks = {(row["site"], row["id"]): Webhook(**row) for _, row in store.all("webhook")}
        self.admin_webhooks = {key: AdminWebhook(**row) for key, row in store.all("admin_webhook")}
        self.audit: list[dict[str, Any]] = [row for _, row in store.all("audit")]
        self.last_webhook: dict[str, int] = {}
        self.settings = Settings(**(store.get("settings", "settings") or {}))
        self.codes: dict[str, dict[str, Any]] = {}
        self.token_calls: Counter[tuple[str, str]] = Counter()
        self.api_calls: Counter[tuple[str, str, int]] = Counter()
        used = [*map(int, self.issues), *(int(entry["id"]) for i in self.issues.values() for entry in i.history)]
        self.last_id = max([10999, *used, *(int(row["id"]) for row in self.audit)])
        if not self.accounts:
            self._seed()
        self.by_pair = {(grant.client_id, grant.account_id): grant for grant in self.grants.values()}
        self._index_issues()
        self._add_development_client()

    def _seed(self) -> None:
        for account in seed.accounts():
            self.save_account(account)
        for project in seed.projects():
            self.projects[project.id] = project
        for issue in seed.issues():
            self.issues[issue.id] = issue
            project = self._project_of(issue)
            project.last_number = max(project.last_number, issue.number)
        self.store.put_many("project", {key: asdict(value) for key, value in self.projects.items()})
        self.store.put_many("issue", {key: asdict(value) for key, value in self.issues.items()})

    def _project_of(self, issue: Issue) -> Project:
        return next(p for p in self.projects.values() if (p.site, p.key) == (issue.site, issue.project))

    def _index_issues(self) -> None:
        self.by_key = {(issue.site, issue.key): issue for issue in self.issues.values()}

    def _add_development_client(self) -> None:
        keys = self.store.development_client()
        client = Client(keys["client_id"], keys["secret"], "Patchbay development", "", list(SCOPES))
        self.clients[client.client_id] = client

    def reset(self) -> None:
        """Go back to the seed data. The development client and the signing key stay."""
        with self.lock:
            self.store.clear(KINDS)
            shutil.rmtree(self.files, ignore_errors=True)
            self._load()

    def save_account(self, account: Account) -> None:
        self.accounts[account.account_id] = account
        self.store.put("account", account.account_id, asdict(account))

    def save_client(self, client: Client) -> None:
        self.clients[client.client_id] = client
        self.store.put("client", client.client_id, asdict(client))

    def delete_client(self, client_id: str) -> None:
        self.clients.pop(client_id, None)
        self.store.delete("client", client_id)

    def save_grant(self, grant: Grant) -> None:
        self.grants[grant.id] = grant
        self.by_pair[grant.client_id, grant.account_id] = grant
        self.store.put("grant", grant.id, asdict(grant))

    def save_project(self, project: Project) -> None:
        self.projects[project.id] = project
        self.store.put("project", project.id, asdict(project))

    def save_issue(self, issue: Issue) -> None:
        self.issues[issue.id] = issue
        self.by_key[issue.site, issue.key] = issue
        self.store.put("issue", issue.id, asdict(issue))

    def save_webhook(self, webhook: Webhook) -> None:
        self.webhooks[webhook.site, webhook.id] = webhook
        self.store.put("webhook", f"{webhook.site}/{webhook.id}", asdict(webhook))

    def delete_webhook(self, webhook: Webhook) -> None:
        self.webhooks.pop((webhook.site, webhook.id), None)
        self.store.delete("webhook", f"{webhook.site}/{webhook.id}")

    def save_admin_webhook(self, webhook: AdminWebhook) -> None:
        self.admin_webhooks[webhook.id] = webhook
        self.store.put("admin_webhook", webhook.id, asdict(webhook))

    def delete_admin_webhook(self, webhook_id: str) -> None:
        self.admin_webhooks.pop(webhook_id, None)
        self.store.delete("admin_webhook", webhook_id)

    def delete_issue(self, issue: Issue) -> None:
        self.issues.pop(issue.id)
        self.by_key.pop((issue.site, issue.key))
        self.store.delete("issue", issue.id)

    def change_settings(self, changes: dict[str, Any]) -> None:
        """Change the named settings. Raises TypeError for a name that does not exist."""
        self.settings = Settings(**{**asdict(self.settings), **changes})
        self.store.put("settings", "settings", asdict(self.settings))

    def next_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def record_effect(self, kind: str, account_id: str, **details: Any) -> None:
        """Note something that a client's call changed, so that a test can count what really happened."""
        row = {"effect": kind, "account_id": account_id, "at": time.time(), **details}
        self.ledger.append(row)
        self.store.put("ledger", str(len(self.ledger)), row)


state = State(Store(settings.SANDBOX_STATE))
