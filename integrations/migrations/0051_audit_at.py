from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0050_audit_mark")]

    operations = [
        migrations.AlterField("auditentry", "at", models.DateTimeField())
    ]
