"""What the catalog page shows: providers as cards, by heading and category, and which of them a search finds.

Every card of a category is in the page, and those that are not found are hidden: so the page's script can search while
somebody types, by the same words, without asking again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.models import Integration
from integrations.providers.base import Provider


@dataclass(frozen=True)
class Deed:
    """An action or trigger by its title; `is_hit` where the search asks for it."""

    title: str
    is_hit: bool


@dataclass(frozen=True)
class Card:
    """A provider of the catalog, and what this project made of it."""

    provider: Provider
    integration: Integration | None
    words: tuple[str, ...]

    @property
    def is_found(self) -> bool:
        return all(word in self.provider.search_text for word in self.words)

    @property
    def deeds(self) -> list[Deed]:
        return [Deed(title, any(word in title.lower() for word in self.words)) for title in self.provider.deeds]


@dataclass(frozen=True)
class Category:
    name: str
    count: int


class Shelf:
    """The cards of one category, or of all where `category` is ""."""

    def __init__(
        self, providers: Iterable[Provider], added: Mapping[str, Integration], query: str, category: str
    ) -> None:
        self.query, self.category = query, category
        self._all = list(providers)
        words = tuple(query.lower().split())
        shown = [each for each in self._all if not category or category in each.categories]
        self.cards = [Card(each, added.get(each.slug), words) for each in shown]

    @property
    def headings(self) -> list[tuple[str, list[Card]]]:
        """Return the cards by the heading they stand under, featured ones first."""
        featured = [card for card in self.cards if card.provider.is_featured]
        others = [card for card in self.cards if not card.provider.is_featured]
        return [(title, cards) for title, cards in (("Featured", featured), ("All integrations", others)) if cards]

    @property
    def categories(self) -> list[Category]:
        counts = Counter(name for each in self._all for name in each.categories)
        return [Category(name, counts[name]) for name in sorted(counts)]

    @property
    def total(self) -> int:
        return len(self._all)

    @property
    def found(self) -> int:
        return sum(card.is_found for card in self.cards)
