"""Names without a space break: no page is wider than its window because of what somebody is called."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from integrations.models import ConnectedUser, Event, Member, User
from tests.isolation.conftest import build
from tests.pages.test_every_page import WALK
from tests.support.pages import Page, State, every_page
from tests.support.stories import Street
from tests.support.visitor import PHONE, WIDE, Visitor
from workflows.models import Workflow

pytestmark = pytest.mark.browser
PAGES = [
    Page(page.route, State())
    for page in every_page()
    if page.state == State() and page.route.name.startswith(("dashboard:", "workflows:"))
]
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 10


@pytest.fixture(scope="module")
def visitor(
    browser: Any, web: str, street: Street, django_db_blocker: Any, private_key: rsa.RSAPrivateKey
) -> Iterator[Visitor]:
    """Somebody who opens a project in which every name is as long as it may be."""
    with django_db_blocker.unblock():
        olivia = street.people["olivia"]
        assert olivia
        words = ("id", "name", "email", "site_id", "site", "meta", "setting", "external_id")
        account = dict.fromkeys(words, LONG[:200]) | {"url": f"https://{LONG[:200]}.test"}
        house = build(LONG[:80], olivia, private_key, account)
        ConnectedUser.objects.filter(project=house.project).update(sub=LONG[:255], meta={"Name": LONG, LONG[:60]: LONG})
        Workflow.objects.filter(project=house.project).update(name=LONG[:120], description=LONG)
        Event.objects.filter(project=house.project).update(subject=LONG[:200], reason=LONG[:200], sub=LONG[:255])
        member = User.objects.create_user(f"{LONG[:50]}@acme.test", first_name=LONG[:100])
        Member.objects.create(project=house.project, user=member, role=Member.Role.SUPPORT)
        house.project.signing_keys.update(name=LONG[:80])
        house.project.api_keys.update(name=LONG[:80])
        visitor = Visitor(browser, web, replace(street, houses={**street.houses, "full": house}, clients={}))
        yield visitor
        visitor.close()
        # Others on the street see nothing of it from here on.
        house.project.members.all().delete()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_name_widens_the_page(page: Page, visitor: Visitor) -> None:
    tab = visitor.open(page)
    tab.evaluate(WALK)

    tab.set_viewport_size(WIDE)
    wide = tab.evaluate("() => look.wider()")
    tab.set_viewport_size(PHONE)
    narrow = tab.evaluate("() => look.wider()")

    assert wide + narrow == []
