"""When a signing key was last seen: to the minute, and without a write for every call."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError

from integrations import key_uses, remember, user_tokens
from integrations.models import Project, SigningKey

pytestmark = pytest.mark.django_db


def test_an_accepted_token_shows_that_its_key_is_in_use(project: Project, user_token: Callable[..., str]) -> None:
    user_tokens.verify(project, user_token())
    key_uses.flush()

    assert SigningKey.objects.get().is_in_use


def test_a_refused_token_does_not(project: Project, user_token: Callable[..., str]) -> None:
    with pytest.raises(user_tokens.InvalidUserToken):
        user_tokens.verify(project, user_token(aud="another"))
    key_uses.flush()

    assert SigningKey.objects.get().last_used_at is None


def test_calls_within_a_minute_are_one_write(
    project: Project, user_token: Callable[..., str], django_assert_num_queries: Any
) -> None:
    user_tokens.verify(project, user_token("alice"))
    key_uses.flush()
    user_tokens.verify(project, user_token("bob"))

    with django_assert_num_queries(0):
        key_uses.flush()


def test_the_next_minute_is_noted_again(project: Project, user_token: Callable[..., str]) -> None:
    user_tokens.verify(project, user_token())
    key_uses.flush()
    SigningKey.objects.update(last_used_at=datetime(2020, 1, 1, tzinfo=UTC))
    remember.forget_everything()  # as a minute does

    user_tokens.verify(project, user_token())
    key_uses.flush()

    assert SigningKey.objects.get().is_in_use


def test_a_database_that_is_away_costs_only_the_note(
    project: Project, user_token: Callable[..., str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(key_uses, "flush", refuse)
    monkeypatch.setattr(key_uses, "connections", type("None", (), {"close_all": staticmethod(lambda: None)}))

    key_uses._flush_or_say()

    assert "that a key was used is not noted" in caplog.text
