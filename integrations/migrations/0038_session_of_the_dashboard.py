from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0037_one_event_a_key")]

    operations = [
        migrations.AlterField(
            model_name="connectsession",
            name="protocol",
            field=models.CharField(
                choices=[("paragon", "Paragon SDK"), ("patchbay", "Patchbay SDK"), ("dashboard", "Dashboard")],
                max_length=10,
            ),
        )
    ]
