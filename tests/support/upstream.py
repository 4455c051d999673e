"""A provider's API that notes every request byte for byte and answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return ", ".join(value for given, value in self.headers if given.lower() == name.lower())

    @property
    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.headers}


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


@dataclass
class Upstream:
    url: str = ""
    seen: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def replies(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        """Answer so once more; header names are given with underscores."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        self.answers.append(Answer(status, body, {"Content-Type": "application/json"} | named))

    @property
    def last(self) -> Request:
        return self.seen[-1]


@contextmanager
def serving() -> Iterator[Upstream]:
    upstream = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream.seen.append(Request(self.command, self.path, list(self.headers.items()), body))
            self.answer(upstream.answers.pop(0) if upstream.answers else Answer())

        def answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    upstream.url = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield upstream
    server.shutdown()
    server.server_close()
