from django.urls import path

from integrations.portal import frame, popup

app_name = "portal"
urlpatterns = [
    path("ui", frame.ui, name="ui"),
    path("connect/start/<str:code>", popup.start, name="start"),
    path("connect/<uuid:session_id>/next", popup.next_address, name="next"),
    path("connect/<uuid:session_id>/choose", popup.choose, name="choose"),
    path("connect/<uuid:session_id>/lost", popup.lost, name="lost"),
    path("connect/<uuid:session_id>/confirm", popup.confirm, name="confirm"),
    path("connect/<uuid:session_id>/problem", popup.problem, name="problem"),
    path("oauth/callback/<uuid:app_id>", popup.callback, name="callback"),
    path("projects/<uuid:project_id>/sdk/actions/oauth-nonce", popup.nonce, name="nonce"),
    path("v2/projects/<uuid:project_id>/sdk/actions/oauth-nonce", popup.nonce, name="v2-nonce"),
]
