"""Which workflows the portal of an integration offers, and in what order."""

from django.db import transaction
from django.db.models import F

from integrations.extension import Offer
from integrations.models import Integration
from workflows.models import Workflow


def offers(integration: Integration) -> list[Offer]:
    """Return every workflow that someone wrote for an integration; one that is not deployed is not offered yet."""
    return [
        Offer(
            id=str(workflow.pk),
            name=workflow.name,
            description=workflow.description,
            is_hidden=workflow.is_hidden,
            note="" if workflow.is_deployed else "Not deployed yet, so nobody sees it.",
        )
        for workflow in Workflow.objects.written().filter(integration=integration)
    ]


@transaction.atomic
def arrange(integration: Integration, wanted: list[Offer]) -> None:
    """Store order and visibility. What is new since the list was read, and not in it, comes behind."""
    known = {str(workflow.pk): workflow for workflow in Workflow.objects.written().filter(integration=integration)}
    order = [known.pop(offer.id) for offer in wanted if offer.id in known]
    hidden = {offer.id for offer in wanted if offer.is_hidden}
    for position, workflow in enumerate([*order, *known.values()]):
        workflow.position = position
        is_hidden = str(workflow.pk) in hidden if workflow in order else workflow.is_hidden
        if is_hidden != workflow.is_hidden:
            # A builder that is open shows it, and would write back what it was.
            workflow.is_hidden, workflow.revision = is_hidden, F("revision") + 1
    Workflow.objects.bulk_update([*order, *known.values()], ["position", "is_hidden", "revision"])
