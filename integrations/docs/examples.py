"""How an operation is called: with curl, from Python, from JavaScript. Each is complete once its variables are set."""

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from integrations import providers

if TYPE_CHECKING:
    from integrations.docs.reference import Operation


# The demo's project allows pages of one's own machine, as a project does that is being built.
ORIGIN = "http://localhost:3000"


class Example(NamedTuple):
    title: str
    code: str


def of_operation(operation: "Operation") -> list[Example]:
    return [
        Example("curl", _curl(operation)),
        Example("Python", _python(operation)),
        Example("JavaScript", _javascript(operation)),
    ]


def of_parameter(name: str, *, is_required: bool) -> str:
    """Return what a reader might fill in; "" where only they can know, or where it would hide what they look for."""
    slug = providers.SLUGS[0]
    known = dict.fromkeys(("integrationType", "integrations", "action"), slug)
    known |= {"path": _path(), "originForPostMessage": ORIGIN, "oauthMetaKeyId": "attempt-1"}
    return (known | ({"integration": slug} if is_required else {})).get(name, "")


def of_value(name: str) -> Any:
    """Return a value for a name in a body; "…" where only the reader can know."""
    provider = providers.get(providers.SLUGS[0])
    known = {
        "integration": provider.slug,
        "action": provider.slug,
        "sourceKey": next(iter(provider.sources), ""),
        "origin": ORIGIN,
        "meta": {"name": "Ada Park", "email": "ada@example.com"},
    }
    return known.get(name, "…")


def _path() -> str:
    return providers.get(providers.SLUGS[0]).example_path.lstrip("/")


def _variable(name: str) -> str:
    plain = name.removeprefix("X-Paragon-").replace("-", "_")
    return {"projectId": "PROJECT"}.get(plain, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain).upper())


def _address(operation: "Operation", variable: str) -> str:
    """Return the address, with known values filled in and the others as variables in this notation."""
    known = {row.name: row.example for row in operation.parameters}

    def filled(found: re.Match[str]) -> str:
        return known[found[1]] or variable.format(_variable(found[1]))

    query = {row.name: row.example for row in operation.parameters if row.place == "query" and row.example}
    return re.sub(r"\{(\w+)\}", filled, operation.path) + (f"?{urlencode(query)}" if query else "")


def _headers(operation: "Operation", variable: str) -> dict[str, str]:
    headers = {scheme.header: scheme.value.format(variable.format(scheme.variable)) for scheme in operation.schemes[:1]}
    needed = [row for row in operation.parameters if row.place == "header" and row.is_required]
    headers |= {row.name: row.example or variable.format(_variable(row.name)) for row in needed}
    return headers | ({"Content-Type": "application/json"} if operation.body_example else {})


def _method(operation: "Operation") -> str:
    return operation.methods[0]


def _curl(operation: "Operation") -> str:
    method = "" if _method(operation) == "GET" else f"-X {_method(operation)} "
    lines = [f'curl {method}"$BASE{_address(operation, "${}")}"']
    lines += [f'-H "{name}: {value}"' for name, value in _headers(operation, "${}").items()]
    if operation.body_example and _method(operation) != "GET":
        body = json.dumps(json.loads(operation.body_example), ensure_ascii=False)
        lines.append(f"-d '{body}'")
    return " \\\n  ".join(lines)


def _python(operation: "Operation") -> str:
    headers = ", ".join(
        f'"{name}": f"{value}"' for name, value in _headers(operation, "{{{}}}").items() if name != "Content-Type"
    )
    lines = [f'    "{_method(operation)}",', f'    f"{{BASE}}{_address(operation, "{{{}}}")}",']
    lines += [f"    headers={{{headers}}},"] if headers else []
    if operation.body_example and _method(operation) != "GET":
        lines.append(f"    json={json.loads(operation.body_example)!r},")
    return "\n".join(
        ["answer = requests.request(", *lines, "    timeout=70,", ")", "print(answer.status_code, answer.text)"]
    )


def _javascript(operation: "Operation") -> str:
    headers = ", ".join(f'"{name}": `{value}`' for name, value in _headers(operation, "${{{}}}").items())
    lines = [f'  method: "{_method(operation)}",'] if _method(operation) != "GET" else []
    lines += [f"  headers: {{ {headers} }},"] if headers else []
    if operation.body_example and _method(operation) != "GET":
        body = json.dumps(json.loads(operation.body_example), ensure_ascii=False)
        lines.append(f"  body: JSON.stringify({body}),")
    opening = f"const answer = await fetch(`${{BASE}}{_address(operation, '${{{}}}')}`, {{"
    return "\n".join([opening, *lines, "});", "console.log(answer.status, await answer.text());"])
