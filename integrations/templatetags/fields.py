from django import template
from django.forms import BoundField

register = template.Library()


@register.filter
def bare(field: BoundField) -> BoundField:
    """Return a field without the placeholder that only repeats its label, which is in our words."""
    field.field.widget.attrs.pop("placeholder", None)
    return field
