"""What becomes of Markdown: anchors as on GitHub, tables for phones, code to copy, and no HTML of its own."""

import pytest

from integrations.docs.rendering import Rendered, render

LINKS = {"other.md": "/docs/other", "other.md#part": "/docs/other#part", "shot.png": "/docs/shot.png"}


def made(text: str) -> Rendered:
    return render(text, LINKS.get)


def test_a_heading_has_the_anchor_that_github_gives_it() -> None:
    page = made("# Title\n\n## Your page's `headers`\n")

    assert [heading.anchor for heading in page.headings] == ["your-pages-headers"]
    assert '<h2 id="your-pages-headers">' in page.html


def test_equal_headings_are_told_apart() -> None:
    page = made("# Title\n\n## Again\n\n## Again\n\n## Again\n")

    assert [heading.anchor for heading in page.headings] == ["again", "again-1", "again-2"]


def test_html_is_shown_and_not_obeyed() -> None:
    assert "<script>" not in made("Hello <script>alert(1)</script>").html


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[x](other.md)", '<a href="/docs/other">x</a>'),
        ("[x](other.md#part)", '<a href="/docs/other#part">x</a>'),
        ("[x](#here)", '<a href="#here">x</a>'),
        ("[x](https://example.com/?a=1&b=2)", '<a href="https://example.com/?a=1&amp;b=2">x</a>'),
        ("[x](../elsewhere.md)", "<p>x</p>"),
        ("[x](javascript:alert)", "<p>x</p>"),
        ("![A page](shot.png)", '<img src="/docs/shot.png" alt="A page" loading="lazy">'),
    ],
)
def test_a_link_leads_within_the_manual_or_out_of_it(link: str, expected: str) -> None:
    assert expected in made(link).html


def test_a_value_of_a_table_knows_its_column() -> None:
    html = made("| setting | default |\n| --- | --- |\n| `PORT` | 8000 |\n").html

    assert '<td data-label="setting"><div><code>PORT</code></div></td>' in html
    assert '<td data-label="default"><div>8000</div></td>' in html
    assert 'aria-label="Table: setting, default"' in html


def test_code_can_be_copied() -> None:
    html = made('```python\nprint("<b>")\n```').html

    assert 'data-copy-from="code-1"' in html
    assert '<code id="code-1">print(&quot;&lt;b&gt;&quot;)\n</code>' in html


def test_what_a_diff_adds_and_removes_is_marked() -> None:
    html = made("```diff\n-old\n+new\n same\n```").html

    assert '<span class="diff-removed">-old\n</span><span class="diff-added">+new\n</span> same' in html


def test_its_parts_can_be_searched() -> None:
    page = made("# Title\n\nFirst words.\n\n## Part\n\n| a | b |\n| --- | --- |\n| one | two |\n")

    assert [(part.anchor, part.title, part.text) for part in page.sections] == [
        ("title", "Title", "First words."),
        ("part", "Part", "a b one two"),
    ]
