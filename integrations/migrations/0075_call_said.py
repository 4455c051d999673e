from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0074_event_is_repetition")]

    operations = [
        migrations.AddField("call", "said", models.CharField(blank=True, db_default="", default="", max_length=300))
    ]
