import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from integrations.models import AuditEntry, Member, Project, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


def link_in(response: Any) -> str:
    found = re.search(r"data-copy=\"http://[^/]+(/accounts/password/reset/key/[^\"]+)\"", text(response))
    assert found
    return found.group(1)


def add(client: Client, project: Project, email: str = "carol@example.com", role: str = "admin") -> Any:
    return client.post(url("members", project.pk), {"email": email, "role": role})


def test_someone_new_gets_a_link_that_sets_their_password(as_alice: Client, project: Project, client: Client) -> None:
    response = add(as_alice, project)
    page = client.get(link_in(response), follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": "a fine long password", "password2": "a fine long password"})

    assert "no-store" in response["Cache-Control"]
    assert client.login(email="carol@example.com", password="a fine long password")
    assert Member.objects.get(user__email="carol@example.com").role == "admin"


def test_someone_with_an_account_gets_no_link(as_alice: Client, project: Project, stranger: User) -> None:
    response = add(as_alice, project, "Stranger@Example.com")

    assert response.status_code == 302
    assert Member.objects.filter(project=project, user=stranger).exists()


def test_the_same_person_twice_is_said_at_the_field(as_alice: Client, project: Project, bob: User) -> None:
    response = add(as_alice, project, bob.email)

    assert response.context["form"].errors["email"] == ["This person is a member already."]


def test_nonsense_for_an_address_is_kept_and_marked(as_alice: Client, project: Project) -> None:
    response = add(as_alice, project, "not an address")

    assert 'value="not an address"' in text(response)
    assert "email" in response.context["form"].errors


def test_the_link_is_mailed_where_mail_is_configured(as_alice: Client, project: Project, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    add(as_alice, project, "unmailed@example.com")
    settings.EMAIL_BACKEND = "tests.dashboard.smtp_like.EmailBackend"

    response = add(as_alice, project)

    assert [message.to for message in mail.outbox] == [["carol@example.com"]]
    assert link_in(response) in mail.outbox[0].body
    assert "It was mailed as well" in text(response)


def test_an_admin_sees_the_members_and_changes_none(as_bob: Client, project: Project) -> None:
    page = as_bob.get(url("members", project.pk))

    assert "alice@example.com" in text(page)
    assert "Add a member" not in text(page)
    assert add(as_bob, project).status_code == 403
    assert Member.objects.count() == 2


@pytest.mark.parametrize("name", ["change_role", "remove_member", "member_link"])
def test_an_admin_cannot_use_an_owners_buttons(name: str, as_bob: Client, project: Project, alice: User) -> None:
    member = Member.objects.get(user=alice)

    response = as_bob.post(url(name, project.pk, member.pk), {"role": "admin"})

    assert response.status_code == 403
    assert "Only an owner" in text(response)
    assert Member.objects.get(pk=member.pk).role == "owner"


def test_an_owner_makes_another_owner(as_alice: Client, project: Project, bob: User) -> None:
    as_alice.post(url("change_role", project.pk, Member.objects.get(user=bob).pk), {"role": "owner"})

    assert Member.objects.get(user=bob).role == "owner"
    assert AuditEntry.objects.get().detail == "bob@example.com is owner"


def test_the_last_owner_stays_owner(as_alice: Client, project: Project, alice: User) -> None:
    member = Member.objects.get(user=alice)
    as_alice.post(url("change_role", project.pk, member.pk), {"role": "admin"})

    response = as_alice.post(url("remove_member", project.pk, member.pk), follow=True)

    assert "A project needs an owner" in text(response)
    assert Member.objects.get(user=alice).role == "owner"


def test_a_role_that_does_not_exist_is_refused(as_alice: Client, project: Project, bob: User) -> None:
    as_alice.post(url("change_role", project.pk, Member.objects.get(user=bob).pk), {"role": "emperor"})

    assert Member.objects.get(user=bob).role == "admin"


def test_removing_asks_and_then_locks_out(as_alice: Client, as_bob: Client, project: Project, bob: User) -> None:
    address = url("remove_member", project.pk, Member.objects.get(user=bob).pk)
    assert "lose access to this project at once" in text(as_alice.get(address))

    as_alice.post(address)

    assert as_bob.get(url("integrations", project.pk)).status_code == 404


def test_who_leaves_is_led_home(as_alice: Client, project: Project, alice: User, bob: User) -> None:
    Member.objects.filter(user=bob).update(role="owner")

    response = as_alice.post(url("remove_member", project.pk, Member.objects.get(user=alice).pk))

    assert response["Location"] == "/"


def test_a_new_link_is_made_for_someone_who_has_no_password_yet(as_alice: Client, project: Project) -> None:
    add(as_alice, project)
    member = Member.objects.get(user__email="carol@example.com")

    response = as_alice.post(url("member_link", project.pk, member.pk))

    assert link_in(response)


def test_no_link_is_made_for_someone_who_signs_in_already(as_alice: Client, project: Project, bob: User) -> None:
    response = as_alice.post(url("member_link", project.pk, Member.objects.get(user=bob).pk), follow=True)

    assert "resets the password on the sign-in page" in text(response)


def test_a_link_would_open_only_ones_own_projects(as_alice: Client, project: Project) -> None:
    add(as_alice, project)
    member = Member.objects.get(user__email="carol@example.com")
    Member.objects.create(project=Project.objects.create(name="Elsewhere"), user=member.user)

    response = as_alice.post(url("member_link", project.pk, member.pk), follow=True)

    assert "password/reset/key" not in text(response)
