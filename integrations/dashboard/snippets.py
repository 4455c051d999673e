"""Code to paste: one template a snippet, filled in for a project and an integration."""

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from integrations.models import Integration, SigningKey

KINDS = [
    ("script-tag", "Script tag", "HTML", "dashboard/snippets/script_tag.txt"),
    ("npm", "Paragon’s npm SDK", "JavaScript", "dashboard/snippets/npm.txt"),
    ("python", "Python back end", "Python", "dashboard/snippets/python.txt"),
]


@dataclass(frozen=True)
class Snippet:
    id: str
    title: str
    language: str
    code: str


def snippets(integration: Integration) -> list[Snippet]:
    key = SigningKey.objects.active().filter(project=integration.project_id).first()
    context = {
        "base": settings.PUBLIC_URL,
        "project_id": integration.project_id,
        "provider": integration.provider,
        "key_id": key.kid if key else "KEY_ID",
        "has_key": key is not None,
    }
    return [Snippet(id, title, language, _text(template, context)) for id, title, language, template in KINDS]


def _text(template: str, context: dict[str, object]) -> str:
    # strip() makes it a plain str again, which the page escapes as it would any other text.
    return render_to_string(template, context).strip()
