"""The token playground says of a token what every call would, and why."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import AnonymousUser
from hypothesis import strategies as st

from integrations import key_uses
from integrations.models import ConnectedUser, Member, Project, SigningKey, User
from integrations.token_playground import Report, examine
from integrations.user_tokens import CHECKS, InvalidUserToken, verify

pytestmark = pytest.mark.django_db
HOUR, NOW = 3600, int(time.time())
Sign = Callable[..., str]
NOBODY = AnonymousUser()

often = hypothesis.settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: float(NOW))


def look(project: Project, token: str) -> Report:
    return examine(project, token, NOBODY)


def words_of(report: Report) -> str:
    assert report.failed
    return report.failed.words


# The same answer as every call gets -----------------------------------------------------------------------------------

WHOLE = st.integers(-3 * HOUR, 30 * HOUR)
ODD = st.sampled_from(["", "x", None, True, 1.5, 10**13, [], {}, "\ud800", "a\x00"])


def claims(project: Project) -> st.SearchStrategy[dict[str, Any]]:
    """Claims that are mostly right, because what is wrong at once tells nothing of the checks behind it."""
    own, moments = str(project.pk), st.one_of(st.just(0), WHOLE)
    return st.fixed_dictionaries(
        {},
        optional={
            "sub": st.one_of(st.just("alice"), st.just("alice"), ODD, st.text(max_size=300)),
            "aud": st.one_of(st.just(own), st.just(own), st.just(f"useparagon.com/{own}"), ODD, st.lists(st.just(own))),
            "iat": st.one_of(moments.map(lambda offset: NOW + offset), ODD),
            "exp": st.one_of(st.just(NOW + HOUR), moments.map(lambda offset: NOW + offset), ODD),
            "nbf": st.one_of(moments.map(lambda offset: NOW + offset), ODD),
        },
    )


@often
@hypothesis.given(data=st.data())
def test_it_passes_every_check_exactly_where_a_call_is_accepted(
    data: st.DataObject, project: Project, signing_key: SigningKey, private_pem: str
) -> None:
    project.accept_tokens_without_audience = data.draw(st.booleans())
    SigningKey.objects.update(expires_at=data.draw(st.sampled_from([None, None, datetime(2020, 1, 1, tzinfo=UTC)])))
    kids = st.sampled_from([signing_key.kid, signing_key.kid, "pbk_none", ""])
    headers = data.draw(st.fixed_dictionaries({}, optional={"kid": kids}))
    payload = json.dumps(
        {"sub": "alice", "aud": str(project.pk), "iat": NOW, "exp": NOW + HOUR} | data.draw(claims(project))
    )
    token = jwt.api_jws.encode(payload.encode(), private_pem, "RS256", headers)
    cut = data.draw(st.one_of(st.just(None), st.just(None), st.integers(0, len(token))))

    agree(project, token[:cut])


@often
@hypothesis.given(
    token=st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}"))
)
def test_it_says_something_of_any_text(project: Project, token: str) -> None:
    agree(project, token)


def agree(project: Project, token: str) -> None:
    report = look(project, token)

    states = [outcome.state for outcome in report.outcomes]
    assert [outcome.check for outcome in report.outcomes] == list(CHECKS)
    assert states == sorted(states, key=["passed", "failed", "not reached"].index)
    assert (report.failed is None) == is_accepted(project, token)
    assert "".join([report.header, report.claims, *(outcome.words for outcome in report.outcomes)]).encode()


def is_accepted(project: Project, token: str) -> bool:
    try:
        return bool(verify(project, token))
    except InvalidUserToken:
        return False


# Why, in words --------------------------------------------------------------------------------------------------------


def test_a_good_token_names_its_user_and_key(project: Project, user_token: Sign, signing_key: SigningKey) -> None:
    alice = ConnectedUser.objects.create(project=project, sub="alice")

    report = look(project, user_token("alice"))

    assert (report.failed, report.sub, report.end_user) == (None, "alice", alice)
    assert signing_key.kid in report.outcomes[4].words


def test_a_user_who_was_never_here_is_nobody_yet(project: Project, user_token: Sign) -> None:
    report = look(project, user_token("newcomer"))

    assert (report.sub, report.end_user) == ("newcomer", None)


def test_an_expired_token_says_how_long_ago(project: Project, user_token: Sign) -> None:
    report = look(project, user_token(iat=NOW - 3 * HOUR, exp=NOW - 2 * HOUR))

    assert words_of(report).startswith("It expired 2 hours ago")


def test_milliseconds_are_recognised(project: Project, user_token: Sign) -> None:
    assert "milliseconds" in words_of(look(project, user_token(exp=(NOW + HOUR) * 1000)))


def test_a_long_life_says_what_is_the_most(project: Project, user_token: Sign) -> None:
    report = look(project, user_token(iat=NOW, exp=NOW + 49 * HOUR))

    assert "It is good for 2 days, 1 hour, and 1 day is the most" in words_of(report)


def test_another_audience_is_shown_beside_the_right_one(project: Project, user_token: Sign) -> None:
    words = words_of(look(project, user_token(aud="globex")))

    assert '"globex"' in words
    assert str(project.pk) in words


def test_an_unknown_key_is_named(project: Project, signing_key: SigningKey, private_pem: str) -> None:
    token = jwt.encode({"sub": "alice"}, private_pem, algorithm="RS256", headers={"kid": "pbk_unknown"})

    assert 'No active key of this project has the ID "pbk_unknown"' in words_of(look(project, token))


def test_a_revoked_key_says_since_when(project: Project, user_token: Sign, signing_key: SigningKey) -> None:
    token = user_token()
    SigningKey.objects.update(revoked_at=datetime(2026, 3, 4, 5, 6, tzinfo=UTC))

    assert f"({signing_key.kid}) was revoked on 4 Mar 2026 at 05:06 UTC" in words_of(look(project, token))


def test_a_key_that_ended_says_so(project: Project, user_token: Sign) -> None:
    token = user_token()
    SigningKey.objects.update(expires_at=datetime.now(UTC) - timedelta(minutes=1))

    assert "reached the end that was set" in words_of(look(project, token))


def test_a_key_of_another_project_is_told_to_its_members_alone(project: Project, user_token: Sign) -> None:
    globex = Project.objects.create(name="Globex")
    bob = User.objects.create_user("bob@example.com")
    Member.objects.create(project=project, user=bob)

    to_bob = examine(globex, user_token(), bob)
    to_mallory = examine(globex, user_token(), User.objects.create_user("mallory@example.com"))

    assert "a key of another project, Acme Tasks" in words_of(to_bob)
    assert "Acme Tasks" not in words_of(to_mallory)


def test_a_wrong_key_is_told_from_an_unknown_one(project: Project, signing_key: SigningKey) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    token = jwt.encode({"sub": "alice"}, other, algorithm="RS256", headers={"kid": signing_key.kid})

    report = look(project, token)

    assert report.failed
    assert report.failed.check.name == "signature"
    assert (report.is_signed, json.loads(report.claims)) == (False, {"sub": "alice"})


def test_a_shared_secret_is_told_to_be_wrong(project: Project) -> None:
    token = jwt.encode({"sub": "alice"}, "s" * 32, algorithm="HS256")

    assert 'Its header says alg "HS256"' in words_of(look(project, token))


@pytest.mark.parametrize("claims", ["[" * 3000, '{"sub": "\\ud800"}', "9" * 5000, '{"a": ' * 900, "\x00"])
def test_strange_claims_can_still_be_shown(project: Project, user_token: Sign, claims: str) -> None:
    header, _, signature = user_token().split(".")
    payload = base64.urlsafe_b64encode(claims.encode()).rstrip(b"=").decode()

    report = look(project, f"{header}.{payload}.{signature}")

    assert report.failed
    assert report.failed.check.name == "signature"
    assert report.claims.encode()


def test_looking_is_no_use_of_the_key(project: Project, user_token: Sign) -> None:
    look(project, user_token())
    key_uses.flush()

    assert SigningKey.objects.get().last_used_at is None
