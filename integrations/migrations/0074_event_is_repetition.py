from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0073_subscription_unread")]

    operations = [
        migrations.AddField("event", "is_repetition", models.BooleanField(db_default=False, default=False, editable=False))
    ]
