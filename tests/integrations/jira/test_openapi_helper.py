"""The check itself: a check that lets everything through would be worse than none."""

import pytest

from tests.integrations.jira.openapi import check_request, check_response


def test_a_wrong_type_is_found() -> None:
    with pytest.raises(AssertionError, match=r"\$\.active"):
        check_response("GET", "/rest/api/3/myself", 200, {"active": "yes"})


def test_an_unknown_property_is_found() -> None:
    with pytest.raises(AssertionError, match="colour"):
        check_response("GET", "/rest/api/3/myself", 200, {"colour": "red"})


def test_an_undocumented_status_is_found() -> None:
    with pytest.raises(AssertionError, match="not 418"):
        check_response("GET", "/rest/api/3/myself", 418)


def test_an_unknown_call_is_found() -> None:
    with pytest.raises(AssertionError, match="Jira has no"):
        check_request("GET", "/rest/api/3/nonsense", [])


def test_an_unknown_query_name_is_found() -> None:
    with pytest.raises(AssertionError, match="colour"):
        check_request("GET", "/rest/api/3/myself", ["colour"])


def test_a_wrong_request_body_is_found() -> None:
    with pytest.raises(AssertionError, match="jql"):
        check_request("POST", "/rest/api/3/search/jql", [], {"jql": 7})
