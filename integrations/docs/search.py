"""Search the manual: every word must stand in a section; titles count most."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from integrations.docs import pages, reference
from integrations.docs.rendering import Section

MOST_RESULTS = 20
MOST_CHARACTERS = 100
AROUND = 110


@dataclass(frozen=True)
class Result:
    page: str
    title: str
    url: str
    excerpt: SafeString


class _Place(NamedTuple):
    page: str
    url: str
    section: Section


def search(query: str) -> list[Result]:
    """Return the best places, best first; none for a query without words."""
    words = query.lower()[:MOST_CHARACTERS].split()
    if not words:
        return []
    scored = [(_score(place, words), place) for place in _places()]
    best = sorted((found for found in scored if found[0]), key=lambda found: -found[0])[:MOST_RESULTS]
    return [Result(place.page, place.section.title, place.url, _excerpt(place.section, words)) for _, place in best]


def _places() -> Iterator[_Place]:
    for page in pages.written():
        for section in page.content().sections:
            yield _Place(page.title, f"{page.url}#{section.anchor}", section)
    for operation in reference.operations():
        section = Section(operation.anchor, operation.summary, f"{' '.join(operation.methods)} {operation.path}")
        yield _Place(pages.PAGES["reference"].title, operation.url, section)


def _score(place: _Place, words: list[str]) -> int:
    """Return 0 unless every word is there, else more for a better place."""
    title, text = place.section.title.lower(), place.section.text.lower()
    if not all(word in title or word in text or word in place.page.lower() for word in words):
        return 0
    in_title = sum(12 * (word in title) + 6 * (word in place.page.lower()) for word in words)
    return 1 + in_title + sum(min(text.count(word), 5) for word in words)


def _excerpt(section: Section, words: list[str]) -> SafeString:
    """Return the text around the first word, with the words marked."""
    text, lower = section.text, section.text.lower()
    found = [at for word in words if (at := lower.find(word)) >= 0]
    begin = max(min(found, default=0) - AROUND // 2, 0)
    begin = text.find(" ", begin) + 1 if begin else 0
    part = text[begin : begin + 2 * AROUND]
    shown = ("… " if begin else "") + part + (" …" if begin + 2 * AROUND < len(text) else "")
    return mark_safe(_marked(shown, words))  # noqa: S308 (escaped piece by piece)


def _marked(text: str, words: list[str]) -> str:
    lower, pieces, at = text.lower(), [], 0
    if len(lower) != len(text):  # rare letters change their length; then nothing is marked
        return escape(text)
    while at < len(text):
        begin, word = min(((lower.find(word, at), word) for word in words if word in lower[at:]), default=(-1, ""))
        if begin < 0:
            break
        pieces += [escape(text[at:begin]), f"<mark>{escape(text[begin : begin + len(word)])}</mark>"]
        at = begin + len(word)
    return "".join([*pieces, escape(text[at:])])
