"""What the management API answers. Never a token or a secret."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from integrations.models import AuditEntry, Call, ConnectedUser, Connection


def moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def page_in_dashboard(name: str, *args: object) -> str:
    """Return the address where people see the same, for tools that link there."""
    return f"{settings.PUBLIC_URL}{reverse(name, args=args)}"


def user(row: ConnectedUser) -> dict[str, Any]:
    return {
        "userId": row.sub,
        "name": row.display_name,
        "meta": row.meta,
        "isDisabled": row.disabled_at is not None,
        "dateCreated": moment(row.created_at),
        "connections": [connection(each, row) for each in row.connections.all()],
        "dashboardUrl": page_in_dashboard("dashboard:user", row.project_id, row.pk),
    }


def connection(row: Connection, user: ConnectedUser) -> dict[str, Any]:
    grant = row.grant
    return {
        "id": str(row.pk),
        "userId": user.sub,
        "integration": row.integration.provider_slug,
        "status": "connected" if row.is_healthy else "needs_reconnect",
        "reason": row.health_reason,
        "account": {"id": grant.account_id, "name": grant.account_name, "email": grant.account_email},
        "site": {"id": row.site_id, "name": row.site_name, "url": row.site_url},
        "externalId": row.external_id or None,
        "permissions": grant.scopes,
        "settings": row.settings,
        "dateCreated": moment(row.created_at),
        "dateUpdated": moment(row.updated_at),
        "dateRefreshed": moment(grant.refreshed_at),
        "dashboardUrl": page_in_dashboard("dashboard:connection", row.project_id, row.pk),
    }


def call(row: Call) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "userId": row.sub,
        "connectionId": str(row.connection_id) if row.connection_id else None,
        "integration": row.provider_slug,
        "method": row.method,
        "path": row.path,
        "route": row.route,
        "status": row.status,
        "code": row.code or None,
        "providerMessage": row.said or None,
        "milliseconds": row.milliseconds,
        "date": moment(row.at),
        "dashboardUrl": page_in_dashboard("dashboard:call", row.project_id, row.pk),
    }


def audit_entry(row: AuditEntry) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "actor": row.actor_name,
        "action": row.action,
        "detail": row.detail,
        "before": row.before,
        "after": row.after,
        "ip": row.ip or None,
        "date": moment(row.at),
    }
