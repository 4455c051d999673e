"""Calling Jira in Alice's name with our SDK."""

import pytest

from tests.browser.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture
def connected(alice: Product) -> Product:
    alice.connected()
    return alice


def test_json_comes_back_decoded(connected: Product) -> None:
    me = connected.call("request", "jira", "/rest/api/3/myself")

    assert me["displayName"] == "Ada Park"


def test_a_body_of_fields_goes_out_as_json_and_an_empty_answer_is_undefined(connected: Product) -> None:
    change = {"method": "PUT", "body": {"fields": {"summary": "Disk is full again"}}}
    script = "async (change) => typeof (await patchbay.request('jira', '/rest/api/3/issue/OPS-1', change))"

    assert connected.page.evaluate(script, change) == "undefined"
    assert connected.call("request", "jira", "/rest/api/3/issue/OPS-1")["fields"]["summary"] == "Disk is full again"


def test_a_file_goes_out_as_form_data_and_text_comes_back_as_text(connected: Product) -> None:
    upload = """async () => {
        const body = new FormData();
        body.append("file", new Blob(["plain words"], { type: "text/plain" }), "words.txt");
        const options = { method: "POST", body, headers: { "X-Atlassian-Token": "no-check" } };
        const [file] = await patchbay.request("jira", "/rest/api/3/issue/OPS-1/attachments", options);
        return file.id;
    }"""

    file_id = connected.page.evaluate(upload)

    assert connected.call("request", "jira", f"/rest/api/3/attachment/content/{file_id}") == "plain words"


def test_an_error_has_words_status_and_the_providers_body(connected: Product) -> None:
    error = connected.failure("request", "jira", "/rest/api/3/issue/NOPE-1")

    assert error["status"] == 404
    assert error["message"].startswith("Issue does not exist")
    assert error["response"]["errorMessages"]


def test_a_call_without_a_connection_says_so(alice: Product) -> None:
    error = alice.failure("request", "jira", "/rest/api/3/myself")

    assert (error["status"], error["message"]) == (400, "Integration not enabled for user.")
