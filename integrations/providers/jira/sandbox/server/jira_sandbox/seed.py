"""The people, sites, projects and issues that every sandbox starts with. Ids are fixed, so tests can name them."""

import time
from dataclasses import dataclass
from typing import Any

from .records import Account, Issue, Project

ACME = "7c1f0a52-3d8e-4b6a-9e21-5a0c4d1b2e01"
GLOBEX = "e4b95d70-6f12-4c3b-8d57-1f9a2b3c4d02"

ADA = "5f2a81c04b7d9e0069a1d301"
BO = "712020:3c9d2f10-8e4b-4f6a-a7c5-2b1d0e9f8a02"
CLEO = "712020:91e7b4c3-05da-4d18-b62f-7e3a5c8d1f03"
DANA = "5f2a81c04b7d9e0069a1d304"


@dataclass(frozen=True)
class Site:
    """A Jira site. `has_confluence` lists it twice in accessible-resources, as Atlassian does per product."""

    cloud_id: str
    slug: str
    name: str
    has_confluence: bool = False


SITES = {
    site.cloud_id: site for site in [Site(ACME, "acme", "Acme", has_confluence=True), Site(GLOBEX, "globex", "Globex")]
}

ISSUE_TYPES: dict[str, dict[str, Any]] = {
    "10001": {"name": "Task", "description": "A small, distinct piece of work.", "level": 0},
    "10002": {"name": "Bug", "description": "A problem or error.", "level": 0},
    "10003": {"name": "Story", "description": "Functionality expressed as a user goal.", "level": 0},
    "10000": {"name": "Epic", "description": "A big piece of work, made of smaller ones.", "level": 1},
    "10004": {"name": "Sub-task", "description": "A part of another issue.", "level": -1},
}
STATUSES: dict[str, dict[str, Any]] = {
    "10000": {"name": "To Do", "category": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"}},
    "3": {
        "name": "In Progress",
        "category": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    },
    "10001": {"name": "Done", "category": {"id": 3, "key": "done", "colorName": "green", "name": "Done"}},
}
TRANSITIONS = {"11": "10000", "21": "3", "31": "10001"}
PRIORITIES = {"1": "Highest", "2": "High", "3": "Medium", "4": "Low", "5": "Lowest"}
TEAMS = {"10020": "Platform", "10021": "Support", "10022": "Growth"}
# `required_for` and `types` name issue types.
CUSTOM_FIELDS: dict[str, dict[str, Any]] = {
    "customfield_10050": {"name": "Team", "kind": "option", "types": ["10003", "10000"], "required_for": ["10003"]},
    "customfield_10051": {"name": "Story Points", "kind": "number", "types": ["10003"], "required_for": []},
    "customfield_10052": {"name": "Acceptance criteria", "kind": "textarea", "types": ["10003"], "required_for": []},
}


def accounts() -> list[Account]:
    return [
        Account(ADA, "Ada Park", "ada.park@example.com", [ACME, GLOBEX], is_admin=True),
        Account(BO, "Bo Lind", "bo.lind@example.com", [ACME, GLOBEX], "Europe/Stockholm"),
        Account(CLEO, "Cleo Marsh", "cleo.marsh@example.com", [ACME], "America/New_York"),
        Account(DANA, "Dana Reyes", "dana.reyes@example.com", []),
    ]


def projects() -> list[Project]:
    """Bo may only look at Operations; Cleo sees the website alone; People is for Ada alone."""
    return [
        Project("10000", ACME, "OPS", "Operations", "Keeps the lights on.", ADA, {"*": "edit", BO: "browse", CLEO: ""}),
        Project("10001", ACME, "WEB", "Website", "The public website.", BO, {"*": "edit"}),
        Project("10002", GLOBEX, "LAB", "Research Lab", "Experiments.", BO, {"*": "edit"}),
        Project("10003", GLOBEX, "HR", "People", "Hiring and onboarding.", ADA, {ADA: "edit"}),
    ]


# site, project, type, summary, status, priority, assignee, reporter, labels, age in days
_ISSUES: list[tuple[str, str, str, str, str, str, str | None, str, list[str], int]] = [
    (ACME, "OPS", "10002", "Disk is full on the build server", "3", "1", ADA, BO, ["urgent", "infra"], 9),
    (ACME, "OPS", "10001", "Rotate the TLS certificates", "10000", "2", ADA, ADA, ["security"], 7),
    (ACME, "OPS", "10001", "Write the on-call handbook", "10001", "4", None, ADA, [], 40),
    (ACME, "WEB", "10000", "New pricing page", "3", "3", BO, BO, ["launch"], 30),
    (ACME, "WEB", "10003", "As a visitor I can compare plans", "10000", "3", CLEO, BO, ["launch"], 12),
    (ACME, "WEB", "10002", "The sign-up button is hidden on phones", "10000", "2", None, CLEO, ["mobile"], 2),
    (GLOBEX, "LAB", "10001", "Calibrate the second sensor", "3", "3", BO, ADA, [], 5),
    (GLOBEX, "HR", "10001", "Plan the summer party", "10000", "5", ADA, ADA, ["fun"], 3),
]


def issues() -> list[Issue]:
    now, made, numbers = time.time(), [], dict[str, int]()
    for offset, row in enumerate(_ISSUES):
        site, project, kind, summary, status, priority, assignee, reporter, labels, days = row
        numbers[project] = numbers.get(project, 0) + 1
        at = now - days * 86400
        fields = {
            "summary": summary,
            "description": _paragraph(f"{summary}. This came up {days} days ago."),
            "issuetype": kind,
            "status": status,
            "priority": priority,
            "assignee": assignee,
            "reporter": reporter,
            "labels": labels,
            "parent": "WEB-1" if kind == "10003" else None,
        }
        made.append(Issue(str(10000 + offset), site, project, numbers[project], reporter, at, at + 3600, fields))
    return made


def _paragraph(text: str) -> dict[str, Any]:
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }
