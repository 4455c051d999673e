"""API keys: what one looks like, what is kept of it, and when it opens nothing any more."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from integrations import clock
from integrations.api import keys
from integrations.api.scopes import SCOPES, scopes_for
from integrations.models import ApiKey, AuditEntry, Member, Project, User
from tests.integrations.api.conftest import BackEnd

pytestmark = pytest.mark.django_db


@pytest.fixture
def text(key_with: Callable[..., str]) -> str:
    return key_with("users:read")


def ask(project: Project, text: str) -> Any:
    return Client().get(f"/projects/{project.pk}/users", headers={"Authorization": f"Bearer {text}"})


# How one looks --------------------------------------------------------------------------------------------------------


def test_a_key_is_known_at_sight() -> None:
    assert re.fullmatch(r"pbs_[0-9A-Za-z]{57}", keys.new_text())


def test_no_two_keys_are_alike() -> None:
    assert len({keys.prefix_of(keys.new_text()) for _ in range(1000)}) == 1000


def test_the_secret_part_holds_256_random_bits() -> None:
    assert len(keys.ALPHABET) ** keys.SECRET > 2**256


@pytest.mark.parametrize("place", [4, 11, 12, 30, 54, 55, 60])
def test_one_wrong_letter_is_noticed(place: int, text: str) -> None:
    wrong = "a" if text[place] != "a" else "b"

    assert keys.is_well_formed(text)
    assert not keys.is_well_formed(text[:place] + wrong + text[place + 1 :])


def test_two_letters_that_changed_places_are_noticed() -> None:
    random = "ab" + "0" * (keys.PUBLIC + keys.SECRET - 2)
    text = f"{keys.MARK}{random}{keys._check(random)}"

    assert keys.is_well_formed(text)
    assert not keys.is_well_formed(text.replace("ab", "ba", 1))


@pytest.mark.parametrize("wrong", ["", "pbs_", "PBS_", "ghp_", "pbs_é", "pbs_" + "0" * 56, "pbs_" + "0" * 500_000])
def test_what_is_no_key_is_refused_without_a_query(
    wrong: str, project: Project, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(0):
        assert keys.find(project.pk, wrong) is None


# What is kept ---------------------------------------------------------------------------------------------------------


def test_only_a_digest_and_the_public_beginning_are_kept(text: str) -> None:
    [row] = ApiKey.objects.values()

    assert row["prefix"] == text[:12]
    assert text[12:] not in str(row)
    assert len(row["digest"]) == 64


def test_making_one_is_audited_with_its_scopes(text: str, olivia: User) -> None:
    entry = AuditEntry.objects.get()

    assert (entry.actor, entry.action) == (olivia, "API key made")
    assert entry.detail == f"Support desk ({text[:12]}…): users:read"


def test_a_project_has_fifty_keys_at_most(project: Project, key_with: Callable[..., str]) -> None:
    ApiKey.objects.bulk_create(ApiKey(project=project, name="x", prefix=f"pbs_{n}", digest="") for n in range(50))

    with pytest.raises(keys.TooManyKeys, match="at most 50 keys"):
        key_with("users:read")


def test_revoked_keys_do_not_count(project: Project, key_with: Callable[..., str]) -> None:
    old = (ApiKey(project=project, name="x", prefix=f"pbs_{n}", digest="", revoked_at=clock.now()) for n in range(50))
    ApiKey.objects.bulk_create(old)

    assert key_with("users:read")


# When it opens nothing ------------------------------------------------------------------------------------------------


def test_a_good_key_opens(text: str, project: Project) -> None:
    assert ask(project, text).status_code == 200


def test_a_mistyped_key_is_told_so(text: str, project: Project) -> None:
    answer = ask(project, text[:-1])

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "invalid_api_key"
    assert "mistyped or cut off" in answer.json()["message"]


def test_a_revoked_key_is_refused_at_once_and_told_so(text: str, project: Project, olivia: User) -> None:
    assert ask(project, text).status_code == 200
    keys.revoke(ApiKey.objects.get(), olivia)

    answer = ask(project, text)

    assert answer.status_code == 401
    assert "was revoked on" in answer.json()["message"]


def test_a_key_expires(project: Project, key_with: Callable[..., str]) -> None:
    text = key_with("users:read", days=30)
    assert ask(project, text).status_code == 200
    ApiKey.objects.update(expires_at=Now() - timedelta(seconds=1))

    answer = ask(project, text)

    assert answer.status_code == 401
    assert "expired on" in answer.json()["message"]


def test_it_expires_when_it_was_said_to(project: Project, key_with: Callable[..., str]) -> None:
    key_with("users:read", days=30)

    [expires_at] = ApiKey.objects.values_list("expires_at", flat=True)
    assert abs(expires_at - clock.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_a_key_of_another_project_reads_like_one_that_never_was(text: str) -> None:
    other = Project.objects.create(name="Elsewhere")

    foreign, unknown = ask(other, text), ask(other, keys.new_text())

    assert (foreign.status_code, foreign.content) == (401, unknown.content)


def test_a_key_goes_with_its_project(text: str, project: Project) -> None:
    Project.objects.all().delete()

    assert ask(project, text).status_code == 401


def test_without_the_scope_it_is_named(project: Project, key_with: Callable[..., str]) -> None:
    answer = ask(project, key_with("calls:read"))

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"
    assert answer.json()["scope"] == "users:read"
    assert "lacks the scope users:read" in answer.json()["message"]


def test_each_method_takes_its_own_scope(project: Project, key_with: Callable[..., str], user: Any) -> None:
    reader = BackEnd(project, key_with("users:read"))
    user("alice")

    assert reader.get("users/alice").status_code == 200
    assert reader.call("PATCH", "users/alice", {"meta": {}}).json()["scope"] == "users:write"
    assert reader.call("DELETE", "users/alice").json()["scope"] == "users:delete"


# Use ------------------------------------------------------------------------------------------------------------------


def test_its_use_is_noted(text: str, project: Project) -> None:
    ask(project, text)

    assert ApiKey.objects.get().last_used_at


def test_its_use_is_noted_once_a_minute_at_most(
    text: str, project: Project, django_assert_num_queries: Callable[..., Any]
) -> None:
    ask(project, text)
    [noted] = ApiKey.objects.values_list("last_used_at", flat=True)

    # The key, and the users.
    with django_assert_num_queries(2):
        ask(project, text)

    assert ApiKey.objects.get().last_used_at == noted


def test_a_minute_later_it_is_noted_again(text: str, project: Project) -> None:
    long_ago = clock.now() - timedelta(seconds=61)
    ApiKey.objects.update(last_used_at=long_ago)

    ask(project, text)

    assert ApiKey.objects.filter(last_used_at__gt=long_ago).exists()


def test_a_refused_call_is_no_use(project: Project, key_with: Callable[..., str]) -> None:
    ask(project, key_with("calls:read"))

    assert ApiKey.objects.get().last_used_at is None


# What a role may give away --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "withheld"),
    [
        (Member.Role.OWNER, set()),
        (Member.Role.ADMIN, set()),
        (Member.Role.DEVELOPER, {"users:delete", "users:export"}),
        (Member.Role.SUPPORT, {"users:delete", "users:export", "users:write", "connections:write"}),
    ],
)
def test_nobody_gives_away_more_than_the_role_allows(role: str, withheld: set[str], project: Project) -> None:
    project.role_name = role

    assert {scope.name for scope in SCOPES} - {scope.name for scope in scopes_for(project)} == withheld
