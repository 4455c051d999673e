"""Connected users, their connections, the log of calls and the audit log, for the customer's own tools."""

import re
import uuid
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from integrations import audit, connect, users
from integrations.api import shapes
from integrations.api.door import KeyCaller, needs
from integrations.api.queries import (
    Query,
    integration_field,
    listed,
    next_link,
    since_field,
    until_field,
    user_field,
)
from integrations.models import AuditEntry, Call, ConnectedUser, Connection
from integrations.sdk.api import ApiError

# Users ----------------------------------------------------------------------------------------------------------------


class UserQuery(Query):
    STATUS = [
        ("connected", "every connection works"),
        ("reconnect", "a connection needs a reconnect"),
        ("none", "nothing is connected"),
        ("disabled", "disabled"),
    ]
    search = forms.CharField(
        required=False, max_length=255, help_text="Only users with this in their ID, name or e-mail."
    )
    integration = integration_field()
    status = forms.ChoiceField(required=False, choices=STATUS, help_text="Only users in this state.")


@needs("users:read")
def list_users(caller: KeyCaller) -> dict[str, Any]:
    wanted = UserQuery(caller.request.GET).wanted()
    found = _users(caller).with_health(wanted.get("status", ""))
    if "search" in wanted:
        found = found.named(wanted["search"])
    if "integration" in wanted:
        found = found.connected_to(wanted["integration"])
    page = listed(caller.request, found, wanted)
    return {"users": [shapes.user(row) for row in page.rows], "nextLink": next_link(caller.request, page)}


def _users(caller: KeyCaller) -> Any:
    found = ConnectedUser.objects.filter(project=caller.project)
    return found.prefetch_related("connections__grant", "connections__integration")


def _user(caller: KeyCaller, sub: str) -> ConnectedUser:
    found: ConnectedUser | None = _users(caller).filter(sub=sub).first()
    if found is None:
        raise ApiError(404, "no_user", "This project has no such user.")
    found.project = caller.project
    return found


@needs("users:read")
def read_user(caller: KeyCaller, sub: str) -> dict[str, Any]:
    return shapes.user(_user(caller, sub))


@needs("users:write")
def change_user(caller: KeyCaller, sub: str) -> dict[str, Any]:
    """Take {meta?, isDisabled?}; what is not given stays."""
    found, body = _user(caller, sub), caller.json("meta", "isDisabled")
    is_disabled = body.get("isDisabled", found.disabled_at is not None)
    if not isinstance(is_disabled, bool):
        raise ApiError(400, "bad_user", "isDisabled must be true or false.")
    try:
        if "meta" in body:
            users.set_metadata(found, body["meta"], caller.actor)
    except users.BadMetadata as error:
        raise ApiError(400, "bad_metadata", str(error)) from error
    if is_disabled != (found.disabled_at is not None):
        (users.disable if is_disabled else users.enable)(found, caller.actor)
    return shapes.user(_user(caller, sub))


@needs("users:delete")
def delete_user(caller: KeyCaller, sub: str) -> None:
    users.delete(_user(caller, sub), caller.actor)


@needs("users:export")
def export_user(caller: KeyCaller, sub: str) -> StreamingHttpResponse:
    found = _user(caller, sub)
    audit.record(caller.project, caller.actor, "user exported", found.sub)
    name = re.sub(r"[^\w.-]+", "-", found.sub, flags=re.ASCII)[:60]
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return StreamingHttpResponse(users.export(found), content_type="application/json", headers=headers)


# Connections ----------------------------------------------------------------------------------------------------------


class ConnectionQuery(Query):
    STATUS = [("connected", "works"), ("needs_reconnect", "the user has to reconnect")]
    userId = user_field()
    integration = integration_field()
    status = forms.ChoiceField(required=False, choices=STATUS, help_text="Only connections in this state.")


@needs("connections:read")
def list_connections(caller: KeyCaller) -> dict[str, Any]:
    wanted = ConnectionQuery(caller.request.GET).wanted()
    found = _connections(caller)
    if "userId" in wanted:
        found = found.filter(user__sub=wanted["userId"])
    if "integration" in wanted:
        found = found.to(wanted["integration"])
    if wanted.get("status") == "needs_reconnect":
        found = found.needing_reconnect()
    elif "status" in wanted:
        found = found.healthy()
    page = listed(caller.request, found, wanted)
    rows = [shapes.connection(row, row.user) for row in page.rows]
    return {"connections": rows, "nextLink": next_link(caller.request, page)}


def _connections(caller: KeyCaller) -> Any:
    found = Connection.objects.filter(project=caller.project)
    return found.select_related("user", "grant", "integration", "project")


def _connection(caller: KeyCaller, connection_id: uuid.UUID) -> Connection:
    found: Connection | None = _connections(caller).filter(pk=connection_id).first()
    if found is None:
        raise ApiError(404, "no_credential", "There is no such connection.")
    return found


@needs("connections:read")
def read_connection(caller: KeyCaller, connection_id: uuid.UUID) -> dict[str, Any]:
    found = _connection(caller, connection_id)
    return shapes.connection(found, found.user)


@needs("connections:write")
def disconnect(caller: KeyCaller, connection_id: uuid.UUID) -> None:
    connect.disconnect(_connection(caller, connection_id), actor=caller.actor)


# Logs -----------------------------------------------------------------------------------------------------------------


class CallQuery(Query):
    STATUS = [("2xx", "done"), ("3xx", "redirected"), ("4xx", "refused"), ("5xx", "failed")]
    userId = user_field()
    integration = integration_field()
    status = forms.ChoiceField(required=False, choices=STATUS, help_text="Only calls that were answered like this.")
    route = forms.CharField(
        required=False, max_length=200, help_text="Only calls of this route, such as /rest/api/3/issue/{}."
    )
    since = since_field()
    until = until_field()


@needs("calls:read")
def list_calls(caller: KeyCaller) -> dict[str, Any]:
    wanted = CallQuery(caller.request.GET).wanted()
    names = {"userId": "sub", "integration": "provider_slug", "route": "route"}
    found = Call.objects.filter(
        project=caller.project, **{column: wanted[name] for name, column in names.items() if name in wanted}
    )
    if "status" in wanted:
        found = found.answered(int(wanted["status"][0]))
    page = listed(caller.request, _between(found, wanted), wanted, "-at")
    return {"calls": [shapes.call(row) for row in page.rows], "nextLink": next_link(caller.request, page)}


def _between(rows: QuerySet[Any], wanted: dict[str, Any]) -> QuerySet[Any]:
    if "since" in wanted:
        rows = rows.filter(at__gte=wanted["since"])
    return rows.filter(at__lte=wanted["until"]) if "until" in wanted else rows


class AuditQuery(Query):
    actor = forms.CharField(required=False, max_length=300, help_text="Only what this one did, written as in the log.")
    action = forms.CharField(required=False, max_length=60, help_text="Only this, such as “user deleted”.")
    since = since_field()
    until = until_field()


@needs("audit:read")
def list_audit_log(caller: KeyCaller) -> dict[str, Any]:
    wanted = AuditQuery(caller.request.GET).wanted()
    names = {"actor": "actor_name", "action": "action"}
    found = AuditEntry.objects.filter(
        project=caller.project, **{column: wanted[name] for name, column in names.items() if name in wanted}
    )
    page = listed(caller.request, _between(found, wanted), wanted, "-at")
    return {"entries": [shapes.audit_entry(row) for row in page.rows], "nextLink": next_link(caller.request, page)}
