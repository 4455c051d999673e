import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import json_script

register = template.Library()


class WithoutSpaces(DjangoJSONEncoder):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"separators": (",", ":")})


@register.filter
def as_data(value: Any) -> str:
    """Show a value of a customer's own: a text as it is, all else as the JSON that it came as."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.filter
def as_script(value: Any, element_id: str) -> str:
    """Do what json_script does, for what is much: a page is sent as it is, and thousands of spaces with it."""
    return json_script(value, element_id, WithoutSpaces)
