from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0049_audit_ip")]

    operations = [
        migrations.AddField("auditentry", "mark", models.CharField(default="", editable=False, max_length=64), preserve_default=False)
    ]
