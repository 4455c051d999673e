"""Settings › SDK: may this page use the SDK? The answer is that of the real check, and names the line to add."""

import pytest
from django.test import Client

from integrations.models import AuditEntry, Project
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(project: Project) -> Project:
    project.allowed_origins, project.return_urls = ["https://app.example.com"], ["https://app.example.com/done"]
    project.save()
    return project


def check(client: Client, project: Project, address: str) -> str:
    return text(client.post(url("test_page", project.pk), {"address": address}))


@pytest.mark.parametrize(
    "address",
    ["https://app.example.com", "https://APP.example.com:443/a?b=c#d", "  https://me:pw@app.example.com/settings "],
)
def test_any_page_of_an_allowed_origin_may(address: str, as_alice: Client, project: Project) -> None:
    assert "This origin is a line of the list below" in check(as_alice, project, address)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("http://app.example.com/a", "http://app.example.com"),
        ("https://app.example.com:8443/", "https://app.example.com:8443"),
        ("https://app.example.com.evil.test/", "https://app.example.com.evil.test"),
        ("https://Bücher.example/x", "https://xn--bcher-kva.example"),
    ],
)
def test_another_origin_is_told_with_the_line_to_add(
    address: str, line: str, as_alice: Client, project: Project
) -> None:
    page = check(as_alice, project, address)

    assert "No line below allows this origin" in page
    assert f'name="origin" value="{line}"' in page


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://app.example.com/", "differs from https://app.example.com in its scheme"),
        ("https://app.example.com:81/", "differs from https://app.example.com in its port"),
        ("https://www.app.example.com/", "by its “www.”"),
    ],
)
def test_a_near_miss_is_pointed_out(address: str, words: str, as_alice: Client, project: Project) -> None:
    assert words in check(as_alice, project, address)


def test_a_local_page_is_allowed_by_its_own_switch(as_alice: Client, project: Project) -> None:
    before = check(as_alice, project, "http://localhost:3000/x")
    Project.objects.update(allow_loopback_origins=True)

    assert "No line below" in before
    assert "By “Also allow every localhost" in check(as_alice, project, "http://localhost:3000/x")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("app.example.com", "from http:// or https:// on"),
        ("file:///home/me/index.html", "Serve it from a web server"),
        ("about:blank", "has no origin of its own"),
        ("https://a.test:99999/", "port that is not a number"),
        ("https://[::1/", "from http:// or https:// on"),
        ("", "This field is required"),
    ],
)
def test_what_is_no_page_is_said_at_the_field(address: str, words: str, as_alice: Client, project: Project) -> None:
    assert words in check(as_alice, project, address)


def test_a_return_url_counts_exactly_as_it_is(as_alice: Client, project: Project) -> None:
    assert "This address is registered" in check(as_alice, project, "https://app.example.com/done")
    assert "registered exactly as it is" in check(as_alice, project, "https://app.example.com/done/")


def test_one_click_adds_the_origin(as_alice: Client, project: Project) -> None:
    as_alice.post(url("allow_page", project.pk), {"origin": "https://www.example.com"})

    project.refresh_from_db()
    assert project.allowed_origins == ["https://app.example.com", "https://www.example.com"]
    assert project.return_urls == ["https://app.example.com/done"]
    assert AuditEntry.objects.get().action == "SDK settings changed"


def test_one_click_adds_a_return_url_with_its_origin(as_alice: Client, project: Project) -> None:
    new = {"origin": "https://www.example.com", "return_url": "https://www.example.com/back"}

    as_alice.post(url("allow_page", project.pk), new)

    project.refresh_from_db()
    assert project.allows_origin("https://www.example.com")
    assert project.return_urls[-1] == "https://www.example.com/back"


def test_adding_twice_adds_once(as_alice: Client, project: Project) -> None:
    as_alice.post(url("allow_page", project.pk), {"origin": "https://app.example.com"})

    project.refresh_from_db()
    assert project.allowed_origins == ["https://app.example.com"]


def test_nonsense_is_not_added(as_alice: Client, project: Project) -> None:
    response = as_alice.post(url("allow_page", project.pk), {"origin": "https://*.example.com"})

    project.refresh_from_db()
    assert "no wildcard" in text(response)
    assert project.allowed_origins == ["https://app.example.com"]
