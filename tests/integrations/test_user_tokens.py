"""Which user tokens are believed, and whom they speak for. Everything else gets one refusal that gives no reason."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import hypothesis
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import strategies

from integrations import connect, remember, user_tokens
from integrations.models import Project, SigningKey
from integrations.user_tokens import InvalidUserToken, verify, verify_remembered
from tests.support.misbehaving import Server

HOUR, DAY = 3600, 86_400
ABSENT = object()
Sign = Callable[..., str]

often = hypothesis.settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def sign(signing_key: SigningKey, private_pem: str) -> Sign:
    """sign(sub="bob") is a good token but for what is said; a claim or header of ABSENT is left out."""

    def sign(*, key: Any = private_pem, algorithm: str = "RS256", headers: Any = None, **claims: Any) -> str:
        now = int(time.time())
        wanted = {"sub": "alice", "iat": now, "exp": now + HOUR, "aud": str(signing_key.project_id)} | claims
        payload = {name: value for name, value in wanted.items() if value is not ABSENT}
        head = {"typ": "JWT", "alg": algorithm, "kid": signing_key.kid} | (headers or {})
        head = {name: value for name, value in head.items() if value is not ABSENT}
        signed = f"{encoded(head)}.{encoded(payload)}"
        signer = jwt.get_algorithm_by_name(algorithm)
        return f"{signed}.{b64(signer.sign(signed.encode(), signer.prepare_key(key)))}"

    return sign


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def encoded(value: object) -> str:
    return b64(json.dumps(value).encode())


def another_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def assert_refused(project: Project, token: str) -> None:
    with pytest.raises(InvalidUserToken) as caught:
        verify(project, token)
    assert str(caught.value) == user_tokens.REFUSAL


# Accepted -------------------------------------------------------------------------------------------------------------


def test_it_speaks_for_its_sub_in_this_project(project: Project, sign: Sign) -> None:
    user = verify(project, sign(sub="alice", plan="gold"))

    assert (user.project_id, user.sub, user.claims["plan"]) == (project.pk, "alice", "gold")


def test_it_may_name_no_key(project: Project, sign: Sign) -> None:
    assert verify(project, sign(headers={"kid": ABSENT})).sub == "alice"


def test_an_unreadable_key_of_the_project_is_passed_over(project: Project, sign: Sign) -> None:
    SigningKey.objects.create(project=project, public_pem="-----BEGIN PUBLIC KEY-----\nnonsense")

    assert verify(project, sign(headers={"kid": ABSENT})).sub == "alice"


def test_the_audience_may_be_written_as_in_paragons_examples(project: Project, sign: Sign) -> None:
    assert verify(project, sign(aud=f"useparagon.com/{project.pk}")).sub == "alice"


def test_the_audience_may_be_left_out_where_the_project_says_so(project: Project, sign: Sign) -> None:
    project.accept_tokens_without_audience = True

    assert verify(project, sign(aud=ABSENT)).sub == "alice"


@pytest.mark.parametrize(
    ("iat", "exp"), [(-HOUR, -50), (50, HOUR), (-HOUR, 10), (0, DAY)], ids=["just over", "early", "about to end", "day"]
)
def test_clocks_may_differ_by_a_minute(project: Project, sign: Sign, iat: int, exp: int) -> None:
    now = int(time.time())

    assert verify(project, sign(iat=now + iat, exp=now + exp)).sub == "alice"


LOOKALIKES = [
    "alice",
    "Alice",
    "ALICE",
    "аlice",
    "alice ",
    " alice",
    "ａｌｉｃｅ",
    "ali\u200bce",
    "alicé",
    "alice\u0301",
]


@pytest.mark.parametrize("sub", [*LOOKALIKES, "1", "a" * 255, "用户", "🙂", "alice@example.com", "'; DROP TABLE users"])
def test_sub_is_taken_byte_for_byte(project: Project, sign: Sign, sub: str) -> None:
    assert verify(project, sign(sub=sub)).sub == sub


def test_lookalikes_are_different_people(project: Project, sign: Sign) -> None:
    rows = {connect.connected_user(verify(project, sign(sub=sub))).pk for sub in LOOKALIKES}

    assert len(rows) == len(LOOKALIKES)


# Signature and header -------------------------------------------------------------------------------------------------


def test_an_unsigned_token_is_refused(project: Project, sign: Sign) -> None:
    payload = sign().split(".")[1]

    assert_refused(project, f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}.")


def test_a_token_signed_with_the_public_key_as_a_password_is_refused(
    project: Project, sign: Sign, signing_key: SigningKey
) -> None:
    signed = f"{encoded({'alg': 'HS256', 'kid': signing_key.kid})}.{sign().split('.')[1]}"
    mac = hmac.new(signing_key.public_pem.encode(), signed.encode(), hashlib.sha256).digest()

    assert_refused(project, f"{signed}.{b64(mac)}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_of_the_right_key_is_refused(project: Project, sign: Sign, algorithm: str) -> None:
    assert_refused(project, sign(algorithm=algorithm))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "rs256", "RS512", "HS256", "", None, ["RS256"], {}])
def test_another_name_of_the_algorithm_is_refused(project: Project, sign: Sign, alg: object) -> None:
    assert_refused(project, sign(headers={"alg": alg}))


def test_an_elliptic_key_is_refused(project: Project, sign: Sign) -> None:
    assert_refused(project, sign(key=ec.generate_private_key(ec.SECP256R1()), algorithm="ES256"))


def test_a_wrong_key_is_refused(project: Project, sign: Sign) -> None:
    assert_refused(project, sign(key=another_key()))


@pytest.mark.parametrize("headers", [{}, {"kid": ABSENT}])
def test_a_token_of_another_project_is_refused(project: Project, sign: Sign, headers: Any) -> None:
    globex = Project.objects.create(name="Globex", accept_tokens_without_audience=True)

    assert_refused(globex, sign(aud=ABSENT, headers=headers))
    assert_refused(globex, sign(aud=str(globex.pk), headers=headers))


def test_a_revoked_key_is_refused(project: Project, sign: Sign, signing_key: SigningKey) -> None:
    token = sign()
    signing_key.revoked_at = datetime.now(UTC)
    signing_key.save()

    assert_refused(project, token)


KIDS = ["", "pbk_unknown", "../../etc/passwd", "' OR 1=1 --", "a\x00b", "\ud800", "k" * 41, 7, None, True, [], {}, "é"]


@pytest.mark.parametrize("kid", KIDS)
def test_an_unknown_key_id_is_refused(project: Project, sign: Sign, kid: object) -> None:
    assert_refused(project, sign(headers={"kid": kid}))


@pytest.mark.parametrize("headers", [{"kid": "k" * 1_000_000}, {"more": "x" * 5_000_000}], ids=["key id", "header"])
def test_a_huge_token_is_refused_before_it_is_parsed(
    project: Project, sign: Sign, headers: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    token = sign(headers=headers)
    monkeypatch.setattr(jwt, "get_unverified_header", lambda token: pytest.fail("it was parsed"))

    with django_assert_num_queries(0):
        assert_refused(project, token)


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_a_key_to_be_fetched_is_not_fetched(project: Project, sign: Sign, name: str) -> None:
    with Server() as mallory:
        assert_refused(project, sign(key=another_key(), headers={name: mallory.url, "kid": ABSENT}))

    assert mallory.connections == 0


def test_a_key_that_the_token_brings_along_is_ignored(project: Project, sign: Sign) -> None:
    mallory = another_key()
    own = jwt.algorithms.RSAAlgorithm.to_jwk(mallory.public_key(), as_dict=True)

    assert_refused(project, sign(key=mallory, headers={"jwk": own, "kid": ABSENT}))


def test_a_critical_header_that_nobody_knows_is_refused(project: Project, sign: Sign) -> None:
    assert_refused(project, sign(headers={"crit": ["exp"], "exp": 1}))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a.b.c", "eyJhbGciOiJSUzI1NiJ9..", "bearer", "é.é.é", "\x00", "\ud800", "[" * 8000]
)
def test_what_is_no_token_is_refused(project: Project, signing_key: SigningKey, token: str) -> None:
    assert_refused(project, token)
    with pytest.raises(InvalidUserToken):
        verify_remembered(project, token)


@pytest.mark.parametrize("payload", ["[]", "7", '"alice"', "null", "{", "", "[" * 3000, "9" * 5000])
def test_claims_that_are_no_object_are_refused(
    project: Project, signing_key: SigningKey, private_pem: str, payload: str
) -> None:
    assert_refused(project, jwt.api_jws.encode(payload.encode(), private_pem, "RS256", {"kid": signing_key.kid}))


@pytest.fixture
def token(sign: Sign) -> str:
    return sign()


@often
@hypothesis.given(part=strategies.sampled_from([0, 1, 2]), bit=strategies.integers(0, 8 * 300))
def test_a_flipped_bit_anywhere_is_refused(project: Project, token: str, part: int, bit: int) -> None:
    parts = token.split(".")
    value = bytearray(base64.urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
    value[bit // 8 % len(value)] ^= 1 << bit % 8
    parts[part] = b64(value)

    assert_refused(project, ".".join(parts))


@often
@hypothesis.given(at=strategies.floats(0, 1), instead=strategies.text(max_size=3))
def test_any_other_header_or_claims_are_refused(project: Project, token: str, at: float, instead: str) -> None:
    signed, _, signature = token.rpartition(".")
    place = int(at * (len(signed) - 1))
    changed = signed[:place] + instead + signed[place + 1 :]
    hypothesis.assume(changed != signed)

    assert_refused(project, f"{changed}.{signature}")


# Claims ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sub", "iat", "exp", "aud"])
def test_no_claim_may_be_missing(project: Project, sign: Sign, name: str) -> None:
    assert_refused(project, sign(**{name: ABSENT}))


TIMES = {
    "expired a minute ago": {"iat": -HOUR, "exp": -61},
    "good for more than a day": {"iat": 0, "exp": DAY + 1},
    "good for ten years": {"iat": 0, "exp": 3650 * DAY},
    "issued in the future": {"iat": 70, "exp": HOUR},
    "starting in the future": {"iat": 0, "nbf": 70, "exp": HOUR},
    "over before it was issued": {"iat": 30, "exp": 20},
}


@pytest.mark.parametrize("wrong", TIMES)
def test_wrong_times_are_refused(project: Project, sign: Sign, wrong: str) -> None:
    now = int(time.time())

    assert_refused(project, sign(**{name: now + seconds for name, seconds in TIMES[wrong].items()}))


@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
@pytest.mark.parametrize(
    "value", [1e300, "1", None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), [], {}], ids=repr
)
def test_times_that_are_no_whole_numbers_are_refused(project: Project, sign: Sign, name: str, value: object) -> None:
    assert_refused(project, sign(**{name: value}))


def test_a_project_may_shorten_the_longest_life(project: Project, sign: Sign, settings: Any) -> None:
    settings.USER_TOKEN_MAX_SECONDS = HOUR - 1

    assert_refused(project, sign())


AUDIENCES = ["", "other", None, 7, [], {}, "useparagon.com/", "https://useparagon.com/{id}", "{id} ", "{ID}", "x{id}"]


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("lenient", [False, True])
def test_another_audience_is_refused(project: Project, sign: Sign, audience: Any, lenient: bool) -> None:
    project.accept_tokens_without_audience = lenient
    own = str(project.pk)
    written = audience.format(id=own, ID=own.upper()) if isinstance(audience, str) else audience

    assert_refused(project, sign(aud=written))


def test_a_list_of_audiences_is_refused(project: Project, sign: Sign) -> None:
    assert_refused(project, sign(aud=[str(project.pk), "another service"]))


NO_SUBS = ["", " ", "\u3000", "a" * 256, "a" * 4000, "a\x00b", "a\nb", "\x7f", "\u0085", "\ud800", None, 7, True, ["a"]]


@pytest.mark.parametrize("sub", NO_SUBS, ids=lambda sub: ascii(sub)[:12])
def test_a_sub_that_names_nobody_is_refused(project: Project, sign: Sign, sub: object) -> None:
    assert_refused(project, sign(sub=sub))


# Remembered for a moment ----------------------------------------------------------------------------------------------


def seconds_later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic()
    monkeypatch.setattr(remember, "time", SimpleNamespace(monotonic=lambda: now + seconds))


def test_a_token_found_good_costs_no_query_for_three_seconds(
    project: Project, sign: Sign, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    token = sign()
    verify_remembered(project, token)
    seconds_later(monkeypatch, 2.5)

    with django_assert_num_queries(0):
        assert verify_remembered(project, token).sub == "alice"


def test_a_key_revoked_elsewhere_is_refused_after_three_seconds(
    project: Project, sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign()
    verify_remembered(project, token)
    SigningKey.objects.update(revoked_at=datetime.now(UTC))  # Without a signal, as from another process.
    seconds_later(monkeypatch, 3.1)

    with pytest.raises(InvalidUserToken):
        verify_remembered(project, token)


def test_a_key_revoked_here_is_refused_at_once(project: Project, sign: Sign, signing_key: SigningKey) -> None:
    token = sign()
    verify_remembered(project, token)
    signing_key.revoked_at = datetime.now(UTC)
    signing_key.save()

    with pytest.raises(InvalidUserToken):
        verify_remembered(project, token)


def test_a_remembered_token_is_not_good_in_another_project(project: Project, sign: Sign) -> None:
    token = sign()
    verify_remembered(project, token)

    with pytest.raises(InvalidUserToken):
        verify_remembered(Project.objects.create(name="Globex"), token)


def test_a_remembered_token_still_expires(project: Project, sign: Sign, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    token = sign(iat=int(now) - HOUR, exp=int(now) - 50)
    verify_remembered(project, token)
    monkeypatch.setattr(user_tokens, "time", SimpleNamespace(time=lambda: now + 11))

    with pytest.raises(InvalidUserToken):
        verify_remembered(project, token)
