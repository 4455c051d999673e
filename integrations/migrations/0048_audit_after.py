from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0047_audit_before")]

    operations = [
        migrations.AddField("auditentry", "after", models.JSONField(null=True))
    ]
