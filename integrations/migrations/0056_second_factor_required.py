from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0055_audit_seal")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="require_second_factor",
            field=models.BooleanField(default=False, verbose_name="owners and admins need a second factor"),
        )
    ]
