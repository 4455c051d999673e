import mistune
from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_render = mistune.create_markdown(escape=True)


@register.filter
def with_code(text: str) -> SafeString:
    """Show a line of our own descriptions with its `code` as code."""
    html = str(_render(text)).strip()
    return mark_safe(html.removeprefix("<p>").removesuffix("</p>"))  # noqa: S308 (escaped by the renderer)
