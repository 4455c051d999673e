from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0075_call_said")]

    operations = [
        migrations.AddField(
            "project", "audit_end", models.CharField(blank=True, default="", editable=False, max_length=64)
        )
    ]
