from typing import Any

from django.http import HttpRequest

from integrations.models import Project

SWITCHER_LENGTH = 12


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give every page the projects to switch to. Nothing is queried until a template asks for them."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"switcher_projects": Project.objects.visible_to(user)[:SWITCHER_LENGTH]}
