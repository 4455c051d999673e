from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0064_api_key")]

    operations = [
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(fields=["project", "-created_at", "id"], name="connections_of_a_project"),
        )
    ]
