"""Avatars drawn from initials, so that the sandbox needs no image files."""

import zlib
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

COLOURS = ["#0c66e4", "#5e4db2", "#216e4e", "#a54800", "#ae2e24", "#1d7f8c", "#943d73"]


def avatar_url(name: str) -> str:
    return f"{settings.SANDBOX_URL}/avatars/{quote(name, safe='')}.svg"


def avatar_urls(name: str) -> dict[str, str]:
    return {size: f"{avatar_url(name)}?size={size}" for size in ("16x16", "24x24", "32x32", "48x48")}


def avatar(request: HttpRequest, name: str) -> HttpResponse:
    """Draw a circle with the initials; its colour depends on the name alone."""
    colour = COLOURS[zlib.crc32(name.encode()) % len(COLOURS)]
    initials = "".join(word[0] for word in name.split()[:2]).upper()
    svg = format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><circle cx="24" cy="24" r="24" fill="{}"/>'
        '<text x="24" y="31" font-family="sans-serif" font-size="19" fill="#fff" text-anchor="middle">{}</text></svg>',
        colour,
        initials,
    )
    return HttpResponse(svg, content_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
