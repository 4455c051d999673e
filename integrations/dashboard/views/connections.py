"""One connection: how it is, what it hears, and what can be done about it."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from integrations import audit, clock, listening
from integrations.dashboard.access import Role, action, find_project, form_page, of_project, page
from integrations.models import Call, Connection, Registration, SiteWebhook, Subscription


def _find(request: HttpRequest, project_id: uuid.UUID, connection_id: uuid.UUID) -> Connection:
    project = find_project(request, project_id)
    found = Connection.objects.visible_to(request.user).filter(project=project)
    related = found.select_related("project", "user", "grant__app", "integration__project", "integration__oauth_app")
    return of_project(project, get_object_or_404(related, pk=connection_id))


@page
def connection(request: HttpRequest, project_id: uuid.UUID, connection_id: uuid.UUID) -> HttpResponse:
    found = _find(request, project_id, connection_id)
    subscriptions = {each.feed: each for each in found.subscriptions.all()}
    registrations = list(Registration.objects.live().filter(connection=found).exclude(provider_id=""))
    by_hand = {each.feed: each for each in found.site_webhooks.select_related("connection__integration")}
    feeds = [
        {
            "feed": feed,
            "subscription": subscriptions.get(feed.slug),
            "titles": _titles(found, subscriptions.get(feed.slug)),
            "registrations": [each for each in registrations if each.feed == feed.slug],
            "by_hand": by_hand.get(feed.slug),
        }
        for feed in found.integration.provider.feeds
    ]
    context = {
        "project": found.project,
        "section": "users",
        "connection": found,
        "provider": found.integration.provider,
        "feeds": feeds,
        "events": found.events.defer("payload")[:10],
        # By the user first: calls have no index of connections.
        "calls": Call.objects.filter(project=found.project, sub=found.user.sub, connection_id=found.pk)[:10],
    }
    return render(request, "dashboard/connection.html", context)


def _titles(found: Connection, subscription: Subscription | None) -> list[str]:
    """Return the names of the triggers that are wanted."""
    triggers = [found.integration.provider.trigger(slug) for slug in (subscription.triggers if subscription else {})]
    return [trigger.title for trigger in triggers if trigger]


@action(Role.SUPPORT)
def look_now(request: HttpRequest, project_id: uuid.UUID, connection_id: uuid.UUID) -> HttpResponse:
    """Verify the registrations and read what was not told, in a moment."""
    found = _find(request, project_id, connection_id)
    listening.ask_all(found)
    messages.success(request, "It is looked at now. Load this page again in a few seconds.")
    return redirect("dashboard:connection", project_id, connection_id)


@form_page(Role.ADMIN)
def site_webhook(request: HttpRequest, project_id: uuid.UUID, connection_id: uuid.UUID, feed: str) -> HttpResponse:
    """Make the address and the secret of a webhook that an administrator enters by hand; the secret is shown once."""
    found = _find(request, project_id, connection_id)
    told = found.integration.provider.feed(feed)
    if told is None or not told.by_hand:
        raise Http404
    context: dict[str, Any] = {"project": found.project, "section": "users", "connection": found, "feed": told}
    webhook = SiteWebhook.objects.filter(connection=found, feed=feed).first()
    if request.method == "POST":
        webhook = webhook or SiteWebhook(project=found.project, connection=found, feed=feed)
        context["secret"] = webhook.new_secret()
        webhook.save()
        audit.record(found.project, request.user, "webhook made by hand", f"{told.title} of {found}")
    return render(request, "dashboard/site_webhook.html", context | {"webhook": webhook, "now": clock.now()})


@action(Role.ADMIN)
def delete_site_webhook(
    request: HttpRequest, project_id: uuid.UUID, connection_id: uuid.UUID, webhook_id: uuid.UUID
) -> HttpResponse:
    found = _find(request, project_id, connection_id)
    webhook = get_object_or_404(SiteWebhook, connection=found, pk=webhook_id)
    webhook.delete()
    listening.ask([found.pk], webhook.feed)
    audit.record(found.project, request.user, "webhook made by hand removed", f"{webhook.feed} of {found}")
    messages.success(request, "Its address takes nothing any more. Remove the webhook in the site's settings too.")
    return redirect("dashboard:connection", project_id, connection_id)
