from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0046_roles")]

    operations = [
        migrations.AddField("auditentry", "before", models.JSONField(null=True))
    ]
