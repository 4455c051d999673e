from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0060_portal")]

    operations = [
        migrations.AddField("signingkey", "expires_at", models.DateTimeField(blank=True, editable=False, null=True))
    ]
