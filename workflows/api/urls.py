from integrations.api.door import View, serve
from integrations.api.urls import project_routes
from workflows.api import events, history

app_name = "workflows_management"

EXECUTIONS = "task-history/workflow-executions"
ROUTES: list[tuple[str, View, str]] = [
    (EXECUTIONS, serve(GET=history.list_executions), "executions"),
    (f"{EXECUTIONS}/<anyuuid:run_id>", serve(GET=history.read_execution), "execution"),
    (
        f"{EXECUTIONS}/<anyuuid:run_id>/step-executions/<str:step_id>",
        serve(GET=history.read_step),
        "step-execution",
    ),
    (f"{EXECUTIONS}/<anyuuid:run_id>/replay", serve(POST=history.replay), "replay-execution"),
    ("events", serve(GET=events.list_events), "events"),
    ("events/<anyuuid:event_id>", serve(GET=events.read_event), "event"),
    ("events/<anyuuid:event_id>/replay", serve(POST=events.replay), "replay-event"),
]

urlpatterns = project_routes(ROUTES)
