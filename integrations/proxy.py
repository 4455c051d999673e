"""Forward one call in a user's name: plain values in, plain values out, no HttpRequest."""

import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from urllib3.util import parse_url

from integrations import calls, http, tokens
from integrations.errors import (
    DeadlineError,
    NeedsReconnect,
    PermanentError,
    ProviderError,
    TemporaryError,
    WrongKeys,
)
from integrations.models import ConnectedUser, Connection, Integration
from integrations.providers.base import Provider
from integrations.redaction import redact
from integrations.remember import Remembered
from integrations.user_tokens import EndUser

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"})
# Everything else is dropped: credentials, cookies, hop-by-hop and forwarding headers have no business upstream.
REQUEST_HEADERS = frozenset(
    {"accept", "accept-language", "content-type", "if-match", "if-none-match", "if-modified-since", "range"}
)
RESPONSE_HEADERS = frozenset(
    {
        "content-type",
        "content-disposition",
        "content-range",
        "accept-ranges",
        "etag",
        "last-modified",
        "retry-after",
        "x-arequestid",
        "ratelimit",
        "ratelimit-policy",
        "ratelimit-reason",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-nearlimit",
    }
)
# ";" would pass through encoded and be read by some servers as "..;", and "%" as a second level of encoding.
FORBIDDEN_IN_SEGMENT = re.compile(r"[\x00-\x1f\x7f\\%]|^\.{1,2}(;.*)?$|^$")
FORBIDDEN_IN_QUERY = re.compile(r"[\x00-\x20\x7f#\\]|[^\x00-\x7f]")
SAFE_IN_SEGMENT = "-._~!$&'()*+,=:@"
# How long to wait where the provider asks for patience and says no time.
PATIENCE_SECONDS = 10
MOST_SAID = 300
_connections: Remembered[Connection] = Remembered()
NOT_CONNECTED = "Integration not enabled for user."


class ProxyError(Exception):
    """An answer of our own: a status, a code for programs, words for people."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after


@dataclass(frozen=True)
class Call:
    """What to forward. `body` is bytes, or a stream of `length` bytes that can be read once."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | http.Readable = b""
    length: int = 0


@dataclass(frozen=True)
class Answer:
    """What came back. `base` is the address that the provider's own links begin with. Use up or close the stream."""

    status: int
    headers: dict[str, str]
    response: http.Response
    base: str
    hint: str = ""
    said: str = ""

    def stream(self) -> Iterator[bytes]:
        return self.response.stream(settings.PROXY_MAX_BYTES)


def find_connection(user: EndUser, slug: str, wanted: str = "") -> tuple[Integration, Connection]:
    """Return the user's connection: the one named by id or external id, else the oldest. Raises ProxyError 400.

    Someone else's connection and one that does not exist are the same to the caller.
    """
    key = (user.project_id, user.sub, slug, wanted)
    connection = _connections.get(key)
    if connection is None:
        connection = _look_up(user, slug, wanted)
        if connection is None:
            raise ProxyError(400, "not_connected", NOT_CONNECTED)
        _connections.keep(key, connection)
    if connection.user.disabled_at:
        raise ProxyError(400, "user_disabled", ConnectedUser.DISABLED)
    if not connection.integration.is_active:
        raise ProxyError(
            400, "integration_inactive", f"{connection.integration.provider.name} is not active in this project."
        )
    if connection.status != Connection.Status.ACTIVE:
        raise ProxyError(400, "needs_reconnect", connection.reason)
    return connection.integration, connection


def _look_up(user: EndUser, slug: str, wanted: str) -> Connection | None:
    mine = Connection.objects.filter(project_id=user.project_id, user__sub=user.sub, integration__provider_slug=slug)
    if wanted:
        mine = mine.filter(**named(wanted))
    return mine.select_related("integration", "grant", "user").first()


def named(wanted: str) -> dict[str, Any]:
    """Return the filter for a connection's id, or for the customer's own name for it, as the SDK sends either."""
    try:
        return {"pk": uuid.UUID(wanted)}
    except ValueError:
        return {"external_id": wanted.removeprefix("ext:")}


def forward(user: EndUser, slug: str, call: Call, *, wanted: str = "") -> Answer:
    """Send the call with a fresh token, once more if the token turns out to be expired. Raises ProxyError."""
    started = time.monotonic()
    connection: Connection | None = None
    status, code, said = 502, "", ""
    try:
        _, connection = find_connection(user, slug, wanted)
        answer = send_for(connection, call)
        status, said = answer.status, answer.said
        if status == 429:
            connection.be_patient(http.retry_after(answer.response.headers) or PATIENCE_SECONDS)
        return answer
    except ProxyError as error:
        status, code = error.status, error.code
        raise
    finally:
        told: dict[str, Any] = {"method": call.method, "path": call.path, "seconds": time.monotonic() - started}
        calls.note(user, slug, connection, **told, status=status, code=code, said=said)


def send_for(connection: Connection, call: Call, seconds: float | None = None) -> Answer:
    """Send one call for a connection, twice where its token turns out to be expired. Raises ProxyError."""
    deadline_at = time.monotonic() + (seconds or settings.PROXY_DEADLINE_SECONDS)
    provider = connection.integration.provider
    if call.method not in METHODS:
        raise ProxyError(405, "method_not_allowed", f"{call.method} cannot be forwarded.")
    base = provider.api.base_url(connection.site_id)
    url = target(base, call.path, call.query)
    token = _token(connection)
    response = _send(provider, call, url, token.text, deadline_at)
    if response.status == 401:
        # Small bodies are in memory, so a token that expired on the way costs the caller nothing.
        body = response.body(settings.PROXY_MAX_JSON_BYTES)
        if not provider.api.means_expired(401, body):
            return _answer(provider, call, _Read(response, body), base)
        token = _token(connection, stale=token.sealed)
        if not isinstance(call.body, bytes):
            raise ProxyError(
                409, "token_renewed", "The access token was renewed while this call was under way; send it again."
            )
        response = _send(provider, call, url, token.text, deadline_at)
    return _answer(provider, call, response, base)


class _Read(http.Response):
    """An answer whose body has been looked at already."""

    def __init__(self, response: http.Response, body: bytes) -> None:
        self.status, self.headers, self._body = response.status, response.headers, body

    def stream(self, max_bytes: int = http.MAX_BYTES) -> Iterator[bytes]:
        yield self._body

    def close(self) -> None:
        return


class _Begun(http.Response):
    """An answer whose beginning has been looked at. What goes wrong meanwhile is told to whoever reads it."""

    def __init__(self, response: http.Response) -> None:
        self.status, self.headers, self._response = response.status, response.headers, response
        self._chunks = response.stream(settings.PROXY_MAX_BYTES)
        self.beginning = b""
        self._trouble: ProviderError | None = None
        try:
            self.beginning = next(self._chunks, b"")
        except ProviderError as error:
            self._trouble = error

    def stream(self, max_bytes: int = http.MAX_BYTES) -> Iterator[bytes]:
        if self._trouble:
            raise self._trouble
        received = 0
        for chunk in chain([self.beginning], self._chunks):
            received += len(chunk)
            if received > max_bytes:
                raise PermanentError(f"The answer is larger than {max_bytes:,} bytes.", was_sent=True)
            yield chunk

    def close(self) -> None:
        self._response.close()


def _said(provider: Provider, beginning: bytes) -> str:
    """Return the provider's own sentence about what is wrong, for the log of calls; "" where it says none."""
    try:
        words = provider.api.message(json.loads(beginning))
    except (ValueError, RecursionError):
        return ""
    return redact(" ".join(words.replace("\x00", "").split()))[:MOST_SAID]


def _answer(provider: Provider, call: Call, response: http.Response, base: str) -> Answer:
    said = ""
    if response.status >= 400:
        begun = _Begun(response)
        response, said = begun, _said(provider, begun.beginning)
    # Gateways differ in the case of header names, so they get one here.
    headers = {name.title(): value for name, value in response.headers.items() if name.lower() in RESPONSE_HEADERS}
    hint = (
        provider.api.hint(call.method, "/" + call.path.lstrip("/"), response.status) if response.status >= 400 else ""
    )
    return Answer(response.status, headers, response, base, hint, said)


def _token(connection: Connection, stale: str = "") -> tokens.AccessToken:
    try:
        return tokens.access_token(connection.grant_id, stale=stale, known=connection.grant)
    except NeedsReconnect as error:
        raise ProxyError(400, "needs_reconnect", f"Reconnect needed: {error}") from error
    except WrongKeys as error:
        raise ProxyError(502, "wrong_keys", str(error)) from error
    except TemporaryError as error:
        raise ProxyError(503, "try_again", str(error), retry_after=error.retry_after or 2) from error


def _send(provider: Provider, call: Call, url: str, token: str, deadline_at: float) -> http.Response:
    allowed = REQUEST_HEADERS | provider.api.request_headers
    headers = {name: value for name, value in call.headers.items() if name.lower() in allowed}
    has_body = bool(call.length) or (isinstance(call.body, bytes) and bool(call.body))
    try:
        return http.send(
            call.method,
            url,
            headers=headers | {"Authorization": f"Bearer {token}"},
            body=call.body if has_body else None,
            length=call.length,
            deadline_seconds=max(deadline_at - time.monotonic(), 0.001),
        )
    except DeadlineError as error:
        raise ProxyError(504, "timed_out", f"{error} What became of the call is not known.") from error
    except TemporaryError as error:
        raise ProxyError(502, "provider_unreachable", str(error)) from error
    except PermanentError as error:
        raise ProxyError(400, "bad_request", str(error)) from error


def target(base: str, path: str, query: str) -> str:
    """Return the address to call: `base` plus the path, rebuilt from checked segments. Raises ProxyError 400.

    `path` is already percent-decoded once. The result is checked again as the HTTP library will see it.
    """
    segments = path.lstrip("/").split("/")
    trailing = "/" if len(segments) > 1 and segments[-1] == "" else ""
    if trailing:
        segments.pop()
    if any(FORBIDDEN_IN_SEGMENT.search(segment) for segment in segments):
        raise ProxyError(
            400, "bad_path", "The path has an empty, dotted or doubly encoded part, which is not forwarded."
        )
    if FORBIDDEN_IN_QUERY.search(query):
        raise ProxyError(400, "bad_query", "The query has characters that must be percent-encoded.")
    url = base + "/".join(quote(segment, safe=SAFE_IN_SEGMENT) for segment in segments) + trailing
    final = parse_url(url + (f"?{query}" if query else ""))
    wanted = urlsplit(base)
    if (final.scheme, final.netloc) != (wanted.scheme, wanted.netloc) or not (final.path or "").startswith(wanted.path):
        raise ProxyError(400, "bad_path", "The path leaves the API of this connection.")
    return url + (f"?{query}" if query else "")


def inside(base: str, address: str) -> tuple[str, str]:
    """Split an absolute or relative address into path and query below `base`. Raises ProxyError 400 elsewhere."""
    parts = urlsplit(address)
    if not parts.scheme and not parts.netloc:
        return parts.path, parts.query
    wanted = urlsplit(base)
    if (parts.scheme, parts.netloc) != (wanted.scheme, wanted.netloc) or not parts.path.startswith(wanted.path):
        raise ProxyError(400, "other_host", f"Only addresses below {base} can be called through this connection.")
    return parts.path.removeprefix(wanted.path), parts.query


def rebased(chunks: Iterable[bytes], theirs: bytes, ours: bytes) -> Iterator[bytes]:
    """Let the links in a provider's answer lead back through us: a client library follows them with its user token."""
    kept = b""
    for chunk in chunks:
        text = (kept + chunk).replace(theirs, ours)
        end = max(len(text) - len(theirs) + 1, 0)  # what may be the beginning of a link waits for the next chunk
        yield text[:end]
        kept = text[end:]
    yield kept


def decoded(body: bytes, content_type: str) -> object:
    """Return the body as JSON where it is JSON, else as text. Raises ValueError for JSON that breaks off."""
    if "json" in content_type.lower():
        return json.loads(body)
    return body.decode("utf-8", errors="replace")
