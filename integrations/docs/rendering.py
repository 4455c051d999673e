"""Markdown of our own files to HTML, with what a manual needs: anchors, copy buttons, tables that fit a phone.

The files are trusted; HTML in them is shown as text nevertheless, so that a page is what its Markdown says.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

import mistune

Resolve = Callable[[str], str | None]
TAG = re.compile(r"<[^>]+>")
SECTION = re.compile(r'<h[123] id="([^"]*)">')
# Pages of the running server, which a file on GitHub cannot link to.
OUR_ADDRESS = re.compile(r"^/(?:docs/|api/openapi)[\w./-]*$")
LIVE_LINK = re.compile(r"^(?:https?:|mailto:)")


@dataclass(frozen=True)
class Heading:
    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Section:
    """What stands below one heading, as plain text; for the search."""

    anchor: str
    title: str
    text: str


@dataclass(frozen=True)
class Rendered:
    html: str
    title: str
    summary: str
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...] = field(repr=False)


def render(text: str, resolve: Resolve) -> Rendered:
    """Render a page. `resolve` turns a relative link into an address, or None where there is nothing to link to."""
    renderer = _Renderer(resolve)
    html = str(mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])(text))
    title = renderer.headings[0].text if renderer.headings else ""
    first = re.search(r"<p>(.*?)</p>", html, re.DOTALL)
    contents = tuple(heading for heading in renderer.headings if heading.level in (2, 3))
    return Rendered(html, title, plain(first.group(1)) if first else "", contents, _sections(html, title))


def plain(html: str) -> str:
    """Return the text of HTML, on one line."""
    return " ".join(unescape(TAG.sub("", html)).split())


def anchor_of(text: str) -> str:
    """Return a heading's anchor as GitHub makes it, so that links work in both places."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _sections(html: str, title: str) -> tuple[Section, ...]:
    # Cells and lines must not grow together to words that nobody wrote.
    spaced = re.sub(r"</(?:td|th|li|p|h\d|div|pre)>", r" \g<0>", html)
    spaced = re.sub(r"<(button|a class=\"anchor\").*?</(?:button|a)>", "", spaced, flags=re.DOTALL)
    _, *parts = SECTION.split(spaced)
    found = []
    for anchor, below in zip(parts[::2], parts[1::2], strict=True):
        heading, _, rest = below.partition("</h")
        found.append(Section(anchor, plain(heading) or title, plain(rest.partition(">")[2])))
    return tuple(found)


class _Renderer(mistune.HTMLRenderer):
    """One page's renderer: it remembers headings, blocks of code and columns as they come."""

    def __init__(self, resolve: Resolve) -> None:
        super().__init__(escape=True)
        self.headings: list[Heading] = []
        self._resolve = resolve
        self._anchors: Counter[str] = Counter()
        self._blocks = 0
        self._columns: list[str] = []
        self._cells: list[str] = []

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        words = plain(text)
        anchor = anchor_of(words)
        self._anchors[anchor] += 1
        anchor = f"{anchor}-{self._anchors[anchor] - 1}" if self._anchors[anchor] > 1 else anchor
        self.headings.append(Heading(level, anchor, words))
        link = f'<a class="anchor" href="#{anchor}" aria-label="Link to “{escape(words)}”">#</a>' if level > 1 else ""
        return f'<h{level} id="{anchor}">{text}{link}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if LIVE_LINK.match(url):
            return f'<a href="{escape(url)}">{text}</a>'
        found = url if url.startswith("#") else self._resolve(url)
        return f'<a href="{escape(found)}">{text}</a>' if found else text

    def codespan(self, text: str) -> str:
        code = f"<code>{escape(text)}</code>"
        return f'<a href="{escape(text)}">{code}</a>' if OUR_ADDRESS.match(text) else code

    def image(self, text: str, url: str, title: str | None = None) -> str:
        found = self._resolve(url)
        return f'<img src="{escape(found)}" alt="{escape(plain(text))}" loading="lazy">' if found else ""

    def block_code(self, code: str, info: str | None = None) -> str:
        self._blocks += 1
        name, language = f"code-{self._blocks}", (info or "").split()[0] if info else ""
        lines = _diff(code) if language == "diff" else escape(code)
        return (
            f'<div class="code-block"><button type="button" class="button button-small" data-copy-from="{name}" '
            f'data-copied="Copied" hidden>Copy<span class="visually-hidden"> this code</span></button>'
            f'<pre tabindex="0" aria-label="{escape(LANGUAGES.get(language, "Code"))}">'
            f'<code id="{name}">{lines}</code></pre></div>\n'
        )

    # A row becomes a card on a phone, where each value has its column's name beside it.

    def table(self, text: str) -> str:
        name = ", ".join(column for column in self._columns if column)
        label = f"Table: {name}" if name else "Table"
        self._columns = []
        return (
            f'<div class="table-wrap" tabindex="0" role="region" aria-label="{escape(label)}">'
            f"<table>{text}</table></div>\n"
        )

    def table_head(self, text: str) -> str:
        self._cells = []
        return f"<thead><tr>{text}</tr></thead>\n"

    def table_row(self, text: str) -> str:
        self._cells = []
        return f"<tr>{text}</tr>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        if head:
            self._columns.append(plain(text))
            return f'<th scope="col">{text or _NAMELESS}</th>'
        name = self._columns[len(self._cells)] if len(self._cells) < len(self._columns) else ""
        self._cells.append(text)
        label = f' data-label="{escape(name)}"' if name else ""
        return f"<td{label}><div>{text}</div></td>"


_NAMELESS = '<span class="visually-hidden">What it means</span>'
LANGUAGES = {
    "sh": "Commands",
    "python": "Python",
    "py": "Python",
    "js": "JavaScript",
    "ts": "TypeScript",
    "html": "HTML",
    "json": "JSON",
    "nginx": "nginx configuration",
    "ini": "Configuration",
    "diff": "What changes in the code",
}
DIFF = {"+": "diff-added", "-": "diff-removed"}


def _diff(code: str) -> str:
    return "".join(
        f'<span class="{DIFF[line[0]]}">{escape(line)}</span>' if line[:1] in DIFF else escape(line)
        for line in code.splitlines(keepends=True)
    )
