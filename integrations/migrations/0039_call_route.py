from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0038_session_of_the_dashboard")]

    operations = [
        migrations.AddField("call", "route", models.CharField(blank=True, default="", max_length=200), preserve_default=False)
    ]
