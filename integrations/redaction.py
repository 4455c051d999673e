"""Keep secrets out of logs, whatever a library decides to write there."""

import logging
import re
from contextlib import suppress

NAMES = r"(?:user|access|refresh|id|csrfmiddleware)?_?token|(?:client_)?secret|password|claim"
SECRETS = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"  # a JSON Web Token
    r"|\bpbt_[\w:-]{20,}"  # a test token
    r"|pbs_[0-9A-Za-z]{9,}"  # an API key
    r"|(?<=bearer )[^\s\"',]+"
    r"|(?<=[?&\s])(?P<query>(?:code|state)=)[^&\s\"']+"
    r"|(?P<address>/(?:webhooks/[\w-]+/(?:site/)?|accounts/invitations/|accounts/password/reset/key/))[\w-]{20,}"
    rf"|(?P<form>\b(?:{NAMES})=)[^&\s\"']+"
    rf"|(?P<json>(?P<quote>[\"'])(?:{NAMES})(?P=quote):\s*[\"'])[^\"']+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.IGNORECASE | re.DOTALL,
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def redact(text: str) -> str:
    return SECRETS.sub(_without_secret, text)


def _without_secret(found: re.Match[str]) -> str:
    return f"{found['query'] or found['address'] or found['form'] or found['json'] or ''}[secret]"


class RedactingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # One with wrong arguments stays: logging itself complains of it, where that cannot hurt the caller.
        with suppress(TypeError, ValueError):
            record.msg, record.args = _within_its_line(redact(record.getMessage())), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = _within_its_line(redact(record.exc_text))
        return True


def _within_its_line(text: str) -> str:
    """Indent what follows a line break and show control characters: no text from outside looks like another entry."""
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], "\n    ".join(text.splitlines()))
