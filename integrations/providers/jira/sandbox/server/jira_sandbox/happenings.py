"""What Jira's webhooks say: the bodies, in the words of the site and not of the API's gateway."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from .api import represent
from .api.gateway import Call
from .records import Issue, Project
from .seed import SITES
from .state import state

SHORT = ("summary", "issuetype", "project", "assignee", "priority", "status")


class _SiteCall(Call):
    """A look at the site from nobody's point of view: links lead to the site, texts are those of version 2."""

    @property
    def base(self) -> str:
        return f"{site_url(self.site.cloud_id)}/rest/api/2"


def site_url(cloud_id: str) -> str:
    return f"{settings.SANDBOX_URL}/sites/{SITES[cloud_id].slug}"


@dataclass
class Happening:
    """An event with its body, and the issue or project that decides who hears of it."""

    event: str
    site: str
    body: dict[str, Any]
    project: Project | None
    issue: Issue | None = None
    changed: tuple[str, ...] = ()


def _view(site: str) -> Call:
    return _SiteCall(HttpRequest(), next(iter(state.accounts.values())), SITES[site], 2)


def _body(event: str, at: float) -> dict[str, Any]:
    return {"timestamp": int(at * 1000), "webhookEvent": event}


def _home(issue: Issue) -> Project:
    return next(p for p in state.projects.values() if (p.site, p.key) == (issue.site, issue.project))


def issue_created(issue: Issue, account_id: str) -> Happening:
    view = _view(issue.site)
    body = _body("jira:issue_created", issue.created) | {"issue_event_type_name": "issue_created"}
    body |= {"user": represent.person(view, account_id), "issue": represent.issue(view, issue, ["*all"])}
    body["changelog"] = {"id": str(int(issue.id) + 500_000), "items": []}
    return Happening("jira:issue_created", issue.site, body, _home(issue), issue)


def issue_updated(issue: Issue, account_id: str, entry: dict[str, Any]) -> Happening:
    view = _view(issue.site)
    changed = tuple(item["fieldId"] for item in entry["items"])
    kind = "issue_generic" if "status" in changed else "issue_assigned" if changed == ("assignee",) else "issue_updated"
    body = _body("jira:issue_updated", entry["at"]) | {"issue_event_type_name": kind}
    body |= {"user": represent.person(view, account_id), "issue": represent.issue(view, issue, ["*all"])}
    body["changelog"] = {"id": entry["id"], "items": entry["items"]}
    return Happening("jira:issue_updated", issue.site, body, _home(issue), issue, changed)


def issue_deleted(issue: Issue, account_id: str) -> Happening:
    view = _view(issue.site)
    body = _body("jira:issue_deleted", time.time())
    body |= {"user": represent.person(view, account_id), "issue": represent.issue(view, issue, ["*all"])}
    return Happening("jira:issue_deleted", issue.site, body, _home(issue), issue)


def comment_created(issue: Issue, comment: dict[str, Any]) -> Happening:
    view = _view(issue.site)
    body = _body("comment_created", comment["created"])
    body["comment"] = represent.comment(view, issue, comment)
    body["issue"] = represent.issue(view, issue, list(SHORT))
    return Happening("comment_created", issue.site, body, _home(issue), issue)


def project_told(event: str, project: Project, account_id: str) -> Happening:
    """Return project_created or project_updated, which only administrators' webhooks are told of."""
    view = _view(project.site)
    shown = represent.project(view, project)
    told = {name: shown[name] for name in ("self", "key", "name", "avatarUrls")} | {"id": int(project.id)}
    told |= {"projectLead": represent.person(view, project.lead), "assigneeType": "admin.assignee.type.unassigned"}
    return Happening(event, project.site, _body(event, time.time()) | {"project": told}, project)
