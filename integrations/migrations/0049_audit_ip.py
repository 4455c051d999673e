from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0048_audit_after")]

    operations = [
        migrations.AddField("auditentry", "ip", models.CharField("address", blank=True, default="", max_length=45), preserve_default=False)
    ]
