from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """What happens when something happens. Imports integrations, never the other way round."""

    name = "workflows"
