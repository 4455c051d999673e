"""The audit log, of which an administrator reads who made and changed projects."""

import time
from datetime import datetime
from typing import Any

from ..records import Project
from ..state import state
from . import represent
from .gateway import Call, JiraError, route


@route("GET", "auditing/record", "manage:jira-configuration")
def records(call: Call) -> dict[str, Any]:
    if state.settings.free_plan or not call.account.is_admin:
        raise JiraError(403, "You do not have the permission to see the audit log, or the site's plan has none.")
    start, most = call.number("offset", 0, 10**6), call.number("limit", 1000, 1000)
    since, until = _time(call.request.GET.get("from"), 0), _time(call.request.GET.get("to"), time.time() + 60)
    found = [row for row in state.audit if row["site"] == call.site.cloud_id and since <= row["at"] <= until][::-1]
    page = [_shown(row) for row in found[start : start + most]]
    return {"offset": start, "limit": most, "total": len(found), "records": page}


def _time(text: str | None, default: float) -> float:
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except ValueError:
        return default


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "summary": row["summary"],
        "category": "projects",
        "created": represent.moment(row["at"]),
        "authorAccountId": row["account_id"],
        "eventSource": "",
        "objectItem": {"id": row["project"], "name": row["name"], "typeName": "PROJECT"},
        "changedValues": row["changes"],
        "associatedItems": [],
    }


def note(summary: str, project: Project, account_id: str, changes: list[dict[str, Any]]) -> None:
    row = {"id": int(state.next_id()), "at": time.time(), "site": project.site, "summary": summary, "changes": changes}
    row |= {"account_id": account_id, "project": project.id, "name": project.name}
    state.audit.append(row)
    state.store.put("audit", str(row["id"]), row)
