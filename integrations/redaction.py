"""Keep secrets out of logs, whatever a library decides to write there."""

import logging
import re

SECRETS = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"  # a JSON Web Token
    r"|(?<=[Bb]earer )[^\s\"',]+"
    r"|(?<=usertoken=)[^&\s\"']+"
    r"|(?<=code=)[^&\s\"']+"
    r"|(?<=state=)[^&\s\"']+"
    r"|(?<=token\": \")[^\"]+"
    r"|(?<=secret\": \")[^\"]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.IGNORECASE | re.DOTALL,
)


def redact(text: str) -> str:
    return SECRETS.sub("[secret]", text)


class RedactingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
