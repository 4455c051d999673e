from integrations.models.account import AccountSecret, Invitation
from integrations.models.api_key import ApiKey
from integrations.models.audit import AuditEntry, AuditSeal
from integrations.models.call import Call, CallHour
from integrations.models.connection import ConnectedUser, Connection, ConnectSession, Erasure, Grant
from integrations.models.event import Event
from integrations.models.integration import Integration, OAuthApp
from integrations.models.operation import DataKey, Heartbeat
from integrations.models.portal import Portal
from integrations.models.project import Member, Project, SigningKey
from integrations.models.trigger import Delivery, RefusedDeliveries, Registration, SiteWebhook, Subscription
from integrations.models.user import User

__all__ = [
    "AccountSecret",
    "ApiKey",
    "AuditEntry",
    "AuditSeal",
    "Call",
    "CallHour",
    "ConnectSession",
    "ConnectedUser",
    "Connection",
    "DataKey",
    "Delivery",
    "Erasure",
    "Event",
    "Grant",
    "Heartbeat",
    "Integration",
    "Invitation",
    "Member",
    "OAuthApp",
    "Portal",
    "Project",
    "RefusedDeliveries",
    "Registration",
    "SigningKey",
    "SiteWebhook",
    "Subscription",
    "User",
]
