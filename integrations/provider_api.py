"""A provider's API in the name of one connection, for code of ours that reads and writes through it: actions, pickers.

A fresh token, one repetition when it turns out to be expired, and every failure sorted by what to do next. Where the
provider asked for patience, all work of the connection waits: `Connection.not_before`.
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.utils.translation import gettext

from integrations import calls, clock, http, proxy
from integrations.errors import NeedsReconnect, PermanentError, ProviderError, RateLimited, TemporaryError
from integrations.models import ConnectedUser, Connection
from integrations.proxy import Answer, Call, ProxyError
from integrations.user_tokens import EndUser

SHOWN = 300


class ProviderApi:
    """Calls for one connection, all of them over by `deadline_at` (time.monotonic()). `status` is the last answer's.

    Nothing is called for a user who is disabled, but for upkeep: taking back what listens for them.
    """

    def __init__(self, connection: Connection, deadline_at: float | None = None, *, is_upkeep: bool = False) -> None:
        self.connection, self.is_upkeep = connection, is_upkeep
        self.deadline_at = deadline_at or time.monotonic() + settings.HTTP_DEADLINE_SECONDS
        self.provider = connection.integration.provider
        self.status = 0

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        return self.call("POST", path, query=query, body=body)

    def put(self, path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        return self.call("PUT", path, query=query, body=body)

    def delete(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self.call("DELETE", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        takes_text: bool = False,
    ) -> Any:
        """Return the decoded answer, None for an empty one, text where that is taken.

        `path` is below the provider's API and not percent-encoded. Raises NeedsReconnect, RateLimited, TemporaryError
        (`was_sent` None when what became of it is not known) or PermanentError with the provider's own words.
        """
        if self.connection.user.disabled_at and not self.is_upkeep:
            raise PermanentError(gettext(ConnectedUser.DISABLED))
        check_patience(self.connection)
        left = self.deadline_at - time.monotonic()
        if left <= 0:
            raise TemporaryError(f"{self.provider.name} takes too long to answer.")
        started, status, code, said = time.monotonic(), 502, "", ""
        data = b"" if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data else {}
        call = Call(method, path, _query(query), sent | dict(headers or {}), data, len(data))
        try:
            answer = _sent(self.connection, call, left)
            self.status = status = answer.status
            said = answer.said
            return self._read(answer, takes_text=takes_text)
        except ProviderError as error:
            if isinstance(error.__cause__, ProxyError):
                status, code = error.__cause__.status, error.__cause__.code
            raise
        finally:
            user = EndUser(self.connection.project_id, self.connection.user.sub)
            told: dict[str, Any] = {"method": method, "path": path, "seconds": time.monotonic() - started}
            calls.note(user, self.provider.slug, self.connection, **told, status=status, code=code, said=said)

    def _read(self, answer: Answer, *, takes_text: bool) -> Any:
        text = answer.response.body(settings.PROXY_MAX_JSON_BYTES)
        try:
            found = json.loads(text) if text.strip() else None
        except (ValueError, RecursionError):
            found = text.decode("utf-8", "replace")
        if answer.status < 300:
            if isinstance(found, str) and "json" in answer.headers.get("Content-Type", ""):
                raise TemporaryError(f"{self.provider.name} answered with JSON that breaks off.", was_sent=None)
            if isinstance(found, str) and not takes_text:
                raise PermanentError(f"{self.provider.name} answered with something else than JSON.", was_sent=None)
            return found
        raise self._failure(answer, found)

    def _failure(self, answer: Answer, found: Any) -> ProviderError:
        name, status = self.provider.name, answer.status
        words = self.provider.api.message(found) if not isinstance(found, str) else ""
        said = " ".join(f"{name} answers {status}: {words}"[:SHOWN].split()) if words else f"{name} answers {status}."
        retry_after = http.retry_after(answer.response.headers)
        if status == 429 or (status == 503 and retry_after is not None):
            seconds = proxy.PATIENCE_SECONDS if retry_after is None else retry_after
            self.connection.be_patient(seconds)
            return RateLimited(f"{name} asks for patience ({status}).", retry_after=seconds)
        if status >= 500 or status == 408:
            return TemporaryError(said, retry_after=retry_after, was_sent=None)
        if 300 <= status < 400:
            return PermanentError(f"{name} answers with a redirect ({status}), which is not followed.", status=status)
        fields = self.provider.api.field_errors(found)
        hinted = f"{said} {answer.hint}".strip()
        return PermanentError(hinted, was_sent=True, fields=fields, status=status)


def segment(text: object) -> str:
    """Return a value as one segment of a path. Raises PermanentError for what would be more, or nothing."""
    value = str(text).strip()
    if not value or "/" in value or value in (".", ".."):
        raise PermanentError(f"“{value[:60]}” cannot be part of an address.")
    return value


def _query(query: Mapping[str, Any] | str | None) -> str:
    if isinstance(query, str):
        return query
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return urlencode(given, doseq=True, quote_via=quote)


def _sent(connection: Connection, call: Call, seconds: float) -> Answer:
    if not connection.integration.is_active:
        raise PermanentError(f"{connection.integration.provider.name} is not active in this project.")
    if connection.status != Connection.Status.ACTIVE:
        raise NeedsReconnect(connection.reason)
    try:
        return proxy.send_for(connection, call, seconds)
    except ProxyError as error:
        if isinstance(error.__cause__, ProviderError):
            raise error.__cause__ from None
        raise PermanentError(str(error)) from error


def check_patience(connection: Connection) -> None:
    """Raise RateLimited while the provider's wish for patience lasts."""
    if connection.not_before is not None:
        left = (connection.not_before - clock.now()).total_seconds()
        if left > 0:
            raise RateLimited(f"{connection.integration.provider.name} asked for patience.", retry_after=left)
