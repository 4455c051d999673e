"""An OpenID Connect identity provider for tests: discovery, consent, tokens, keys, over a real socket.

It knows one person at a time and signs them in without asking. What it says can be bent to what it must not say.
"""

import hashlib
import json
import secrets
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "patchbay-at-the-company", "a-secret-of-the-company"
KID = "2026-11"


@dataclass
class Identity:
    """`person` are the claims of whoever sits in front of it; `bent` overrides claims of the ID token alone."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    bent: dict[str, Any] = field(default_factory=dict)
    configuration: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    without_id_token: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(default_factory=partial(rsa.generate_private_key, 65537, 2048))

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        } | self.configuration

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent back to."""
        self.asked.append(query)
        if self.error:
            answer = {"error": self.error, "state": query["state"]}
        else:
            code = secrets.token_urlsafe()
            self.codes[code] = query
            answer = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        kind, _, encoded = authorization.partition(" ")
        who = unquote(b64decode(encoded).decode()) if kind == "Basic" else ""
        challenge = urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if who != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return 401, {"error": "invalid_client"}
        if asked is None or asked["code_challenge"] != challenge.rstrip("="):
            return 400, {"error": "invalid_grant"}
        if asked["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        answer = {"access_token": "a-token-of-the-company", "token_type": "Bearer", "expires_in": 300}
        return 200, answer if self.without_id_token else answer | {"id_token": self._id_token()}

    def _id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "jti": secrets.token_hex()}
        return jwt.encode(claims | self.person | self.bent, self.key, algorithm="RS256", headers={"kid": KID})

    def jwks(self) -> dict[str, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [key | {"kid": KID, "alg": "RS256", "use": "sig"}]}


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, identity: Identity, *args: Any) -> None:
        self.identity = identity
        super().__init__(*args)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.identity.authorize(_flat(parts.query)))
            self.end_headers()
            return
        pages = {
            "/.well-known/openid-configuration": self.identity.discovery,
            "/jwks": self.identity.jwks,
            "/userinfo": lambda: self.identity.person,
        }
        self._answer(200, pages[parts.path]())

    def do_POST(self) -> None:
        form = _flat(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._answer(*self.identity.token(form, self.headers.get("Authorization", "")))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args: Any) -> None:
        pass


def _flat(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


@contextmanager
def serving(port: int = 0) -> Iterator[Identity]:
    identity = Identity()
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, identity))
    identity.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield identity
    server.shutdown()
    server.server_close()
