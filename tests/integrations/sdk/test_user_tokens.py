"""Who gets in with a user token. Whatever is wrong with it, the caller reads one and the same text."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client

from integrations.models import ConnectedUser, Connection, Project, SigningKey
from tests.integrations.sdk.conftest import Person

pytestmark = pytest.mark.django_db
REFUSED = {
    "code": "invalid_user_token",
    "message": "The user token is not valid. Sign a new one with an active signing key of this project.",
    "status": 401,
}
DAY = 86_400
Sign = Callable[..., str]


def now(seconds: int = 0) -> int:
    return int(time.time()) + seconds


def pem(key: Any) -> bytes:
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return bytes(key.private_bytes(encoding, kind, serialization.NoEncryption()))


@pytest.fixture
def sign(project: Project, signing_key: SigningKey, private_pem: str) -> Sign:
    """sign() makes a good token; sign(sub="bob") changes a claim, sign(key=…, algorithm=…, headers=…) the rest."""

    def sign(*, key: Any = private_pem, algorithm: str = "RS256", headers: Any = None, **claims: Any) -> str:
        payload = {"sub": "alice", "iat": now(), "exp": now(3600), "aud": str(project.pk)} | claims
        return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": signing_key.kid} | (headers or {}))

    return sign


@pytest.fixture
def ask(project: Project) -> Callable[[str], Any]:
    """ask(token) calls /sdk/me with it."""

    def ask(token: str) -> Any:
        return Client().get(f"/projects/{project.pk}/sdk/me", headers={"Authorization": f"Bearer {token}"})

    return ask


def without(token: str, *names: str, key: str) -> str:
    """Return the token signed anew without some of its claims."""
    claims = jwt.decode(token, options={"verify_signature": False})
    kept = {name: value for name, value in claims.items() if name not in names}
    return jwt.encode(kept, key, algorithm="RS256")


def test_a_good_token_is_accepted(ask: Any, sign: Sign) -> None:
    assert ask(sign()).status_code == 200


# Who signed it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "good news", "a.b.c", "e30.e30.e30", "....", "ä.ö.ü".encode().decode("latin-1")])
def test_what_is_no_token_is_refused(token: str, ask: Any, signing_key: SigningKey) -> None:
    answer = ask(token)

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_an_unsigned_token_is_refused(ask: Any, sign: Sign) -> None:
    answer = ask(sign(key=None, algorithm="none"))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_token_without_its_signature_is_refused(ask: Any, sign: Sign) -> None:
    answer = ask(sign().rsplit(".", 1)[0] + ".")

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_token_signed_with_the_public_key_as_a_password_is_refused(
    ask: Any, sign: Sign, signing_key: SigningKey
) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": signing_key.kid}).encode()).rstrip(b"=")
    signed = header + b"." + sign().split(".")[1].encode()
    mac = hmac.digest(signing_key.public_pem.encode(), signed, "sha256")

    answer = ask((signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode())

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_with_the_right_key_is_refused(algorithm: str, ask: Any, sign: Sign) -> None:
    answer = ask(sign(algorithm=algorithm))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_an_elliptic_key_is_refused(ask: Any, sign: Sign) -> None:
    answer = ask(sign(key=pem(ec.generate_private_key(ec.SECP256R1())), algorithm="ES256"))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_key_that_nobody_knows_is_refused(ask: Any, sign: Sign) -> None:
    answer = ask(sign(key=pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_the_key_of_another_project_is_refused(sign: Sign, signing_key: SigningKey) -> None:
    other = Project.objects.create(name="Other")

    answer = Client().get(
        f"/projects/{other.pk}/sdk/me", headers={"Authorization": f"Bearer {sign(aud=str(other.pk))}"}
    )

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_revoked_key_is_refused(ask: Any, sign: Sign, signing_key: SigningKey) -> None:
    assert ask(sign()).status_code == 200
    signing_key.revoked_at = signing_key.created_at
    signing_key.save()

    answer = ask(sign())

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_an_unknown_project_reads_like_a_wrong_token(sign: Sign, signing_key: SigningKey) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"

    answer = Client().get(f"/projects/{nobody}/sdk/me", headers={"Authorization": f"Bearer {sign()}"})

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_changed_payload_is_refused(ask: Any, sign: Sign) -> None:
    header, _, signature = sign(sub="alice").split(".")
    forged = sign(sub="bob").split(".")[1]

    answer = ask(f"{header}.{forged}.{signature}")

    assert (answer.status_code, answer.json()) == (401, REFUSED)


# When it is good ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_a_token_that_does_not_say_when_is_refused(
    name: str, ask: Any, sign: Sign, private_pem: str, signing_key: SigningKey
) -> None:
    answer = ask(without(sign(), name, key=private_pem))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


TIMES = {
    "expired": lambda: {"iat": now(-3600), "exp": now(-61)},
    "good for more than a day": lambda: {"iat": now(), "exp": now(DAY + 1)},
    "issued in the future": lambda: {"iat": now(120), "exp": now(3600)},
    "to be used in the future": lambda: {"nbf": now(120)},
    "ends before it begins": lambda: {"iat": now(), "exp": now(-30)},
    "exp is beyond all numbers": lambda: {"exp": 1e300},
    "exp is a fraction": lambda: {"exp": now(3600) + 0.5},
    "exp is text": lambda: {"exp": "1"},
    "exp is null": lambda: {"exp": None},
    "exp is true": lambda: {"exp": True},
    "exp is a list": lambda: {"exp": [now(3600)]},
    "exp is below zero": lambda: {"exp": -now()},
    "iat is text": lambda: {"iat": "now"},
    "iat is null": lambda: {"iat": None},
    "nbf is text": lambda: {"nbf": "now"},
    "nbf is null": lambda: {"nbf": None},
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_that_make_no_sense_are_refused(kind: str, ask: Any, sign: Sign) -> None:
    answer = ask(sign(**TIMES[kind]()))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "claims",
    [
        lambda: {"iat": now(-3600), "exp": now(-30)},
        lambda: {"iat": now(), "exp": now(DAY)},
        lambda: {"iat": now(30), "exp": now(3600)},
        lambda: {"nbf": now(-5)},
    ],
    ids=["expired half a minute ago", "good for a day", "a clock that is fast", "to be used since a moment"],
)
def test_clocks_may_differ_by_a_minute(claims: Callable[[], dict[str, int]], ask: Any, sign: Sign) -> None:
    assert ask(sign(**claims())).status_code == 200


# Whom it is for -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["{}", "useparagon.com/{}"])
def test_the_audience_is_the_project_in_either_form(shape: str, ask: Any, sign: Sign, project: Project) -> None:
    assert ask(sign(aud=shape.format(project.pk))).status_code == 200


@pytest.mark.parametrize(
    "audience",
    [
        "another product",
        "",
        "useparagon.com/",
        "useparagon.com/{}/more",
        "evil.test/{}",
        " {}",
        ["{}"],
        ["{}", "another product"],
        {"aud": "{}"},
        7,
        None,
    ],
    ids=str,
)
def test_any_other_audience_is_refused(audience: Any, ask: Any, sign: Sign, project: Project) -> None:
    filled = json.loads(json.dumps(audience).replace("{}", str(project.pk)))

    answer = ask(sign(aud=filled))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_missing_audience_is_refused(
    ask: Any, sign: Sign, private_pem: str, project: Project, signing_key: SigningKey
) -> None:
    answer = ask(without(sign(), "aud", key=private_pem))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_missing_audience_is_accepted_while_the_project_is_moving_here(
    ask: Any, sign: Sign, private_pem: str, project: Project
) -> None:
    project.accept_tokens_without_audience = True
    project.save()

    assert ask(without(sign(), "aud", key=private_pem)).status_code == 200


@pytest.mark.parametrize("audience", ["another product", None, ""])
def test_a_wrong_audience_is_refused_even_then(audience: Any, ask: Any, sign: Sign, project: Project) -> None:
    project.accept_tokens_without_audience = True
    project.save()

    answer = ask(sign(aud=audience))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_switching_that_off_again_counts_at_once(ask: Any, sign: Sign, private_pem: str, project: Project) -> None:
    project.accept_tokens_without_audience = True
    project.save()
    token = without(sign(), "aud", key=private_pem)
    assert ask(token).status_code == 200

    project.accept_tokens_without_audience = False
    project.save()

    assert ask(token).status_code == 401


# Whom it speaks for ---------------------------------------------------------------------------------------------------


def test_a_token_for_nobody_is_refused(ask: Any, sign: Sign, private_pem: str, signing_key: SigningKey) -> None:
    answer = ask(without(sign(), "sub", key=private_pem))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "sub",
    [
        "",
        " ",
        "\u00a0",
        "a" * 256,
        "a" * 10_000,
        "ali\x00ce",
        "alice\n",
        "\ud800",
        "\ufffe",
        None,
        7,
        True,
        ["alice"],
        {},
    ],
    ids=lambda sub: repr(sub)[:20],
)
def test_a_user_id_that_cannot_be_one_is_refused(sub: Any, ask: Any, sign: Sign) -> None:
    answer = ask(sign(sub=sub))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "sub", ["Alice", "ALICE", "alice ", " alice", "аlice", "alicé", "alice\u0301", "alice\u200b", "ａlice"]
)
def test_a_user_id_that_looks_like_alice_is_somebody_else(
    sub: str, person: Callable[..., Person], connect: Callable[..., Connection]
) -> None:
    connect("alice")

    body = person(sub).get("sdk/me").json()

    assert body["userId"] == sub
    assert body["integrations"]["jira"]["enabled"] is False


def test_two_spellings_of_one_letter_are_two_users(person: Callable[..., Person]) -> None:
    person("caf\u00e9").call("PATCH", "sdk/me", {"meta": {"spelling": "one letter"}})
    person("cafe\u0301").call("PATCH", "sdk/me", {"meta": {"spelling": "letter and accent"}})

    assert ConnectedUser.objects.count() == 2


@pytest.mark.parametrize("sub", ["a" * 255, "7", "org|user:1", "用户", "🙂", "null", "../../etc", "' OR 1=1 --"])
def test_any_text_may_be_a_user_id(sub: str, person: Callable[..., Person]) -> None:
    person(sub).call("PATCH", "sdk/me", {"meta": {}})

    assert ConnectedUser.objects.get().sub == sub


# What else its header says --------------------------------------------------------------------------------------------


def test_a_token_need_not_name_its_key(ask: Any, sign: Sign, private_pem: str, signing_key: SigningKey) -> None:
    """Paragon's own examples do not."""
    assert ask(without(sign(), key=private_pem)).status_code == 200


def test_of_two_keys_the_one_that_signed_is_found(
    ask: Any, sign: Sign, private_pem: str, signing_key: SigningKey, project: Project
) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    public = other.public_bytes(serialization.Encoding.PEM, kind).decode()
    SigningKey.objects.create(project=project, public_pem=public)

    assert ask(without(sign(), key=private_pem)).status_code == 200


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "' OR 1=1 --", "\x00", "pbk_0000000000000000", "x" * 5_000, "", "ä"]
)
def test_a_key_id_that_is_none_of_ours_is_refused(kid: str, ask: Any, sign: Sign) -> None:
    answer = ask(sign(headers={"kid": kid}))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "headers",
    [{"jku": "http://127.0.0.1:9/keys"}, {"x5u": "http://127.0.0.1:9/keys"}, {"jwk": {"kty": "RSA"}}],
    ids=str,
)
def test_where_a_token_says_its_key_is_nobody_looks(
    headers: dict[str, Any], ask: Any, sign: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *args: pytest.fail("It looked."))
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    answer = ask(sign(key=pem(stranger), headers=headers))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_a_key_brought_along_by_the_token_is_not_used(ask: Any, sign: Sign) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    own = jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)

    answer = ask(sign(key=pem(stranger), headers={"jwk": own}))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_an_extension_that_must_be_understood_is_refused(ask: Any, sign: Sign) -> None:
    answer = ask(sign(headers={"crit": ["exp"]}))

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize("size", [8_193, 5_000_000])
def test_a_huge_token_is_refused_before_anything_looks_at_it(
    size: int, ask: Any, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jwt.get_unverified_header", lambda *args: pytest.fail("It looked."))

    answer = ask("a" * size)

    assert (answer.status_code, answer.json()) == (401, REFUSED)


# How it is brought ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["{}", "Basic {}", "Token {}", "Bearer{}", "Bearer {} {}"])
def test_a_token_is_brought_as_a_bearer_token_only(shape: str, sign: Sign, project: Project) -> None:
    headers = {"Authorization": shape.replace("{}", sign())}

    answer = Client().get(f"/projects/{project.pk}/sdk/me", headers=headers)

    assert (answer.status_code, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_word_bearer_may_be_written_in_any_case(scheme: str, sign: Sign, project: Project) -> None:
    headers = {"Authorization": f"{scheme} {sign()}"}

    assert Client().get(f"/projects/{project.pk}/sdk/me", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["sdk/me", "sdk/actions/build-oauth"])
def test_a_token_in_an_address_does_not_open_the_api(path: str, sign: Sign, project: Project) -> None:
    answer = Client().get(f"/projects/{project.pk}/{path}", {"userToken": sign(), "token": sign()})

    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_being_signed_in_to_the_dashboard_does_not_open_the_api(admin_client: Client, project: Project) -> None:
    answer = admin_client.get(f"/projects/{project.pk}/sdk/me")

    assert (answer.status_code, answer.json()) == (401, REFUSED)
