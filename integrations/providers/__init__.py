"""The catalog: one folder a provider. Nothing outside a provider's folder names it."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.providers.base import Provider

SLUGS = ["jira"]


@cache
def get(slug: str) -> "Provider":
    """Return a provider of the catalog. Raises KeyError for a slug that is not in it."""
    if slug not in SLUGS:
        raise KeyError(slug)
    provider: Provider = import_module(f"integrations.providers.{slug}.provider").provider
    return provider


def catalog() -> list["Provider"]:
    return [get(slug) for slug in SLUGS]
