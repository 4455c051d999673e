"""From the inputs of a form to what Jira's REST API takes for a field."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.errors import PermanentError
from integrations.provider_api import ProviderApi
from integrations.providers.jira import adf, pickers

DATE = re.compile(r"(\d{4}-\d{2}-\d{2})([T ].*)?")
# What Jira calls a field, where our inputs call it something else.
INPUTS = {"issuetype": "issue_type", "duedate": "due_date", "comment": "body"}


def by_id_or(name: str, value: Any) -> dict[str, str]:
    """Return {"id": …} for a number, else {name: …}: Jira takes either for projects, types and priorities."""
    text = str(value).strip()
    return {"id": text} if text.isdigit() else {name: text}


def labels(value: Any) -> list[str]:
    """Return labels of a list, or of a text with commas; Jira's labels hold no spaces."""
    items = value if isinstance(value, list) else str(value or "").split(",")
    return list(dict.fromkeys("_".join(str(item).split()) for item in items if str(item).strip()))


def date(value: Any, key: str) -> str:
    found = DATE.fullmatch(str(value).strip())
    if not found:
        words = f"“{str(value)[:40]}” is not a date. Write it as 2026-11-23."
        raise PermanentError(words, fields={key: words})
    return found[1]


def custom(api: ProviderApi, metas: Sequence[Mapping[str, Any]], given: Any, project: str, form: str) -> dict[str, Any]:
    """Return the fields beyond the usual ones, shaped by what Jira says of each. Raises PermanentError at a field."""
    if not isinstance(given, Mapping):
        words = "Further fields are an object: {“customfield_10010”: …}."
        raise PermanentError(words, fields={"fields": words})
    by_name = {str(name).lower(): meta for meta in metas for name in (meta.get("name"), meta_id(meta)) if name}
    made: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == "":
            continue
        meta = by_name.get(str(name).lower())
        if meta is None:
            made[str(name)] = value  # Jira says best what is wrong with a field that it does not know.
        else:
            made[meta_id(meta)] = _shaped(api, meta, value, project, form)
    return made


def meta_id(meta: Mapping[str, Any]) -> str:
    return str(meta.get("fieldId") or meta.get("key") or meta.get("id"))


def _shaped(api: ProviderApi, meta: Mapping[str, Any], value: Any, project: str, form: str) -> Any:
    schema, key = meta.get("schema", {}), f"fields.{meta_id(meta)}"
    allowed = meta.get("allowedValues") or []
    if pickers.is_rich(schema):
        return adf.document(value, form, key)
    if isinstance(value, Mapping):
        return value
    if schema.get("type") == "array":
        items = value if isinstance(value, list) else [part.strip() for part in str(value).split(",") if part.strip()]
        return [_choice(allowed, item, key) if allowed else item for item in items]
    return _choice(allowed, value, key) if allowed else _single(api, schema, value, project, key)


def _single(api: ProviderApi, schema: Mapping[str, Any], value: Any, project: str, key: str) -> Any:
    kind = schema.get("type")
    if kind == "user":
        return pickers.person(api, project, str(value), key)
    if kind == "number":
        return _number(value, key)
    return date(value, key) if kind == "date" else value


def _choice(allowed: Sequence[Mapping[str, Any]], value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value
    wanted = str(value).strip().lower()
    for item in allowed:
        if wanted in {str(item.get(name, "")).lower() for name in ("id", "value", "name", "key")}:
            return {"id": item["id"]} if "id" in item else item
    names = ", ".join(str(item.get("value") or item.get("name")) for item in allowed[:10])
    words = f"“{str(value)[:60]}” is not one of {names}."
    raise PermanentError(words, fields={key: words})


def _number(value: Any, key: str) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        words = f"“{str(value)[:40]}” is not a number."
        raise PermanentError(words, fields={key: words}) from None
    return int(number) if number.is_integer() else number


def error_fields(body: object) -> dict[str, str]:
    """Return what Jira says of single fields, by the names of our inputs."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, dict):
        return {}
    return {_input(str(name)): str(text) for name, text in errors.items()}


def _input(name: str) -> str:
    return f"fields.{name}" if name.startswith("customfield_") else INPUTS.get(name, name)
