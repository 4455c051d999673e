"""Large bodies go through a real server without being kept in its memory."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from random import Random

import pytest

from integrations.models import ConnectedUser, Connection, Grant, Integration, OAuthApp, Project
from tests.support import upstream as upstreams
from tests.support.processes import free_port, granian
from tests.support.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = 80_000_000
KEPT = 40_000_000  # bytes: far less than the body, and more than what a server's memory sways by itself


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with upstreams.serving() as found:
        yield found


@pytest.fixture
def address(project: Project) -> str:
    """Alice's connection, by its raw base URL."""
    app = OAuthApp.objects.create(project=project, provider="jira", client_id="acme")
    jira = Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)
    grant = Grant(project=project, app=app, account_id="a", expires_at=datetime.now(UTC) + timedelta(hours=1))
    grant.seal("access_token", "token")
    grant.save()
    user = ConnectedUser.objects.create(project=project, sub="alice")
    Connection.objects.create(project=project, integration=jira, user=user, grant=grant, site_id="site")
    return f"/projects/{project.pk}/raw/jira/rest/api/3/large"


class Server:
    def __init__(self, port: int, pid: int) -> None:
        self.connection, self.pid = HTTPConnection("localhost", port, timeout=60), pid

    def memory(self) -> int:
        """Return the bytes that the server's processes hold."""
        pids = [self.pid, *map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in pids)


@pytest.fixture
def server(upstream: Upstream, address: str) -> Iterator[Server]:
    if not Path("/proc/self/statm").exists():
        pytest.skip("The memory of another process is read from /proc.")
    port, host = free_port(), upstream.url.removeprefix("http://")
    with granian(port, env={"JIRA_API_URL": upstream.url, "OUTBOUND_LOCAL_HOSTS": host}) as process:
        found = Server(port, process.pid)
        yield found
        found.connection.close()


@pytest.fixture
def headers(user_token: Callable[..., str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {user_token('alice')}"}


def test_a_large_upload(server: Server, upstream: Upstream, address: str, headers: dict[str, str]) -> None:
    body = Random(1).randbytes(LARGE)
    server.connection.request("POST", address, b"warm up", headers)
    server.connection.getresponse().read()
    before = server.memory()

    server.connection.request("POST", address, body, headers)

    assert server.connection.getresponse().read() == b"{}"
    assert sha256(upstream.last.body).digest() == sha256(body).digest()
    assert server.memory() - before < KEPT


def test_a_large_download(server: Server, upstream: Upstream, address: str, headers: dict[str, str]) -> None:
    body = Random(2).randbytes(LARGE)
    server.connection.request("GET", address, headers=headers)
    server.connection.getresponse().read()
    upstream.replies(200, body, content_type="application/octet-stream")
    before = server.memory()

    server.connection.request("GET", address, headers=headers)
    answer = server.connection.getresponse()
    received = sha256()
    while chunk := answer.read(100_000):
        received.update(chunk)
        assert server.memory() - before < KEPT

    assert received.digest() == sha256(body).digest()
