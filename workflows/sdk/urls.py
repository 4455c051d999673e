from integrations.sdk.urls import project_routes
from workflows.sdk import views

app_name = "workflows_sdk"

ROUTES = [
    ("sdk/events/trigger", views.event, "event"),
    ("sdk/triggers/<str:workflow_id>", views.start_workflow, "trigger-workflow"),
    ("sdk/workflows/<str:workflow_id>", views.workflow, "workflow"),
    ("actions", views.actions, "actions"),
    ("runs/<anyuuid:run_id>", views.run, "run"),
]

urlpatterns = project_routes(ROUTES)
