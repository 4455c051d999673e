"""JSON that strangers send, decoded so that every database can keep it."""

import json
import math
from typing import Any


def decode(body: bytes) -> Any:
    """Return JSON data. Raises ValueError saying what is wrong with it."""
    try:
        text = body.decode()
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None
    except UnicodeDecodeError:
        raise ValueError("It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"It is not JSON: {error.msg} at character {error.pos}.") from None
    # What cannot be stored is rare, and looking for it in a decoded tree is not for free.
    return _clean(found) if "\\u0000" in text or "\\ud" in text.lower() else found


def readable(body: bytes) -> str:
    """Return any bytes as a text that every database can keep."""
    return body.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _refuse(name: str) -> Any:
    raise ValueError(f"It is not JSON: {name} is no number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"A number is too large: {text[:20]}.")
    return number


def _clean(value: Any) -> Any:
    """Return a value without NUL characters and half surrogate pairs, which PostgreSQL does not take."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
