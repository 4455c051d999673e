from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0043_failed_calls")]

    operations = [
        migrations.CreateModel(
            name="CallHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider_slug", models.SlugField(max_length=40)),
                ("hour", models.DateTimeField()),
                ("method", models.CharField(max_length=8)),
                ("route", models.CharField(max_length=200)),
                ("calls", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("milliseconds", models.PositiveBigIntegerField(default=0)),
                ("ms_50", models.PositiveIntegerField(default=0)),
                ("ms_100", models.PositiveIntegerField(default=0)),
                ("ms_200", models.PositiveIntegerField(default=0)),
                ("ms_400", models.PositiveIntegerField(default=0)),
                ("ms_800", models.PositiveIntegerField(default=0)),
                ("ms_1600", models.PositiveIntegerField(default=0)),
                ("ms_3200", models.PositiveIntegerField(default=0)),
                ("ms_more", models.PositiveIntegerField(default=0)),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="call_hours", to="integrations.project"
                    ),
                ),
            ],
            options={
                "ordering": ["-hour", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("project", "hour", "provider_slug", "method", "route"), name="one_row_a_route_and_hour"
                    )
                ],
            },
        )
    ]
