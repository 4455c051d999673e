"""Who may see what: every page finds its rows here, so that a stranger gets 404 and learns nothing."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from integrations.dashboard import second_factor
from integrations.dashboard.context import SWITCHER_LENGTH
from integrations.models import Integration, Member, Project
from integrations.providers import SLUGS

Role = Member.Role
Row = TypeVar("Row", bound=Model)
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def page(view: View) -> View:
    """A page to read, for every member."""
    return _guarded(view, Role.SUPPORT, "GET", "HEAD")


def page_for(needs: Role) -> Callable[[View], View]:
    """A page to read, for members with this role or a higher one."""
    return lambda view: _guarded(view, needs, "GET", "HEAD")


def form_page(needs: Role) -> Callable[[View], View]:
    """A page with a form that posts to itself, for members with this role or a higher one."""
    return lambda view: _guarded(view, needs, "GET", "HEAD", "POST")


def action(needs: Role) -> Callable[[View], View]:
    """A button, for members with this role or a higher one."""
    return lambda view: _guarded(view, needs, "POST")


def _guarded(view: View, needs: Role, *methods: str) -> View:
    # Never cached: behind a shared cache, or with the Back button after signing out, a page must not come up again.
    guarded = never_cache(asking_to_sign_in(taking(methods, _with_second_factor(view))))

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.needs = needs  # type: ignore[attr-defined]
        return guarded(request, *args, **kwargs)

    wrapped.needs, wrapped.methods = needs, methods  # type: ignore[attr-defined]
    return cast("View", wrapped)


def asking_to_sign_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        # What a form would have sent is lost, so whoever signs in again goes on at the page that it stood on.
        is_sent = request.method not in ("GET", "HEAD")
        return redirect_to_login(page_before(request) if is_sent else request.get_full_path())

    return asked


def page_before(request: HttpRequest, *, otherwise: str = "") -> str:
    """Return the page of ours that a form was sent from; `otherwise`, or the form's own address, where none is told."""
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure()):
        return otherwise or request.get_full_path()
    parts = urlsplit(before)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def taking(methods: tuple[str, ...], view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Say that there is no page to whoever opens the address of a button."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in methods:
            return view(request, *args, **kwargs)
        response = render(request, "405.html", status=405)
        response["Allow"] = ", ".join(methods)
        return response

    return asked


def _with_second_factor(view: View) -> Callable[..., HttpResponseBase]:
    """Lead whoever needs a second factor and gave none to where it is given or set up, instead of to the page."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            second_factor.note(request)
            second_factor.require_of_everybody(request.user)
            return view(request, *args, **kwargs)
        except second_factor.SecondFactorNeeded as needed:
            return second_factor.lead(request, str(needed))

    return asked


def find_project(request: HttpRequest, project_id: uuid.UUID) -> Project:
    """Return the project, with the role of whoever asks.

    Raises Http404, PermissionDenied for too low a role, and SecondFactorNeeded, which leads to where one is given.
    """
    # One query for the project and for those to switch to.
    found = list(
        Project.objects.visible_to(request.user).with_role(request.user).with_first(project_id)[:SWITCHER_LENGTH]
    )
    if not found or found[0].pk != project_id:
        raise Http404
    project = found[0]
    request.switcher_projects = sorted(found, key=lambda each: (each.name, each.pk))  # type: ignore[attr-defined]
    needs: Role = request.needs  # type: ignore[attr-defined]
    if not project.role.covers(needs):
        least = needs.label if needs.may_own else f"{needs.label} or a higher one"
        raise PermissionDenied(
            f"This takes the role {least}, and yours in {project.name} is {project.role.label}. An owner can change it"
            " in Settings › Members."
        )
    second_factor.require(request.user, project)
    if request.session.get("project") != str(project.pk):
        request.session["project"] = str(project.pk)
    return project


def find_integration(request: HttpRequest, project_id: uuid.UUID, slug: str) -> Integration:
    if slug not in SLUGS:
        raise Http404
    project = find_project(request, project_id)
    integrations = Integration.objects.visible_to(request.user).select_related("oauth_app__project", "project")
    return of_project(project, get_object_or_404(integrations, project=project, provider_slug=slug))


def of_project(project: Project, row: Row) -> Row:
    """Return a row of the project, which then knows the role of whoever asks."""
    row.project = project  # type: ignore[attr-defined]
    return row
