"""Who is calling, who can be assigned, what the site is."""

from typing import Any

from ..state import state
from . import represent
from .gateway import READ, USER, Call, JiraError, route


@route("GET", "myself", USER)
def myself(call: Call) -> dict[str, Any]:
    return represent.user(call, call.account) | {"locale": "en_GB"}


@route("GET", "serverInfo", READ)
def server_info(call: Call) -> dict[str, Any]:
    return {
        "baseUrl": f"{call.base.partition('/ex/')[0]}/sites/{call.site.slug}",
        "version": "1001.0.0-SNAPSHOT",
        "versionNumbers": [1001, 0, 0],
        "deploymentType": "Cloud",
        "buildNumber": 100275,
        "serverTitle": f"{call.site.name} (sandbox)",
    }


@route("GET", "user", USER)
def one_user(call: Call) -> dict[str, Any]:
    found = represent.person(call, call.request.GET.get("accountId"))
    if found is None:
        raise JiraError(404, "Specified user does not exist or you do not have required permissions")
    return found


@route("GET", "user/(?:assignable/)?search", USER)
def find_users(call: Call) -> list[Any]:
    query = call.request.GET.get("query", "").lower()
    account_id = call.request.GET.get("accountId")
    here = [account for account in state.accounts.values() if call.site.cloud_id in account.sites]
    if account_id:
        here = [account for account in here if account.account_id == account_id]
    found = [account for account in here if query in account.name.lower() or query in account.email.lower()]
    return [represent.user(call, account) for account in found[: call.number("maxResults", 50, 1000)]]


@route("GET", "mypermissions", READ)
def my_permissions(call: Call) -> dict[str, Any]:
    asked = [name for name in call.request.GET.get("permissions", "").split(",") if name]
    if not asked:
        raise JiraError(400, "The 'permissions' query parameter is required.")
    may_edit = bool(call.projects("edit"))
    return {
        "permissions": {
            name: {
                "id": name,
                "key": name,
                "name": name.replace("_", " ").capitalize(),
                "type": "PROJECT",
                "description": "",
                "havePermission": name == "BROWSE_PROJECTS" or (may_edit and name != "ADMINISTER"),
            }
            for name in asked
        }
    }
