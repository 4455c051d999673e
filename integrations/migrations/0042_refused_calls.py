from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0041_calls_of_a_route")]

    operations = [
        migrations.AddIndex("call", models.Index(condition=models.Q(("status__gte", 400), ("status__lt", 500)), fields=["project", "-at", "-id"], name="refused_calls"))
    ]
