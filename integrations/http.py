"""The one door for outgoing HTTP.

A total deadline on the whole exchange (requests' own time-outs start anew with every read), caps on size and on
compression, no redirects, nothing taken from the environment, https unless the operator named the exact local host.
"""

import email.utils
import io
import ipaddress
import json
import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from integrations.errors import DeadlineError, PermanentError, TemporaryError

MAX_BYTES = 10_000_000
MAX_RATIO = 100
CHUNK = 64 * 1024
NAT64 = ipaddress.ip_network("64:ff9b::/96")
USER_AGENT = "Patchbay"
MAX_RETRY_AFTER = 86_400


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Deadline(threading.local):
    at: float = math.inf


_deadline = _Deadline()


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("deadline")
    return left


class _TimedReader(io.RawIOBase):
    """Reads a socket so that every wait ends at the deadline of the exchange, not at one of its own.

    It reads through the socket's own file, which keeps the socket open when http.client lets go of it early: it does
    so for every answer that says "Connection: close".
    """

    def __init__(self, connection: Any, sock: Any) -> None:
        self._connection, self._sock = connection, sock
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_remaining(self._connection.deadline_at))
        return int(self._file.readinto(buffer))

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedSocket:
    """A socket whose sends and reads share the connection's deadline."""

    def __init__(self, connection: Any, sock: Any) -> None:
        self._connection, self._sock = connection, sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, mode: str = "rb", *args: Any, **kwargs: Any) -> io.BufferedReader:
        # http.client closes the file, not the socket, when a kept-alive answer ends.
        return io.BufferedReader(_TimedReader(self._connection, self._sock), 16 * 1024)

    def sendall(self, data: Any) -> None:
        view = memoryview(data).cast("B")
        while view:
            self._sock.settimeout(_remaining(self._connection.deadline_at))
            view = view[self._sock.send(view) :]


def is_public(address: str) -> bool:
    """Is this an address of the open internet, also when it hides another one (mapped, 6to4, Teredo, NAT64)?"""
    ip = ipaddress.ip_address(address.partition("%")[0])
    hidden: list[Any] = []
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in NAT64:
            hidden.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return all(one.is_global and not one.is_multicast for one in (ip, *hidden) if one is not None)


class _TimedConnection:
    deadline_at: float = math.inf
    timeout: Any
    sock: Any

    def connect(self) -> None:
        self.deadline_at = _deadline.at
        self.timeout = min(10.0, _remaining(self.deadline_at))
        super().connect()  # type: ignore[misc]
        self.sock = _TimedSocket(self, self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        self.deadline_at = _deadline.at
        super().request(*args, **kwargs)  # type: ignore[misc]


class _Http(_TimedConnection, HTTPConnection):  # type: ignore[misc]
    pass


class _Https(_TimedConnection, HTTPSConnection):  # type: ignore[misc]
    pass


class _Guarded(_Https):
    """Connects to public addresses only, and to the very address that was checked: no second look-up can differ."""

    def _new_conn(self) -> Any:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(is_public(address) for address in addresses):
            raise PermanentError(f"{self.host} is not an address of the open internet, so it is not called.")
        self._dns_host = addresses[0]
        return super()._new_conn()


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http  # type: ignore[assignment]


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https  # type: ignore[assignment]


class _GuardedPool(HTTPSConnectionPool):
    ConnectionCls = _Guarded  # type: ignore[assignment]


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _GuardedAdapter(_Adapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _GuardedPool}


class _Local(threading.local):
    def __init__(self) -> None:
        self.adapter = _Adapter(max_retries=0, pool_connections=32, pool_maxsize=4)
        self.guarded = _GuardedAdapter(max_retries=0, pool_connections=8, pool_maxsize=2)


_local = _Local()


class Response:
    """An answer whose body has not been read. Read it once, through `body()` or `stream()`."""

    def __init__(self, answer: requests.Response, deadline_at: float) -> None:
        self._answer, self._deadline_at = answer, deadline_at
        self.status = answer.status_code
        self.headers: Mapping[str, str] = answer.headers

    def stream(self, max_bytes: int = MAX_BYTES) -> Iterator[bytes]:
        """Yield the decoded body. Raises TemporaryError when it ends early, PermanentError past a cap."""
        received = 0
        raw = self._answer.raw
        try:
            for chunk in raw.stream(CHUNK, decode_content=True):
                received += len(chunk)
                if received > max_bytes:
                    raise PermanentError(f"The answer is larger than {max_bytes:,} bytes.", was_sent=True)
                if received > 1_000_000 and received > MAX_RATIO * max(raw.tell(), 1):
                    raise PermanentError("The answer expands more than a hundredfold; it was not read.", was_sent=True)
                yield chunk
        except (TimeoutError, urllib3.exceptions.ReadTimeoutError):
            raise DeadlineError("The answer did not arrive in time.", was_sent=None) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TemporaryError(f"The answer broke off ({type(error).__name__}).", was_sent=None) from None
        finally:
            self.close()

    def body(self, max_bytes: int = MAX_BYTES) -> bytes:
        return b"".join(self.stream(max_bytes))

    def json(self, max_bytes: int = MAX_BYTES) -> Any:
        """Return the decoded JSON body; None when it is something else (an HTML error page, say)."""
        try:
            return json.loads(self.body(max_bytes))
        except ValueError:
            return None

    def close(self) -> None:
        # A connection with unread bytes cannot be used again; urllib3 closes it instead of keeping it.
        self._answer.close()


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | Readable | None = None,
    length: int | None = None,
    json_body: object = None,
    deadline_seconds: float | None = None,
) -> Response:
    """Send one request to a provider's address and return its answer, body unread. Never retries, never redirects.

    `body` may be a stream of `length` bytes. Raises TemporaryError (`was_sent` False when no connection was made),
    DeadlineError, or PermanentError for an address that may not be called.
    """
    _check_address(url)
    _check_headers(headers or {})
    deadline_at = time.monotonic() + (deadline_seconds or settings.HTTP_DEADLINE_SECONDS)
    sent_headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip"} | dict(
        headers or {}
    )
    if json_body is not None:
        body = json.dumps(json_body).encode()
        sent_headers["Content-Type"] = "application/json"
    if body is not None:
        sent_headers["Content-Length"] = str(len(body) if isinstance(body, bytes) else length or 0)
    elif method in ("POST", "PUT", "PATCH"):
        sent_headers["Content-Length"] = "0"
    return _exchange(_local.adapter, _prepared(method, url, sent_headers, body), deadline_at)


def send_out(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    deadline_seconds: float | None = None,
) -> Response:
    """Send one request to an address that a user wrote: only to the open internet, whatever its name resolves to.

    Otherwise as `send`. An address that the operator named in OUTBOUND_LOCAL_HOSTS may be called too.
    """
    parts = _split(url)
    if parts.netloc in settings.OUTBOUND_LOCAL_HOSTS:
        return send(method, url, headers=headers, body=body, deadline_seconds=deadline_seconds)
    _check_address(url)
    _check_headers(headers or {})
    deadline_at = time.monotonic() + (deadline_seconds or settings.HTTP_DEADLINE_SECONDS)
    sent = {"User-Agent": USER_AGENT, "Accept": "application/json, */*", "Accept-Encoding": "gzip"} | dict(
        headers or {}
    )
    if body is not None or method in ("POST", "PUT", "PATCH"):
        sent["Content-Length"] = str(len(body or b""))
    prepared = _prepared(method, requests.utils.requote_uri(url.partition("#")[0]), sent, body)
    return _exchange(_local.guarded, prepared, deadline_at)


def check_open(url: str) -> None:
    """Raise PermanentError for an address that `send_out` never calls, as far as is known without looking it up."""
    parts = _split(url)
    if parts.netloc in settings.OUTBOUND_LOCAL_HOSTS:
        return
    _check_address(url)
    host = (parts.hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost") or (_is_ip(host) and not is_public(host)):
        raise PermanentError(f"{host} is no address of the open internet, so it is not called.")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise PermanentError("This is not an address that can be called.") from None


def _prepared(
    method: str, url: str, headers: Mapping[str, str], body: bytes | Readable | None
) -> requests.PreparedRequest:
    """Put the request together by hand: `url` is encoded already, and requests would send a stream in chunks."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.headers = method, url, CaseInsensitiveDict(headers)
    prepared.body = body  # type: ignore[assignment]
    return prepared


def _exchange(adapter: HTTPAdapter, prepared: requests.PreparedRequest, deadline_at: float) -> Response:
    _deadline.at = deadline_at
    try:
        answer = adapter.send(prepared, stream=True, timeout=None, verify=True)
    except requests.ConnectTimeout:
        raise TemporaryError(f"{_host(prepared)} does not answer.") from None
    except (requests.Timeout, TimeoutError):
        raise DeadlineError(f"{_host(prepared)} did not answer in time.", was_sent=None) from None
    except requests.exceptions.SSLError:
        raise TemporaryError(f"The certificate of {_host(prepared)} is not valid.") from None
    except requests.RequestException as error:
        raise _connection_failure(error, prepared) from None
    except OSError:
        raise TemporaryError(f"{_host(prepared)} cannot be reached.") from None
    finally:
        _deadline.at = math.inf
    return Response(answer, deadline_at)


def _connection_failure(error: requests.RequestException, prepared: requests.PreparedRequest) -> TemporaryError:
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError):
        return TemporaryError(f"{_host(prepared)} cannot be reached.")
    if "timed out" in str(cause) or "deadline" in str(cause):
        return DeadlineError(f"{_host(prepared)} did not answer in time.", was_sent=None)
    return TemporaryError(f"The connection to {_host(prepared)} broke off.", was_sent=None)


def _host(prepared: requests.PreparedRequest) -> str:
    return urlsplit(prepared.url or "").hostname or "The provider"


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise PermanentError("This is not an address that can be called.") from None
    if parts.netloc in settings.OUTBOUND_LOCAL_HOSTS:
        return
    if not all(host.rstrip(".").split(".")) and host:
        raise PermanentError("This is not an address that can be called.")
    if parts.scheme == "https" and "@" in parts.netloc:
        raise PermanentError("An address may hold no user name or password. Send them in an Authorization header.")
    if parts.scheme != "https" or not host:
        raise PermanentError(
            "Only https addresses may be called, unless OUTBOUND_LOCAL_HOSTS names the exact host:port."
        )


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        try:
            is_good = not set("\r\n\0") & set(name + value) and bool(value.encode("latin-1") or True)
        except UnicodeEncodeError:
            is_good = False
        if not is_good:
            raise PermanentError(f"The header {name!r:.60} holds characters that cannot be sent.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a Retry-After header asks for, in seconds or as a date; None when it says nothing."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        asked = float(text)
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        asked = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(asked, 0.0), MAX_RETRY_AFTER) if math.isfinite(asked) else None
