"""No secret reaches the log, whoever writes it there and however it is written."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from integrations.api import keys
from integrations.redaction import RedactingFilter, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl-of_it"
HIDDEN = "n0t-for-the_log"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nn0t-for-the_log\nAAAA\n-----END RSA PRIVATE KEY-----"
LINES = {
    "bearer": f"Authorization: Bearer {HIDDEN}",
    "bearer in small letters": f"authorization: bearer {HIDDEN}, accept: */*",
    "bearer in a dict": f"{{'Authorization': 'Bearer {HIDDEN}'}}",
    "user token in a query": f"GET /connect?userToken={HIDDEN}&action=jira",
    "code": f"GET /oauth/callback/1?code={HIDDEN}&more=1",
    "state": f'"GET /oauth/callback/1?state={HIDDEN} HTTP/1.1" 302',
    "token in JSON": f'{{"refresh_token": "{HIDDEN}", "expires_in": 3600}}',
    "secret in JSON": f'{{"client_secret": "{HIDDEN}"}}',
    "token in narrow JSON": f'{{"refresh_token":"{HIDDEN}"}}',
    "secret in a dict": f"{{'client_secret': '{HIDDEN}'}}",
    "secret in a form": f"grant_type=refresh_token&client_secret={HIDDEN}&x=1",
    "token in a form": f"refresh_token={HIDDEN}&x=1",
    "an invitation": f"Internal Server Error: /accounts/invitations/{HIDDEN}-and-long-enough/",
    "a reset": f"Internal Server Error: /accounts/password/reset/key/1-{HIDDEN}-and-long-enough/",
    "private key": PEM,
    "private key that breaks off": PEM[:50],
}
HARMLESS = [
    "GET /rest/api/3/issue → 200 in 31 ms",
    "the token is being renewed",
    "alice@example.com signed in",
    "100 %",
]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a logger that is set up as ours writes."""
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("a library")
    logger.addHandler(handler)
    yield handler.stream
    logger.removeHandler(handler)


logger = logging.getLogger("a library")


@pytest.mark.parametrize("text", ["no\n2026-01-01 INFO forged", "no\r\n2026-01-01 INFO forged", "no\u20282026-01-01"])
def test_a_line_break_from_outside_begins_no_entry(log: io.StringIO, text: str) -> None:
    logger.warning("the provider said: %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        logger.exception("it failed")

    assert not [line for line in log.getvalue().splitlines() if line.startswith("2026")]


def test_what_a_terminal_would_obey_is_shown(log: io.StringIO) -> None:
    logger.warning("the provider said: %s", "\x1b[2Jgone")

    assert log.getvalue() == "the provider said: \\x1b[2Jgone\n"


def test_an_api_key_is_left_out_but_for_its_public_beginning() -> None:
    key = keys.new_text()

    assert redact(f"X-Key: {key}; {keys.prefix_of(key)}") == f"X-Key: [secret]; {keys.prefix_of(key)}"


@pytest.mark.parametrize("line", LINES)
def test_a_secret_is_left_out(line: str) -> None:
    assert HIDDEN not in redact(LINES[line])
    assert "[secret]" in redact(LINES[line])


@pytest.mark.parametrize("around", ["{}", "token {} refused", "?userToken={}&a=b", '"{}"', "Bearer {}", "({})"])
def test_a_json_web_token_is_left_out_wherever_it_stands(around: str) -> None:
    told = redact(around.format(JWT))

    assert [part for part in JWT.split(".") if part in told] == []


@pytest.mark.parametrize("line", HARMLESS)
def test_a_harmless_line_stays_as_it_is(line: str) -> None:
    assert redact(line) == line


def test_what_stands_beside_a_secret_stays() -> None:
    assert redact(f"GET /a?code={HIDDEN}&page=2 failed") == "GET /a?code=[secret]&page=2 failed"


@hypothesis.given(before=strategies.text(), after=strategies.text(alphabet=" ,\"'\n&"))
@hypothesis.settings(max_examples=80, deadline=None, database=None)
def test_a_token_is_found_among_anything(before: str, after: str) -> None:
    assert "eyJzdWIi" not in redact(f"{before} {JWT}{after}")


def test_an_argument_of_a_line_is_left_out(log: io.StringIO) -> None:
    logger.warning("refused %s for %s", JWT, "alice")

    assert log.getvalue() == "refused [secret] for alice\n"


def test_a_secret_that_the_arguments_complete_is_left_out(log: io.StringIO) -> None:
    logger.warning("Bearer %s", HIDDEN)

    assert log.getvalue() == "Bearer [secret]\n"


def test_the_text_of_an_exception_and_its_cause_is_left_out(log: io.StringIO) -> None:
    try:
        raise ValueError(f"no such code={HIDDEN}") from KeyError(JWT)
    except ValueError:
        logger.exception("the call failed")

    assert "Traceback" in log.getvalue()
    assert [text for text in (HIDDEN, JWT) if text in log.getvalue()] == []


def test_an_exception_that_another_handler_wrote_first_is_left_out_too(log: io.StringIO) -> None:
    record = logger.makeRecord("a library", logging.ERROR, "file", 1, "failed", (), None)
    record.exc_text = f"ValueError: Bearer {HIDDEN}"

    logger.handle(record)

    assert HIDDEN not in log.getvalue()


def test_a_badly_written_line_does_not_break_the_work() -> None:
    record = logger.makeRecord("a library", logging.WARNING, "file", 1, "%d calls with Bearer x", ("many",), None)

    RedactingFilter().filter(record)


def test_every_handler_of_ours_leaves_secrets_out(settings: Any) -> None:
    filters = [handler["filters"] for handler in settings.LOGGING["handlers"].values()]

    assert filters == [["redact"]] * len(filters)
    assert settings.LOGGING["filters"]["redact"]["()"] == "integrations.redaction.RedactingFilter"
