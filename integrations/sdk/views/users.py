"""Who the end user is and what they are connected to."""

from typing import Any

from integrations import connect, extension, listening
from integrations.models import ConnectedUser, Integration
from integrations.providers.base import Provider, Trigger
from integrations.sdk import shapes
from integrations.sdk.api import ApiError, Caller, api
from integrations.users import BadMetadata, checked_metadata


@api("GET", "PATCH")
def me(caller: Caller) -> dict[str, Any]:
    user = _set_metadata(caller) if caller.request.method == "PATCH" else caller.connected_user()
    return shapes.me(caller, user)


def _set_metadata(caller: Caller) -> ConnectedUser:
    body = caller.json()
    try:
        meta = checked_metadata(body.get("meta", {}))
    except BadMetadata as error:
        raise ApiError(400, "bad_metadata", str(error)) from error
    user = connect.connected_user(caller.user)
    if "meta" in body:
        user.meta = meta
        user.save(update_fields=["meta"])
    return user


@api("GET")
def metadata(caller: Caller) -> list[dict[str, Any]]:
    return [shapes.metadata(integration) for integration in caller.integrations().active()]


@api("GET")
def integrations(caller: Caller) -> list[dict[str, Any]]:
    connected = set(caller.connections().values_list("integration_id", flat=True))
    return [
        shapes.integration(item, connected=item.pk in connected, is_full=_is_full(caller, item))
        for item in caller.integrations()
    ]


def _is_full(caller: Caller, integration: Integration) -> bool:
    """Have others taken all places that the development keys have?"""
    app = integration.app_in_use()
    return app is not None and connect.is_full(app, caller.user)


@api("DELETE")
def uninstall(caller: Caller, integration_id: Any) -> None:
    """Disconnect the connection that the header names, or else all of this user's to the integration."""
    integration = caller.integration(pk=integration_id)
    wanted = caller.selected()
    chosen = [caller.connection(wanted)] if wanted else list(caller.connections().filter(integration=integration))
    for connection in chosen:
        if connection.integration_id == integration.pk:
            connect.disconnect(connection, actor=caller.user)


@api("GET", "POST")
def credentials(caller: Caller) -> Any:
    if caller.request.method == "POST":
        return _claim(caller)
    slug = caller.request.GET.get("integration")
    if slug is None:
        return [shapes.credential(connection) for connection in caller.connections()]
    chosen = caller.connections().to(slug)
    if caller.selected():
        return shapes.credential(caller.connection(caller.selected()))
    connection = chosen.first()
    if connection is None:
        raise ApiError(404, "no_credential", "There is no such connection.")
    return shapes.credential(connection)


def _claim(caller: Caller) -> dict[str, Any]:
    body = caller.json()
    payload = body.get("payload")
    code = payload.get("claim") if isinstance(payload, dict) else None
    if not isinstance(code, str):
        words = "A connection is made by the consent window only; authorization codes of your own are not taken."
        raise ApiError(400, "no_claim", words)
    return shapes.credential(connect.claim(caller.user, code))


@api("GET", "PATCH", "DELETE")
def credential(caller: Caller, credential_id: Any) -> Any:
    if caller.request.method == "GET":
        _raise_failure(caller, credential_id)
    connection = caller.connection(str(credential_id))
    if caller.request.method == "DELETE":
        return connect.disconnect(connection, actor=caller.user)
    errors = _update(connection, caller.json().get("config")) if caller.request.method == "PATCH" else []
    return shapes.credential(connection) | ({"errors": errors} if errors else {})


def _raise_failure(caller: Caller, session_id: Any) -> None:
    """A failed attempt is polled as if it had made a credential, so that an SDK which cannot fail comes to an end."""
    user = caller.connected_user()
    session = user.connect_sessions.filter(pk=session_id, status="failed").first() if user else None
    if session:
        raise ApiError(409, session.error_code or "connect_failed", session.error)


def _update(connection: Any, config: object) -> list[dict[str, Any]]:
    if not isinstance(config, dict):
        raise ApiError(400, "bad_config", "config must be a JSON object.")
    shared, errors = config.get("sharedSettings"), list[dict[str, Any]]()
    if isinstance(shared, dict):
        connection.settings, errors = extension.installed().checked_settings(connection, shared)
        connection.save(update_fields=["settings", "updated_at"])
        listening.ask_all(connection)
    return errors + extension.installed().update(connection, config)


@api("GET")
def triggers(caller: Caller) -> dict[str, Any]:
    """List the triggers of the project's integrations, with the filter form of each."""
    wanted = [name for name in caller.request.GET.get("integrations", "").split(",") if name]
    found = {}
    for integration in caller.integrations().active():
        provider = integration.provider
        if not wanted or provider.slug in wanted:
            found[provider.slug] = [_trigger(provider, trigger) for trigger in provider.triggers]
    return {"triggers": found, "errors": []}


def _trigger(provider: Provider, trigger: Trigger) -> dict[str, Any]:
    feed = provider.feed_of(trigger.slug)
    return {
        "type": f"{provider.slug}_trigger_{trigger.slug}".upper(),
        "triggerModel": "WEBHOOK" if feed and feed.registering else "POLLING",
        "title": trigger.title,
        "description": trigger.description,
        "parameters": [{"id": item.key, "title": item.label, **item.schema()} for item in trigger.fields],
        "output": trigger.output,
        "sample": trigger.sample,
    }
