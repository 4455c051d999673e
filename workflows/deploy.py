"""From a draft to what runs: deploy, roll back, undeploy; and what the SDK is told of it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Max

from integrations import audit, clock
from integrations.errors import ProviderError
from integrations.models import Connection, Integration
from integrations.provider_api import ProviderApi
from workflows import definition as definitions
from workflows import dispatch, runs, settings, triggers
from workflows.definition import Problem
from workflows.models import ProjectSecret, Workflow, WorkflowVersion

CHECK_SECONDS = 5


class NotDeployable(Exception):
    """The draft has problems; `problems` says where and which."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problem{'' if len(problems) == 1 else 's'} to mend first.")
        self.problems = problems


def problems(workflow: Workflow) -> list[Problem]:
    """Return what keeps the draft from being deployed."""
    secrets = ProjectSecret.objects.filter(project=workflow.project_id).values_list("name", flat=True)
    draft, samples = workflow.draft, workflow.samples
    found = definitions.problems(draft, workflow.integration, secrets=list(secrets), samples=samples)
    return found + list(_at_odds(workflow))


def _at_odds(workflow: Workflow) -> Iterator[Problem]:
    """Yield the shared settings that another workflow of the integration has as something else."""
    others = Workflow.objects.deployed().filter(integration=workflow.integration_id).exclude(pk=workflow.pk)
    theirs = {
        str(item.get("key")): (item, other)
        for other in others.select_related("deployed")
        for item in settings.declared(other)
        if item.get("shared")
    }
    for item in settings.items_of(workflow.draft):
        key = str(item.get("key"))
        if item.get("shared") and key in theirs:
            same, other = theirs[key]
            if any(item.get(name) != same.get(name) for name in ("type", "source", "options", "fields")):
                words = (
                    f"“{other.name}” shares “{key}” as another kind of setting. Make both alike, or use another key."
                )
                yield Problem("settings", key, words)


def deploy(workflow: Workflow, actor: Any) -> WorkflowVersion:
    """Make the draft what runs. Raises NotDeployable. A draft that runs already makes no new version."""
    found = problems(workflow) or list(_refused_filters(workflow))
    if found:
        raise NotDeployable(found)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        if locked.deployed and locked.deployed.definition == workflow.draft:
            return locked.deployed
        newest = WorkflowVersion.objects.filter(workflow=workflow).aggregate(number=Max("number"))["number"] or 0
        version = WorkflowVersion.objects.create(
            workflow=workflow,
            number=newest + 1,
            definition=workflow.draft,
            digest=runs.digest(workflow.draft),
            created_by=actor if getattr(actor, "pk", None) else None,
        )
        _point_to(workflow, version)
    audit.record(workflow.project, actor, "workflow deployed", f"{workflow.name}, version {version.number}")
    return version


def roll_back(workflow: Workflow, version: WorkflowVersion, actor: Any) -> None:
    """Make an earlier version what runs, and the draft too."""
    with transaction.atomic():
        workflow.draft = version.definition
        workflow.revision += 1
        workflow.save(update_fields=["draft", "revision", "updated_at"])
        _point_to(workflow, version)
    audit.record(workflow.project, actor, "workflow rolled back", f"{workflow.name}, to version {version.number}")


def _refused_filters(workflow: Workflow) -> Iterator[Problem]:
    """Yield what the provider finds wrong with the filter, asked through any connection that works."""
    given = definitions.trigger_of(workflow.draft)
    trigger = (
        workflow.integration.provider.trigger(str(given.get("name"))) if given.get("type") == triggers.KIND else None
    )
    if trigger is None or not trigger.query(given.get("input") or {}, None):
        return
    working = Connection.objects.healthy().filter(integration=workflow.integration_id, user__disabled_at=None)
    connection = working.select_related("integration__project", "grant", "user").order_by("-updated_at").first()
    if connection is None:
        return
    # A provider that does not answer keeps nobody from deploying: the filter is judged again at each event.
    with suppress(ProviderError):
        found = trigger.check(ProviderApi(connection, time.monotonic() + CHECK_SECONDS), given.get("input") or {})
        yield from (Problem("trigger", key, words) for key, words in found.items())


def undeploy(workflow: Workflow, actor: Any) -> None:
    """Let nothing start any more. Runs under way finish on their version."""
    _point_to(workflow, None)
    audit.record(workflow.project, actor, "workflow undeployed", workflow.name)


def pause(workflow: Workflow, actor: Any, *, is_paused: bool) -> None:
    """Let nothing start until it goes on, or let it go on."""
    workflow.is_paused = is_paused
    workflow.save(update_fields=["is_paused", "updated_at"])
    triggers.changed(workflow)
    audit.record(workflow.project, actor, "workflow paused" if is_paused else "workflow resumed", workflow.name)


def delete(workflow: Workflow, actor: Any) -> None:
    """Delete a workflow with its runs."""
    with transaction.atomic():
        triggers.changed(workflow)
        audit.record(workflow.project, actor, "workflow deleted", workflow.name)
        workflow.delete()


def _point_to(workflow: Workflow, version: WorkflowVersion | None) -> None:
    before = workflow.trigger_name if workflow.trigger_type == triggers.KIND else ""
    trigger = definitions.trigger_of(version.definition) if version else {}
    workflow.deployed = version
    workflow.trigger_type = str(trigger.get("type") or "")
    has_name = workflow.trigger_type in ("event", triggers.KIND)
    workflow.trigger_name = str(trigger.get("name") or "").strip() if has_name else ""
    is_scheduled = workflow.trigger_type == "schedule"
    workflow.next_fire_at = dispatch.next_fire(trigger, clock.now()) if is_scheduled else None
    workflow.save(update_fields=["deployed", "trigger_type", "trigger_name", "next_fire_at", "updated_at"])
    triggers.changed(workflow, before)


# What a version changed ---------------------------------------------------------------------------------------------


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any], integration: Integration) -> list[str]:
    """Return, in words, what differs between two definitions: steps and the fields that changed."""
    if before is None:
        return ["The first version"]
    found = [f"{words} changed" for key, words in PARTS.items() if before.get(key) != after.get(key)]
    old = {str(step["id"]): step for step in definitions.walk(definitions.steps_of(before))}
    new = {str(step["id"]): step for step in definitions.walk(definitions.steps_of(after))}
    found += [f"{_name(new[key], integration)} added" for key in new if key not in old]
    found += [f"{_name(old[key], integration)} removed" for key in old if key not in new]
    for key, step in new.items():
        fields = _changed_fields(old[key], step) if key in old else []
        if fields:
            found.append(f"{_name(step, integration)}: {', '.join(fields)}")
    if not found and before != after:
        found.append("Steps moved")
    return found or ["Nothing"]


PARTS = {"trigger": "Trigger", "settings": "User settings", "concurrency": "Order of runs"}


def _name(step: Mapping[str, Any], integration: Integration) -> str:
    return f"{definitions.title_of(step, integration)} ({step['id']})"


def _changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    inner = ("then", "else", "steps", "input")
    fields = [key for key in sorted({*old, *new} - set(inner)) if old.get(key) != new.get(key)]
    before, after = old.get("input") or {}, new.get("input") or {}
    return fields + [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]


# What the SDK is told -----------------------------------------------------------------------------------------------

PARAGON_TYPES = {
    "text": "TEXT_NO_VARS",
    "number": "NUMBER",
    "switch": "BOOLEAN_INPUT",
    "select": "ENUM",
    "dynamic": "DYNAMIC_ENUM",
    "mapping": "FIELD_MAPPER",
}


def _parameter(source: str, integration: Integration, key: str) -> str:
    """Return the name under which the provider's sources know a value that was chosen from `source`."""
    fields = [field for action in integration.provider.actions for field in action.fields]
    return next((field.key for field in fields if source and field.source == source), key)


def paragon_inputs(
    items: list[dict[str, Any]], integration: Integration, *, among: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return user settings as Paragon's SDK knows inputs. They may depend on others `among` which they are declared."""
    found = []
    kinds = {item.get("key"): str(item.get("source") or "") for item in among}
    for item in items:
        entry: dict[str, Any] = {
            "id": item.get("key"),
            "title": item.get("label"),
            "type": PARAGON_TYPES[item["type"]],
            "tooltip": item.get("help") or None,
            "required": bool(item.get("required")),
            "defaultValue": item.get("default"),
        }
        if item["type"] == "select":
            values = [{"value": option["value"], "label": option["label"]} for option in item.get("options") or []]
            entry["values"] = entry["options"] = values
        if item["type"] in ("dynamic", "mapping"):
            entry["sourceType"] = entry["source"] = item.get("source")
            entry["dependsOn"] = [
                {"key": key, "as": _parameter(kinds.get(key, ""), integration, key)}
                for key in item.get("depends_on") or []
            ]
        if item["type"] == "mapping":
            entry["fields"] = item.get("fields") or []
        found.append(entry)
    return found
