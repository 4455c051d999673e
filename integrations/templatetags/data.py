import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def as_data(value: Any) -> str:
    """Show a value of a customer's own: a text as it is, all else as the JSON that it came as."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
