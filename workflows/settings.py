"""The settings that end users choose for a workflow, checked against what its developer declared."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from integrations.models import Connection
from workflows import triggers
from workflows.models import Enablement, Workflow

MOST_TEXT = 2000
MOST_SHARED = 16_384


def declared(workflow: Workflow) -> list[dict[str, Any]]:
    """Return the settings of what is deployed; those with "shared" are one for all workflows of the integration."""
    return items_of(workflow.deployed.definition) if workflow.deployed else []


def items_of(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item for item in definition.get("settings") or [] if isinstance(item, dict)]


def shared_by(integration_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return what the deployed workflows of an integration share, each setting once."""
    found: dict[str, dict[str, Any]] = {}
    for workflow in Workflow.objects.deployed().filter(integration=integration_id).select_related("deployed"):
        for item in declared(workflow):
            if item.get("shared"):
                found.setdefault(str(item.get("key")), item)
    return list(found.values())


def checked_shared(connection: Connection, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what may be stored of shared settings, and what is wrong with the others, which stay as they were.

    What no workflow declares is the product's own affair, and kept as it is.
    """
    if len(json.dumps(given)) > MOST_SHARED:
        return connection.settings, [{"message": f"Shared settings take {MOST_SHARED:,} characters at most."}]
    items = shared_by(connection.integration_id)
    keys = {str(item.get("key")) for item in items}
    values, wrong = checked(items, {key: value for key, value in given.items() if key in keys})
    kept = {key: value for key, value in given.items() if key not in wrong} | values
    kept |= {key: connection.settings[key] for key in wrong if key in connection.settings}
    return kept, [{"inputId": key, "message": words} for key, words in wrong.items()]


def checked(items: list[dict[str, Any]], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values that are good, and what is wrong with each of the others."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    by_key = {str(item.get("key")): item for item in items}
    for key, value in given.items():
        if key not in by_key:
            errors[key] = gettext("There is no such setting.")
            continue
        try:
            values[key] = _value(by_key[key], value)
        except ValueError as error:
            errors[key] = str(error)
    return values, errors


def missing(items: list[dict[str, Any]], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the required settings that have neither a value nor a default."""
    return {
        str(item["key"]): gettext("%(label)s is required.") % {"label": item.get("label")}
        for item in items
        if item.get("required") and values.get(item["key"]) in (None, "", {}) and item.get("default") in (None, "")
    }


def lacking(workflow: Workflow, connection: Connection) -> dict[str, str]:
    """Return the settings that must be chosen before what is deployed can be on for a connection."""
    row = Enablement.objects.filter(workflow=workflow, connection=connection).first()
    return missing(declared(workflow), (row.settings if row else {}) | connection.settings)


def _value(item: Mapping[str, Any], value: Any) -> Any:
    label, kind = item.get("label"), item.get("type")
    if value is None or value == "":
        return None
    if kind == "number":
        return _number(label, value)
    if kind == "switch":
        if not isinstance(value, bool):
            raise ValueError(gettext("%(label)s is true or false.") % {"label": label})
        return value
    if kind == "mapping":
        return _mapping(item, value)
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        words = gettext("%(label)s takes a text of at most %(limit)s characters.")
        raise ValueError(words % {"label": label, "limit": f"{MOST_TEXT:,}"})
    if kind == "select" and value not in [option.get("value") for option in item.get("options") or []]:
        raise ValueError(gettext("%(label)s is none of the choices.") % {"label": label})
    return value


def _number(label: Any, value: Any) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(gettext("%(label)s takes a number.") % {"label": label}) from None
    if isinstance(value, bool) or not abs(number) <= 1e15:
        raise ValueError(gettext("%(label)s takes a number.") % {"label": label})
    return int(number) if number.is_integer() else number


def _mapping(item: Mapping[str, Any], value: Any) -> dict[str, str]:
    names = {str(field.get("value")) for field in item.get("fields") or []}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise ValueError(gettext("%(label)s maps names to fields.") % {"label": item.get("label")})
    unknown = sorted(set(value) - names)
    if unknown:
        raise ValueError(gettext("%(label)s has no “%(name)s”.") % {"label": item.get("label"), "name": unknown[0]})
    return {key: entry for key, entry in value.items() if entry}


def take(connection: Connection, patch: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Store the workflow settings of {"workflowSettings": {id: {"enabled", "settings"}}}. Return what was wrong."""
    given = patch.get("workflowSettings")
    errors: list[dict[str, Any]] = []
    if not isinstance(given, dict):
        return errors
    known = {str(item.pk): item for item in Workflow.objects.deployed().filter(integration=connection.integration_id)}
    for workflow_id, wanted in given.items():
        workflow = known.get(str(workflow_id))
        if workflow is None:
            errors.append({"workflowId": workflow_id, "message": gettext("There is no such workflow.")})
            continue
        settings = wanted.get("settings", wanted) if isinstance(wanted, dict) else None
        if not isinstance(settings, dict):
            errors.append({"workflowId": workflow_id, "message": "settings must be an object."})
            continue
        settings = {key: value for key, value in settings.items() if key != "enabled"}
        own = [item for item in declared(workflow) if not item.get("shared")]
        values, wrong = checked(own, settings)
        errors += [{"workflowId": workflow_id, "inputId": key, "message": words} for key, words in wrong.items()]
        if values:
            _store(workflow, connection, values)
    return errors


@transaction.atomic
def _store(workflow: Workflow, connection: Connection, values: dict[str, Any]) -> None:
    row, _ = Enablement.objects.select_for_update().get_or_create(workflow=workflow, connection=connection)
    row.settings = row.settings | values
    row.save(update_fields=["settings", "updated_at"])
    triggers.switched(workflow, connection)


def switch(workflow: Workflow, connection: Connection, *, on: bool) -> Enablement:
    """Switch a workflow on or off for a connection."""
    row, _ = Enablement.objects.update_or_create(workflow=workflow, connection=connection, defaults={"is_enabled": on})
    triggers.switched(workflow, connection)
    return row
