"""Code to paste: one template a snippet, filled in for a project and an integration."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from integrations.models import Integration, Project, SigningKey
from integrations.providers.base import Provider

KINDS = [
    ("script-tag", "Script tag", "HTML", "dashboard/snippets/script_tag.txt"),
    ("npm", "Paragon’s npm SDK", "JavaScript", "dashboard/snippets/npm.txt"),
    ("python", "Python back end", "Python", "dashboard/snippets/python.txt"),
]
CALLING = [
    ("call-sdk", "From your page", "JavaScript", "dashboard/snippets/call_sdk.txt"),
    ("call-curl", "From your back end", "curl", "dashboard/snippets/call_curl.txt"),
]
SIGNING = [
    ("sign-python", "Python: PyJWT", "Python", "dashboard/snippets/sign_python.txt"),
    ("sign-jsonwebtoken", "Node: jsonwebtoken", "JavaScript", "dashboard/snippets/sign_jsonwebtoken.txt"),
    ("sign-jose", "Node, Deno, edge runtimes: jose", "JavaScript", "dashboard/snippets/sign_jose.txt"),
    ("sign-ruby", "Ruby: jwt", "Ruby", "dashboard/snippets/sign_ruby.txt"),
    ("sign-php", "PHP: firebase/php-jwt", "PHP", "dashboard/snippets/sign_php.txt"),
    ("sign-go", "Go: golang-jwt", "Go", "dashboard/snippets/sign_go.txt"),
]


@dataclass(frozen=True)
class Snippet:
    id: str
    title: str
    language: str
    code: str


def snippets(integration: Integration) -> list[Snippet]:
    key = SigningKey.objects.active().filter(project=integration.project_id, expires_at=None).first()
    context = {
        "base": settings.PUBLIC_URL,
        "project_id": integration.project_id,
        "provider": integration.provider,
        "key_id": key.kid if key else "KEY_ID",
        "has_key": key is not None,
    }
    return [Snippet(id, title, language, _text(template, context)) for id, title, language, template in KINDS]


def example_snippets(project: Project, provider: Provider) -> list[Snippet]:
    """Return one call of a provider, which need not be in the project yet."""
    context = {"base": settings.PUBLIC_URL, "project_id": project.pk, "provider": provider}
    return [Snippet(id, title, language, _text(template, context)) for id, title, language, template in CALLING]


def signing_snippets(project: Project, keys: Sequence[SigningKey]) -> list[Snippet]:
    """Return how a back end signs a user token, with the newest of these keys that does not end."""
    key = next((key for key in keys if not key.is_ending), next(iter(keys), None))
    context = {"project_id": project.pk, "key_id": key.kid if key else "KEY_ID", "has_key": key is not None}
    return [Snippet(id, title, language, _text(template, context)) for id, title, language, template in SIGNING]


def _text(template: str, context: dict[str, object]) -> str:
    # strip() makes it a plain str again, which the page escapes as it would any other text.
    return render_to_string(template, context).strip()
