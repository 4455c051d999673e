"""Which pages the manual has, in which order, and what is in them. Nothing that is not listed here is served."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.urls import reverse

from integrations import providers
from integrations.docs.rendering import Rendered, render
from integrations.providers.base import Provider

FOLDER = Path(settings.BASE_DIR) / "docs"
INDEX = FOLDER / "README.md"  # what GitHub shows; the index at /docs/ is made of the list below


@dataclass(frozen=True)
class Page:
    """`slug` is the address below /docs/, `words` what one finds there; a page without a file has a view of its own."""

    slug: str
    title: str
    words: str
    file: Path | None

    @property
    def url(self) -> str:
        return reverse("docs:page", args=[self.slug]) if self.file else reverse(f"docs:{self.slug}")

    def content(self) -> Rendered:
        assert self.file, f"{self.title} has no file"
        return content_of(self.file)


@dataclass(frozen=True)
class Group:
    title: str
    pages: tuple[Page, ...]


def _written(slug: str, title: str, words: str) -> Page:
    return Page(slug, title, words, FOLDER / f"{slug}.md")


def _beside(name: str, title: str, words: str) -> Page:
    return Page(name.lower(), title, words, FOLDER.parent / f"{name}.md")


def _of_provider(provider: Provider) -> Page:
    words = f"Set your own app up, and what to know of {provider.name} before it surprises you."
    return _written(provider.slug, provider.name, words)


GROUPS = (
    Group(
        "Start",
        (
            _written("quick-start", "Quick start", "From nothing to the first call in somebody’s name: five minutes."),
            _written("concepts", "Concepts", "The words, how a connection comes about, how tokens stay fresh."),
        ),
    ),
    Group(
        "Build",
        (
            _written("sdk", "SDK", "A Connect button, the portal, and every method for your page."),
            _written("portal", "The portal", "What your users see, and how to make it yours."),
            _written("workflows", "Workflows", "Triggers, steps, expressions, versions, runs, and what is promised."),
            _written("triggers", "Triggers", "Start when something happens in your user’s account."),
            _written("http-api", "HTTP API", "What back ends call: addresses, the proxy, errors and what to do."),
            Page("reference", "API reference", "Every operation with examples, to try from the page.", None),
        ),
    ),
    Group("Providers", tuple(_of_provider(provider) for provider in providers.catalog())),
    Group(
        "Run it",
        (
            _written("deployment", "Deployment", "One machine or many, nginx, settings, backups, upgrades."),
            _written("security", "Security", "Who is trusted with what, and our answer to each threat."),
            _written("security/asvs", "Security checklist", "OWASP ASVS 5.0 by item, with the test that shows it."),
            _written("troubleshooting", "Troubleshooting", "By what you see: why it is, and what to do."),
        ),
    ),
    Group(
        "Move here",
        (
            _written("moving-from-paragon", "From Paragon", "Keep your code and its SDK, and change where they point."),
            _written("moving-from-nango", "From Nango", "Your words in ours, the code before and after."),
        ),
    ),
    Group(
        "Project",
        (
            _beside("CHANGELOG", "Changelog", "What is new."),
            _beside("CONTRIBUTING", "Contributing", "Set up, test, and add a provider."),
        ),
    ),
)
PAGES = {page.slug: page for group in GROUPS for page in group.pages}
# What pages show and link to beside each other: pictures, and workflows to import.
SHOWN = [*FOLDER.glob("screenshots/*.webp"), *FOLDER.glob("examples/*.json")]
FILES = {str(path.relative_to(FOLDER)): path for path in SHOWN}


def written() -> Iterator[Page]:
    """Return the pages that are files, in order."""
    return (page for page in PAGES.values() if page.file)


def around(page: Page) -> tuple[Page | None, Page | None]:
    """Return the pages before and after this one."""
    order = list(PAGES.values())
    at = order.index(page)
    return (order[at - 1] if at else None), (order[at + 1] if at + 1 < len(order) else None)


def content_of(file: Path) -> Rendered:
    """Return a file, rendered anew only when it has changed."""
    return _content(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _content(file: Path, changed: int) -> Rendered:
    return render(file.read_text(encoding="utf-8"), lambda link: address(file, link))


def address(source: Path, link: str) -> str | None:
    """Return where a relative link of this file leads to; None where nothing of the manual is meant."""
    path, mark, anchor = link.partition("#")
    target = (source.parent / path).resolve() if path else source
    urls = {page.file: page.url for page in written()} | {INDEX: reverse("docs:index")}
    urls |= {file: reverse("docs:page", args=[name]) for name, file in FILES.items()}
    found = urls.get(target)
    return f"{found}{mark}{anchor}" if found else None
