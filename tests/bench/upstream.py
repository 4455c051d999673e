"""A provider that answers at once: what is left is our own cost. /stats tells how old each call's mark was, in ms.

A mark is "t" and the nanoseconds since 1970, anywhere in a call's path or body.
"""

import json
import re
import time
from collections.abc import Iterable
from typing import Any

ISSUE = json.dumps({"id": "10001", "key": "OPS-1", "fields": {"summary": "Disk is full", "text": "x" * 1800}}).encode()
MARK = re.compile(rb"t(\d{19})")
_ages: list[float] = []


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    answer = _stats() if environ["PATH_INFO"] == "/stats" else ISSUE
    if environ["REQUEST_METHOD"] == "POST":
        found = MARK.search(environ["wsgi.input"].read())
        if found:
            _ages.append((time.time_ns() - int(found[1])) / 1e6)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def _stats() -> bytes:
    told = json.dumps(_ages).encode()
    _ages.clear()
    return told
