from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0059_invitation")]

    operations = [
        migrations.CreateModel(
            name="Portal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("short_description", models.CharField(blank=True, max_length=160)),
                ("description", models.TextField(blank=True, max_length=6000)),
                ("connect_label", models.CharField(blank=True, max_length=40, verbose_name="connect button")),
                ("accent_color", models.CharField(blank=True, max_length=7, verbose_name="accent colour")),
                (
                    "theme",
                    models.CharField(
                        choices=[
                            ("system", "As the user’s device is set"),
                            ("light", "Always light"),
                            ("dark", "Always dark"),
                        ],
                        default="system",
                        max_length=10,
                    ),
                ),
                ("shows_activity", models.BooleanField(default=True)),
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=models.deletion.CASCADE, related_name="portal", to="integrations.integration"
                    ),
                ),
            ],
            options={"ordering": ["id"]},
        )
    ]
