"""What is left to do until a product's users can connect: read from the project's rows, never ticked off by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.urls import reverse

from integrations.models import Call, Connection, Integration, Project, SigningKey


@dataclass(frozen=True)
class Step:
    title: str
    text: str
    button: str
    url: str
    is_done: bool


def steps(project: Project, integrations: Sequence[Integration]) -> list[Step]:
    """Return the steps in the order in which they are best done."""
    integration = next((each for each in integrations if each.is_active), integrations[0] if integrations else None)
    facts = _facts(project)
    added = reverse("dashboard:catalog", args=[project.pk])
    page = settings = added
    name = "an integration"
    app = None
    if integration:
        name, app = integration.provider.name, integration.app_in_use()
        page = reverse("dashboard:integration", args=[project.pk, integration.provider_slug])
        settings = reverse("dashboard:integration_settings", args=[project.pk, integration.provider_slug])
    sdk = reverse("dashboard:sdk_settings", args=[project.pk])
    return [
        Step("Add an integration", "Pick what your users connect.", "Open the catalog", added, integration is not None),
        Step(
            "Give it keys",
            "A client ID and secret of your own; or leave them blank to try it with development keys.",
            "Enter keys",
            settings,
            app is not None and app.has_keys,
        ),
        Step(
            f"Activate {name}",
            "From then on accounts can be connected.",
            "Activate",
            page,
            integration is not None and integration.is_active,
        ),
        Step(
            "Connect a first account",
            "Your own will do: Try it, on the integration’s page.",
            "Connect",
            f"{page}#try",
            bool(facts["has_connection"]),
        ),
        Step(
            "Make a first call",
            "Any endpoint, in the name of that account.",
            "Call",
            f"{page}#try",
            bool(facts["has_call"]),
        ),
        Step(
            "Make a signing key",
            "Your back end signs a token with it that says who your user is.",
            "Make a key",
            f"{sdk}#keys",
            bool(facts["has_key"]),
        ),
        Step(
            "Name your pages",
            "Only pages on these origins may use the SDK.",
            "Add an origin",
            f"{sdk}#origins",
            bool(project.allowed_origins) or project.allow_loopback_origins,
        ),
    ]


def _facts(project: Project) -> Mapping[str, object]:
    mine = {"project": OuterRef("pk")}
    found = Project.objects.filter(pk=project.pk).values(
        has_connection=Exists(Connection.objects.filter(**mine)),
        has_call=Exists(Call.objects.filter(**mine, status__lt=400)),
        has_key=Exists(SigningKey.objects.active().filter(**mine)),
    )
    return found[0]
