"""A connected user, workflows for them, and a worker without a broker: the same tasks, called by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from integrations.models import Connection, Event, Integration
from tests.integrations.conftest import Window, alice, jira, mallory, window_of
from tests.support.sandbox import Sandbox
from workflows import deploy, dispatch, engine, settings
from workflows.models import Run, StepRun, Workflow

__all__ = ["alice", "jira", "mallory", "window_of"]


@pytest.fixture
def connection(alice: Window) -> Connection:
    """Alice's Jira: Ada Park's account at Acme."""
    made = alice.connect()
    Event.objects.all().delete()
    return Connection.objects.select_related("integration__project", "grant", "user", "project").get(pk=made.pk)


@pytest.fixture
def lent(jira: Integration) -> Connection:
    """A connection that nothing is asked of: for steps that do not talk to the provider."""
    user = jira.project.connected_users.create(sub="alice", meta={"Name": "Alice"})
    grant = jira.project.grants.create(app=jira.oauth_app, account_id="ada", account_name="Ada Park")
    return Connection.objects.create(
        project=jira.project, integration=jira, user=user, grant=grant, site_id="s1", site_name="Acme"
    )


@dataclass
class Worker:
    """Does what a worker and the sweeper do, in this process."""

    integration: Integration
    made: list[Workflow] = field(default_factory=list)

    def workflow(self, *steps: dict[str, Any], trigger: dict[str, Any] | None = None, **more: Any) -> Workflow:
        """Return a deployed workflow that begins with the app event “go”."""
        draft = {"trigger": trigger or {"type": "event", "name": "go"}, "steps": list(steps), "settings": []} | more
        workflow = Workflow.objects.create(
            project=self.integration.project, integration=self.integration, name=f"Flow {len(self.made)}", draft=draft
        )
        deploy.deploy(workflow, "test")
        self.made.append(workflow)
        return workflow

    def switch_on(self, workflow: Workflow, connection: Connection, **chosen: Any) -> None:
        row = settings.switch(workflow, connection, on=True)
        row.settings = chosen
        row.save()

    def send(self, connection: Connection, payload: Any = None, name: str = "go") -> Event:
        event = dispatch.record(connection.project_id, "app", name, payload or {}, sub=connection.user.sub)
        dispatch.dispatch(event.pk)
        event.refresh_from_db()
        return event

    def work(self) -> None:
        """Carry every run that is due, until none is to be had."""
        for _ in range(200):
            due = list(Run.objects.due().order_by("pk").values_list("pk", flat=True))
            if not [run for pk in due if (run := engine.advance(pk))]:
                return
        raise AssertionError("runs are due for ever")

    def run(self, *steps: dict[str, Any], connection: Connection, payload: Any = None, **more: Any) -> Run:
        """Deploy these steps, switch them on, send the event, work; return the run."""
        name = f"go {len(self.made)}"
        workflow = self.workflow(*steps, trigger={"type": "event", "name": name}, **more)
        self.switch_on(workflow, connection)
        self.send(connection, payload, name)
        self.work()
        return Run.objects.get(workflow=workflow)

    @staticmethod
    def later(seconds: float = 1000) -> None:
        """Let time pass for everything that waits."""
        past = timedelta(seconds=seconds)
        Run.objects.filter(wake_at__isnull=False).update(wake_at=F("wake_at") - past)
        Run.objects.filter(lease_until__isnull=False).update(lease_until=F("lease_until") - past)
        StepRun.objects.filter(wake_at__isnull=False).update(wake_at=F("wake_at") - past)
        Connection.objects.filter(not_before__isnull=False).update(not_before=Now() - past)

    @staticmethod
    def step(run: Run, path: str, iteration: str = "") -> StepRun:
        return StepRun.objects.get(run=run, path=path, iteration=iteration)


@pytest.fixture
def worker(jira: Integration) -> Worker:
    return Worker(jira)


@pytest.fixture
def effects(sandbox: Sandbox) -> Callable[..., list[dict[str, Any]]]:
    """effects("issue_created") lists what the provider's clients really changed."""

    def read(kind: str) -> list[dict[str, Any]]:
        return [row for row in sandbox.operate("state", method="GET")["ledger"] if row["effect"] == kind]

    return read


def action(slug: str, step_id: str = "", **given: Any) -> dict[str, Any]:
    """A step that does an action of Jira."""
    more = {key: given.pop(key) for key in ("retry", "continue_on_error") if key in given}
    return {"id": step_id or slug, "type": "action", "action": slug, "input": given} | more


def values(step_id: str = "made", **given: Any) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in given.items()]
    return {"id": step_id, "type": "values", "input": {"values": pairs}}
