"""May the page at an address use the SDK, and may the popup end there? By the checks that calls go through."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError

from integrations.dashboard.forms import ReturnUrlsField
from integrations.models import Project
from integrations.models.project import clean_origin


@dataclass(frozen=True)
class Verdict:
    """What became of an address. `line` is the setting that allows its origin, "" for none, and then `near` says which
    one it misses by a little. `return_url` is how it would be registered, "" where it cannot be, as `refusal` says.
    """

    address: str
    origin: str
    line: str
    near: str
    return_url: str
    is_return_url: bool
    refusal: str


def judge(project: Project, address: str) -> Verdict:
    """Return what the settings make of the page at an address. Raises ValidationError where it is none."""
    origin = origin_of(address)
    try:
        return_url, refusal = ReturnUrlsField().clean_line(address), ""
    except ValidationError as error:
        return_url, refusal = "", error.messages[0]
    line = project.line_allowing(origin)
    return Verdict(
        address=address,
        origin=origin,
        line=line,
        near="" if line else _near(project.allowed_origins, origin),
        return_url=return_url,
        is_return_url=return_url in project.return_urls,
        refusal=refusal,
    )


def origin_of(address: str) -> str:
    """Return the origin that a browser sends for the page at an address. Raises ValidationError."""
    scheme, separator, _ = address.partition(":")
    if separator and scheme.lower() in ("file", "about", "data", "blob"):
        raise ValidationError(
            f"A page from {scheme.lower()}: has no origin of its own (browsers send “null”), so it cannot be allowed."
            " Serve it from a web server; one on localhost will do."
        )
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError("Paste the whole address of a page, from http:// or https:// on.")
    return clean_origin(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")


def _near(allowed: list[str], origin: str) -> str:
    """Return how the origin differs from an allowed one of the same host, "" where there is none."""
    wanted = urlsplit(origin)
    for each in allowed:
        found = urlsplit(each)
        if found.hostname == wanted.hostname:
            what = "scheme" if found.scheme != wanted.scheme else "port"
            return f"It differs from {each} in its {what}, and that counts."
        if f"www.{found.hostname}" == wanted.hostname or f"www.{wanted.hostname}" == found.hostname:
            return f"It differs from {each} by its “www.”, and that counts."
    return ""
