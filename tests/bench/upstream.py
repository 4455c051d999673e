"""A provider that answers at once: what is left is our own cost."""

import json
from collections.abc import Iterable
from typing import Any

ISSUE = json.dumps({"id": "10001", "key": "OPS-1", "fields": {"summary": "Disk is full", "text": "x" * 1800}}).encode()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(ISSUE)))])
    return [ISSUE]
