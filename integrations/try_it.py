"""Connect a test account and make a call from the dashboard, through the same handshake and proxy as end users do.

A test account belongs to one dashboard user in one project. The page that asks for it comes back in the same browser,
so there is no popup and nothing to hand over: what is claimed with a user token elsewhere is claimed here by the
session of the one who began.
"""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings

from integrations import calls, connect, proxy, test_tokens
from integrations.connect import ConnectError
from integrations.errors import ProviderError
from integrations.models import ConnectedUser, Connection, ConnectSession, Integration, Member, Project, User
from integrations.user_tokens import EndUser

SHOWN = 40_000


@dataclass(frozen=True)
class Attempt:
    """What a call was answered. `status` is ours where the provider was not reached; `words` says what to do."""

    status: int
    milliseconds: int
    text: str
    words: str = ""
    is_cut: bool = False

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


def end_user(project: Project, staff: User) -> EndUser:
    return EndUser(project.pk, test_tokens.sub_of(staff))


def connection_of(integration: Integration, staff: User) -> Connection | None:
    """Return the account that calls of this dashboard user are made with."""
    mine = integration.connections.filter(user__sub=end_user(integration.project, staff).sub)
    return mine.select_related("grant", "user").first()


def begin(integration: Integration, staff: User, nonce: str) -> str:
    """Open an attempt in the browser that has the nonce; return the provider's address. Raises ConnectError."""
    connect.usable_app(integration)
    user = connect.connected_user(end_user(integration.project, staff))
    ConnectedUser.objects.filter(pk=user.pk).update(meta={"Name": f"Test account of {staff}", "Email": staff.email})
    session = connect.open_session(
        user,
        integration,
        ConnectSession.Protocol.DASHBOARD,
        origin=settings.PUBLIC_URL,
        nonce_hash=connect.digest(nonce),
    )
    try:
        return connect.provider_address(session)
    except ConnectError as error:
        connect.fail(session, error.code, str(error))
        raise


def finish(session: ConnectSession, staff: Any) -> Connection:
    """Connect for the one who began, who must be signed in still. Raises ConnectError."""
    own = Project.objects.allowing(staff, Member.Role.DEVELOPER) if staff.is_authenticated else Project.objects.none()
    if not own.filter(pk=session.project_id).exists():
        raise ConnectError("signed_out", "You were signed out meanwhile. Sign in and connect the test account again.")
    return connect.claim(end_user(session.project, staff), connect.new_claim_code(session))


def call(integration: Integration, staff: User, method: str, address: str, body: str) -> Attempt:
    """Make one call with the test account, as `proxy.forward` does for the SDK."""
    parts = urlsplit(address)
    sent = body.encode()
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if sent else {})
    # Encoded as browsers do it: JQL is typed with spaces.
    query = quote(parts.query, safe="%/?:@!$&'()*+,;=[]")
    wanted = proxy.Call(method, unquote(parts.path), query, headers, sent, len(sent))
    began = time.monotonic()
    try:
        answer = proxy.forward(end_user(integration.project, staff), integration.provider_slug, wanted)
        raw = answer.response.body(settings.PROXY_MAX_JSON_BYTES)
    except proxy.ProxyError as error:
        return Attempt(error.status, _since(began), "", str(error))
    except ProviderError as error:
        return Attempt(502, _since(began), "", str(error))
    calls.flush()  # The next page that is looked at is likely to be the one that lists it.
    text = _readable(raw)
    return Attempt(answer.status, _since(began), text[:SHOWN], answer.hint, len(text) > SHOWN)


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _readable(raw: bytes) -> str:
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", errors="replace")
