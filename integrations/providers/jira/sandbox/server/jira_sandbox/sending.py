"""Sending webhooks as Jira Cloud does: signed, in the order of what happened, again when they are not taken.

A thread sends, so that nobody who changes something waits. Webhooks of an app carry a token signed with its client
secret; those that an administrator made carry a signature of the body. Trouble is the operator's to order.
"""

import hashlib
import hmac
import json
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt

from .happenings import Happening
from .jql import match
from .jql.parse import parse
from .records import Webhook
from .state import state

TIMEOUT_SECONDS = 10
MOST_REPETITIONS = 5
AGAIN = {408, 409, 425, 429}
TOKEN_SECONDS = 180
SHUFFLE_SECONDS = 0.3


@dataclass
class Delivery:
    """One POST to be made. `due_at` is by time.monotonic()."""

    url: str
    body: bytes
    event: str
    kind: str
    signer: str  # a client id, or an administrator's secret
    webhook_ids: list[int] = field(default_factory=list)
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    flow: str = "Primary"
    key: str = ""
    repetition: int = 0
    due_at: float = 0.0


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Sender:
    def __init__(self) -> None:
        self._waiting: list[Delivery] = []
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._opener = build_opener(_NoRedirect)
        self.sent: deque[dict[str, Any]] = deque(maxlen=5000)
        self._bodies: dict[str, Delivery] = {}

    def tell(self, happening: Happening) -> None:
        """Have everyone told who wants to hear of this. Called under the state's lock."""
        if state.settings.webhooks_off:
            return
        for delivery in [*_dynamic(happening), *_by_hand(happening)]:
            self._order(delivery)

    def _order(self, delivery: Delivery) -> None:
        trouble = state.settings
        if trouble.webhook_lose_next:
            state.change_settings({"webhook_lose_next": trouble.webhook_lose_next - 1})
            return
        delivery.flow = "Secondary" if trouble.webhook_secondary else "Primary"
        wait = trouble.webhook_delay_ms / 1000 + (SHUFFLE_SECONDS if trouble.webhook_shuffle else 0)
        delivery.due_at = time.monotonic() + wait
        copies = 1
        if trouble.webhook_duplicate_next:
            state.change_settings({"webhook_duplicate_next": trouble.webhook_duplicate_next - 1})
            copies = 2
        for _ in range(copies):
            self.put(delivery, is_first=trouble.webhook_shuffle)

    def put(self, delivery: Delivery, *, is_first: bool = False) -> None:
        with self._wake:
            if is_first:
                # No later than those it comes before, or it would not.
                delivery.due_at = min([delivery.due_at, *(each.due_at for each in self._waiting)])
            self._waiting.insert(0 if is_first else len(self._waiting), delivery)
            self._bodies[delivery.identifier] = delivery
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_for_ever, name="webhooks", daemon=True)
                self._thread.start()
            self._wake.notify()

    def repeat(self, identifier: str) -> bool:
        """Send a delivery once more, as it was."""
        found = self._bodies.get(identifier)
        if found:
            self.put(Delivery(**(asdict(found) | {"due_at": 0.0})))
        return found is not None

    def forget(self) -> None:
        with self._wake:
            self._waiting.clear()
            self._bodies.clear()
            self.sent.clear()

    def _send_for_ever(self) -> None:
        while True:
            with self._wake:
                delivery = self._next()
                if delivery is None:
                    soonest = min((each.due_at for each in self._waiting), default=None)
                    self._wake.wait(None if soonest is None else max(soonest - time.monotonic(), 0.001))
                    continue
            self._send(delivery)

    def _next(self) -> Delivery | None:
        now = time.monotonic()
        for number, delivery in enumerate(self._waiting):
            if delivery.due_at <= now:
                return self._waiting.pop(number)
        return None

    def _send(self, delivery: Delivery) -> None:
        status = self._post(delivery)
        noted = {
            name: getattr(delivery, name) for name in ("url", "webhook_ids", "event", "identifier", "flow", "kind")
        }
        noted |= {"at": time.time(), "attempt": delivery.repetition, "status": status, "key": delivery.key}
        self.sent.append(noted)
        is_wanted_again = status is None or status >= 500 or status in AGAIN
        if is_wanted_again and delivery.repetition < MOST_REPETITIONS:
            wait = random.uniform(*state.settings.webhook_retry_seconds)
            again = asdict(delivery) | {"repetition": delivery.repetition + 1, "due_at": time.monotonic() + wait}
            self.put(Delivery(**again))

    def _post(self, delivery: Delivery) -> int | None:
        try:
            request = Request(delivery.url, data=delivery.body, headers=_headers(delivery), method="POST")  # noqa: S310
            # Registered addresses are http or https.
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code
        except (URLError, OSError, ValueError):
            return None


def _headers(delivery: Delivery) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Atlassian Webhook HTTP Client",
        "X-Atlassian-Webhook-Identifier": delivery.identifier,
        "X-Atlassian-Webhook-Flow": delivery.flow,
    }
    if delivery.repetition:
        headers["X-Atlassian-Webhook-Retry"] = str(delivery.repetition)
    if delivery.kind == "admin":
        signature = hmac.new(delivery.signer.encode(), delivery.body, hashlib.sha256).hexdigest()
        return headers | {"X-Hub-Signature": f"sha256={signature}"}
    now = int(time.time())
    claims = {"iss": delivery.signer, "iat": now, "exp": now + TOKEN_SECONDS, "jti": str(uuid.uuid4())}
    client = state.clients.get(delivery.signer)
    secret = client.secret if client else ""
    return headers | {"Authorization": f"Bearer {jwt.encode(claims, secret or 'gone', algorithm='HS256')}"}


# Who hears of it ----------------------------------------------------------------------------------------------------


def _dynamic(happening: Happening) -> list[Delivery]:
    """Return one delivery for each app and address, naming all of its webhooks that match."""
    found: dict[tuple[str, str], list[int]] = {}
    for webhook in state.webhooks.values():
        if webhook.site == happening.site and _wants(webhook, happening):
            found.setdefault((webhook.client_id, webhook.url), []).append(webhook.id)
    return [_delivery(happening, url, "dynamic", client_id, sorted(ids)) for (client_id, url), ids in found.items()]


def _wants(webhook: Webhook, happening: Happening) -> bool:
    if happening.event not in webhook.events or webhook.expires_at <= time.time() or happening.issue is None:
        return False
    if state.settings.private_apps and webhook.account_id != state.settings.private_owner:
        return False
    project = happening.project
    if project is None or project.access_of(webhook.account_id) not in ("edit", "browse"):
        return False
    if webhook.fields and happening.event == "jira:issue_updated" and not set(webhook.fields) & set(happening.changed):
        return False
    if is_everything(webhook.jql):
        return True
    where = parse(webhook.jql).where
    return where is None or match.matches(where, happening.issue, webhook.account_id)


def is_everything(jql: str) -> bool:
    return " ".join(jql.lower().split()) in ("project != null", "project != empty")


def _by_hand(happening: Happening) -> list[Delivery]:
    return [
        _delivery(happening, webhook.url, "admin", webhook.secret, [])
        for webhook in state.admin_webhooks.values()
        if webhook.site == happening.site and happening.event in webhook.events
    ]


def _delivery(happening: Happening, url: str, kind: str, signer: str, ids: list[int]) -> Delivery:
    body = happening.body | ({"matchedWebhookIds": ids} if ids else {})
    key = happening.issue.key if happening.issue else happening.project.key if happening.project else ""
    return Delivery(url, json.dumps(body).encode(), happening.event, kind, signer, ids, key=key)


sender = Sender()
