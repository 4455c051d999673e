"""A TCP server on this machine that speaks HTTP as badly as a test wants: slow, cut off, reset, oversized.

with Server() as server:
    server.answers(reply(b"{}"), reset)  # one behaviour a request; the last one stays
"""

import gzip
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Writes an answer to the socket; True keeps the connection for another request. The event says that the test is over.
Behaviour = Callable[[socket.socket, threading.Event], bool]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


def reply(body: bytes = b"", *lines: str, status: str = "200 OK", claims: int | None = None) -> Behaviour:
    """Answer properly and keep the connection, with further header lines. `claims` is the length it pretends to."""
    length = len(body) if claims is None else claims
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *lines, "", ""])
    return _say(head.encode() + body, keep=claims is None)


def raw(text: bytes) -> Behaviour:
    """Say exactly this and hang up."""
    return _say(text, keep=False)


def zipped(size: int) -> Behaviour:
    """Answer with `size` noughts, which gzip makes a thousand times smaller."""
    return reply(gzip.compress(bytes(size)), "Content-Encoding: gzip")


def trickle(at_once: bytes, slowly: bytes = b"x" * 100) -> Behaviour:
    """Say the first part at once and the rest a byte every tenth of a second, as long as somebody listens."""

    def behave(connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(at_once)
        for byte in slowly:
            if over.wait(0.1):
                break
            connection.sendall(bytes([byte]))
        return False

    return behave


def silent(connection: socket.socket, over: threading.Event) -> bool:
    over.wait(20)
    return False


def reset(connection: socket.socket, over: threading.Event) -> bool:
    """End the connection with an RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def hang_up(connection: socket.socket, over: threading.Event) -> bool:
    return False


def hang_up_after(behaviour: Behaviour) -> Behaviour:
    """Answer, let the caller believe that the connection stays, and close it."""
    return lambda connection, over: behaviour(connection, over) and False


def _say(text: bytes, *, keep: bool) -> Behaviour:
    def behave(connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(text)
        return keep

    return behave


class Server:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._tls = tls
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._behaviours: list[Behaviour] = [reply(b"{}")]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    @property
    def connections(self) -> int:
        return len(self._sockets)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}/"

    def answers(self, *behaviours: Behaviour) -> None:
        self._behaviours = list(behaviours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        for sock in [self._listener, *self._sockets]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._sockets.append(connection)
                self._threads.append(threading.Thread(target=self._talk, args=[connection, len(self._sockets)]))
                self._threads[-1].start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        # An OSError: the caller has gone, which is what some tests are about.
        with suppress(OSError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                while request := _hear(connection, number):
                    self.requests.append(request)
                    behave = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                    if not behave(connection, self._over):
                        return


def _hear(connection: socket.socket, number: int) -> Request | None:
    """Return the next request; None when the caller hung up."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        more = connection.recv(65536)
        if not more:
            return None
        heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Request(method, path, headers, body, number)


def self_signed() -> ssl.SSLContext:
    """Return what a server with a certificate of its own making, which nobody trusts, wraps its sockets with."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.public_bytes(pem) + private)
        file.flush()
        context.load_cert_chain(file.name)
    return context
