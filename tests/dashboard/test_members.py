import pytest
from django.test import Client

from integrations.models import AuditEntry, Member, Project, User
from tests.dashboard.conftest import text, url

pytestmark = pytest.mark.django_db


def test_an_admin_sees_the_members_and_changes_none(as_bob: Client, project: Project) -> None:
    page = as_bob.get(url("members", project.pk))

    assert "alice@example.com" in text(page)
    assert "Invite somebody" not in text(page)


def test_two_members_of_one_name_are_told_apart(as_alice: Client, project: Project, bob: User) -> None:
    bob.first_name = "alice@example.com"
    bob.save()
    remove = url("remove_member", project.pk, Member.objects.get(user=bob).pk)

    assert "bob@example.com" in text(as_alice.get(url("members", project.pk)))
    assert "bob@example.com" in text(as_alice.get(remove))
    assert "bob@example.com" in text(as_alice.post(remove, follow=True))


@pytest.mark.parametrize("name", ["change_role", "remove_member"])
def test_an_admin_cannot_use_an_owners_buttons(name: str, as_bob: Client, project: Project, alice: User) -> None:
    member = Member.objects.get(user=alice)

    response = as_bob.post(url(name, project.pk, member.pk), {"role": "admin"})

    assert response.status_code == 403
    assert "This takes the role Owner, and yours in Acme Tasks is Admin." in text(response)
    assert Member.objects.get(pk=member.pk).role == "owner"


def test_an_owner_makes_another_owner(as_alice: Client, project: Project, bob: User) -> None:
    as_alice.post(url("change_role", project.pk, Member.objects.get(user=bob).pk), {"role": "owner"})

    assert Member.objects.get(user=bob).role == "owner"
    assert AuditEntry.objects.get().changes == [("Role", "admin", "owner")]


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
