from integrations.models.audit import AuditEntry, Call
from integrations.models.connection import ConnectedUser, Connection, ConnectSession, Grant
from integrations.models.event import Event
from integrations.models.integration import Integration, OAuthApp
from integrations.models.operation import DataKey, Heartbeat
from integrations.models.project import Member, Project, SigningKey
from integrations.models.trigger import Delivery, RefusedDeliveries, Registration, SiteWebhook, Subscription
from integrations.models.user import User

__all__ = [
    "AuditEntry",
    "Call",
    "ConnectSession",
    "ConnectedUser",
    "Connection",
    "DataKey",
    "Delivery",
    "Event",
    "Grant",
    "Heartbeat",
    "Integration",
    "Member",
    "OAuthApp",
    "Project",
    "RefusedDeliveries",
    "Registration",
    "SigningKey",
    "SiteWebhook",
    "Subscription",
    "User",
]
