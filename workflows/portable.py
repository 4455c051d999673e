"""A project's integrations, their portals and workflows as one readable file, which can live in git; and back.

What is secret (client ids and secrets, signing keys, project secrets) is not in it, and what belongs to end users
(connections, their settings) is not either. Workflows are recognised by integration and name.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.dashboard.names import as_seen, require_visible
from integrations.dashboard.portal_form import PortalForm
from integrations.models import Integration, OAuthApp, Portal, Project
from integrations.providers import SLUGS, get
from workflows import definition as definitions
from workflows import deploy
from workflows.models import ProjectSecret, Workflow

FORMAT = 1


class NotImportable(Exception):
    """The file cannot be imported. The message says what is wrong with it, and where."""


@dataclass
class Plan:
    """What an import would do, in words, and what keeps it from being done."""

    changes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


# Out ------------------------------------------------------------------------------------------------------------------


def export(project: Project) -> dict[str, Any]:
    """Return the project's integrations and workflows as JSON data, in an order that makes for small diffs."""
    integrations = project.integrations.filter(provider_slug__in=SLUGS).select_related("oauth_app", "portal")
    return {
        "patchbay": FORMAT,
        "integrations": {item.provider_slug: _integration(item) for item in integrations.order_by("provider_slug")},
    }


def _integration(integration: Integration) -> dict[str, Any]:
    found = Workflow.objects.written().filter(integration=integration).select_related("deployed")
    scopes = integration.oauth_app.scopes or integration.provider.recommended_scopes()
    portal = getattr(integration, "portal", None)
    return {
        "scopes": sorted(scopes),
        **({"portal": portal.decided} if portal else {}),
        "workflows": [_workflow(item) for item in found.order_by("name", "created_at")],
    }


def _workflow(workflow: Workflow) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "description": workflow.description,
        "on_by_default": workflow.is_default_on,
        "hidden": workflow.is_hidden,
        "deployed": workflow.is_deployed,
        "definition": workflow.deployed.definition if workflow.deployed else workflow.draft,
    }


def as_text(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


# In -------------------------------------------------------------------------------------------------------------------


def read(text: str) -> dict[str, Any]:
    """Return the file's data. Raises NotImportable."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise NotImportable(f"This is not JSON: {error}.") from None
    if not isinstance(found, dict) or found.get("patchbay") != FORMAT:
        raise NotImportable(f"This is not an export of Patchbay (it says “patchbay”: {FORMAT} at its beginning).")
    integrations = found.get("integrations")
    if not isinstance(integrations, dict):
        raise NotImportable("“integrations” must be an object.")
    for slug, item in integrations.items():
        if slug not in SLUGS:
            raise NotImportable(f"There is no integration “{slug}” in this deployment.")
        if not isinstance(item, dict) or not isinstance(item.get("workflows", []), list):
            raise NotImportable(f"“{slug}” must be an object with a list of workflows.")
        if not isinstance(item.get("portal", {}), dict):
            raise NotImportable(f"The portal of “{slug}” must be an object.")
        for number, workflow in enumerate(item.get("workflows", []), start=1):
            if not isinstance(workflow, dict) or not isinstance(workflow.get("name"), str) or not workflow["name"]:
                raise NotImportable(f"Workflow {number} of “{slug}” has no name.")
            if not isinstance(workflow.get("definition"), dict):
                raise NotImportable(f"“{workflow['name']}” has no definition.")
    return found


def bring_in(project: Project, found: dict[str, Any], actor: Any, *, is_dry: bool) -> Plan:
    """Make the project what the file says; what the file does not name is left alone, a workflow or a scope.

    All or nothing: where the plan has problems, nothing is changed. Nothing is changed by a dry run either.
    """
    plan = Plan()
    with transaction.atomic():
        for slug, item in found["integrations"].items():
            integration = _take_integration(project, slug, item, plan)
            if "portal" in item:
                _take_portal(integration, item["portal"], plan)
            for workflow in item.get("workflows", []):
                _take_workflow(integration, workflow, actor, plan)
        if is_dry or plan.problems:
            transaction.set_rollback(True)
    return plan


def _take_integration(project: Project, slug: str, item: dict[str, Any], plan: Plan) -> Integration:
    integration = Integration.objects.filter(project=project, provider_slug=slug).select_related("oauth_app").first()
    known = {scope.name for scope in get(slug).scopes}
    scopes = sorted({str(scope) for scope in item.get("scopes") or ()})
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        plan.problems.append(f"{slug}: there is no scope {', '.join(unknown)}")
    if integration is None:
        wanted = scopes or sorted(get(slug).recommended_scopes())
        app = OAuthApp.objects.create(project=project, provider=slug, scopes=wanted)
        plan.changes.append(f"add {slug} (inactive until somebody activates it)")
        return Integration.objects.create(project=project, provider_slug=slug, oauth_app=app)
    app = integration.oauth_app
    now = set(app.scopes or integration.provider.recommended_scopes())
    new = sorted(set(scopes) - now)
    if new and app.project_id == project.pk:
        plan.changes.append(f"{slug}: add the scope{'s' if len(new) > 1 else ''} {', '.join(new)}")
        app.scopes = sorted({*now, *new})
        app.save(update_fields=["scopes"])
    return integration


def _take_portal(integration: Integration, given: dict[str, Any], plan: Plan) -> None:
    """Have the portal look as the file says; what it does not name is as if nothing was decided."""
    slug, portal = integration.provider_slug, Portal.objects.of(integration)
    before = portal.decided
    plan.problems += [f"{slug}: portal: there is no “{name}”" for name in sorted(set(given) - set(Portal.LOOK))]
    blank = Portal()
    form = PortalForm({name: given.get(name, getattr(blank, name)) for name in Portal.LOOK}, instance=portal)
    if not form.is_valid():
        plan.problems += [f"{slug}: portal: {name}: {' '.join(map(str, words))}" for name, words in form.errors.items()]
    elif form.instance.decided != before:
        form.save()
        plan.changes.append(f"{integration.provider.name}: the look and the words of its portal change")


def _take_workflow(integration: Integration, item: dict[str, Any], actor: Any, plan: Plan) -> None:
    name = item["name"][:120]
    try:
        require_visible(name)
    except ValidationError as error:
        plan.problems.append(f"{integration.provider_slug}: the name of “{as_seen(name)}”: {error.messages[0]}")
        return
    workflow = Workflow.objects.written().filter(integration=integration, name=name).select_related("deployed").first()
    is_new = workflow is None
    workflow = workflow or Workflow(project=integration.project, integration=integration, name=name)
    before = None if is_new else _workflow(workflow)
    definition = item["definition"]
    wanted = {
        "name": name,
        "description": str(item.get("description") or "")[:500],
        "on_by_default": item.get("on_by_default") is True,
        "hidden": item.get("hidden") is True,
        "deployed": item.get("deployed") is True,
        "definition": definition,
    }
    if before == wanted:
        return
    plan.changes += _words(name, before, wanted, integration)
    workflow.description, workflow.draft = wanted["description"], definition
    workflow.is_default_on, workflow.is_hidden = wanted["on_by_default"], wanted["hidden"]
    workflow.revision += 1
    workflow.save()
    secrets = ProjectSecret.objects.filter(project=integration.project).values_list("name", flat=True)
    found = definitions.problems(definition, integration, secrets=list(secrets), samples={})
    if wanted["deployed"] and found:
        plan.problems += [f"{name}: {item.where}: {item.message}" for item in found]
    elif wanted["deployed"]:
        try:
            deploy.deploy(workflow, actor)
        except deploy.NotDeployable as refusal:
            # Only the provider finds it wrong, or another workflow is at odds with it.
            plan.problems += [f"{name}: {item.where}: {item.message}" for item in refusal.problems]
    elif workflow.is_deployed:
        deploy.undeploy(workflow, actor)


def _words(name: str, before: dict[str, Any] | None, wanted: dict[str, Any], integration: Integration) -> list[str]:
    if before is None:
        return [f"add {name}" + (", deployed" if wanted["deployed"] else ", as a draft")]
    words = [
        f"{name}: {key.replace('_', ' ')} changes"
        for key in ("description", "on_by_default", "hidden")
        if before[key] != wanted[key]
    ]
    if before["deployed"] != wanted["deployed"]:
        words.append(f"{name}: is {'deployed' if wanted['deployed'] else 'undeployed'}")
    if before["definition"] != wanted["definition"]:
        words += [f"{name}: {line}" for line in deploy.changes(before["definition"], wanted["definition"], integration)]
    return words
