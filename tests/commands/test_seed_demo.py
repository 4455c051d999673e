"""Made-up rows: they add up, and only a local deployment takes them."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from integrations import audit
from integrations.models import Project
from workflows.models import Run

pytestmark = pytest.mark.django_db


def test_it_fills_a_project_with_what_was_asked_for() -> None:
    call_command("seed_demo", users=20, calls=300, project="Many", verbosity=0)

    project = Project.objects.get(name="Many")
    assert (project.connected_users.count(), project.calls.count(), project.events.count()) == (20, 300, 60)
    assert Run.objects.filter(project=project).exists()


def test_the_hours_of_the_charts_count_every_call() -> None:
    call_command("seed_demo", users=5, calls=300, project="Many", verbosity=0)

    project = Project.objects.get(name="Many")
    counted = project.call_hours.aggregate(calls=Sum("calls"), took=Sum("milliseconds"))
    assert counted == {"calls": 300, "took": project.calls.aggregate(took=Sum("milliseconds"))["took"]}


def test_a_second_time_adds_to_it() -> None:
    call_command("seed_demo", users=5, calls=10, project="Many", verbosity=0)
    call_command("seed_demo", users=5, calls=10, project="Many", verbosity=0)

    assert Project.objects.get(name="Many").connected_users.count() == 10


def test_its_audit_entries_are_as_good_as_others() -> None:
    call_command("seed_demo", users=5, calls=10, project="Many", verbosity=0)

    assert list(audit.broken()) == []


def test_a_public_deployment_refuses(settings: Any) -> None:
    settings.IS_LOCAL = False

    with pytest.raises(CommandError, match="local deployment"):
        call_command("seed_demo")

    assert not Project.objects.exists()
