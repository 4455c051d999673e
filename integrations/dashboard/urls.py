"""Pages for staff. They live under /p/: addresses under /projects/<id>/ are the SDK's API."""

from django.urls import include, path

from integrations.dashboard.views import (
    activity,
    catalog,
    connections,
    integrations,
    project_settings,
    projects,
    sdk_settings,
)

app_name = "dashboard"

project_pages = [
    path("", integrations.integrations, name="integrations"),
    path("catalog", catalog.catalog, name="catalog"),
    path("catalog/<slug:slug>", catalog.provider, name="provider"),
    path("catalog/<slug:slug>/add", catalog.add, name="add_integration"),
    path("integrations/<slug:slug>", integrations.overview, name="integration"),
    path("integrations/<slug:slug>/settings", integrations.settings, name="integration_settings"),
    path("integrations/<slug:slug>/activate", integrations.activate, name="activate"),
    path("integrations/<slug:slug>/deactivate", integrations.deactivate, name="deactivate"),
    path("connections/<uuid:connection_id>", connections.connection, name="connection"),
    path("connections/<uuid:connection_id>/look", connections.look_now, name="look_now"),
    path("connections/<uuid:connection_id>/webhook/<slug:feed>", connections.site_webhook, name="site_webhook"),
    path(
        "connections/<uuid:connection_id>/webhooks/<uuid:webhook_id>/delete",
        connections.delete_site_webhook,
        name="delete_site_webhook",
    ),
    path("connections/<uuid:connection_id>/disconnect", integrations.disconnect, name="disconnect"),
    path("users", activity.users, name="users"),
    path("users/<uuid:user_id>", activity.user, name="user"),
    path("calls", activity.calls, name="calls"),
    path("audit", activity.audit_log, name="audit"),
    path("settings/sdk", sdk_settings.sdk_settings, name="sdk_settings"),
    path("settings/sdk/keys/generate", sdk_settings.generate_key, name="generate_key"),
    path("settings/sdk/keys/add", sdk_settings.add_key, name="add_key"),
    path("settings/sdk/keys/<uuid:key_id>/revoke", sdk_settings.revoke_key, name="revoke_key"),
    path("settings/project", project_settings.project_settings, name="project_settings"),
    path("settings/members", project_settings.members, name="members"),
    path("settings/members/<int:member_id>/link", project_settings.member_link, name="member_link"),
    path("settings/members/<int:member_id>/role", project_settings.change_role, name="change_role"),
    path("settings/members/<int:member_id>/remove", project_settings.remove_member, name="remove_member"),
]

urlpatterns = [
    path("", projects.home, name="home"),
    path("projects", projects.projects, name="projects"),
    path("projects/new", projects.new_project, name="new_project"),
    path("p/<uuid:project_id>/", include(project_pages)),
]
