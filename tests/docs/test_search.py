"""Finding one's way in the manual."""

import pytest
from django.test import Client

from integrations.docs.search import MOST_RESULTS, search


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("BEHIND_PROXY", "/docs/deployment#behind-nginx"),
        ("needs_reconnect", "/docs/http-api#errors"),
        ("restore backup", "/docs/deployment#backups"),
        ("signing key", "/docs/moving-from-paragon#2-keys-and-tokens"),
        ("410 search", "/docs/jira#traps-calling"),
        ("sdk/connect/claim", "/docs/api/"),
    ],
)
def test_it_finds_the_place(query: str, url: str) -> None:
    assert any(result.url.startswith(url) for result in search(query)[:8])


def test_every_word_has_to_be_there() -> None:
    assert search("vault") != []
    assert search("vault zebra") == []


def test_a_title_counts_most() -> None:
    assert search("upgrading")[0].url == "/docs/deployment#upgrading"


def test_nothing_is_found_for_nothing() -> None:
    assert search("   ") == []


def test_there_is_an_end() -> None:
    assert len(search("a")) == MOST_RESULTS


def test_words_are_marked_where_they_stand() -> None:
    assert "<mark>VAULT_KEYS</mark>" in search("vault_keys")[0].excerpt


def test_the_page_works_without_scripts(client: Client) -> None:
    page = client.get("/docs/search", {"q": "nginx"}).content.decode()

    assert "Results for “nginx”" in page
    assert 'href="/docs/deployment#behind-nginx"' in page


@pytest.mark.parametrize("query", ['"><script>alert(1)</script>', "ﬁ İ ß", "\x00", "a" * 5000, "&lt;"])
def test_odd_queries_are_answered_in_words(query: str, client: Client) -> None:
    response = client.get("/docs/search", {"q": query})

    assert response.status_code == 200
    assert b"<script>alert" not in response.content


def test_one_that_finds_nothing_is_told_what_to_try(client: Client) -> None:
    assert "Try fewer or shorter ones" in client.get("/docs/search", {"q": "zebra crossing"}).content.decode()
