import json
from typing import Any

from django.conf import settings
from django.db import migrations
from django.utils.crypto import salted_hmac


def mark(apps: Any, schema_editor: Any) -> None:
    """Mark the entries of before: what they say now is what they are held to."""
    entries = apps.get_model("integrations", "AuditEntry").objects
    for entry in entries.filter(mark="").iterator():
        said = [entry.actor_name, entry.action, entry.detail, entry.before, entry.after, entry.ip, entry.at.isoformat()]
        text = json.dumps([str(entry.project_id), *said], sort_keys=True)
        digest = salted_hmac("patchbay.audit", text, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()
        entries.filter(pk=entry.pk).update(mark=digest)


class Migration(migrations.Migration):
    dependencies = [("integrations", "0051_audit_at")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
