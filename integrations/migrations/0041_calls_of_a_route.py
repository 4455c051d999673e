from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0040_call_code")]

    operations = [
        migrations.AddIndex("call", models.Index(fields=["project", "route", "-at", "-id"], name="calls_of_a_route"))
    ]
