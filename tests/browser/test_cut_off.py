"""A product's page that loses its popup: Cross-Origin-Opener-Policy: same-origin."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from integrations.models import Connection, Project
from tests.browser.product import CUT_OFF, Product

pytestmark = pytest.mark.browser

RETURN_PAGE = """<!doctype html><script src="{0}/static/sdk/patchbay.js"></script>
<script type="module">
  globalThis.fragment = location.hash;
  const {{ token }} = await (await fetch("/token")).json();
  await patchbay.authenticate("{1}", token);
</script><button data-patchbay-connect="jira"></button>"""


@pytest.fixture
def cut_off(product: Product, user_token: Callable[..., str]) -> Product:
    return product.open(headers=CUT_OFF).sign_in(user_token("alice"))


@pytest.fixture
def return_url(product: Product, project: Project, server: str) -> str:
    """A registered page of the product, which signs its visitor in on its own."""
    page = RETURN_PAGE.format(server, project.pk)
    project.return_urls = [product.site.add("/connected", page, headers=CUT_OFF)]
    project.save()
    return str(project.return_urls[0])


def test_without_a_return_url_it_fails_in_words_on_both_sides(cut_off: Product) -> None:
    consent = cut_off.press()
    consent.connect()

    expect(consent.popup.get_by_role("alert")).to_contain_text("same-origin-allow-popups")
    expect(cut_off.status).to_contain_text("same-origin-allow-popups")
    assert not Connection.objects.exists()


def test_with_a_return_url_the_returning_page_claims(
    return_url: str, cut_off: Product, user_token: Callable[..., str]
) -> None:
    cut_off.site.token = user_token("alice")

    cut_off.install({"returnUrl": return_url}).connect()

    assert cut_off.outcome()["value"]["integrationType"] == "jira"
    expect(cut_off.button).to_have_text("Connected as Ada Park")


def test_the_code_is_gone_from_the_address_before_any_other_script_runs(
    return_url: str, cut_off: Product, user_token: Callable[..., str]
) -> None:
    cut_off.site.token = user_token("bob")  # so that the window stays open

    consent = cut_off.install()
    consent.connect()
    consent.popup.wait_for_url(return_url)

    assert consent.popup.evaluate("() => [globalThis.fragment, location.hash]") == ["", ""]


def test_somebody_else_cannot_claim_on_the_returning_page(
    return_url: str, cut_off: Product, user_token: Callable[..., str]
) -> None:
    cut_off.site.token = user_token("bob")

    consent = cut_off.install()
    consent.connect()

    expect(consent.popup.get_by_role("status")).to_contain_text("started by another user")
    assert cut_off.outcome()["error"]["code"] == "claim_refused"
    assert not Connection.objects.exists()


def test_a_return_url_that_is_not_registered_is_refused(alice: Product) -> None:
    error = alice.failure("installIntegration", "jira", {"returnUrl": "https://attacker.example/"})

    assert error["code"] == "unknown_return_url"
