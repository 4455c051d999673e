"""The examples of the reference run as they stand: in a project as the demo's, for a user who has connected."""

import shlex
from urllib.parse import urlsplit

import pytest
from django.test import Client

from integrations.docs import reference
from integrations.docs.reference import Operation
from integrations.models import Integration, Project
from tests.integrations.conftest import Window

pytestmark = pytest.mark.django_db
NEEDS_A_WORKER = "post-actions"


def is_complete(operation: Operation) -> bool:
    """Does its example need no more than where to call, and in whose name?"""
    code = operation.snippets[0].code
    for name in ("$BASE", "$PROJECT", "$USER_TOKEN"):
        code = code.replace(name, "")
    return "$" not in code and "…" not in code


COMPLETE = [
    each
    for each in reference.operations()
    if each.schemes[0].name == "userToken" and is_complete(each) and each.anchor != NEEDS_A_WORKER
]


@pytest.mark.parametrize("operation", COMPLETE, ids=lambda operation: operation.url)
def test_it_is_answered(operation: Operation, alice: Window, jira: Integration, client: Client) -> None:
    Project.objects.update(allow_loopback_origins=True)
    alice.connect()
    values = {"$BASE": "https://testserver", "$PROJECT": str(jira.project_id), "$USER_TOKEN": alice.token}
    code = operation.snippets[0].code
    for name, value in values.items():
        code = code.replace(name, value)
    words = shlex.split(code)
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    address = urlsplit(next(word for word in words if word.startswith("https://testserver")))
    body = words[words.index("-d") + 1] if "-d" in words else ""

    answer = client.generic(
        operation.methods[0],
        f"{address.path}?{address.query}",
        body,
        headers.pop("Content-Type", "application/json"),
        headers=headers,
    )

    assert answer.status_code < 400, answer.content


def test_what_needs_an_address_of_the_provider_has_a_variable_for_it() -> None:
    [operation] = [each for each in reference.operations() if each.path.endswith("/sdk/proxy/{integrationType}")]

    curl, python, javascript = (snippet.code for snippet in operation.snippets)

    assert '-H "X-Paragon-Proxy-Url: $PROXY_URL"' in curl
    assert '"X-Paragon-Proxy-Url": f"{PROXY_URL}"' in python
    assert '"X-Paragon-Proxy-Url": `${PROXY_URL}`' in javascript
