from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0072_integration_removed_at")]

    operations = [
        migrations.AddField(
            "subscription", "unread", models.CharField(blank=True, default="", editable=False, max_length=200), False
        )
    ]
