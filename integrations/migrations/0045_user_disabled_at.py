from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0044_call_hour")]

    operations = [
        migrations.AddField("connecteduser", "disabled_at", models.DateTimeField(blank=True, editable=False, null=True))
    ]
