from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0054_audit_by_actor")]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("last_id", models.BigIntegerField()),
                ("count", models.PositiveIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="audit_seals", to="integrations.project"
                    ),
                ),
            ],
            options={
                "ordering": ["-last_id"],
                "constraints": [models.UniqueConstraint(fields=("project", "last_id"), name="one_seal_an_entry")],
            },
        )
    ]
