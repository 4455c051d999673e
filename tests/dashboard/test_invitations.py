"""An owner invites an address; whoever reads its mail accepts, by signing in or by making an account."""

import re
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from integrations import clock
from integrations.dashboard import invitations
from integrations.models import AuditEntry, Invitation, Member, Project, User
from tests.dashboard.conftest import PASSWORD, text, url

pytestmark = pytest.mark.django_db
GOOD_PASSWORD = "a fine long password"


@pytest.fixture
def mails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.dashboard.smtp_like.EmailBackend"


def invite(client: Client, project: Project, email: str = "carol@example.com", role: str = "admin") -> Any:
    return client.post(url("invite", project.pk), {"email": email, "role": role})


def path_in(words: str) -> str:
    found = re.search(r"http://\S+(/accounts/invitations/[\w-]+/)", words)
    assert found
    return found.group(1)


def join(client: Client, path: str, **fields: str) -> Any:
    """Open the link of an invitation and make an account on the page that it leads to."""
    client.get(path)
    address = reverse("join", args=[Invitation.objects.get().pk])
    return client.post(address, {"name": "Carol", "password": GOOD_PASSWORD} | fields)


# The owner's side -----------------------------------------------------------------------------------------------------


def test_the_link_is_mailed_to_the_address_and_shown_to_nobody(mails: None, as_alice: Client, project: Project) -> None:
    response = invite(as_alice, project)
    page = as_alice.get(response["Location"])

    assert [message.to for message in mail.outbox] == [["carol@example.com"]]
    assert "alice@example.com invites you" in mail.outbox[0].body
    assert path_in(mail.outbox[0].body) not in text(page)
    assert "The invitation is on its way to carol@example.com." in text(page)


def test_without_a_mail_server_the_owner_hands_the_link_over(as_alice: Client, project: Project) -> None:
    response = invite(as_alice, project)

    assert "Hand this link to carol@example.com" in text(response)
    assert "no-store" in response["Cache-Control"]
    assert mail.outbox == []


def test_a_link_that_could_not_be_mailed_is_handed_over(
    mails: None, as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise SMTPException

    monkeypatch.setattr("integrations.dashboard.invitations.send_mail", refuse)

    assert "It could not be mailed" in text(invite(as_alice, project))


def test_the_database_does_not_hold_the_link(as_alice: Client, project: Project) -> None:
    path = path_in(text(invite(as_alice, project)))

    assert Invitation.objects.get().token_hash not in path


def test_who_is_invited_is_listed_and_noted(as_alice: Client, project: Project) -> None:
    invite(as_alice, project)

    assert "carol@example.com" in text(as_alice.get(url("members", project.pk)))
    assert AuditEntry.objects.get().detail == "carol@example.com as admin"
    assert not User.objects.filter(email="carol@example.com").exists()


def test_an_admin_invites_nobody_and_sees_nobody_invited(as_alice: Client, as_bob: Client, project: Project) -> None:
    invite(as_alice, project)

    assert invite(as_bob, project, "dora@example.com").status_code == 403
    assert "carol@example.com" not in text(as_bob.get(url("members", project.pk)))


def test_a_member_is_not_invited(as_alice: Client, project: Project, bob: User) -> None:
    response = invite(as_alice, project, "Bob@Example.com")

    assert response.context["form"].errors["email"] == ["This person is a member already."]


def test_the_same_person_twice_is_said_at_the_field(as_alice: Client, project: Project) -> None:
    invite(as_alice, project)

    response = invite(as_alice, project)

    assert "invited already" in response.context["form"].errors["email"][0]


def test_nonsense_for_an_address_is_kept_and_marked(as_alice: Client, project: Project) -> None:
    response = invite(as_alice, project, "not an address")

    assert 'value="not an address"' in text(response)
    assert "email" in response.context["form"].errors


def test_invitations_do_not_pile_up(as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST", 1)
    invite(as_alice, project)

    response = invite(as_alice, project, "dora@example.com")

    assert response.context["form"].errors["email"] == ["There are 1 invitations. Withdraw some of them first."]


def test_sent_again_the_link_before_no_longer_works(as_alice: Client, project: Project, client: Client) -> None:
    first = path_in(text(invite(as_alice, project)))
    again = as_alice.post(url("send_invitation_again", project.pk, Invitation.objects.get().pk))

    assert client.get(first).status_code == 410
    assert client.get(path_in(text(again))).status_code == 302


def test_whoever_had_opened_the_link_before_cannot_use_it_either(
    as_alice: Client, project: Project, client: Client
) -> None:
    client.get(path_in(text(invite(as_alice, project))))
    as_alice.post(url("send_invitation_again", project.pk, Invitation.objects.get().pk))

    assert client.get(reverse("invitations")).status_code == 410


def test_a_withdrawn_invitation_opens_nothing(as_alice: Client, project: Project, client: Client) -> None:
    path = path_in(text(invite(as_alice, project)))
    client.get(path)
    as_alice.post(url("withdraw_invitation", project.pk, Invitation.objects.get().pk))

    assert client.get(path).status_code == 410
    assert client.get(reverse("invitations")).status_code == 410


def test_after_a_week_it_has_expired(as_alice: Client, project: Project, client: Client) -> None:
    path = path_in(text(invite(as_alice, project)))
    Invitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert client.get(path).status_code == 410
    assert "Expired" in text(as_alice.get(url("members", project.pk)))


# Somebody new ---------------------------------------------------------------------------------------------------------


def test_somebody_new_makes_an_account_and_is_in(as_alice: Client, project: Project, client: Client) -> None:
    response = join(client, path_in(text(invite(as_alice, project))))
    page = client.get(response["Location"])

    assert response["Location"] == url("overview", project.pk)
    assert "Welcome to Acme Tasks." in text(page)
    assert Member.objects.get(user__email="carol@example.com").role == "admin"
    assert not Invitation.objects.exists()


def test_the_page_says_who_invites_to_what(as_alice: Client, project: Project, client: Client) -> None:
    page = client.get(path_in(text(invite(as_alice, project))), follow=True)

    assert "Join Acme Tasks" in text(page)
    assert "alice@example.com invites you" in text(page)
    assert page.redirect_chain[-1][0] == "/accounts/invitations/"


def test_a_weak_password_is_said_at_the_field(as_alice: Client, project: Project, client: Client) -> None:
    response = join(client, path_in(text(invite(as_alice, project))), password="carol")

    assert "too short" in text(response)
    assert 'value="Carol"' in text(response)
    assert not User.objects.filter(email="carol@example.com").exists()


def test_a_mailed_link_proves_the_address(mails: None, as_alice: Client, project: Project, client: Client) -> None:
    invite(as_alice, project)

    join(client, path_in(mail.outbox[0].body))

    assert User.objects.get(email="carol@example.com").has_proven_email


def test_a_link_that_was_handed_over_proves_nothing(as_alice: Client, project: Project, client: Client) -> None:
    join(client, path_in(text(invite(as_alice, project))))

    assert not User.objects.get(email="carol@example.com").has_proven_email


def test_it_works_once(as_alice: Client, project: Project, client: Client) -> None:
    path = path_in(text(invite(as_alice, project)))
    join(client, path)

    assert Client().get(path).status_code == 410


def test_of_two_who_press_at_once_one_is_in(project: Project, alice: User) -> None:
    invitation, _ = invitations.invite(project, "carol@example.com", "admin", alice)
    invitations.join(invitation, "Carol", GOOD_PASSWORD)

    with pytest.raises(invitations.InvitationRefused, match="used or withdrawn meanwhile"):
        invitations.join(invitation, "Mallory", "the password of Mallory")

    assert User.objects.get(email="carol@example.com").get_full_name() == "Carol"


def test_nobody_accepts_what_they_have_no_link_to(as_alice: Client, project: Project, client: Client) -> None:
    invite(as_alice, project)
    address = reverse("join", args=[Invitation.objects.get().pk])

    response = client.post(address, {"name": "Mallory", "password": GOOD_PASSWORD})

    assert response.status_code == 404
    assert Member.objects.count() == 2


# Somebody with an account ---------------------------------------------------------------------------------------------


def test_somebody_with_an_account_signs_in_and_accepts(
    as_alice: Client, project: Project, stranger: User, client: Client
) -> None:
    page = client.get(path_in(text(invite(as_alice, project, stranger.email, "support"))), follow=True)
    signed_in = client.post(
        "/accounts/login/", {"login": stranger.email, "password": PASSWORD, "next": "/accounts/invitations/"}
    )
    response = client.post(reverse("accept_invitation", args=[Invitation.objects.get().pk]))

    assert "Sign in to accept" in text(page)
    assert signed_in["Location"] == "/accounts/invitations/"
    assert response["Location"] == url("overview", project.pk)
    assert Member.objects.get(user=stranger).role == "support"
    assert [AuditEntry.objects.first().action, AuditEntry.objects.first().actor] == ["member added", stranger]  # type: ignore[union-attr]


def test_its_link_does_not_set_the_password_of_an_account(
    as_alice: Client, project: Project, stranger: User, client: Client
) -> None:
    join(client, path_in(text(invite(as_alice, project, stranger.email))))

    assert client.login(email=stranger.email, password=PASSWORD)
    assert not Member.objects.filter(user=stranger).exists()


def test_an_account_that_nobody_used_yet_goes_to_the_invited_person(
    as_alice: Client, project: Project, client: Client
) -> None:
    made = User.objects.create_user("carol@example.com")

    join(client, path_in(text(invite(as_alice, project))))

    assert Member.objects.get(user=made).role == "admin"
    assert client.login(email=made.email, password=GOOD_PASSWORD)


def test_an_account_that_opens_another_project_does_not(as_alice: Client, project: Project, client: Client) -> None:
    made = User.objects.create_user("carol@example.com")
    Member.objects.create(project=Project.objects.create(name="Elsewhere"), user=made)

    join(client, path_in(text(invite(as_alice, project))))

    assert not User.objects.get(pk=made.pk).has_usable_password()
    assert not Member.objects.filter(project=project, user=made).exists()


def test_it_is_for_the_invited_person_only(as_alice: Client, project: Project, as_stranger: Client) -> None:
    page = as_stranger.get(path_in(text(invite(as_alice, project))), follow=True)

    as_stranger.post(reverse("accept_invitation", args=[Invitation.objects.get().pk]))

    assert "You are signed in as stranger@example.com" in text(page)
    assert not Member.objects.filter(user__email="stranger@example.com").exists()


def test_who_declines_is_no_longer_invited(as_alice: Client, project: Project, client: Client) -> None:
    client.get(path_in(text(invite(as_alice, project))))

    client.post(reverse("decline_invitation", args=[Invitation.objects.get().pk]))

    assert not Invitation.objects.exists()
    assert AuditEntry.objects.first().action == "invitation declined"  # type: ignore[union-attr]


def test_who_is_a_member_meanwhile_keeps_the_role(
    as_alice: Client, project: Project, stranger: User, signed_in: Callable[[User], Client]
) -> None:
    path = path_in(text(invite(as_alice, project, stranger.email, "support")))
    Member.objects.create(project=project, user=stranger, role="admin")
    client = signed_in(stranger)
    client.get(path)

    client.post(reverse("accept_invitation", args=[Invitation.objects.get().pk]))

    assert Member.objects.get(user=stranger).role == "admin"


def test_the_token_is_not_in_the_address_that_others_get_to_see(client: Client, project: Project, alice: User) -> None:
    _, link = invitations.invite(project, "carol@example.com", "admin", alice)

    response = client.get(urlsplit(link).path)

    assert response["Location"] == "/accounts/invitations/"
    assert response["Referrer-Policy"] == "same-origin"
