"""Tables in a window of 1280 px: words stay whole where there is room for them."""

from typing import TYPE_CHECKING

import pytest

from integrations.models import ConnectedUser, Connection, Integration

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
# The texts of a table that go on in another line without a space or a hyphen before it.
BROKEN = """() => [...document.querySelectorAll(".connections td :is(.wrap, .cell-note)")].filter((each) => {
    const words = document.createRange();
    const text = each.firstChild;
    return [...text.data.matchAll(/[^ -]+/g)].some(({ 0: word, index }) => {
        words.setStart(text, index);
        words.setEnd(text, index + word.length);
        return new Set([...words.getClientRects()].map((line) => line.top)).size > 1;
    });
}).map((each) => each.textContent)"""


@pytest.fixture
def connection(jira: Integration) -> Connection:
    user = ConnectedUser.objects.create(project=jira.project, sub="usr_0042", meta={"Name": "Anastasia Park-Lindqvist"})
    grant = jira.project.grants.create(
        app=jira.oauth_app, account_id="ada", account_name="Ada Park", account_email="ada.park@example.com"
    )
    return Connection.objects.create(
        project=jira.project,
        integration=jira,
        user=user,
        grant=grant,
        site_id="s1",
        site_name="acme.patchbay.localhost",
        site_url="http://acme.patchbay.localhost:8020",
        external_id="acme-main",
    )


@pytest.mark.parametrize("address", ["integrations/jira", "users/{user}"])
def test_addresses_and_sites_stay_whole(signed_in: "Page", server: str, connection: Connection, address: str) -> None:
    signed_in.goto(f"{server}/p/{connection.project_id}/{address.format(user=connection.user_id)}")

    assert signed_in.locator(".connections tbody tr").count() == 1
    assert signed_in.evaluate(BROKEN) == []
