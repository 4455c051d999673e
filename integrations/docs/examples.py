"""How an operation is called: with curl, from Python, from JavaScript. Each is complete once its variables are set."""

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from integrations import providers

if TYPE_CHECKING:
    from integrations.docs.reference import Operation


class Example(NamedTuple):
    title: str
    code: str


def of_operation(operation: "Operation") -> list[Example]:
    return [
        Example("curl", _curl(operation)),
        Example("Python", _python(operation)),
        Example("JavaScript", _javascript(operation)),
    ]


def of_parameter(name: str) -> str:
    """Return what a reader might fill in; "" where only they can know."""
    return {"path": _path(), "integrationType": providers.SLUGS[0], "integrations": providers.SLUGS[0]}.get(name, "")


def of_value(name: str) -> Any:
    """Return a value for a name in a body; "…" where only the reader can know."""
    provider = providers.get(providers.SLUGS[0])
    known = {
        "integration": provider.slug,
        "action": provider.slug,
        "sourceKey": next(iter(provider.sources), ""),
        "origin": "https://app.example.com",
        "meta": {"name": "Ada Park", "email": "ada@example.com"},
    }
    return known.get(name, "…")


def _path() -> str:
    return providers.get(providers.SLUGS[0]).example_path.lstrip("/")


def _variable(name: str) -> str:
    return {"projectId": "PROJECT"}.get(name, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())


def _address(operation: "Operation", variable: str) -> str:
    """Return the address, with known values filled in and the others as variables in this notation."""

    def filled(found: re.Match[str]) -> str:
        return of_parameter(found[1]) or variable.format(_variable(found[1]))

    return re.sub(r"\{(\w+)\}", filled, operation.path)


def _headers(operation: "Operation", variable: str) -> dict[str, str]:
    headers = {scheme.header: scheme.value.format(variable.format(scheme.variable)) for scheme in operation.schemes[:1]}
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
