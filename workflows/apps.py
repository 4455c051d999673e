from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """What happens when something happens. Imports integrations, never the other way round."""

    name = "workflows"

    def ready(self) -> None:
        from integrations import extension
        from integrations.dashboard.context import SECTIONS, SETTINGS_TABS, Section
        from integrations.sdk.openapi import PARTS
        from workflows.extension import Workflows
        from workflows.sdk.openapi import paths

        extension.install(Workflows())
        PARTS.append(paths)
        SECTIONS[2:2] = [
            Section("workflows", "Workflows", "workflows:workflows"),
            Section("runs", "Runs", "workflows:runs"),
            Section("events", "Events", "workflows:events"),
        ]
        SETTINGS_TABS += [
            Section("secrets", "Secrets", "workflows:secrets"),
            Section("alerts", "Alerts", "workflows:alerts"),
        ]
