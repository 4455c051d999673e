"""Choices from the user's own account, for the fields that a portal or a page of the customer shows."""

from typing import Any

from django.utils.translation import gettext

from integrations.errors import NeedsReconnect, PermanentError, ProviderError, TemporaryError
from integrations.models import Connection
from integrations.provider_api import ProviderApi
from integrations.providers.base import Options, Source
from integrations.proxy import NOT_CONNECTED
from integrations.sdk.api import ApiError, Caller, api, enabled

LONGEST_SEARCH = 200


@api("POST")
def options(caller: Caller) -> dict[str, Any]:
    """Answer Paragon's getFieldOptions: {"output": {"records": [{"label", "value"}], "nextPageCursor"}}."""
    body = caller.json()
    slug, key = str(body.get("action") or ""), str(body.get("sourceKey") or "")
    connection = _connection(caller, slug)
    source = connection.integration.provider.sources.get(key)
    if source is None:
        raise ApiError(404, "no_source", "This integration has no such options.")
    paging = body.get("paginationParameters")
    paging = paging if isinstance(paging, dict) else {}
    cursor, search = paging.get("pageCursor"), str(paging.get("search") or "")[:LONGEST_SEARCH]
    page = read(source, connection, search, str(cursor) if cursor else "", _values(body.get("parameters")))
    records = [{"label": option.label, "value": option.value} for option in page.options]
    return {"output": {"records": records, "nextPageCursor": page.cursor or None}}


def _connection(caller: Caller, slug: str) -> Connection:
    mine = caller.connections().to(slug)
    found: Connection | None = caller.connection(caller.selected()) if caller.selected() else mine.first()
    if found is None or found.integration.provider_slug != slug:
        raise ApiError(400, "not_connected", NOT_CONNECTED)
    return enabled(found)


def _values(parameters: object) -> dict[str, Any]:
    """Return {key: value} of Paragon's keyed sources: [{"key", "source": {"type": "VALUE", "value"}}]."""
    found = {}
    for item in parameters if isinstance(parameters, list) else []:
        source = item.get("source") if isinstance(item, dict) else None
        if isinstance(source, dict) and isinstance(item.get("key"), str):
            found[item["key"]] = source.get("value")
    return found


def read(source: Source, connection: Connection, search: str, cursor: str, values: dict[str, Any]) -> Options:
    """Return a page of choices. Raises ApiError with the provider's own words."""
    try:
        return source(ProviderApi(connection), search, cursor, values)
    except NeedsReconnect as error:
        raise ApiError(400, "needs_reconnect", gettext("Reconnect needed: %(reason)s") % {"reason": error}) from error
    except TemporaryError as error:
        raise ApiError(503, "try_again", str(error)) from error
    except PermanentError as error:
        raise ApiError(400, "no_options", str(error), fields=error.fields) from error
    except (ProviderError, ValueError, KeyError) as error:
        raise ApiError(502, "no_options", gettext("The choices could not be read from the account.")) from error
