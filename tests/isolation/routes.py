"""Every route of the URL configuration, and its address with somebody's rows filled in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLResolver, get_resolver

# A group of a regular expression, (?P<name>...), or a converter, <type:name>.
PARAMETER = re.compile(r"\(\?P<(?P<group>\w+)>[^)]*\)|<(?:\w+:)?(?P<converter>\w+)>")
ADMIN_MODEL = re.compile(r"^admin/(\w+/\w+)/")


@dataclass(frozen=True)
class Route:
    """`name` is the pattern itself where the route has no name."""

    name: str
    pattern: str
    view: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name

    @property
    def parameters(self) -> list[str]:
        return [match["group"] or match["converter"] for match in PARAMETER.finditer(self.pattern)]

    @property
    def admin_model(self) -> str:
        """Return "app/model" for a page of the admin about one row, "" for all others."""
        found = ADMIN_MODEL.match(self.pattern) if "object_id" in self.parameters else None
        return found.group(1) if found else ""

    def address(self, values: Mapping[str, object]) -> str:
        filled = PARAMETER.sub(lambda match: str(values[match["group"] or match["converter"]]), self.pattern)
        return "/" + filled.replace("^", "").removesuffix("$")


def every_route() -> list[Route]:
    return list(_walk(get_resolver("config.urls"), "", ""))


def named(prefix: str) -> list[Route]:
    """Return the routes of one application, such as "sdk:"."""
    return [route for route in every_route() if route.name.startswith(prefix)]


def _walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, pattern, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)
        else:
            yield Route(_name(entry, namespace) or pattern, pattern, entry.callback)


def _name(entry: Any, namespace: str) -> str:
    return f"{namespace}{entry.name}" if entry.name else ""
