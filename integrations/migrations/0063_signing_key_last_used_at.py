from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0062_signing_key_replaced_by")]

    operations = [
        migrations.AddField("signingkey", "last_used_at", models.DateTimeField(blank=True, editable=False, null=True))
    ]
