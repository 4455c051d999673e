"""The reference says what /api/openapi.json says, all of it, and its examples hold."""

import json
import shlex
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from integrations.docs import reference
from integrations.docs.reference import Operation
from integrations.models import Member, Project, User

OPERATIONS = reference.operations()
DESCRIBED = [
    (path, method) for path, item in reference.document()["paths"].items() for method in item if method != "parameters"
]


def shown(operation: Operation) -> str:
    return operation.url


@pytest.mark.parametrize(("path", "method"), DESCRIBED)
def test_every_operation_of_the_document_is_there(path: str, method: str, client: Client) -> None:
    [operation] = [each for each in OPERATIONS if each.path == path and method.upper() in each.methods]

    page = client.get(operation.url.partition("#")[0]).content.decode()

    assert f'id="{operation.anchor}"' in page
    assert f'<code class="wrap">{path}</code>' in page
    assert f'<a href="{operation.url}">' in client.get("/docs/api").content.decode()


def test_no_two_operations_have_one_address() -> None:
    assert len({operation.url for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=shown)
def test_it_says_who_may_call_and_what_is_answered(operation: Operation) -> None:
    assert operation.schemes or operation.described.get("security") == []
    assert operation.good_answers


@pytest.mark.parametrize("operation", OPERATIONS, ids=shown)
def test_its_examples_can_be_pasted(operation: Operation) -> None:
    curl, python, javascript = (snippet.code for snippet in operation.snippets)

    assert shlex.split(curl)[0] == "curl"
    compile(python, "example", "exec")
    assert javascript.count("{") == javascript.count("}")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.body_example], ids=shown)
def test_its_example_of_a_body_is_allowed(operation: Operation) -> None:
    schema: Any = operation.described["requestBody"]["content"]["application/json"]["schema"]
    whole = {"allOf": [schema], "components": reference.document()["components"]}

    assert list(Draft202012Validator(whole).iter_errors(json.loads(operation.body_example))) == []


def test_another_way_to_sign_in_appears_by_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(json.dumps(reference.document()))
    document["components"]["securitySchemes"]["apiKey"] = {
        "type": "apiKey",
        "in": "header",
        "name": "X-Key",
        "description": "Made in Settings.",
    }
    monkeypatch.setattr(reference, "document", lambda: document)

    page = client.get("/docs/api").content.decode()

    assert "<strong>API key</strong>" in page
    assert "X-Key: $API_KEY" in page


def test_signed_out_one_is_asked_to_sign_in_before_trying(client: Client) -> None:
    page = client.get(reference.groups()[0].url).content.decode()

    assert "/accounts/login/?next=/docs/api/" in page
    assert "data-try" not in page


@pytest.mark.django_db
def test_a_member_chooses_among_their_own_projects(client: Client) -> None:
    olivia = User.objects.create_user("olivia@acme.test", "correct horse battery")
    project = Project.objects.create(name="Acme Tasks")
    Project.objects.create(name="Elsewhere")
    Member.objects.create(project=project, user=olivia, role=Member.Role.SUPPORT)
    client.force_login(olivia)

    page = client.get(reference.groups()[0].url).content.decode()

    assert f'<option value="{project.pk}">Acme Tasks</option>' in page
    assert "Elsewhere" not in page


@pytest.mark.django_db
def test_the_project_that_was_open_last_is_chosen(client: Client) -> None:
    olivia = User.objects.create_user("olivia@acme.test", "correct horse battery")
    for name in ("Acme Tasks", "Zoo"):
        Member.objects.create(project=Project.objects.create(name=name), user=olivia, role=Member.Role.SUPPORT)
    last = Project.objects.get(name="Zoo")
    client.force_login(olivia)
    client.get(f"/p/{last.pk}/")

    page = client.get(reference.groups()[0].url).content.decode()

    assert f'<option value="{last.pk}" selected>Zoo</option>' in page
    assert page.count(" selected>") == 1
