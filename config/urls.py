from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("integrations.dashboard.urls")),
    path("", include("workflows.dashboard.urls")),
    path("", include("integrations.portal.urls")),
    path("", include("config.api_urls")),
    path("", include("integrations.health")),
    path("", include("integrations.docs.urls")),
    path("accounts/", include("integrations.dashboard.account_urls")),
    path("admin/", admin.site.urls),
]
