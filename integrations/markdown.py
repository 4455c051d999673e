"""Markdown that anybody may have typed into a form, as HTML.

Raw HTML is shown as the text that it is; what is left after rendering goes through a short list of allowed elements.
"""

import mistune
import nh3
from django.utils.safestring import SafeString, mark_safe

# Headings of a text begin below those of the page around it.
DEMOTED_BY, LOWEST = 2, 6
TAGS = {"p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a", "code", "pre", "strong", "em", "blockquote"}
LINKS = {"https", "mailto"}


def from_people(text: str) -> SafeString:
    """Return safe HTML: no script, no handler, no image, no address but https: and mailto:."""
    return mark_safe(  # noqa: S308 (what nh3 let through)
        nh3.clean(
            str(_render(text)),
            tags=TAGS,
            attributes={"a": {"href"}, "ol": {"start"}},
            url_schemes=LINKS,
            url_relative="deny",
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}},
        )
    )


class _Demoting(mistune.HTMLRenderer):
    def heading(self, text: str, level: int, **attrs: object) -> str:
        return super().heading(text, min(level + DEMOTED_BY, LOWEST), **attrs)


_render = mistune.create_markdown(renderer=_Demoting(escape=True))
