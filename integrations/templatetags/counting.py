from django import template

from integrations.models import CallHour
from integrations.models.base import CountUpTo

register = template.Library()


@register.filter
def counted(number: int) -> str:
    """Write a number that was counted by CountUpTo: "9,999", "10,000+"."""
    return f"{CountUpTo.MOST:,}+" if number > CountUpTo.MOST else f"{number:,}"


@register.filter
def took(milliseconds: int) -> str:
    """Write a time that is read off a histogram, which knows of its first column only that it was under its bound."""
    least = CallHour.BOUNDS[0]
    return f"under {least} ms" if milliseconds <= least else f"{milliseconds:,} ms"
