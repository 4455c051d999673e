"""The bodies of the HTTP API, in Paragon's words, because its SDK speaks them: a credential is our Connection."""

import uuid
from typing import Any

from django.conf import settings

from integrations import extension, language
from integrations.models import ConnectedUser, Connection, Integration, Portal
from integrations.portal.look import short_description
from integrations.portal.words import button_words
from integrations.sdk.api import Caller

FEATURES = [
    "headless-cp",
    "whitelabel",
    "byo",
    "monitoring",
    "user-metadata",
    "dfm",
    "th-api",
    "rbac",
    "workflow-permissions",
]
CONFIGURATION = uuid.UUID("6a1f6c1e-4f5c-4d0b-9a51-6f2f3f0c9f10")


def me(caller: Caller, user: ConnectedUser | None) -> dict[str, Any]:
    connections: dict[uuid.UUID, list[Connection]] = {}
    for connection in caller.connections():
        connections.setdefault(connection.integration_id, []).append(connection)
    return {
        "authenticated": True,
        "userId": caller.user.sub,
        "meta": user.meta if user else {},
        "resources": [],
        "project": {"id": str(caller.project.pk), "billingPlan": "enterprise", "accessibleFeatures": FEATURES},
        "integrations": {
            integration.provider_slug: integration_state(connections.get(integration.pk, []))
            for integration in caller.integrations()
        },
    }


def integration_state(connections: list[Connection]) -> dict[str, Any]:
    """Return one entry of `integrations`; every entry needs allCredentials, connected or not."""
    if not connections:
        return {"enabled": False, "allCredentials": [], "configuredWorkflows": {}}
    first = connections[0]
    state = extension.installed().state(first)
    return {
        "enabled": True,
        "credentialId": str(first.pk),
        "credentialConfigId": configuration_id(first),
        "credentialStatus": status(first),
        "providerId": first.grant.account_id,
        "providerData": provider_data(first),
        "sharedSettings": first.settings,
        **state,
        "configMeta": {},
        "allCredentials": [credential(connection) for connection in connections],
    }


def status(connection: Connection) -> str:
    return "VALID" if connection.is_healthy else "INVALID"


def configuration_id(connection: Connection) -> str:
    """A connection has one set of settings; its id follows from the connection's."""
    return str(uuid.uuid5(CONFIGURATION, str(connection.pk)))


def provider_data(connection: Connection) -> dict[str, str]:
    return {
        "siteId": connection.site_id,
        "siteName": connection.site_name,
        "siteUrl": connection.site_url,
        "accountName": connection.grant.account_name,
    }


def credential(connection: Connection) -> dict[str, Any]:
    state = extension.installed().state(connection)
    grant = connection.grant
    return {
        "id": str(connection.pk),
        "projectId": str(connection.project_id),
        "integrationId": str(connection.integration_id),
        "integrationType": connection.integration.provider_slug,
        "personaId": str(connection.user_id),
        "isPreviewCredential": False,
        "providerId": grant.account_id,
        "providerData": provider_data(connection),
        "scheme": "oauth_app",
        "status": status(connection),
        "reason": language.reason_of(connection),
        "dateCreated": connection.created_at.isoformat(),
        "dateUpdated": connection.updated_at.isoformat(),
        "dateRefreshed": grant.refreshed_at.isoformat() if grant.refreshed_at else None,
        "refreshFailureCount": grant.failures,
        "externalId": connection.external_id or None,
        "config": {"sharedSettings": connection.settings, "configuredWorkflows": state["configuredWorkflows"]},
        "configurations": [
            {
                "id": configuration_id(connection),
                "connectCredentialId": str(connection.pk),
                "isDefault": True,
                "externalId": None,
                "sharedSettings": connection.settings,
                "workflowSettings": state["workflowSettings"],
                "configMeta": {},
                "dateCreated": connection.created_at.isoformat(),
                "dateUpdated": connection.updated_at.isoformat(),
            }
        ],
    }


def metadata(integration: Integration) -> dict[str, Any]:
    provider = integration.provider
    return {
        "type": provider.slug,
        "name": provider.name,
        "brandColor": provider.brand_color,
        "icon": f"{settings.PUBLIC_URL}/static/{provider.logo}",
    }


def integration(item: Integration, *, connected: bool, is_full: bool) -> dict[str, Any]:
    provider, portal = item.provider, Portal.objects.of(item)
    described = extension.installed().describe(item)
    return {
        "id": str(item.pk),
        "type": provider.slug,
        "name": provider.name,
        "brandColor": provider.brand_color,
        "isActive": item.is_active,
        "projectId": str(item.project_id),
        "customIntegration": None,
        "customIntegrationId": None,
        "configs": [
            {
                "id": str(item.pk),
                "values": {
                    "description": short_description(portal),
                    "overview": portal.description,
                    "accentColor": portal.accent,
                    "paragonLink": False,
                    "sharedMeta": {"inputs": described["sharedInputs"]},
                    "workflowMeta": described["workflowMeta"],
                },
            }
        ],
        "buttonWords": button_words(),
        "workflows": described["workflows"],
        "authenticationType": "oauth",
        "needPreOauthInputs": False,
        "sdkIntegrationConfig": {
            "oauthInputs": [],
            "accountTypes": [],
            "authConfigInputs": [],
            "postOauthInputs": [],
            "dataSources": {},
        },
        "hasCredential": connected,
        "connectedUserLimitOnDevCred": settings.DEVELOPMENT_KEYS_USER_LIMIT,
        "connectedUserLimitReached": is_full,
        "noPermissionWorkflows": [],
        "providerType": provider.slug,
    }
