from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0045_user_disabled_at")]

    operations = [
        migrations.AlterField(
            model_name="member",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("admin", "Admin"),
                    ("developer", "Developer"),
                    ("support", "Support"),
                ],
                default="admin",
                max_length=10,
            ),
        )
    ]
