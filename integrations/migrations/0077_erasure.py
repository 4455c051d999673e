import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0076_project_audit_end")]

    operations = [
        migrations.CreateModel(
            "Erasure",
            [
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sub", models.CharField(max_length=255, verbose_name="user ID")),
                ("before", models.DateTimeField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="erasures",
                        to="integrations.project",
                    ),
                ),
            ],
        )
    ]
