"""/api/openapi.json says what is there: no more, no less, and in the words of OpenAPI 3.1."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from jsonschema import Draft202012Validator

from integrations.api.scopes import SCOPES
from integrations.api.urls import ROUTES as MANAGEMENT_ROUTES
from integrations.models import Connection
from integrations.sdk.openapi import PARTS, SCHEMAS
from integrations.sdk.urls import ROUTES
from tests.integrations.sdk.conftest import Person
from workflows.api.urls import ROUTES as WORKFLOW_MANAGEMENT_ROUTES
from workflows.sdk.urls import ROUTES as WORKFLOW_ROUTES

pytestmark = pytest.mark.django_db
ADDRESS = "/api/openapi.json"
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}


def paths() -> dict[str, Any]:
    return {path: item for part in PARTS for path, item in part().items()}


OPERATIONS = [(path, method) for path, item in paths().items() for method in item if method in METHODS]
CREDENTIAL_HEADER = "X-Paragon-Credential"


def shape(path: str) -> str:
    """Return a path with its parameters unnamed: the document names them for its readers."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


# Below /v2 the same routes are served again, for the two addresses that the protocol has there.
MANAGED = [*MANAGEMENT_ROUTES, *WORKFLOW_MANAGEMENT_ROUTES]
SERVED = {
    shape(f"/projects/<anyuuid:project_id>/{below}"): view
    for below, view, name in [*ROUTES, *WORKFLOW_ROUTES, *MANAGED]
}
SCOPED = [shape(f"/projects/<anyuuid:project_id>/{below}") for below, view, name in MANAGED]
DESCRIBED = {shape(path): item for path, item in paths().items()}


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(ADDRESS).json()
    return found


def references(value: Any) -> Iterator[str]:
    """Return every $ref inside a value."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict) and "$ref" in value:
        yield value["$ref"]
    for child in children:
        yield from references(child)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return found


def checked(document: dict[str, Any], schema: str, value: Any) -> list[str]:
    """Return what of a value its schema does not allow."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


# The document as a document -------------------------------------------------------------------------------------------


def test_it_is_for_everyone(client: Client) -> None:
    answer = client.get(ADDRESS)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_it_says_what_it_is(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"] == "Patchbay"
    assert document["info"]["version"]
    assert document["servers"] == [{"url": "http://localhost:8000"}]


def test_it_has_no_members_that_openapi_does_not_know(document: dict[str, Any]) -> None:
    known = {"openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components", "security", "tags"}

    assert set(document) <= known | {"externalDocs"}


def test_how_to_sign_in_is_declared(document: dict[str, Any]) -> None:
    [required] = document["security"]

    schemes = document["components"]["securitySchemes"]
    assert (list(required), list(schemes)) == (["userToken"], ["userToken", "apiKey"])
    assert [scheme["type"] for scheme in schemes.values()] == ["http", "http"]
    assert [scheme["scheme"] for scheme in schemes.values()] == ["bearer", "bearer"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = sorted(set(references(document)))

    assert found
    assert all(resolve(document, reference) for reference in found)


def test_every_component_is_used(document: dict[str, Any]) -> None:
    kinds = {name: set(parts) for name, parts in document["components"].items() if name != "securitySchemes"}

    declared = {f"#/components/{kind}/{name}" for kind, names in kinds.items() for name in names}
    assert declared - set(references(document)) == set()


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_operation_is_complete(path: str, method: str) -> None:
    operation = paths()[path][method]

    assert operation["summary"]
    assert all(re.fullmatch(r"[1-5](\d\d|XX)|default", status) for status in operation["responses"])
    assert [status for status in operation["responses"] if status.startswith("2")]
    assert all("$ref" in answer or answer["description"] for answer in operation["responses"].values())


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_operation_declares_each_parameter_of_its_path_once(path: str, method: str) -> None:
    parameters = paths()[path][method]["parameters"]

    in_path = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
    assert sorted(in_path) == sorted(re.findall(r"\{(\w+)\}", path))
    assert all(parameter["required"] is True for parameter in parameters if parameter["in"] == "path")


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_parameter_says_where_it_is_and_of_what_kind(path: str, method: str) -> None:
    parameters = paths()[path][method]["parameters"]

    assert {parameter["in"] for parameter in parameters} <= {"path", "query", "header", "cookie"}
    Draft202012Validator.check_schema({"allOf": [parameter["schema"] for parameter in parameters]})


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_body_says_what_it_holds(path: str, method: str) -> None:
    operation = paths()[path][method]
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]

    assert all("schema" in media for body in bodies for media in body.get("content", {}).values())


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_operation_belongs_to_a_group_that_is_explained(path: str, method: str, document: dict[str, Any]) -> None:
    [tag] = document["paths"][path][method]["tags"]

    assert [each["description"] for each in document["tags"] if each["name"] == tag]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_example_is_as_described(path: str, method: str, document: dict[str, Any]) -> None:
    operation = document["paths"][path][method]
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    media = [each for body in bodies for each in body.get("content", {}).values() if "example" in each]

    wrong = [
        error.message
        for each in media
        for error in Draft202012Validator(each["schema"] | {"components": document["components"]}).iter_errors(
            each["example"]
        )
    ]
    assert wrong == []


def test_only_methods_that_openapi_knows_are_described() -> None:
    described = {name for item in paths().values() for name in item}

    assert described - METHODS <= {"summary", "description", "parameters", "servers", "$ref"}


def test_two_paths_that_differ_by_a_name_only_are_one() -> None:
    assert len(DESCRIBED) == len(paths())


# The document and the routes ------------------------------------------------------------------------------------------


def test_the_routes_below_v2_are_the_same(document: dict[str, Any]) -> None:
    found: list[tuple[str, URLPattern]] = list(all_routes(get_resolver("integrations.sdk.urls").url_patterns, ""))
    plain = {path: entry.callback for path, entry in found if path.startswith("projects/")}
    again = {path.removeprefix("v2/"): entry.callback for path, entry in found if path.startswith("v2/projects/")}

    assert plain == again
    assert len(found) == len(plain) + len(again) + 1


def all_routes(entries: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry
        else:
            yield from all_routes(entry.url_patterns, path)


@pytest.mark.parametrize("path", SERVED)
def test_every_route_is_described(path: str) -> None:
    assert path in DESCRIBED, f"Describe {path} in integrations/sdk/openapi.py."


@pytest.mark.parametrize("path", DESCRIBED)
def test_every_description_is_of_a_route(path: str) -> None:
    assert path in SERVED, f"No route of integrations/sdk/urls.py serves {path}."


@pytest.mark.parametrize("path", [path for path in SERVED if path in DESCRIBED and hasattr(SERVED[path], "methods")])
def test_every_method_of_a_route_is_described(path: str) -> None:
    assert {name.upper() for name in DESCRIBED[path]} == set(SERVED[path].methods)


@pytest.mark.parametrize("path", SCOPED)
def test_each_method_names_the_scope_that_it_takes(path: str) -> None:
    described = {method.upper(): found["security"] for method, found in DESCRIBED[path].items()}

    assert described == {method: [{"apiKey": [scope]}] for method, scope in SERVED[path].scopes.items()}


def test_every_scope_opens_something() -> None:
    taken = {scope for _, view, _ in MANAGED for scope in view.scopes.values()}  # type: ignore[attr-defined]

    assert taken == {scope.name for scope in SCOPES}


# The document and the answers -----------------------------------------------------------------------------------------


def test_the_user_is_as_described(alice: Person, connect: Callable[..., Connection], document: dict[str, Any]) -> None:
    connect("alice", settings={"project": "OPS"}, external_id="work")

    body = alice.get("sdk/me").json()

    assert checked(document, "User", body) == []
    assert checked(document, "Credential", body["integrations"]["jira"]["allCredentials"][0]) == []


@pytest.mark.parametrize("status", ["active", "needs_reconnect"])
@pytest.mark.parametrize("external_id", ["", "work"])
def test_a_credential_is_as_described(
    status: str, external_id: str, alice: Person, connect: Callable[..., Connection], document: dict[str, Any]
) -> None:
    connection = connect("alice", status=status, external_id=external_id)

    one = alice.get(f"sdk/credentials/{connection.pk}").json()

    assert checked(document, "Credential", one) == []
    assert alice.get("sdk/credentials").json() == [one]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "sdk/credentials/00000000-0000-4000-8000-000000000000"),
        ("GET", "sdk/nothing"),
        ("POST", "sdk/me"),
        ("POST", "sdk/connect/claim"),
        ("GET", "raw/jira/rest/api/3/myself"),
        ("POST", "sdk/workflows/1"),
    ],
)
def test_an_error_is_as_described(method: str, path: str, alice: Person, document: dict[str, Any]) -> None:
    answer = alice.call(method, path)

    assert answer.status_code >= 400
    assert checked(document, "Error", answer.json()) == []


@pytest.mark.parametrize(
    ("method", "path", "described"),
    [
        ("POST", "sdk/events/trigger", "/projects/{projectId}/sdk/events/trigger"),
        ("GET", "sdk/credentials", "/projects/{projectId}/sdk/credentials"),
        ("GET", "sdk/metadata", "/projects/{projectId}/sdk/metadata"),
        ("PATCH", "sdk/me", "/projects/{projectId}/sdk/me"),
    ],
)
def test_a_success_has_the_status_described(method: str, path: str, described: str, alice: Person) -> None:
    answer = alice.call(method, path, {"name": "hello", "meta": {}} if method != "GET" else None)

    assert str(answer.status_code) in paths()[described][method.lower()]["responses"]


@pytest.mark.parametrize("path", [path for path in paths() if "/raw/" in path or "/sdk/proxy/" in path])
def test_a_forwarded_call_may_name_its_connection(path: str) -> None:
    names = [parameter["name"] for parameter in paths()[path]["get"]["parameters"]]

    assert CREDENTIAL_HEADER in names


def test_the_servers_address_is_the_public_one(client: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://patchbay.acme.test"

    [server] = client.get(ADDRESS, headers={"Host": "localhost"}).json()["servers"]

    assert urlsplit(server["url"]).hostname == "patchbay.acme.test"
