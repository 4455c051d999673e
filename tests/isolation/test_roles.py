"""Who may do what in their own project: every page and button of it, for every role."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from integrations.models import Member, User
from tests.isolation.conftest import House
from tests.isolation.routes import Route, named

Role = Member.Role

SUPPORT = """
dashboard: overview settings integrations catalog provider integration users user connection look_now calls calls_health
    call audit members
workflows: workflows versions users runs run cancel replay replay_many resolve events event replay_event replay_events
"""
DEVELOPER = """
dashboard: add_integration integration_settings portal portal_preview activate deactivate try_connect try_call
    test_token check_token disconnect disable_user enable_user
workflows: new_workflow build save_draft options more_fields check_trigger test test_result deploy undeploy pause delete
    duplicate roll_back run_now switch
"""
ADMIN = """
dashboard: site_webhook delete_site_webhook export_audit export_user delete_user sdk_settings generate_key add_key
    revoke_key rotate_key end_key test_page allow_page project_settings copy_project remove_integration
    api_keys new_api_key revoke_api_key
workflows: secrets delete_secret alerts test_alert
"""
OWNER = """
dashboard: invite send_invitation_again withdraw_invitation require_second_factor change_role remove_member
    delete_project
"""


def _listed(text: str) -> list[str]:
    names, app = [], ""
    for word in text.split():
        app, is_app = (word, True) if word.endswith(":") else (app, False)
        names += [] if is_app else [f"{app}{word}"]
    return names


NEEDS = {
    name: role
    for role, text in ((Role.SUPPORT, SUPPORT), (Role.DEVELOPER, DEVELOPER), (Role.ADMIN, ADMIN), (Role.OWNER, OWNER))
    for name in _listed(text)
}
ROUTES = [route for app in ("dashboard:", "workflows:") for route in named(app) if "project_id" in route.parameters]


def test_every_page_of_a_project_says_whom_it_is_for() -> None:
    assert sorted(route.name for route in ROUTES) == sorted(NEEDS)


LEADS = re.compile(r'\b(?:href|action|formaction|data-[a-z-]*url)="(/p/[^"]+)"')


def member(role: Member.Role, acme: House) -> Client:
    visitor = User.objects.create_user("visitor@acme.test")
    Member.objects.create(project=acme.project, user=visitor, role=role)
    client = Client(raise_request_exception=False)
    client.force_login(visitor)
    return client


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.DEVELOPER, Role.ADMIN])
@pytest.mark.parametrize("route", [route for route in ROUTES if "GET" in route.view.methods], ids=str)
def test_a_page_leads_a_member_nowhere_that_is_closed_to_them(route: Route, role: Member.Role, acme: House) -> None:
    answer = member(role, acme).get(acme.address(route))
    html = "" if answer.streaming else answer.content.decode()

    leads = {urlsplit(unescape(found)).path for found in LEADS.findall(html)}
    closed = [path for path in leads if not role.covers(needed_at(path))]

    assert closed == []


def needed_at(path: str) -> Member.Role:
    try:
        return getattr(resolve(path).func, "needs", Role.SUPPORT)
    except Resolver404:
        return Role.SUPPORT


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_role_opens_what_it_is_for_and_nothing_else(route: Route, role: Member.Role, acme: House) -> None:
    address, client = acme.address(route), member(role, acme)

    asked = {method: client.generic(method, address).status_code for method in ("GET", "POST")}

    allowed = role.covers(NEEDS[route.name])
    assert (403 in asked.values()) == (not allowed)
    assert resolve(address).func.needs == NEEDS[route.name]  # type: ignore[attr-defined]
    assert 500 not in asked.values()
