from django.urls import path
from django.views.generic import RedirectView

from integrations.docs import views

app_name = "docs"

urlpatterns = [
    path("docs", RedirectView.as_view(pattern_name="docs:index", permanent=True), name="start"),
    path("docs/", views.index, name="index"),
    path("docs/search", views.search, name="search"),
    path("docs/api", views.reference_index, name="reference"),
    path("docs/api/<slug:slug>", views.reference_group, name="reference_group"),
    path("docs/<path:slug>", views.page, name="page"),
]
