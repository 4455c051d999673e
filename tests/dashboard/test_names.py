"""What people may call things and each other: what a database can hold, and what can be told apart by looking."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from integrations.models import Invitation, Project
from tests.dashboard.conftest import text, url
from workflows.models import AlertRule

pytestmark = pytest.mark.django_db
DOMAIN = ".".join(["d" * 60] * 4)
FULL = f"{'c' * 7}@{DOMAIN}.cc"  # 254 characters
TOO_LONG = f"c{FULL}"


def test_an_address_that_fills_the_column_is_invited(as_alice: Client, project: Project) -> None:
    as_alice.post(url("invite", project.pk), {"email": FULL, "role": "admin"})

    assert Invitation.objects.get().email == FULL


def test_a_longer_one_is_refused_at_the_field(as_alice: Client, project: Project) -> None:
    page = text(as_alice.post(url("invite", project.pk), {"email": TOO_LONG, "role": "admin"}))

    assert "at most 254 characters" in page
    assert not Invitation.objects.exists()


def test_alerts_go_to_no_longer_one_either(as_alice: Client, project: Project) -> None:
    page = text(as_alice.post(reverse("workflows:alerts", args=[project.pk]), {"emails": TOO_LONG}))

    assert "Line 1: An e-mail address has at most 254 characters." in page
    assert not AlertRule.objects.exists()


def test_the_first_owner_has_no_longer_one(db: Any) -> None:
    with pytest.raises(CommandError, match="at most 254 characters"):
        call_command("create_owner", TOO_LONG, link=True)
