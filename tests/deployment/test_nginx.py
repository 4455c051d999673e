"""The configuration that docs/deployment.md shows, word for word, in front of a production deployment."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations import audit
from integrations.models import Project, User
from tests.support import manual, production
from tests.support.processes import ROOT, free_port, granian, running, wait_for_line

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed, so its configuration is not tried."),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]
HOST = "patchbay.example.com"
PASSWORD = "correct horse battery"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/patchbay.conf;
}}
"""


@dataclass
class Front:
    """nginx, as somebody on the internet sees it."""

    https: int
    http: int
    folder: Path

    def ask(self, method: str, path: str, *, secure: bool = True, **options: Any) -> requests.Response:
        scheme, port = ("https", self.https) if secure else ("http", self.http)
        options["headers"] = {"Host": HOST} | options.get("headers", {})
        url = f"{scheme}://127.0.0.1:{port}{path}"
        return requests.request(method, url, verify=False, allow_redirects=False, timeout=20, **options)

    def logs(self, text: str) -> str:
        """Return what nginx wrote, once this is in it: an answer may arrive before the line about it."""
        wait_for_line(self.folder / "patchbay.log", text, seconds=10)
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


def certificate(folder: Path) -> None:
    names = ["-keyout", str(folder / "patchbay.key"), "-out", str(folder / "patchbay.pem"), "-subj", f"/CN={HOST}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def configure(folder: Path, back: int) -> Front:
    """Write the manual's configuration with this machine's ports and folders in place of a server's."""
    front = Front(free_port(), free_port(), folder)
    text = manual.block("deployment.md", "nginx", "upstream patchbay")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{back}").replace("listen 80;", f"listen 127.0.0.1:{front.http};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{front.https} ssl;")
    text = re.sub(r"listen \[::\]:(80|443 ssl);\n", "", text)  # A machine for tests may have no IPv6.
    text = text.replace("/etc/ssl/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
    (folder / "patchbay.conf").write_text(text)
    # Its workers would be nobody, who may not enter a test's folder.
    who = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(who + AROUND.format(folder=folder))
    return front


def serving(front: Front) -> Any:
    command = [str(NGINX), "-p", str(front.folder), "-e", str(front.folder / "start.log")]
    return running([*command, "-c", str(front.folder / "nginx.conf")], answers=f"http://127.0.0.1:{front.http}/api/")


@pytest.fixture
def front(transactional_db: None, tmp_path: Path) -> Iterator[Front]:
    """nginx before a Patchbay that believes to be in production, on the test's own rows."""
    certificate(tmp_path)
    back = free_port()
    names = ("SECRET_KEY", "VAULT_KEYS", "BEHIND_PROXY")
    own = {name: production.ENVIRONMENT[name] for name in names}
    own |= {"PUBLIC_URL": f"https://{HOST}", "VAR_DIR": str(tmp_path / "var"), "CELERY_BROKER_URL": ""}
    front = configure(tmp_path, back)
    with granian(back, env=own), serving(front):
        yield front


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Front]:
    """nginx with nothing behind it."""
    certificate(tmp_path)
    front = configure(tmp_path, free_port())
    with serving(front):
        yield front


def sign_in(front: Front, user: User, host: str = HOST, **headers: str) -> requests.Response:
    page = front.ask("GET", "/accounts/login/", headers={"Host": host})
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    given = {"Host": host, "Origin": f"https://{host}", "Referer": f"https://{host}/accounts/login/"} | headers
    form = {"csrfmiddlewaretoken": token[1], "login": user.email, "password": PASSWORD}
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    return front.ask("POST", "/accounts/login/", data=form, headers=given | {"Cookie": cookies})


@pytest.fixture
def olivia(db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    return User.objects.create_user("olivia@acme.test", PASSWORD)


def test_a_page_comes_over_https_with_its_headers(front: Front) -> None:
    page = front.ask("GET", "/accounts/login/")

    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Server"] == "nginx"
    assert "__Host-patchbay-csrf" in page.headers["Set-Cookie"]


def test_signing_in_works(front: Front, olivia: User) -> None:
    answer = sign_in(front, olivia)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "__Host-patchbay=" in answer.headers["Set-Cookie"]
    assert "Secure" in answer.headers["Set-Cookie"]


def test_signing_in_works_at_an_address_with_a_port(front: Front, olivia: User) -> None:
    answer = sign_in(front, olivia, f"{HOST}:8443")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_another_host_is_refused(front: Front) -> None:
    assert front.ask("GET", "/accounts/login/", headers={"Host": "evil.example"}).status_code == 400


def test_every_address_is_served_by_ipv6_too() -> None:
    text = manual.block("deployment.md", "nginx", "upstream patchbay")

    assert re.findall(r"listen (\d.*);", text) == re.findall(r"listen \[::\]:(.*);", text) == ["80", "443 ssl"]


def test_a_caller_cannot_choose_scheme_or_address(front: Front, olivia: User) -> None:
    told = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.7"}

    answer = sign_in(front, olivia, **told)
    cookie = answer.headers["Set-Cookie"].partition("__Host-patchbay=")[2].partition(";")[0]
    form = front.ask("GET", "/projects/new", headers={"Cookie": f"__Host-patchbay={cookie}"})
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
    cookies = f"__Host-patchbay={cookie}; __Host-patchbay-csrf={form.cookies['__Host-patchbay-csrf']}"
    headers = {"Cookie": cookies, "Origin": f"https://{HOST}", **told}
    data = {"csrfmiddlewaretoken": token[1] if token else "", "name": "Acme", "kind": "production"}
    made = front.ask("POST", "/projects/new", data=data, headers=headers)

    assert made.status_code == 302
    assert [entry.ip for entry in audit.AuditEntry.objects.filter(action="project created")] == ["127.0.0.1"]


def test_plain_http_leads_pages_to_https(front: Front) -> None:
    answer = front.ask("GET", "/docs/deployment?from=mail", secure=False)

    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/docs/deployment?from=mail")


@pytest.mark.parametrize(
    "path", ["/projects/1/sdk/me", "/v2/projects/1/sdk/me", "/api/openapi.json", "/webhooks/jira/x"]
)
def test_plain_http_is_no_way_to_call_the_api(front: Front, path: str) -> None:
    answer = front.ask("GET", path, secure=False, headers={"Authorization": "Bearer secret"})

    assert (answer.status_code, answer.json()["code"]) == (403, "https_required")


def test_a_user_token_of_eight_kilobytes_gets_through(front: Front, project: Project) -> None:
    answer = front.ask("GET", f"/projects/{project.pk}/sdk/me", headers={"Authorization": "Bearer " + "a" * 8192})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_user_token")


def test_a_chunked_body_is_given_a_length(front: Front, user_token: Callable[..., str], project: Project) -> None:
    chunks = iter([b'{"name": "task.created", ', b'"payload": {"title": "Disk is full"}}'])
    headers = {"Authorization": f"Bearer {user_token()}", "Content-Type": "application/json"}

    answer = front.ask("POST", f"/projects/{project.pk}/sdk/events/trigger", data=chunks, headers=headers)

    assert answer.status_code == 201


def test_a_body_that_is_too_large_is_refused_in_json(front: Front, project: Project) -> None:
    head = f"POST /projects/{project.pk}/raw/jira/x HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 200000000\r\n\r\n"

    with socket.create_connection(("127.0.0.1", front.https), timeout=10) as plain:
        answer = front_tls(plain, head)

    assert answer.startswith("HTTP/1.1 413")
    assert '"code": "too_large"' in answer


def front_tls(plain: socket.socket, head: str) -> str:
    """Send the head of a request alone, and return what is answered to it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(plain, server_hostname=HOST) as secure:
        secure.sendall(head.encode())
        return secure.recv(4096).decode()


def test_while_patchbay_is_away_it_is_said_in_json(away: Front) -> None:
    answer = away.ask("GET", "/projects/1/sdk/me")

    assert (answer.status_code, answer.json()["code"]) == (503, "restarting")
    assert answer.headers["Retry-After"] == "5"


def test_no_log_holds_a_query_string_whatever_happens(front: Front) -> None:
    front.ask("GET", "/projects/1/sdk/actions/oauth-nonce?userToken=eyJ0b2tlbg.c2VjcmV0.c2ln")
    front.ask("GET", "/accounts/login/?next=/secret-place", secure=False)

    said = front.logs("/accounts/login/")
    assert "oauth-nonce" in said
    assert "userToken" not in said
    assert "secret-place" not in said


def test_no_log_holds_one_while_patchbay_is_away_either(away: Front) -> None:
    away.ask("GET", "/projects/1/sdk/actions/oauth-nonce?userToken=eyJ0b2tlbg.c2VjcmV0.c2ln")

    assert "userToken" not in away.logs("oauth-nonce")


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("/accounts/password/reset/key/1-d4x0ab-0123456789abcdef/", "/accounts/password/reset/key/***"),
        ("/accounts/invitations/0123456789abcdef/", "/accounts/invitations/***"),
        ("/connect/start/0123456789abcdef", "/connect/start/***"),
        ("/webhooks/jira/0123456789abcdef", "/webhooks/jira/***"),
        ("/webhooks/jira/site/0123456789abcdef", "/webhooks/jira/site/***"),
    ],
)
@pytest.mark.parametrize("secure", [True, False])
def test_no_log_holds_a_link_that_is_a_secret(away: Front, link: str, shown: str, secure: bool) -> None:
    away.ask("GET", link, secure=secure)

    assert "0123456789abcdef" not in away.logs(f'"GET {shown}"')


def test_the_log_tells_other_pages_of_the_account(away: Front) -> None:
    away.ask("GET", "/accounts/invitations/")

    assert away.logs('"GET /accounts/invitations/"')


def test_a_download_is_streamed(front: Front, tmp_path: Path) -> None:
    """Nothing of it is kept on nginx's disk meanwhile."""
    answer = front.ask("GET", "/docs/screenshots/workflows-build-full-light.webp")

    assert answer.content == (ROOT / "docs/screenshots/workflows-build-full-light.webp").read_bytes()
    assert [path for path in (tmp_path / "proxy").rglob("*") if path.is_file()] == []
