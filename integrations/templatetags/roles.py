from collections.abc import Iterable

from django import template

from integrations.dashboard.context import Section
from integrations.models import Member

register = template.Library()


@register.filter
def open_to(sections: Iterable[Section], role: Member.Role) -> list[Section]:
    """Return the pages that a member of this role may open."""
    return [section for section in sections if role.covers(section.needs)]
