"""Keep secrets out of logs, whatever a library decides to write there."""

import logging
import re
from contextlib import suppress

NAMES = r"(?:user|access|refresh|id|csrfmiddleware)?_?token|(?:client_)?secret|password|claim"
SECRETS = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"  # a JSON Web Token
    r"|(?<=bearer )[^\s\"',]+"
    r"|(?<=[?&\s])(?P<query>(?:code|state)=)[^&\s\"']+"
    r"|(?P<address>/webhooks/[\w-]+/(?:site/)?)[\w-]{20,}"
    rf"|(?P<form>\b(?:{NAMES})=)[^&\s\"']+"
    rf"|(?P<json>(?P<quote>[\"'])(?:{NAMES})(?P=quote):\s*[\"'])[^\"']+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.IGNORECASE | re.DOTALL,
)


def redact(text: str) -> str:
    return SECRETS.sub(_without_secret, text)


def _without_secret(found: re.Match[str]) -> str:
    return f"{found['query'] or found['address'] or found['form'] or found['json'] or ''}[secret]"


class RedactingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # One with wrong arguments stays: logging itself complains of it, where that cannot hurt the caller.
        with suppress(TypeError, ValueError):
            record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = redact(record.exc_text) if record.exc_text else record.exc_text
        return True
