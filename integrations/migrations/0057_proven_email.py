from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0056_second_factor_required")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="proven_email",
            field=models.EmailField(blank=True, default="", editable=False, max_length=254),
            preserve_default=False,
        )
    ]
