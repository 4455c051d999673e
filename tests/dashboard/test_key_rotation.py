"""Changing signing keys: both are accepted until a date that the page shows, and the old one ends by itself."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.test import Client

from integrations import clock, user_tokens
from integrations.dashboard import keys
from integrations.models import AuditEntry, Project, SigningKey, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def rotated(client: Client, key: SigningKey, **data: str) -> tuple[SigningKey, SigningKey]:
    """Return the key as it is after its rotation, and the one that replaces it."""
    client.post(url("rotate_key", key.project_id, key.pk), {"name": "Back end 2", "hours": "168"} | data)
    key.refresh_from_db()
    assert key.replaced_by
    return key, key.replaced_by


def signed_with(pem: str, key: SigningKey) -> str:
    now = int(clock.now().timestamp())
    claims = {"sub": "alice", "aud": str(key.project_id), "iat": now, "exp": now + 60}
    return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key.kid})


def test_both_keys_are_accepted_for_as_long_as_was_chosen(as_alice: Client, project: Project, alice: User) -> None:
    old, old_pem = keys.generate(project, "Back end", alice)

    response = as_alice.post(url("rotate_key", project.pk, old.pk), {"name": "Back end 2", "hours": "24"})

    new, new_pem = SigningKey.objects.get(name="Back end 2"), response.context["private_pem"]
    old.refresh_from_db()
    assert old.expires_at
    assert timedelta(hours=23) < old.expires_at - clock.now() <= DAY
    assert user_tokens.verify(project, signed_with(old_pem, old)).sub == "alice"
    assert user_tokens.verify(project, signed_with(new_pem, new)).sub == "alice"


def test_the_new_private_key_is_shown_once_and_by_no_cache_kept(as_alice: Client, signing_key: SigningKey) -> None:
    address = url("rotate_key", signing_key.project_id, signing_key.pk)

    response = as_alice.post(address, {"name": "Back end 2", "hours": "168"})

    assert "BEGIN PRIVATE KEY" in text(response)
    assert "is accepted beside it until" in text(response)
    assert "no-store" in response["Cache-Control"]


def test_a_public_key_of_ones_own_may_replace_it(as_alice: Client, signing_key: SigningKey) -> None:
    pem = signing_key.public_pem

    old, new = rotated(as_alice, signing_key, public_key=pem)

    assert (new.public_pem, old.is_ending) == (pem, True)


def test_a_private_key_is_refused_and_not_sent_back(
    as_alice: Client, signing_key: SigningKey, private_pem: str
) -> None:
    address = url("rotate_key", signing_key.project_id, signing_key.pk)

    response = as_alice.post(address, {"name": "New", "hours": "168", "public_key": private_pem})

    assert "That is a private key" in text(response)
    assert private_pem.splitlines()[1] not in text(response)


def test_the_page_shows_until_when_and_whether_the_old_key_is_still_used(
    as_alice: Client, signing_key: SigningKey
) -> None:
    old, new = rotated(as_alice, signing_key)
    SigningKey.objects.filter(pk=old.pk).update(last_used_at=clock.now() - timedelta(minutes=3, seconds=5))

    page = text(as_alice.get(url("sdk_settings", old.project_id)))

    assert f"both are accepted until {old.expires_at:%-d %b %Y, %H:%M} UTC" in page
    assert "The last token signed with the old key was seen 3\xa0minutes ago" in page
    assert new.kid in page


def test_an_old_key_that_nothing_uses_may_be_revoked(as_alice: Client, signing_key: SigningKey) -> None:
    old, _ = rotated(as_alice, signing_key)

    page = text(as_alice.get(url("sdk_settings", old.project_id)))

    assert "No token signed with the old key was ever seen, so you may revoke it" in page


def test_revoking_warns_while_the_key_is_in_use(as_alice: Client, signing_key: SigningKey) -> None:
    address = url("revoke_key", signing_key.project_id, signing_key.pk)
    before = text(as_alice.get(address))
    SigningKey.objects.update(last_used_at=clock.now() - timedelta(hours=2))

    assert "It is in use" not in before
    assert "It is in use: the last token signed with it was seen 2\xa0hours ago" in text(as_alice.get(address))


def test_a_key_whose_end_has_come_is_refused_at_once(as_alice: Client, project: Project, alice: User) -> None:
    old, pem = keys.generate(project, "Back end", alice)
    token = signed_with(pem, old)
    SigningKey.objects.filter(pk=old.pk).update(expires_at=clock.now() - timedelta(seconds=1))

    with pytest.raises(user_tokens.InvalidUserToken):
        user_tokens.verify(project, token)
    assert "No active key" in text(as_alice.get(url("sdk_settings", project.pk)))


def test_the_sweeper_puts_it_away_once(as_alice: Client, signing_key: SigningKey) -> None:
    end = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    SigningKey.objects.update(expires_at=end)

    assert (keys.sweep(), keys.sweep()) == (1, 0)
    signing_key.refresh_from_db()
    assert signing_key.revoked_at == end
    assert AuditEntry.objects.get().action == "signing key ended"
    assert "ended on 4 Mar 2026, 05:06" in text(as_alice.get(url("sdk_settings", signing_key.project_id)))


def test_the_end_can_be_put_off(as_alice: Client, signing_key: SigningKey) -> None:
    old, _ = rotated(as_alice, signing_key, hours="1")

    as_alice.post(url("end_key", old.project_id, old.pk), {"hours": "720"})

    old.refresh_from_db()
    assert old.expires_at
    assert old.expires_at - clock.now() > 29 * DAY


def test_the_old_key_can_be_kept_after_all(as_alice: Client, signing_key: SigningKey) -> None:
    old, new = rotated(as_alice, signing_key)

    as_alice.post(url("end_key", old.project_id, old.pk), {"hours": "0"})

    old.refresh_from_db()
    assert (old.is_ending, old.replaced_by) == (False, None)
    assert set(SigningKey.objects.active()) == {old, new}


def test_a_time_that_was_not_offered_is_refused(as_alice: Client, signing_key: SigningKey) -> None:
    as_alice.post(url("rotate_key", signing_key.project_id, signing_key.pk), {"name": "New", "hours": "100000"})

    assert SigningKey.objects.get() == signing_key


def test_a_sixth_key_is_not_made_and_the_old_one_does_not_end(
    as_alice: Client, project: Project, signing_key: SigningKey
) -> None:
    SigningKey.objects.bulk_create(SigningKey(project=project, public_pem="x") for _ in range(4))

    response = as_alice.post(url("rotate_key", project.pk, signing_key.pk), {"name": "New", "hours": "24"})

    signing_key.refresh_from_db()
    assert "at most 5 active keys" in text(response)
    assert not signing_key.is_ending


def test_rotating_says_in_the_audit_log_what_replaces_what(as_alice: Client, signing_key: SigningKey) -> None:
    old, new = rotated(as_alice, signing_key)

    entry = AuditEntry.objects.get()
    assert entry.action == "signing key rotated"
    assert ("Signing key", str(old), str(new)) in entry.changes


def test_snippets_sign_with_the_key_that_stays(as_alice: Client, signing_key: SigningKey) -> None:
    _, new = rotated(as_alice, signing_key)

    page = as_alice.get(url("sdk_settings", signing_key.project_id))

    assert f'KEY_ID = "{new.kid}"' in page.context["snippets"][0].code
