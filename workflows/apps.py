from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """What happens when something happens. Imports integrations, never the other way round."""

    name = "workflows"

    def ready(self) -> None:
        from integrations import extension
        from integrations.api.scopes import SCOPES, KeyScope
        from integrations.dashboard.context import SECTIONS, SETTINGS_TABS, Section
        from integrations.models import Member
        from integrations.sdk.openapi import describe
        from workflows.api import openapi as management
        from workflows.api.urls import EXECUTIONS
        from workflows.extension import Workflows
        from workflows.sdk import openapi as sdk

        extension.install(Workflows())
        describe(sdk.paths, tags=sdk.TAGS)
        describe(management.paths, management.SCHEMAS, management.TAGS)
        support = Member.Role.SUPPORT
        SCOPES[6:6] = [
            KeyScope("runs:read", "runs, with what each step took and gave", support, f"{EXECUTIONS}?limit=5"),
            KeyScope("runs:replay", "run workflows again, with all their effects", support),
            KeyScope("events:read", "events and their payloads", support, "events?limit=5"),
            KeyScope("events:replay", "have events dispatched once more", support),
        ]
        SECTIONS[3:3] = [
            Section("workflows", "Workflows", "workflows:workflows", group="Build"),
            Section("runs", "Runs", "workflows:runs", group="Watch"),
            Section("events", "Events", "workflows:events", group="Watch"),
        ]
        SETTINGS_TABS += [
            Section("secrets", "Secrets", "workflows:secrets", Member.Role.ADMIN),
            Section("alerts", "Alerts", "workflows:alerts", Member.Role.ADMIN),
        ]
