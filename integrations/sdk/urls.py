from django.urls import URLPattern, include, path, register_converter
from django.urls.converters import UUIDConverter

from integrations.sdk import openapi
from integrations.sdk.views import connecting, proxied, users

app_name = "sdk"


class AnyUUIDConverter(UUIDConverter):
    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


register_converter(AnyUUIDConverter, "anyuuid")

# (path below the project, view, name); each is also served below /v2, where the protocol has some of them. What is
# called most stands first.
ROUTES = [
    ("sdk/proxy/<slug:slug>/<path:path>", proxied.forward, "proxy"),
    ("sdk/proxy/<slug:slug>", proxied.forward, "proxy-root"),
    ("raw/<slug:slug>/<anyuuid:connection_id>/<path:path>", proxied.raw, "raw-connection"),
    ("raw/<slug:slug>/<path:path>", proxied.raw, "raw"),
    ("sdk/me", users.me, "me"),
    ("sdk/integrations", users.integrations, "integrations"),
    ("sdk/integrations/<anyuuid:integration_id>", users.uninstall, "uninstall"),
    ("sdk/metadata", users.metadata, "metadata"),
    ("sdk/credentials", users.credentials, "credentials"),
    ("sdk/credentials/<anyuuid:credential_id>", users.credential, "credential"),
    ("sdk/actions/build-oauth", connecting.build_oauth, "build-oauth"),
    ("sdk/actions/session-id/<str:key>", connecting.session_by_key, "session-by-key"),
    ("sdk/connect", connecting.begin, "connect"),
    ("sdk/connect/claim", connecting.claim, "claim"),
    ("sdk/connect/<anyuuid:session_id>", connecting.session, "connect-session"),
    ("sdk/events/trigger", users.event, "event"),
    ("sdk/triggers/<str:workflow_id>", users.start_workflow, "trigger-workflow"),
    ("sdk/workflows/<str:workflow_id>", users.workflow, "workflow"),
    ("sdk/actions", users.actions, "actions"),
    ("triggers", users.triggers, "triggers"),
]


def _routes(prefix: str) -> list[URLPattern]:
    return [path(below, view, name=prefix + name) for below, view, name in ROUTES]


urlpatterns = [
    path("projects/<anyuuid:project_id>/", include(_routes(""))),
    path("v2/projects/<anyuuid:project_id>/", include(_routes("v2-"))),
    path("api/openapi.json", openapi.document, name="openapi"),
]
