"""What people, end users and providers write is text on every page, whatever it looks like."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.models import Event, Member, User
from tests.isolation.conftest import House, build
from tests.pages.test_declared import visit
from tests.support.pages import Page, State, every_page
from tests.support.stories import Street
from tests.support.visitor import Visitor
from workflows.models import Run, StepRun, Workflow

# It would run in a text, in an attribute, in a script, in a style and in an address; and as a template.
PROBE = """"'></script><img src=x onerror="globalThis.ran=1">{{7*7}}{%now%}"""
RAW = ("<img src=x", "</script><img")
LINK = "javascript:globalThis.ran=1"
PAGES = [Page(page.route, State()) for page in every_page() if page.state == State() and "docs:" not in str(page)]


@pytest.fixture(scope="module")
def poisoned(street: Street, django_db_blocker: Any, private_key: rsa.RSAPrivateKey) -> Iterator[Street]:
    """A project in which everything that can hold a text holds the probe, with the street's people."""
    with django_db_blocker.unblock():
        olivia = street.people["olivia"]
        assert olivia
        # Braces would begin a value in the workflow that is built, and these name none.
        plain = PROBE.replace("{", "(")
        account = dict.fromkeys(("id", "name", "email", "site_id", "site", "meta", "setting", "external_id"), plain)
        house = build(PROBE[:80], olivia, private_key, account | {"url": LINK})
        written(house)
        other = replace(street, houses={**street.houses, "full": house}, clients={})
        yield other
        # Others on the street see nothing of it from here on.
        house.project.members.all().delete()


def written(house: House) -> None:
    project = house.project
    User.objects.filter(pk=house.owner.pk).update(first_name=PROBE[:100])
    member = User.objects.create_user("probe@acme.test", first_name=PROBE)
    Member.objects.create(project=project, user=member, role=Member.Role.SUPPORT)
    project.calls.update(path=PROBE, route=PROBE, code="failed")
    told = {"summary": PROBE, PROBE: PROBE, "raw": {"issue": {"key": PROBE, "fields": {"summary": PROBE}}}}
    Event.objects.filter(project=project).update(payload=told, reason=PROBE, subject=PROBE, name=PROBE)
    Run.objects.filter(project=project).update(payload=told, reason=PROBE)
    StepRun.objects.filter(run__project=project).update(error=PROBE, output=told, input=told)
    Workflow.objects.filter(project=project).update(name=PROBE, description=PROBE, samples={"trigger": told})
    house.integration.oauth_app.refuse(PROBE)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_was_written_is_text(page: Page, poisoned: Street) -> None:
    html = visit(poisoned, page).content.decode()

    assert [raw for raw in RAW if raw in html] == []
    assert f'href="{LINK}' not in html


@pytest.mark.browser
@pytest.mark.parametrize("page", [page for page in PAGES if not page.is_admin], ids=str)
def test_nothing_of_it_runs(page: Page, poisoned: Street, reader: Visitor) -> None:
    tab = reader.open(page)

    assert tab.evaluate("() => globalThis.ran") is None
    assert tab.locator("img[src=x]").count() == 0
    assert reader.reports == []


@pytest.fixture(scope="module")
def reader(browser: Any, web: str, poisoned: Street) -> Iterator[Visitor]:
    visitor = Visitor(browser, web, poisoned)
    yield visitor
    visitor.close()
