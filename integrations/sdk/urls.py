from typing import Any

from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.urls.converters import UUIDConverter

from integrations.sdk import openapi
from integrations.sdk.views import activity, connecting, options, proxied, users

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
    ("sdk/activity", activity.activity, "activity"),
    ("sdk/actions", options.options, "options"),
    ("triggers", users.triggers, "triggers"),
]


def project_routes(routes: list[tuple[str, Any, str]]) -> list[URLPattern | URLResolver]:
    """Return these routes below a project's address, and below /v2 once more."""
    plain = [path(below, view, name=name) for below, view, name in routes]
    newer = [path(below, view, name=f"v2-{name}") for below, view, name in routes]
    return [
        path("projects/<anyuuid:project_id>/", include(plain)),
        path("v2/projects/<anyuuid:project_id>/", include(newer)),
    ]


urlpatterns = [*project_routes(ROUTES), path("api/openapi.json", openapi.document, name="openapi")]
