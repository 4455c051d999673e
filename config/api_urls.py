"""The HTTP API of browsers and back ends: every application's part of it, what is called most first."""

from django.urls import include, path

urlpatterns = [
    path("", include("integrations.sdk.urls")),
    path("", include("workflows.sdk.urls")),
    path("webhooks/", include("integrations.webhook_door")),
]
