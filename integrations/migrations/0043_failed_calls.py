from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0042_refused_calls")]

    operations = [
        migrations.AddIndex("call", models.Index(condition=models.Q(("status__gte", 500)), fields=["project", "-at", "-id"], name="failed_calls"))
    ]
