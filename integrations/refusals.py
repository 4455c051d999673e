"""How an API of ours says no, whichever of them is asked."""

from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse


def refusal(
    status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> JsonResponse:
    """Return an error: `code` for programs, `message` for people, and what else it tells."""
    body = {"code": code, "message": message, "status": status, **more}
    return JsonResponse(body, status=status, headers=dict(headers or {}))
