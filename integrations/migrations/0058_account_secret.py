import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0057_proven_email")]

    operations = [
        migrations.CreateModel(
            name="AccountSecret",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("secret_sealed", models.TextField(editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"abstract": False},
        )
    ]
