"""Staff pages about workflows and their runs, below a project's address."""

from django.urls import include, path

from workflows.dashboard.views import builder, events, lists, runs, settings, users

app_name = "workflows"

project_pages = [
    path("workflows", lists.workflows, name="workflows"),
    path("workflows/new", lists.new_workflow, name="new_workflow"),
    path("workflows/<uuid:workflow_id>", builder.build, name="build"),
    path("workflows/<uuid:workflow_id>/draft", builder.save_draft, name="save_draft"),
    path("workflows/<uuid:workflow_id>/options", builder.options, name="options"),
    path("workflows/<uuid:workflow_id>/fields", builder.more_fields, name="more_fields"),
    path("workflows/<uuid:workflow_id>/trigger", builder.check_trigger, name="check_trigger"),
    path("workflows/<uuid:workflow_id>/test", builder.test, name="test"),
    path("workflows/<uuid:workflow_id>/test/<uuid:run_id>", builder.test_result, name="test_result"),
    path("workflows/<uuid:workflow_id>/deploy", lists.deploy, name="deploy"),
    path("workflows/<uuid:workflow_id>/undeploy", lists.undeploy, name="undeploy"),
    path("workflows/<uuid:workflow_id>/pause", lists.pause, name="pause"),
    path("workflows/<uuid:workflow_id>/delete", lists.delete, name="delete"),
    path("workflows/<uuid:workflow_id>/duplicate", lists.duplicate, name="duplicate"),
    path("workflows/<uuid:workflow_id>/versions", lists.versions, name="versions"),
    path("workflows/<uuid:workflow_id>/versions/<uuid:version_id>/roll-back", lists.roll_back, name="roll_back"),
    path("workflows/<uuid:workflow_id>/run", lists.run_now, name="run_now"),
    path("workflows/<uuid:workflow_id>/users", users.users, name="users"),
    path("workflows/<uuid:workflow_id>/users/<uuid:connection_id>", users.switch, name="switch"),
    path("runs", runs.runs, name="runs"),
    path("runs/replay", runs.replay_many, name="replay_many"),
    path("runs/<uuid:run_id>", runs.run, name="run"),
    path("runs/<uuid:run_id>/cancel", runs.cancel, name="cancel"),
    path("runs/<uuid:run_id>/replay", runs.replay, name="replay"),
    path("runs/<uuid:run_id>/resolve", runs.resolve, name="resolve"),
    path("events", events.events, name="events"),
    path("events/replay", events.replay_many, name="replay_events"),
    path("events/<uuid:event_id>", events.event, name="event"),
    path("events/<uuid:event_id>/replay", events.replay, name="replay_event"),
    path("settings/secrets", settings.secrets, name="secrets"),
    path("settings/secrets/<uuid:secret_id>/delete", settings.delete_secret, name="delete_secret"),
    path("settings/alerts", settings.alerts, name="alerts"),
    path("settings/alerts/test", settings.test_alert, name="test_alert"),
]

urlpatterns = [path("p/<uuid:project_id>/", include(project_pages))]
