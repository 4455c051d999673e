from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0069_users_of_an_integration")]

    operations = [
        migrations.AddIndex(
            "call",
            models.Index(
                fields=["project", "-at", "-id"],
                name="redirected_calls",
                condition=models.Q(status__gte=300, status__lt=400),
            ),
        )
    ]
