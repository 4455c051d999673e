"""The one door out, before a server that misbehaves: every wait ends, every size has a cap, nothing is sent twice."""

import io
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from integrations import http
from integrations.errors import DeadlineError, PermanentError, ProviderError, TemporaryError
from tests.support import misbehaving
from tests.support.misbehaving import Server, hang_up_after, raw, reply, trickle, zipped

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(autouse=True)
def _own_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep no connection from one test to the next."""
    adapter = http._Adapter(max_retries=0)
    monkeypatch.setattr(http._local, "adapter", adapter)
    yield
    adapter.close()


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    with Server() as server:
        settings.OUTBOUND_LOCAL_HOSTS = [server.host]
        yield server


# What is sent, and what comes back ------------------------------------------------------------------------------------


def test_it_sends_json_and_returns_the_answer(server: Server) -> None:
    server.answers(reply(b'{"id": 7}', "X-Colour: red", status="201 Created"))

    answer = http.send("POST", server.url + "issue?a=b", json_body={"summary": "Disk"}, headers={"X-Own": "yes"})

    assert (answer.status, answer.headers["x-colour"], answer.json()) == (201, "red", {"id": 7})
    sent = server.requests[0]
    assert (sent.method, sent.path, json.loads(sent.body)) == ("POST", "/issue?a=b", {"summary": "Disk"})
    assert (sent.headers["content-type"], sent.headers["x-own"]) == ("application/json", "yes")


def test_a_stream_is_sent_with_its_length_and_not_in_chunks(server: Server) -> None:
    http.send("PUT", server.url, body=io.BytesIO(b"a" * 100_000), length=100_000).close()

    sent = server.requests[0]
    assert (len(sent.body), sent.headers["content-length"]) == (100_000, "100000")
    assert "transfer-encoding" not in sent.headers


def test_a_call_without_a_body_says_so(server: Server) -> None:
    http.send("POST", server.url).close()

    assert server.requests[0].headers["content-length"] == "0"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b'{"half": ', b"\xff\xfe"])
def test_what_is_not_json_is_none(server: Server, body: bytes) -> None:
    server.answers(reply(body, "Content-Type: application/json"))

    assert http.send("GET", server.url).json() is None


def test_an_answer_without_content_has_an_empty_body(server: Server) -> None:
    server.answers(raw(b"HTTP/1.1 204 No Content\r\n\r\n"))

    assert http.send("DELETE", server.url).body() == b""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, status: int) -> None:
    server.answers(reply(b"", f"Location: {server.url}elsewhere", status=f"{status} Elsewhere"))

    assert http.send("POST", server.url, headers={"Authorization": "Bearer secret"}).status == status
    assert [request.path for request in server.requests] == ["/"]


# The total deadline ---------------------------------------------------------------------------------------------------


SLOW_HEADS = {
    "silence": misbehaving.silent,
    "status": trickle(b"", OK + b"X-Slow: yes"),
    "header": trickle(OK, b"X-Slow: " + b"z" * 90),
}
SLOW_BODIES = {
    "of known length": trickle(OK + b"Content-Length: 100\r\n\r\n"),
    "until the end": trickle(OK + b"\r\n"),
    "of one chunk": trickle(CHUNKED + b"64\r\n"),
    "of an endless chunk length": trickle(CHUNKED, b"0" * 100),
}


@pytest.mark.parametrize("slow", SLOW_HEADS)
def test_a_slow_head_is_ended_at_the_deadline(server: Server, slow: str) -> None:
    server.answers(SLOW_HEADS[slow])
    started = time.monotonic()

    with pytest.raises(DeadlineError) as caught:
        http.send("POST", server.url, deadline_seconds=0.5)

    assert 0.4 < time.monotonic() - started < 4
    assert caught.value.was_sent is None


@pytest.mark.parametrize("slow", SLOW_BODIES)
def test_a_slow_body_is_ended_at_the_deadline(server: Server, slow: str) -> None:
    server.answers(SLOW_BODIES[slow])
    started = time.monotonic()

    with pytest.raises(DeadlineError) as caught:
        http.send("GET", server.url, deadline_seconds=0.5).body()

    assert 0.4 < time.monotonic() - started < 4
    assert caught.value.was_sent is None


def test_a_caller_that_reads_late_has_no_more_time_than_anyone(server: Server) -> None:
    server.answers(trickle(OK + b"Content-Length: 100\r\n\r\n"))
    answer = http.send("GET", server.url, deadline_seconds=0.5)
    time.sleep(0.6)

    with pytest.raises(DeadlineError):
        answer.body()


def test_a_server_that_does_not_read_is_left_at_the_deadline(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.OUTBOUND_LOCAL_HOSTS = [f"127.0.0.1:{deaf.getsockname()[1]}"]
        started = time.monotonic()

        with pytest.raises(DeadlineError) as caught:
            http.send(
                "PUT", f"http://{settings.OUTBOUND_LOCAL_HOSTS[0]}/", body=bytes(20_000_000), deadline_seconds=0.5
            )

    assert time.monotonic() - started < 4
    assert caught.value.was_sent is None


def test_the_deadline_of_the_settings_holds_where_none_is_given(server: Server, settings: Any) -> None:
    settings.HTTP_DEADLINE_SECONDS = 0.2
    server.answers(misbehaving.silent)

    with pytest.raises(DeadlineError):
        http.send("GET", server.url)


def test_a_kept_connection_has_the_deadline_of_its_own_call(server: Server) -> None:
    http.send("GET", server.url, deadline_seconds=0.3).body()
    time.sleep(0.4)

    assert http.send("GET", server.url, deadline_seconds=5).status == 200


# Broken answers -------------------------------------------------------------------------------------------------------


NO_ANSWERS = {
    "reset": misbehaving.reset,
    "hung up": misbehaving.hang_up,
    "half a status": raw(b"HTTP/1."),
    "another protocol": raw(b"SSH-2.0-OpenSSH\r\n"),
    "too many headers": raw(OK + b"X: y\r\n" * 300 + b"\r\n"),
    "too long a header": raw(OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n"),
    "two lengths": raw(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"),
}
BROKEN_BODIES = {
    "shorter than it said": reply(b'{"id": 1}', claims=100),
    "without its last chunk": raw(CHUNKED + b'9\r\n{"id": 1}\r\n'),
    "a nonsense chunk": raw(CHUNKED + b"zz\r\n{}"),
    "not gzip": reply(b"{}", "Content-Encoding: gzip"),
}
TO_THE_END = {
    "closing": trickle(OK + b"Connection: close\r\nContent-Length: 3\r\n\r\n", b"all"),
    "old": trickle(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", b"all"),
    "in chunks": trickle(OK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n", b"all\r\n0\r\n\r\n"),
    "of no length": trickle(OK + b"\r\n", b"all"),
}


@pytest.mark.parametrize("broken", NO_ANSWERS)
def test_an_answer_that_is_none_leaves_the_outcome_unknown(server: Server, broken: str) -> None:
    server.answers(NO_ANSWERS[broken])

    with pytest.raises(TemporaryError) as caught:
        http.send("POST", server.url)

    assert caught.value.was_sent is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("broken", BROKEN_BODIES)
def test_a_body_that_breaks_off_is_never_half_an_answer(server: Server, broken: str) -> None:
    server.answers(BROKEN_BODIES[broken])

    with pytest.raises(TemporaryError, match="broke off") as caught:
        http.send("GET", server.url).json()

    assert caught.value.was_sent is None


@pytest.mark.parametrize("ending", TO_THE_END)
def test_a_body_that_ends_with_its_connection_is_whole(server: Server, ending: str) -> None:
    server.answers(TO_THE_END[ending])

    assert http.send("GET", server.url).body() == b"all"


# Sizes ----------------------------------------------------------------------------------------------------------------


def test_a_body_over_the_cap_is_cut(server: Server) -> None:
    server.answers(reply(bytes(200_000)))

    with pytest.raises(PermanentError, match="larger than 100,000 bytes") as caught:
        http.send("GET", server.url).body(100_000)

    assert caught.value.was_sent is True


def test_a_body_of_the_cap_is_read(server: Server) -> None:
    server.answers(reply(bytes(100_000)))

    assert len(http.send("GET", server.url).body(100_000)) == 100_000


def test_a_gzip_bomb_is_cut_before_it_has_grown(server: Server) -> None:
    server.answers(zipped(60_000_000))
    received = []

    with pytest.raises(PermanentError, match="more than a hundredfold"):
        received.extend(map(len, http.send("GET", server.url).stream(max_bytes=100_000_000)))

    assert sum(received) < 10_000_000


def test_a_small_answer_may_be_packed_well(server: Server) -> None:
    server.answers(zipped(900_000))

    assert http.send("GET", server.url).body() == bytes(900_000)


# Kept connections -----------------------------------------------------------------------------------------------------


def test_a_read_answer_leaves_its_connection_for_the_next_call(server: Server) -> None:
    http.send("GET", server.url).body()
    http.send("POST", server.url).body()

    assert [request.connection for request in server.requests] == [1, 1]


def test_an_unread_answer_does_not_leak_into_the_next(server: Server) -> None:
    server.answers(reply(b"a" * 300_000), reply(b"mine"))
    http.send("GET", server.url).close()

    assert http.send("GET", server.url).body() == b"mine"
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_the_server_closed_is_not_used_again(server: Server, method: str) -> None:
    server.answers(hang_up_after(reply(b"{}")))
    http.send("GET", server.url).body()
    time.sleep(0.1)

    assert http.send(method, server.url).status == 200
    assert [request.connection for request in server.requests] == [1, 2]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_lost_on_a_kept_connection_is_not_sent_again(server: Server, method: str) -> None:
    server.answers(reply(b"{}"), misbehaving.hang_up, reply(b"{}"))
    http.send("GET", server.url).body()

    with pytest.raises(TemporaryError) as caught:
        http.send(method, server.url)

    assert caught.value.was_sent is None
    assert len(server.requests) == 2


# Where a call may go --------------------------------------------------------------------------------------------------


ELSEWHERE = """
    http://api.example.com/  http://localhost:9/  http://127.0.0.1/  http://127.0.0.1:90/  //127.0.0.1/  127.0.0.1
    http://127.0.0.1:9@evil.example/
    ftp://api.example.com/  file:///etc/passwd  https:///path
"""


@pytest.mark.parametrize("url", ELSEWHERE.split())
def test_an_address_that_is_neither_https_nor_named_is_refused(settings: Any, url: str) -> None:
    settings.OUTBOUND_LOCAL_HOSTS = ["127.0.0.1:9"]

    with pytest.raises(PermanentError, match="Only https") as caught:
        http.send("GET", url)

    assert caught.value.was_sent is False


@pytest.mark.parametrize("url", ["https://127.0.0.1:9@evil.example/", "https://user:password@api.example.com/"])
def test_an_address_with_a_user_name_is_refused(settings: Any, url: str) -> None:
    settings.OUTBOUND_LOCAL_HOSTS = ["127.0.0.1:9"]

    with pytest.raises(PermanentError, match="no user name or password") as caught:
        http.send("GET", url)

    assert caught.value.was_sent is False


@pytest.mark.parametrize("url", ["https://[::1", "https://a..b/", "https://127.0.0.1:99999/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(PermanentError) as caught:
        http.send("GET", url)

    assert caught.value.was_sent is False


@pytest.mark.parametrize("value", ["Bearer a\r\nX-Injected: yes", "Bearer a\n", "Bearer €"])
def test_a_header_that_cannot_be_sent_is_refused(server: Server, value: str) -> None:
    with pytest.raises(PermanentError) as caught:
        http.send("GET", server.url, headers={"Authorization": value})

    assert caught.value.was_sent is False
    assert server.requests == []


def test_the_environment_names_no_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        http.send("GET", server.url).close()

    assert (len(server.requests), proxy.connections) == (1, 0)


def test_no_password_is_taken_from_netrc(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login alice password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))

    http.send("GET", server.url).close()

    assert "authorization" not in server.requests[0].headers


def test_a_closed_port_means_that_nothing_was_sent(server: Server, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.OUTBOUND_LOCAL_HOSTS = [f"127.0.0.1:{closed.getsockname()[1]}"]

    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1 cannot be reached") as caught:
        http.send("POST", f"http://{settings.OUTBOUND_LOCAL_HOSTS[0]}/")

    assert caught.value.was_sent is False


def test_an_unknown_name_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(TemporaryError, match=r"api\.example\.com cannot be reached") as caught:
        http.send("POST", "https://api.example.com/")

    assert caught.value.was_sent is False


def test_nothing_is_sent_past_a_certificate_that_nobody_trusts() -> None:
    with Server(misbehaving.self_signed()) as server, pytest.raises(TemporaryError, match="certificate") as caught:
        http.send("POST", server.url, headers={"Authorization": "Bearer secret"})

    assert caught.value.was_sent is False
    assert server.requests == []


def test_no_error_repeats_what_was_sent(server: Server) -> None:
    server.answers(misbehaving.reset)

    with pytest.raises(ProviderError) as caught:
        http.send("POST", server.url + "?code=secret", headers={"Authorization": "Bearer secret"})

    assert "secret" not in repr(caught.value)
    assert caught.value.__suppress_context__


# Retry-After ----------------------------------------------------------------------------------------------------------

WAITS = {"0": 0, "7": 7, " 7 ": 7, "1.5": 1.5, "-5": 0, "999999999": 86_400}
NO_WAITS = ["", " ", "soon", "nan", "inf", "1e999", "7 seconds", "0x10", "Mon, 01 Foo 2026 00:00:00 GMT"]


@pytest.mark.parametrize("text", WAITS)
def test_retry_after_in_seconds(text: str) -> None:
    assert http.retry_after({"Retry-After": text}) == WAITS[text]


@pytest.mark.parametrize(("ahead", "seconds"), [(120, 120), (-120, 0), (10**7, 86_400)])
def test_retry_after_as_a_date(ahead: int, seconds: float) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)

    assert http.retry_after({"Retry-After": date}) == pytest.approx(seconds, abs=5)


@pytest.mark.parametrize("text", [*NO_WAITS, "Mon, 01 Jan 99999999999 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing(text: str) -> None:
    assert http.retry_after({"Retry-After": text}) is None
