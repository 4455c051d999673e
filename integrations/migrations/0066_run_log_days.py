from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0065_connections_of_a_project")]

    operations = [
        migrations.AddField("project", "run_log_days", models.PositiveSmallIntegerField(blank=True, null=True)),
    ]
