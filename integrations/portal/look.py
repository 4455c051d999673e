"""What the portal's page knows of an integration before anybody is signed in: how it looks, and what it says."""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from integrations import markdown
from integrations.models import Integration, Portal
from integrations.portal.colours import Palette, palette
from integrations.providers.base import Provider


@dataclass(frozen=True)
class Look:
    """`description` is safe HTML. Texts are the project's own, or ours in the language that is active."""

    provider: Provider
    theme: str
    palette: Palette
    short_description: str
    description: SafeString
    connect_label: str
    shows_activity: bool


def look_of(portal: Portal) -> Look:
    integration = portal.integration
    return Look(
        provider=integration.provider,
        theme=portal.theme,
        palette=palette(portal.accent),
        short_description=short_description(portal),
        description=markdown.from_people(portal.description) if portal.description else _usual(integration),
        connect_label=portal.connect_label or connect_label(integration),
        shows_activity=portal.shows_activity,
    )


def short_description(portal: Portal) -> str:
    """Return one sentence for the end user; the catalog's own words speak to the developer."""
    usual = gettext("Let %(project)s work with your %(provider)s account.")
    return portal.short_description or usual % _names(portal.integration)


def connect_label(integration: Integration) -> str:
    return gettext("Connect %(provider)s") % _names(integration)


def _usual(integration: Integration) -> SafeString:
    return render_to_string("portal/_overview.html", _names(integration))


def _names(integration: Integration) -> dict[str, str]:
    return {"project": integration.project.name, "provider": integration.provider.name}
