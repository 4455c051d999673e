"""Tell a project's people that runs failed: by e-mail, and by a webhook signed as Standard Webhooks has it.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import json
import logging
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db.models.functions import Now
from django.template.loader import render_to_string

from integrations import clock, http
from integrations.errors import ProviderError
from integrations.models import Connection, Project
from integrations.vault import VaultError
from workflows.models import AlertRule, Run

logger = logging.getLogger(__name__)

# Failures within this time are told of together, and after a message there is peace for a while.
BURST_SECONDS = 20
PEACE_SECONDS = 300
SHOWN = 20
SUBJECTS = {
    "runs.failed": "workflow runs failed",
    "trigger.silent": "a trigger fell silent",
    "test": "a test of alerts",
}


class AlertFailed(Exception):
    """A message did not leave by every way. The words say why."""

    def __init__(self, words: str, *, reached_nobody: bool) -> None:
        super().__init__(words)
        self.reached_nobody = reached_nobody


def note(run: Run) -> None:
    """Have an alert sent in a moment, unless one is due already or nobody wants any."""
    rule = AlertRule.objects.filter(project=run.project_id).first()
    if rule is None or not rule.is_on or rule.due_at is not None:
        return
    wait = BURST_SECONDS
    if rule.sent_at is not None:
        since = (clock.now() - rule.sent_at).total_seconds()
        wait = max(wait, int(PEACE_SECONDS - since))
    AlertRule.objects.filter(pk=rule.pk, due_at=None).update(due_at=Now() + timedelta(seconds=wait))


def send(project_id: uuid.UUID) -> None:
    """Send the alert that is due, once."""
    rule = AlertRule.objects.due().filter(project=project_id).select_related("project").first()
    if rule is None or not AlertRule.objects.due().filter(pk=rule.pk).update(due_at=None, sent_at=Now()):
        return
    runs = Run.objects.filter(project=project_id, status__in=Run.BAD, alerted_at=None, is_test=False)
    recent = runs.filter(ended_at__gt=Now() - timedelta(days=1)).select_related("workflow")
    found = list(recent[: SHOWN + 1])
    if not found:
        return
    rules = AlertRule.objects.filter(pk=rule.pk)
    try:
        deliver(rule, message(rule, found))
    except AlertFailed as failure:
        logger.warning("an alert of project %s did not leave: %s", project_id, failure)
        rules.update(last_error=str(failure)[:300])
        if failure.reached_nobody:
            # Until somebody is told, or the failures are a day old.
            rules.filter(due_at=None).update(due_at=Now() + timedelta(seconds=PEACE_SECONDS))
            return
    else:
        rules.update(last_error="")
    recent.update(alerted_at=Now())


def warn(connection: Connection, words: str) -> None:
    """Tell a project's people at once that something about a connection needs their eyes."""
    rule = AlertRule.objects.filter(project=connection.project_id).select_related("project").first()
    if rule is None or not rule.is_on:
        return
    found = message(rule, [])
    url = f"{settings.PUBLIC_URL}/p/{rule.project_id}/connections/{connection.pk}"
    about = {"id": str(connection.pk), "user": connection.user.sub, "name": str(connection), "url": url}
    found |= {"type": "trigger.silent", "data": found["data"] | {"note": words, "connection": about, "url": url}}
    try:
        deliver(rule, found)
    except AlertFailed as failure:
        AlertRule.objects.filter(pk=rule.pk).update(last_error=str(failure)[:300])
        logger.warning("an alert of project %s did not leave: %s", rule.project_id, failure)


def message(rule: AlertRule, runs: list[Run]) -> dict[str, Any]:
    """Return what the webhook is told; the e-mail is written from it."""
    base = f"{settings.PUBLIC_URL}/p/{rule.project_id}/runs"
    return {
        "type": "runs.failed",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {
            "project": {"id": str(rule.project_id), "name": rule.project.name},
            "count": len(runs) if len(runs) <= SHOWN else f"more than {SHOWN}",
            "url": f"{base}?status=bad",
            "runs": [
                {
                    "id": str(run.pk),
                    "workflow": run.workflow.name,
                    "user": run.sub,
                    "status": run.status,
                    "reason": run.reason,
                    "url": f"{base}/{run.pk}",
                }
                for run in runs[:SHOWN]
            ],
        },
    }


def test_message(rule: AlertRule) -> dict[str, Any]:
    """Return a message that says it is only a test."""
    found = message(rule, [])
    return found | {"type": "test", "data": found["data"] | {"note": "This is a test. Nothing failed."}}


def deliver(rule: AlertRule, content: dict[str, Any]) -> None:
    """Send a message to everyone the rule names. Raises AlertFailed naming what did not work."""
    failures = []
    if rule.emails:
        failures.append(_mail(rule, content))
    if rule.webhook_url:
        failures.append(_post(rule, content))
    words = " ".join(failure for failure in failures if failure)
    if words:
        raise AlertFailed(words, reached_nobody="" not in failures)


def _mail(rule: AlertRule, content: dict[str, Any]) -> str:
    subject = f"[Patchbay] {rule.project.name}: {SUBJECTS[content['type']]}"
    text = render_to_string("workflows/email/alert.txt", {"content": content["data"], "type": content["type"]})
    try:
        send_mail(" ".join(subject.split()), text, None, rule.emails)
    except (SMTPException, OSError) as error:
        return f"The e-mail did not leave ({type(error).__name__})."
    return ""


def _post(rule: AlertRule, content: dict[str, Any]) -> str:
    body = json.dumps(content).encode()
    try:
        headers = signed_headers(rule.open("webhook_secret"), body)
        answer = http.send_out("POST", rule.webhook_url, headers=headers, body=body)
        answer.close()
    except (ProviderError, VaultError) as error:
        return f"The webhook did not arrive: {error}"
    return "" if answer.status < 300 else f"The webhook's address answers {answer.status}."


def new_secret() -> str:
    """Return a signing secret as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def signed_headers(secret: str, body: bytes, *, message_id: str = "", at: int = 0) -> dict[str, str]:
    """Return the three headers by which the receiver knows that a message is ours, and new."""
    message_id, moment = message_id or f"msg_{secrets.token_hex(12)}", str(at or int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{message_id}.{moment}.".encode() + body, sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def copy(source: Project, target: Project) -> list[str]:
    """Have the same people told in another project. Its webhook stays its own: see `left_behind`."""
    rule = AlertRule.objects.filter(project=source).first()
    if rule is None or not rule.emails:
        return []
    own, _ = AlertRule.objects.get_or_create(project=target)
    if own.emails == rule.emails:
        return []
    own.emails = rule.emails
    own.save(update_fields=["emails"])
    return [f"Alerts are mailed to {', '.join(rule.emails)}"]


def left_behind(source: Project, target: Project) -> list[str]:
    """Return what to do about a webhook that only the source has.

    Its signing secret is not shared, and without it the receiver would refuse what the other project sends.
    """
    called = AlertRule.objects.exclude(webhook_url="")
    if not called.filter(project=source).exists() or called.filter(project=target).exists():
        return []
    return [
        f"The webhook of the alerts stays behind, with its signing secret: enter an address in Settings › Alerts of"
        f" {target}, which then gets a secret of its own."
    ]
