"""The manual at /docs/: everybody reads every page, and every link in it leads somewhere."""

import os
import re
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from django.test import Client
from django.urls import reverse

from integrations import providers
from integrations.docs import pages, reference
from integrations.models import Member, Project, User
from tests.support.processes import ROOT

ADDRESSES = ["/docs/", "/docs/search", *(page.url for page in pages.PAGES.values())]
ADDRESSES += [group.url for group in reference.groups()]
LINK = re.compile(r'(?:href|src)="([^"]+)"')
MOST_BYTES = 100_000


def read(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return str(response.content.decode())


@pytest.mark.parametrize("address", ADDRESSES)
def test_everybody_reads_it(address: str, client: Client) -> None:
    """Without a database even: it is what one needs when nothing works."""
    page = read(client, address)

    assert page.count("<h1") == 1
    assert len(page.encode()) < MOST_BYTES


def test_every_link_and_anchor_leads_somewhere(client: Client) -> None:
    dead = {}
    for address in ADDRESSES:
        links = (urljoin(address, unescape(link)) for link in LINK.findall(read(client, address)))
        if lost := [link for link in sorted(set(links)) if link.startswith("/docs") and not leads_somewhere(link)]:
            dead[address] = lost
    assert dead == {}


def leads_somewhere(link: str) -> bool:
    path, anchor = urldefrag(link)
    body = found_at(path)
    return body is not None and (not anchor or f'id="{anchor}"'.encode() in body)


@cache
def found_at(path: str) -> bytes | None:
    """Return what is there. Pages of the manual are the same for everybody."""
    response = Client().get(path)
    body = response.getvalue()
    return body if response.status_code in (200, 301) else None


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_two_things_on_a_page_have_one_name(address: str, client: Client) -> None:
    ids = re.findall(r'\bid="([^"]+)"', read(client, address))

    assert sorted(ids) == sorted(set(ids))


def test_every_file_is_a_page_of_the_menu() -> None:
    """Except what GitHub shows of a folder."""
    files = {file for file in (ROOT / "docs").glob("**/*.md") if file.name != "README.md"}

    assert files <= {page.file for page in pages.written()}


def test_the_index_of_the_repository_has_every_page_too() -> None:
    index = pages.INDEX.read_text()

    assert [page.slug for page in pages.written() if f"{page.file.name})" not in index] == []  # type: ignore[union-attr]


@pytest.mark.parametrize("name", pages.FILES)
def test_files_beside_pages_are_served(name: str, client: Client) -> None:
    response = client.get(f"/docs/{name}")

    assert response.getvalue() == pages.FILES[name].read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "../manage.py",
        "%2e%2e/manage.py",
        "security/../../manage.py",
        "README.md",
        "quick-start.md",
        "/etc/passwd",
        "examples/",
        "reference",
        "quick-start/",
        "%00",
        "api/nothing",
    ],
)
def test_nothing_else_is_served(path: str, client: Client) -> None:
    response = client.get(f"/docs/{path}")

    assert response.status_code == 404
    assert b"SECRET" not in response.content


def test_an_address_that_is_almost_right_is_helped_on(client: Client) -> None:
    page = client.get("/docs/deploy.md").content.decode()

    assert "There is no such page" in page
    assert 'href="/docs/deployment#' in page


def test_the_way_to_the_next_page_is_below(client: Client) -> None:
    page = read(client, "/docs/concepts")

    assert re.search(r'href="/docs/quick-start" rel="prev"', page)
    assert re.search(r'href="/docs/sdk" rel="next"', page)


def test_the_page_one_is_on_is_marked(client: Client) -> None:
    assert '<a href="/docs/sdk" aria-current="page">SDK</a>' in read(client, "/docs/sdk")


@pytest.mark.django_db
def test_a_member_keeps_the_way_back_to_their_projects(client: Client) -> None:
    olivia = User.objects.create_user("olivia@acme.test", "correct horse battery")
    project = Project.objects.create(name="Acme Tasks")
    Member.objects.create(project=project, user=olivia, role=Member.Role.OWNER)
    client.force_login(olivia)

    page = read(client, "/docs/sdk")

    assert reverse("dashboard:overview", args=[project.pk]) in page
    assert 'href="/docs/"' in client.get(reverse("dashboard:overview", args=[project.pk])).content.decode()


def test_a_page_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# Before")
    before = pages.content_of(file).title

    file.write_text("# After")
    os.utime(file, ns=(1, 1))

    assert (before, pages.content_of(file).title) == ("Before", "After")


FROM_THE_DASHBOARD = [
    (file.relative_to(ROOT), *found)
    for file in (ROOT / "templates").glob("**/*.html")
    for found in re.findall(r'\{% url "docs:page" "?([\w./-]+)"? %\}(#[\w-]+)?', file.read_text())
]


@pytest.mark.parametrize(("template", "slug", "anchor"), FROM_THE_DASHBOARD, ids=str)
def test_a_link_from_the_dashboard_finds_its_place(template: Path, slug: str, anchor: str, client: Client) -> None:
    slugs = providers.SLUGS if slug.endswith("provider.slug") else [slug]

    assert all(leads_somewhere(f"/docs/{each}{anchor}") for each in slugs)
