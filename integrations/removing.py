"""Take an integration out of a project, or delete a project, with everything that hangs on it.

Both are over for everybody at once; what they hold is deleted in the background, a few seconds' worth at a time: there
may be millions of rows, and users whose webhooks the provider has to be told to forget.
"""

import logging
import time
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations import audit, connect, extension, remember
from integrations.database import delete_until
from integrations.models import (
    ApiKey,
    Call,
    CallHour,
    ConnectedUser,
    Delivery,
    Event,
    Grant,
    Integration,
    Invitation,
    OAuthApp,
    Project,
    SigningKey,
)
from integrations.setup import SetupRefused

logger = logging.getLogger(__name__)

# How long one go may take: the sweeper, which does it where there is no broker, must not be late for the rest.
A_GO = 5.0
A_FEW = 50
ACTOR = "Patchbay"


def remove_integration(integration: Integration, actor: Any) -> None:
    """Take an integration out of its project, with its workflows and connections. Raises SetupRefused."""
    _check_not_shared(Q(pk=integration.oauth_app_id, project=integration.project_id), actor)
    removed = Integration.objects.filter(pk=integration.pk, removed_at=None)
    if removed.update(removed_at=Now(), is_active=False):
        audit.record(integration.project, actor, "integration removed", integration.provider.name)
    remember.forget_everything()


def delete_project(project: Project, actor: Any) -> None:
    """Delete a project with everything in it. From now on it is there for nobody. Raises SetupRefused."""
    _check_not_shared(Q(project=project.pk), actor)
    with transaction.atomic():
        if not Project.objects.filter(pk=project.pk, deleted_at=None).update(deleted_at=Now()):
            return
        SigningKey.objects.filter(project=project, revoked_at=None).update(revoked_at=Now())
        ApiKey.objects.kept().filter(project=project).update(revoked_at=Now())
        Integration.objects.filter(project=project).update(is_active=False)
        Invitation.objects.filter(project=project).delete()
    # Its audit log goes with it, so this line is what remains.
    logger.warning("project %s (%s) was deleted by %s", project.pk, project.name, actor)
    remember.forget_everything()


def _check_not_shared(apps: Q, actor: Any) -> None:
    """Refuse to take away an app that another project uses, or holds tokens of."""
    for app in OAuthApp.objects.filter(apps):
        elsewhere = Integration.objects.filter(oauth_app=app).exclude(project=app.project_id)
        tokens = Grant.objects.filter(app=app).exclude(project=app.project_id)
        others = Project.objects.filter(Q(integrations__in=elsewhere) | Q(grants__in=tokens)).distinct()
        if others.exists():
            seen = ", ".join(others.visible_to(actor).values_list("name", flat=True)[:3]) or "a project of others"
            raise SetupRefused(
                f"It cannot go yet: its OAuth app is also used by {seen}, whose users would lose their connections."
                " Give that project keys of its own first, and have its users reconnect."
            )


# In the background ----------------------------------------------------------------------------------------------------


def erase_integration(integration_id: uuid.UUID) -> bool:
    """Go on deleting what was removed. True when nothing is left of it."""
    found = Integration.objects.exclude(removed_at=None).select_related("project").filter(pk=integration_id).first()
    return found is None or _erase_integration(found, time.monotonic() + A_GO)


def erase_project(project_id: uuid.UUID) -> bool:
    """Go on deleting a project. True when nothing is left of it."""
    project = Project.objects.exclude(deleted_at=None).filter(pk=project_id).first()
    return project is None or _erase_project(project, time.monotonic() + A_GO)


def _erase_integration(integration: Integration, deadline: float) -> bool:
    connections = integration.connections.select_related("grant", "integration", "project", "user")
    while some := list(connections[:A_FEW]):
        for connection in some:
            if time.monotonic() >= deadline:
                return False
            connect.disconnect(connection, actor=ACTOR)
    if not extension.installed().forget_integration(integration, deadline):
        return False
    apps = _apps_of_no_other(integration)
    if not delete_until(Delivery.objects.filter(app__in=apps), deadline):
        return False
    with transaction.atomic():
        unused = list(apps.values_list("pk", flat=True))
        integration.delete()
        OAuthApp.objects.filter(pk__in=unused).delete()
    remember.forget_everything()
    return True


def _apps_of_no_other(integration: Integration) -> QuerySet[OAuthApp]:
    """Return the project's apps at this provider that nothing else uses and that hold no tokens."""
    others = Integration.objects.exclude(pk=integration.pk).values("oauth_app")
    own = OAuthApp.objects.filter(project=integration.project_id, provider=integration.provider_slug)
    return own.filter(grants=None).exclude(pk__in=others)


def _erase_project(project: Project, deadline: float) -> bool:
    for integration in project.integrations.select_related("project"):
        if not _erase_integration(integration, deadline):
            return False
    for model in (Call, CallHour, Event, Grant, ConnectedUser):
        if not delete_until(model.objects.filter(project=project), deadline):
            return False
    with transaction.atomic():
        OAuthApp.objects.filter(project=project).delete()
        project.delete()
    logger.info("all that the project %s held is deleted", project.name)
    return True
