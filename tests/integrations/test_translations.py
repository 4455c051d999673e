"""What end users read is said in every language, completely, and with the same things filled in."""

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from integrations import language
from integrations.models import Integration, Project
from tests.support import messages

LANGUAGES = messages.languages()


def test_every_catalogue_is_offered_and_the_other_way_round() -> None:
    assert sorted(code for code, _ in settings.LANGUAGES) == sorted([*LANGUAGES, settings.LANGUAGE_CODE])


@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_is_missing_and_nothing_left_over(code: str) -> None:
    wanted = {message.id for message in messages.extracted()}

    assert {message.id for message in messages.read(code)} == wanted, "Run `make messages`."


@pytest.mark.parametrize("code", LANGUAGES)
def test_everything_is_translated(code: str) -> None:
    assert [message.id for message in messages.read(code) if message.id and not message.string] == []
    assert [message.id for message in messages.read(code) if message.id and message.fuzzy] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_fills_in_what_the_text_fills_in(code: str) -> None:
    pairs = [(message.id, message.string) for message in messages.read(code) if message.id]

    assert [said for said, told in pairs if messages.placeholders(said) != messages.placeholders(told)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_may_stand_in_an_attribute(code: str) -> None:
    assert [str(message.string) for message in messages.read(code) if message.id and '"' in str(message.string)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_compiled_is_what_was_written(code: str) -> None:
    compiled = messages.po(code).with_suffix(".mo").read_bytes()

    assert compiled == messages.compiled(messages.read(code)), "Run `make messages`."


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_other_application_speaks_for_us(code: str) -> None:
    ours = {message.id: message.string for message in messages.read(code) if isinstance(message.id, str) and message.id}

    with translation.override(code):
        assert {text: translation.gettext(text) for text in ours} == ours


# Which language -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "found"), [("de", "de"), ("de-AT", "de"), ("fr-CA", "fr"), ("nl", ""), ("", ""), ("'><x", "")]
)
def test_the_nearest_language_is_spoken(tag: str, found: str) -> None:
    assert language.known(tag) == found


def page(client: Client, project: Project, query: str = "", **headers: str) -> str:
    return client.get(f"/ui?projectId={project.pk}{query}", headers=headers).content.decode()


def test_the_portal_speaks_what_the_sdk_asks_for(client: Client, jira: Integration) -> None:
    html = page(client, jira.project, "&lang=de", **{"Accept-Language": "fr"})

    assert '<html lang="de"' in html
    assert "Lassen Sie Acme Tasks mit Ihrem Jira-Konto arbeiten." in html


def test_it_speaks_what_the_browser_prefers_otherwise(client: Client, jira: Integration) -> None:
    assert "Lo que se hizo en su nombre" in page(client, jira.project, **{"Accept-Language": "es-MX,en;q=0.5"})


def test_it_speaks_english_to_all_others(client: Client, jira: Integration) -> None:
    assert '<html lang="en"' in page(client, jira.project, **{"Accept-Language": "nl"})


def test_no_language_is_left_behind_for_the_next_visitor(client: Client, jira: Integration) -> None:
    page(client, jira.project, "&lang=de")

    assert translation.get_language() == settings.LANGUAGE_CODE


def test_the_dashboard_stays_in_english(client: Client, db: None) -> None:
    html = client.get("/accounts/login/", headers={"Accept-Language": "de"}).content.decode()

    assert "Sign in" in html
    assert "Passwort" not in html
