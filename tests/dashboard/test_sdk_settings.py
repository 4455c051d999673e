import re
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.test import Client

from integrations.dashboard import keys
from integrations.models import AuditEntry, Project, SigningKey, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


def public_pem(private: Any) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def save(client: Client, project: Project, **data: str) -> Any:
    return client.post(url("sdk_settings", project.pk), data)


# Signing keys ---------------------------------------------------------------------------------------------------------


def test_the_private_key_is_shown_once_and_kept_nowhere(as_alice: Client, project: Project) -> None:
    response = as_alice.post(url("generate_key", project.pk), {"name": "Back end"})

    key = SigningKey.objects.get()
    private_pem = response.context["private_pem"]
    token = jwt.encode({"sub": "user-1"}, private_pem, algorithm="RS256")
    assert jwt.decode(token, key.public_pem, algorithms=["RS256"])["sub"] == "user-1"
    assert "BEGIN PRIVATE KEY" in text(response)
    assert "no-store" in response["Cache-Control"]
    assert "PRIVATE" not in key.public_pem
    assert "BEGIN PRIVATE" not in text(as_alice.get(url("sdk_settings", project.pk)))


def test_generating_and_revoking_are_audited_by_key_id(as_alice: Client, project: Project) -> None:
    as_alice.post(url("generate_key", project.pk))
    key = SigningKey.objects.get()
    as_alice.post(url("revoke_key", project.pk, key.pk))

    assert [entry.action for entry in AuditEntry.objects.all()] == ["signing key revoked", "signing key generated"]
    assert all(key.kid in entry.detail for entry in AuditEntry.objects.all())


def test_a_sixth_active_key_is_refused(as_alice: Client, project: Project, alice: User) -> None:
    SigningKey.objects.bulk_create(SigningKey(project=project, public_pem="x") for _ in range(5))

    response = as_alice.post(url("generate_key", project.pk))

    assert re.search(r"autofocus>[^<]*at most 5 active keys", text(response))
    assert SigningKey.objects.count() == 5


def test_revoking_asks_and_warns_about_the_last_key(as_alice: Client, signing_key: SigningKey) -> None:
    response = as_alice.get(url("revoke_key", signing_key.project_id, signing_key.pk))

    assert "It is the only active key" in text(response)


def test_a_key_is_revoked_once(as_alice: Client, signing_key: SigningKey) -> None:
    address = url("revoke_key", signing_key.project_id, signing_key.pk)

    as_alice.post(address)

    assert not SigningKey.objects.active().exists()
    assert as_alice.post(address).status_code == 404


def test_an_own_public_key_is_added(as_alice: Client, project: Project) -> None:
    pem = public_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    as_alice.post(url("add_key", project.pk), {"key_name": "HSM", "public_key": pem})

    assert SigningKey.objects.get().public_pem == pem


def test_a_pasted_private_key_is_refused_and_not_sent_back(as_alice: Client, project: Project) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    response = as_alice.post(url("add_key", project.pk), {"key_name": "My key", "public_key": pem})

    assert "That is a private key" in text(response)
    assert pem.splitlines()[1] not in text(response)
    assert 'value="My key"' in text(response)
    assert not SigningKey.objects.exists()


def test_a_key_that_is_no_key_is_kept_in_the_form(as_alice: Client, project: Project) -> None:
    response = as_alice.post(url("add_key", project.pk), {"public_key": "hello there"})

    assert "not a public key in PEM form" in text(response)
    assert "hello there" in text(response)


@pytest.mark.parametrize(
    ("private", "words"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "must be an RSA key"),
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), "2048 to 8192 bits"),
        (rsa.generate_private_key(public_exponent=3, key_size=2048), "exponent 65537"),
    ],
)
def test_weak_and_foreign_keys_are_refused(private: Any, words: str, as_alice: Client, project: Project) -> None:
    response = as_alice.post(url("add_key", project.pk), {"public_key": public_pem(private)})

    assert words in text(response)


# Origins and return URLs ----------------------------------------------------------------------------------------------


def test_origins_are_saved_as_browsers_send_them(as_alice: Client, project: Project) -> None:
    save(as_alice, project, allowed_origins="https://App.example.com/\n\nhttps://app.example.com:443\nhttp://x.test:81")

    project.refresh_from_db()
    assert project.allowed_origins == ["https://app.example.com", "http://x.test:81"]


@pytest.mark.parametrize(
    "line", ["app.example.com", "https://a.test/path", "https://*.a.test", "https://me@a.test", "https://a.test:99999"]
)
def test_a_wrong_origin_is_named_with_its_line_and_kept(line: str, as_alice: Client, project: Project) -> None:
    response = save(as_alice, project, allowed_origins=f"https://good.test\n{line}")

    assert response.context["form"].errors["allowed_origins"][0].startswith("Line 2:")
    assert f"https://good.test\n{line}</textarea>" in text(response)
    project.refresh_from_db()
    assert project.allowed_origins == []


def test_the_cursor_is_where_the_first_error_is(as_alice: Client, project: Project) -> None:
    page = text(save(as_alice, project, allowed_origins="acme", return_urls="acme"))

    [focused] = re.findall(r"<[^>]* autofocus[^>]*>", page)
    assert 'name="allowed_origins"' in focused


def test_loopback_origins_are_refused_in_production(as_alice: Client, project: Project) -> None:
    Project.objects.update(kind=Project.Kind.PRODUCTION)

    response = save(as_alice, project, allow_loopback_origins="on")

    assert "allow_loopback_origins" in response.context["form"].errors


def test_a_return_url_needs_an_allowed_origin(as_alice: Client, project: Project) -> None:
    refused = save(as_alice, project, return_urls="https://app.test/done")
    save(as_alice, project, allowed_origins="https://app.test", return_urls="https://app.test/done?a=1")

    assert "Add https://app.test above first" in text(refused)
    project.refresh_from_db()
    assert project.return_urls == ["https://app.test/done?a=1"]


@pytest.mark.parametrize("line", ["javascript:alert(1)", "http://app.test/done", "//app.test", "https://u@app.test/"])
def test_a_return_url_is_https_or_loopback(line: str, as_alice: Client, project: Project) -> None:
    response = save(as_alice, project, allowed_origins="http://app.test\nhttps://app.test", return_urls=line)

    assert response.context["form"].errors["return_urls"][0].startswith("Line 1:")


def test_exceptions_are_off_warned_about_and_audited(as_alice: Client, project: Project) -> None:
    page = text(as_alice.get(url("sdk_settings", project.pk)))
    save(as_alice, project, connect_without_claim="on")

    assert "Both make the project less safe" in page
    project.refresh_from_db()
    assert project.connect_without_claim
    assert AuditEntry.objects.get().changes == [("Connect without a claim", "no", "yes")]


def test_saving_without_a_change_is_not_audited(as_alice: Client, project: Project) -> None:
    save(as_alice, project)

    assert not AuditEntry.objects.exists()


def test_the_page_that_refuses_one_form_keeps_the_others_as_stored(
    as_alice: Client, project: Project, alice: User
) -> None:
    keys.generate(project, "Back end", alice)

    response = save(as_alice, project, allowed_origins="nonsense")

    assert "Back end" in text(response)
