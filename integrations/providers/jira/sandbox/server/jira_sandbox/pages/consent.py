"""The consent page, as an end user sees it at Atlassian."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from .. import oauth
from ..scopes import SCOPES
from ..seed import SITES
from ..state import state


class ToApp(HttpResponseRedirect):
    """A redirect to an app's callback URL, which was checked against the registered one."""

    allowed_schemes = ["http", "https"]


def authorize(request: HttpRequest) -> HttpResponse:
    params = request.GET.dict()
    problem = oauth.check_request(params)
    if problem:
        return render(request, "jira_sandbox/refused.html", {"problem": problem}, status=400)
    if request.method == "POST":
        return _decide(request, params)
    return _ask(request, params)


def _ask(request: HttpRequest, params: dict[str, str], error: str = "") -> HttpResponse:
    accounts = list(state.accounts.values())
    chosen = state.accounts.get(request.POST.get("account") or request.GET.get("account", "")) or accounts[0]
    context = {
        "client": state.clients[params["client_id"]],
        "accounts": accounts,
        "chosen": chosen,
        "sites": [site for site in SITES.values() if site.cloud_id in chosen.sites],
        "scopes": [SCOPES.get(scope, scope) for scope in params["scope"].split()],
        "error": error,
        "query": {name: value for name, value in params.items() if name != "account"},
    }
    return render(request, "jira_sandbox/consent.html", context, status=400 if error else 200)


def _decide(request: HttpRequest, params: dict[str, str]) -> HttpResponse:
    if request.POST.get("decision") != "accept":
        return _back(params, error="access_denied", error_description="User did not authorize the request")
    account = state.accounts.get(request.POST.get("account", ""))
    sites = [site for site in request.POST.getlist("site") if account and site in account.sites]
    if account is None or (account.sites and not sites):
        return _ask(request, params, "Choose at least one site.")
    scopes = list(dict.fromkeys(params["scope"].split()))
    return _back(
        params, code=oauth.consent(params["client_id"], account.account_id, sites, scopes, params["redirect_uri"])
    )


def _back(params: dict[str, str], **values: str) -> HttpResponse:
    values |= {"state": params["state"]} if "state" in params else {}
    joint = "&" if "?" in params["redirect_uri"] else "?"
    return ToApp(params["redirect_uri"] + joint + urlencode(values))
