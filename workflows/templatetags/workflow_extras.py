from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def get(found: Mapping[str, Any], key: str) -> Any:
    """Return what a mapping holds for a key that a template has in a variable."""
    return found.get(key, "")
