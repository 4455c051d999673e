from typing import Any

from integrations.activity import activity_of
from integrations.sdk.api import Caller, api


@api("GET")
def activity(caller: Caller) -> dict[str, Any]:
    """List what was done in the caller's own name with one integration: {items, next}."""
    query = caller.request.GET
    integration = caller.integration(provider_slug=query.get("integration", ""))
    found = activity_of(integration, caller.user.sub, query.get("after", ""))
    items = [
        {"at": deed.at.isoformat(), "title": deed.title, "detail": deed.detail, "outcome": deed.outcome}
        for deed in found.deeds
    ]
    return {"items": items, "next": found.next or None}
