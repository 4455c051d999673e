"""The HTTP API: every application's part of it, what is called most first."""

from django.urls import include, path

urlpatterns = [
    path("", include("integrations.sdk.urls")),
    path("", include("workflows.sdk.urls")),
    path("", include("integrations.api.urls")),
    path("", include("workflows.api.urls")),
    path("webhooks/", include("integrations.webhook_door")),
]
