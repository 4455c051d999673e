from django.urls import URLPattern, URLResolver, include, path

from integrations.api import views
from integrations.api.door import View, serve
from integrations.sdk import urls as sdk_urls  # noqa: F401  (registers the converter for ids in any letter case)

app_name = "management"

# (path below the project, view, name)
ROUTES: list[tuple[str, View, str]] = [
    ("users", serve(GET=views.list_users), "users"),
    ("users/<path:sub>/export", serve(GET=views.export_user), "export-user"),
    ("users/<path:sub>", serve(GET=views.read_user, PATCH=views.change_user, DELETE=views.delete_user), "user"),
    ("connections", serve(GET=views.list_connections), "connections"),
    (
        "connections/<anyuuid:connection_id>",
        serve(GET=views.read_connection, DELETE=views.disconnect),
        "connection",
    ),
    ("calls", serve(GET=views.list_calls), "calls"),
    ("audit-log", serve(GET=views.list_audit_log), "audit-log"),
]


def project_routes(routes: list[tuple[str, View, str]]) -> list[URLPattern | URLResolver]:
    """Return these routes below a project's address. No protocol of others has them below /v2 as well."""
    below = [path(pattern, view, name=name) for pattern, view, name in routes]
    return [path("projects/<anyuuid:project_id>/", include(below))]


urlpatterns = project_routes(ROUTES)
